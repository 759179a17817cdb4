# Shared by dist_train.sh and dist_test.sh.

usage() {  # SCRIPT: print the comment block at its top
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1" | sed '/^set /d'
    exit 0
}

launch() {  # PROCESSES SCRIPT ARGS…
    local processes=$1
    shift
    local python="$here/../.venv/bin/python"
    [[ -x $python ]] || python=python
    exec "$python" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
        --nproc_per_node="$processes" "$@" --launcher pytorch
}

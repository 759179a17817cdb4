# Shared by dist_train.sh, dist_test.sh and slurm_train.sh.

usage() {  # SCRIPT: print the comment block at its top
    sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$1" | sed '/^set /d'
    exit 0
}

venv_python() {  # the project's own interpreter, where make setup has made one
    local python="$here/../.venv/bin/python"
    [[ -x $python ]] || python=python
    echo "$python"
}

launch() {  # PROCESSES SCRIPT ARGS…
    local processes=$1
    shift
    exec "$(venv_python)" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" --master_port="${PORT:-29500}" \
        --nproc_per_node="$processes" "$@" --launcher pytorch
}

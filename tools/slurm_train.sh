#!/usr/bin/env bash
# Train on a Slurm cluster.
# Example: GPUS=8 GPUS_PER_NODE=4 bash tools/slurm_train.sh gpu-partition agrcnn configs/agrcnn_cbis.py work_dirs/agrcnn_cbis --amp
set -euo pipefail
if [[ $# -lt 4 || $1 == -h || $1 == --help ]]; then sed -n '2,3s/^# //p' "${BASH_SOURCE[0]}"; exit 0; fi
partition=$1 job=$2 config=$3 work_dir=$4
gpus=${GPUS:-8}
per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/_launch.sh"
# shellcheck disable=SC2086  # SRUN_ARGS is a list of words
exec srun --partition="$partition" --job-name="$job" --gres="gpu:$per_node" --ntasks="$gpus" \
    --ntasks-per-node="$per_node" --cpus-per-task="${CPUS_PER_TASK:-5}" --kill-on-bad-exit=1 ${SRUN_ARGS:-} \
    "$(venv_python)" -u "$here/train.py" "$config" --work-dir "$work_dir" --launcher slurm "${@:5}"

#!/usr/bin/env bash
# Train on several processes of one machine (or of NNODES machines) with torchrun.
# Usage:   bash tools/dist_train.sh CONFIG PROCESSES [arguments of tools/train.py]
# Example: bash tools/dist_train.sh configs/agrcnn_cbis.py 4 --amp
# Without a GPU the processes run on the CPU and talk through gloo.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/_launch.sh"
if [[ $# -lt 2 || $1 == -h || $1 == --help ]]; then usage "${BASH_SOURCE[0]}"; fi
launch "$2" "$here/train.py" "$1" "${@:3}"

#!/usr/bin/env bash
# Test on several processes with torchrun.
# Usage:   bash tools/dist_test.sh CONFIG CHECKPOINT PROCESSES [arguments of tools/test.py]
# Example: bash tools/dist_test.sh configs/agrcnn_cbis.py work_dirs/agrcnn_cbis/epoch_62.pth 4 --report report
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
source "$here/_launch.sh"
if [[ $# -lt 3 || $1 == -h || $1 == --help ]]; then usage "${BASH_SOURCE[0]}"; fi
launch "$3" "$here/test.py" "$1" "$2" "${@:4}"

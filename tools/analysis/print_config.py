#!/usr/bin/env python
"""Print a config with everything it inherits.

Example:
    python tools/analysis/print_config.py configs/agrcnn_phantom.py --cfg-options model.neck.1.k=1
"""

from __future__ import annotations

import argparse

from mmengine.config import DictAction

from mmmammo import cli
from mmmammo.apis.runs import load_config


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__.splitlines()[0],
        epilog=__doc__.split('\n', 2)[2],
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument('config', help='config file')
    parser.add_argument('--cfg-options', nargs='+', action=DictAction, metavar='KEY=VALUE', help='override entries')
    args = parser.parse_args()
    print(load_config(args.config, options=args.cfg_options).pretty_text)
    return 0


if __name__ == '__main__':
    cli.run(main)

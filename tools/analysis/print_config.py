#!/usr/bin/env python
"""Print a config with everything it inherits.

Example:
    python tools/analysis/print_config.py configs/agrcnn_phantom.py --cfg-options model.neck.1.k=1
"""

from __future__ import annotations

from mmmammo import cli
from mmmammo.apis.arguments import add_config_options, make_parser
from mmmammo.apis.runs import load_config


def main() -> int:
    parser = make_parser(__doc__)
    parser.add_argument('config', help='config file')
    add_config_options(parser)
    args = parser.parse_args()
    print(load_config(args.config, options=args.cfg_options).pretty_text)
    return 0


if __name__ == '__main__':
    cli.run(main)

"""Command-line arguments that our commands share."""

from __future__ import annotations

import argparse
from typing import Any

from mmengine.config import DictAction

from mmmammo.cli import make_parser

__all__ = ['ConfigOptions', 'add_config_options', 'make_parser', 'shard']


class ConfigOptions(DictAction):
    """``KEY=VALUE …`` as a dict; anything else ends in argparse's own message."""

    def __call__(self, parser: argparse.ArgumentParser, namespace: Any, values: Any, option_string: Any = None) -> None:
        """Parse the values."""
        try:
            super().__call__(parser, namespace, values, option_string)
        except (ValueError, AssertionError, RecursionError):  # the last of a dict inside a list
            parser.error(_unreadable(option_string, values))
        read = getattr(namespace, self.dest)
        if any(isinstance(value, str) and value.startswith('dict(') for value in read.values()):
            parser.error(_unreadable(option_string, values))  # it would be taken for text


def _unreadable(option: str | None, values: list[str]) -> str:
    expected = 'KEY=VALUE, e.g. train_cfg.max_epochs=6, VALUE being a number, text or a list of these'
    remedy = 'for anything else write a config of your own that names this one in _base_'
    return f'{option}: found {" ".join(values)}; expected {expected}. Remedy: {remedy}'


def add_config_options(parser: argparse.ArgumentParser) -> None:
    """Add ``--cfg-options``."""
    parser.add_argument(
        '--cfg-options',
        nargs='+',
        action=ConfigOptions,
        metavar='KEY=VALUE',
        help='override config entries, e.g. train_dataloader.batch_size=2',
    )


def shard(text: str) -> tuple[int, int]:
    """``I/N`` of ``--shard``, for ``type``."""
    index, _, count = text.partition('/')
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f'found {text}; expected I/N with I from 1 to N, e.g. 2/4')
    return int(index), int(count)

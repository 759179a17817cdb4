"""The arguments of ``tools/prepare_dataset.py``: those of every set, and those that only some sources have."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping
from pathlib import Path

from mmmammo.prepare.options import CROP_METHODS, LANDMARK_SOURCES, PECTORAL_METHODS, PrepareOptions, SetOptions
from mmmammo.prepare.policies import POSSIBLE, parse_policy
from mmmammo.sources import SOURCES, Source, SourceOption, get_source
from mmmammo.structures import MammoError

_CLIP_LIMIT = 2.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """All arguments but those of the phantom."""
    parser.add_argument('source', choices=SOURCES, metavar='SOURCE', help=f'one of {", ".join(SOURCES)}')
    parser.add_argument('--raw', type=Path, help='the download (phantom: made if missing; default OUT/raw)')
    parser.add_argument('--out', type=Path, required=True, help='the prepared set')
    parser.add_argument('--workers', type=int, default=os.cpu_count() or 1, help='processes (default: all cores)')
    parser.add_argument(
        '--dask',
        metavar='ADDRESS',
        help="do the work on the Dask cluster with this scheduler, such as tcp://host:8786; 'local' starts one here",
    )
    _add_source_options(parser)
    _add_sizes(parser)
    _add_image_options(parser)
    _add_set_options(parser)


def prepare_options(args: argparse.Namespace, source: Source) -> PrepareOptions:
    """How an image is prepared: the source's policies, and over them the user's.

    Raises:
        MammoError: If options exclude each other, or one cannot be.
    """
    return PrepareOptions(
        height=args.height,
        scale=args.scale,
        long_side=args.long_side,
        spacing=args.spacing,
        crop=not args.no_crop,
        bits=args.bits,
        remove_pectoral=args.remove_pectoral,
        pectoral_fill=args.pectoral_fill,
        crop_method=args.crop_method,
        pectoral_method=args.pectoral_method,
        voi=not args.no_voi,
        clahe=args.clahe,
        landmarks=args.landmarks,
        coarse_jpeg2000=args.coarse_jpeg2000,
        policies={**source.POLICIES, **dict(map(parse_policy, args.policy))},
    )


def set_options(args: argparse.Namespace) -> SetOptions:
    """What becomes of the images as a set."""
    return SetOptions(args.single_class, tuple(args.only), tuple(args.split_fractions), args.seed)


def source_options(args: argparse.Namespace, source: Source) -> dict[str, str]:
    """The source's own options, each as given or by default.

    Raises:
        MammoError: If an option of other sources is given, or a value that this source does not have.
    """
    own = {option.name: option for option in source.OPTIONS}
    given = {name: getattr(args, name) for name in _merged_options() if getattr(args, name) is not None}
    for name, value in given.items():
        if name not in own:
            options = ', '.join(_flag(other) for other in own) or 'none'
            raise _refused(args.source, _flag(name), 'an option of other sources', f'options of this one: {options}')
        if value not in own[name].choices:
            raise _refused(args.source, _flag(name), value, f'one of {", ".join(own[name].choices)}')
    return {name: given.get(name, option.default) for name, option in own.items()}


def _add_source_options(parser: argparse.ArgumentParser) -> None:
    """One flag per name; sources that share a name share the flag."""
    group = parser.add_argument_group('sources')
    for name, by_source in _merged_options().items():
        choices = list(dict.fromkeys(choice for option in by_source.values() for choice in option.choices))
        lines = [f'{source}: {option.help} ({option.default})' for source, option in by_source.items()]
        group.add_argument(_flag(name), choices=choices, help='; '.join(lines).replace('%', '%%'))


def _merged_options() -> Mapping[str, Mapping[str, SourceOption]]:
    """Every option name with the sources that have it."""
    merged: dict[str, dict[str, SourceOption]] = {}
    for source in SOURCES:
        for option in get_source(source).OPTIONS:
            merged.setdefault(option.name, {})[source] = option
    return merged


def _add_sizes(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('size of the images, at most one of them (default: as the source)')
    sizes = group.add_mutually_exclusive_group()
    sizes.add_argument('--height', type=int, metavar='PX', help='scale so that the source would be this high')
    sizes.add_argument('--scale', type=float, metavar='FACTOR', help='scale by this factor, e.g. 0.25')
    sizes.add_argument('--long-side', type=int, metavar='PX', help='scale so that neither side of the crop exceeds it')
    sizes.add_argument('--spacing', type=float, metavar='MM', help='scale to so many millimetres per pixel')


def _add_image_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('images')
    group.add_argument('--bits', type=int, choices=(16, 8), default=16, help='of the PNG files (16)')
    group.add_argument('--no-crop', action='store_true', help='keep the whole image instead of the breast')
    group.add_argument('--remove-pectoral', action='store_true', help='blank the muscle in oblique views')
    group.add_argument(
        '--pectoral-fill', type=float, default=0.0, metavar='GREY', help='what the muscle is filled with, 0 to 1 (0)'
    )
    group.add_argument(
        '--crop-method', choices=CROP_METHODS, default='mask', help="what is cut to, rsna: by paper 2's recipe (mask)"
    )
    group.add_argument(
        '--pectoral-method',
        choices=PECTORAL_METHODS,
        default='landmarks',
        help="what of the muscle is blanked, rsna: by paper 2's recipe (landmarks)",
    )
    group.add_argument(
        '--no-voi', action='store_true', help='DICOM: least value black, greatest white, whatever window is meant'
    )
    group.add_argument(
        '--coarse-jpeg2000',
        action='store_true',
        help="JPEG 2000 files that are shrunk to half or less, by --height or --scale, are decoded at the codestream's "
        'own lower resolution: in less than half of the time, not the same pixels',
    )
    group.add_argument(
        '--clahe', nargs='?', type=float, const=_CLIP_LIMIT, metavar='CLIP', help='equalise, and bake that in (clip 2)'
    )
    group.add_argument(
        '--landmarks',
        choices=LANDMARK_SOURCES,
        default='detected',
        help="found, found by paper 3's recipe, or as the source has them (found)",
    )
    group.add_argument(
        '--policy',
        nargs='+',
        action='extend',
        default=[],
        metavar='PROBLEM=ACTION',
        help='accept, mend or quarantine, first the default: '
        + '; '.join(f'{problem} {"|".join(possible)}' for problem, possible in POSSIBLE.items() if len(possible) > 1),
    )


def _add_set_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group('classes and splits')
    group.add_argument('--single-class', metavar='NAME', help='merge all findings into one class')
    group.add_argument('--only', nargs='+', default=(), metavar='CATEGORY', help='keep findings of these categories')
    group.add_argument(
        '--split-fractions',
        nargs=3,
        type=float,
        default=(0.7, 0.1, 0.2),
        metavar=('TRAIN', 'VAL', 'TEST'),
        help='of the patients whose split the source leaves open (0.7 0.1 0.2)',
    )
    group.add_argument('--seed', type=int, default=0, help='of the split, and of the phantom (0)')


def _flag(name: str) -> str:
    return '--' + name.replace('_', '-')


def _refused(source: str, field: str, found: object, expected: str) -> MammoError:
    return MammoError(source, field=field, found=found, expected=expected, remedy='correct the command')

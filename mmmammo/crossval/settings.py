"""What a cross-validation is: the cut, the seed of its trainings, and what its config says about other configs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.crossval.tables import SCALES
from mmmammo.datasets.fold_part import FoldPart
from mmmammo.datasets.label_rule import HAS_FINDING
from mmmammo.structures import MammoError

SPLITS = ('train', 'val', 'test')
FOLD_SEED = 121
"""Of the cut, by default; that of paper 2."""
_CUT_KEYS = ('folds', 'seed', 'stratify', 'unit', 'pool', 'label')


@dataclass(frozen=True)
class Cut:
    """How the images are divided; see :class:`~mmmammo.datasets.fold_part.FoldPart`.

    Args:
        n: Folds.
        seed: Of the cut.
        stratify: Label that is shared out evenly; ``None`` for the one that the data set of the config asks for.
        unit: What is shared out.
        splits: Whose index files are pooled, of :data:`SPLITS`.
        label: Folds that the set brings.
    """

    n: int
    seed: int = FOLD_SEED
    stratify: str | None = None
    unit: str = 'image'
    splits: tuple[str, ...] = SPLITS
    label: str | None = None

    def part(self, cfg: Config, held_out: int, part: str) -> FoldPart:
        """A part of a fold, of a config's data."""
        files = [dataset.ann_file for split in self.splits for dataset in datasets_of(cfg[f'{split}_dataloader'])]
        return FoldPart(
            n=self.n,
            held_out=held_out,
            part=part,
            pool=tuple(dict.fromkeys(files)),
            seed=self.seed,
            stratify=self.stratify or usual_label(cfg),
            unit=self.unit,
            label=self.label,
        )


@dataclass(frozen=True)
class Settings:
    """Everything but the config.

    Args:
        cut: How images are divided.
        train_seed: Of the trainings.
        needs: Name -> config whose same fold is made first.
        prepare: ``makes`` and ``command`` of what is computed per fold before the training.
        options: Dotted keys -> what is written over the config in every fold; texts may have placeholders.
        average: If not ``None``, nothing is trained: the scores are the mean of those of the needs, on this scale.
    """

    cut: Cut
    train_seed: int
    needs: Mapping[str, str] = field(default_factory=dict)
    prepare: tuple[Mapping[str, str], ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    average: str | None = None


def read_settings(
    cfg: Config,
    *,
    cut: Cut | None = None,
    folds: int | None = None,
    fold_seed: int | None = None,
    pool: Sequence[str] | None = None,
    train_seed: int | None = None,
) -> Settings:
    """The settings of a config's ``crossval`` entry, and of the command line, which wins.

    Args:
        cfg: The config.
        cut: That of the config that needs this one; then nothing else is asked about the cut.
        folds: How many.
        fold_seed: Of the cut.
        pool: Splits that are pooled.
        train_seed: Of the trainings.

    Raises:
        MammoError: If nobody says how many folds, or an entry is unknown or makes no sense.
    """
    said = dict(cfg.get('crossval', {}))
    others = tuple(f.name for f in fields(Settings) if f.name not in ('cut', 'train_seed'))
    unknown = sorted(set(said) - {*_CUT_KEYS, *others})
    if unknown:
        raise _error(cfg, 'keys', ', '.join(unknown), f'only {", ".join((*_CUT_KEYS, *others))}')
    if train_seed is None:
        train_seed = cfg.get('randomness', {}).get('seed') or 0
    settings = Settings(
        cut=cut or _cut(cfg, said, folds, fold_seed, pool),
        train_seed=train_seed,
        prepare=tuple(dict(step) for step in said.get('prepare', ())),
        **{name: said[name] for name in others if name != 'prepare' and name in said},
    )
    _check(cfg, settings)
    return settings


def write_options(cfg: Config, options: Mapping[str, Any], where: str) -> None:
    """Write ``crossval.options`` over a config.

    Raises:
        MammoError: If one goes through a plain value.
    """
    try:
        cfg.merge_from_dict(dict(options))
    except (AssertionError, TypeError, KeyError) as err:
        raise MammoError(
            where,
            field='crossval.options',
            found=f'{dict(options)} ({err})',
            expected='dotted keys of entries this config has',
            remedy='print the config with tools/analysis/print_config.py and take a key from there',
        ) from err


def usual_label(cfg: Config) -> str:
    """What folds are stratified by where nothing is said: the label that the training set asks for."""
    for dataset in datasets_of(cfg.train_dataloader):
        labels = dataset.get('labels')
        if isinstance(labels, str):
            return labels
        if labels:
            return 'cancer' if 'cancer' in labels else str(labels[0])
    return HAS_FINDING


def _cut(
    cfg: Config, said: Mapping[str, Any], folds: int | None, fold_seed: int | None, pool: Sequence[str] | None
) -> Cut:
    n = folds if folds is not None else said.get('folds')
    if not isinstance(n, int) or n < 2:
        raise _error(cfg, 'folds', repr(n), 'a whole number from 2 on', 'give --folds N')
    splits = tuple(pool if pool is not None else said.get('pool', SPLITS))
    if 'train' not in splits or not set(splits) <= set(SPLITS):
        raise _error(cfg, 'pool', splits, f'some of {SPLITS}, train among them')
    return Cut(
        n=n,
        seed=fold_seed if fold_seed is not None else said.get('seed', FOLD_SEED),
        stratify=said.get('stratify'),
        unit=said.get('unit', 'image'),
        splits=splits,
        label=said.get('label'),
    )


def _check(cfg: Config, settings: Settings) -> None:
    for step in settings.prepare:
        if set(step) != {'makes', 'command'}:
            raise _error(cfg, 'prepare', f'an entry with keys {sorted(step)}', 'makes and command')
    if settings.average is None:
        return
    if settings.average not in SCALES or not settings.needs or settings.prepare or settings.options:
        found = f'{settings.average!r} of {len(settings.needs)} needs'
        raise _error(cfg, 'average', found, f'one of {SCALES}, with needs, and without prepare and options')


def _error(cfg: Config, field: str, found: object, expected: str, remedy: str = 'correct it') -> MammoError:
    return MammoError(
        cfg.filename or 'config', field=f'crossval.{field}', found=found, expected=expected, remedy=remedy
    )

"""Which runs a plan asks for. The only module here that reads configs, and so needs torch."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mmmammo.apis.runs import load_config
from mmmammo.experiments.plan import Plan, Row
from mmmammo.experiments.runs import Run
from mmmammo.structures import MammoError


def plan_runs(
    plan: Plan, root: Path, out: Path, only: Sequence[str] = (), seeds: Sequence[int] | None = None
) -> list[Run]:
    """All runs of a plan, the first seed of every row before the second of any; means last.

    Args:
        plan: The rows.
        root: Folder that their configs are relative to.
        out: Folder of all runs.
        only: Names of rows; none for all.
        seeds: Leave out others.

    Raises:
        MammoError: If a name is unknown, a config cannot be read, or a mean has a seed that its rows do not have.
    """
    names = [row.name for row in plan.rows]
    unknown = [name for name in only if name not in names]
    if unknown:
        raise MammoError(
            plan.path,
            field='--only',
            found=', '.join(unknown),
            expected=f'some of {", ".join(names)}',
            remedy='correct the names',
        )
    trained = {row.name: _trained(row, root, out) for row in plan.rows if not row.combine}
    made = trained | {row.name: _combined(row, trained, out) for row in plan.rows if row.combine}
    chosen = [row.name for row in plan.rows if not only or row.name in only]
    runs = [run for name in chosen for run in made[name] if seeds is None or run.seed in seeds]
    return sorted(runs, key=lambda run: (bool(run.parts), run.row.seeds.index(run.seed)))


def shard(runs: Sequence[Run], index: int, count: int) -> list[Run]:
    """The part of machine ``index`` (from 1) of ``count``; every run is in one part, finished or not."""
    return list(runs[index - 1 :: count])


def _trained(row: Row, root: Path, out: Path) -> list[Run]:
    cfg = load_config(root / row.config, options=row.cfg_options)
    digest = config_digest(cfg.to_dict() | ({'folds': row.folds} if row.folds else {}))
    folder = out / f'{row.name}-{digest[:8]}'
    epochs = (cfg.get('train_cfg') or {}).get('max_epochs', 1)
    return [Run(row, seed, digest, epochs, folder / f'seed{seed}') for seed in row.seeds]


def _combined(row: Row, trained: Mapping[str, Sequence[Run]], out: Path) -> list[Run]:
    """A mean of runs of one seed; it is another one when one of them is."""
    runs = []
    ((how, names),) = row.combine.items()
    for seed in row.seeds:
        parts = tuple(run for name in names for run in trained[name] if run.seed == seed)
        if len(parts) < len(names):
            raise MammoError(
                out,
                field=f'row {row.name!r}: seeds',
                found=seed,
                expected=f'seeds that all of {", ".join(names)} have',
                remedy='correct the plan',
            )
        digest = config_digest({'combine': how, 'parts': [part.digest for part in parts]})
        runs.append(Run(row, seed, digest, 0, out / f'{row.name}-{digest[:8]}' / f'seed{seed}', parts))
    return runs


def config_digest(config: Mapping[str, Any]) -> str:
    """Of everything that a config says, but where it writes."""
    said = _in_order({key: value for key, value in config.items() if key != 'work_dir'})
    return hashlib.sha256(json.dumps(said, default=str).encode()).hexdigest()


def _in_order(value: Any) -> Any:
    """Mappings by their keys; json's own order fails where these are of several types, such as 0, 1 and None."""
    if isinstance(value, Mapping):
        return {key: _in_order(value[key]) for key in sorted(value, key=lambda key: (type(key).__name__, key))}
    return [_in_order(item) for item in value] if isinstance(value, list | tuple) else value

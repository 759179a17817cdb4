"""A config with its cut, its seed and its folder; and the others that it needs."""

from __future__ import annotations

import copy
import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mmengine.config import Config

from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.run_results import metrics_of
from mmmammo.apis.runs import load_config
from mmmammo.crossval.leaks import require_nothing_held_out
from mmmammo.crossval.settings import Settings, read_settings, write_options
from mmmammo.crossval.shared_data import options_of_need, require_one_set, require_same_images
from mmmammo.evaluation.metrics import APMetric, FROCMetric, ScoreMetric
from mmmammo.experiments.schedule import config_digest
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

RECORD = 'crossval.json'
SCORES, PREDICTIONS, METRICS = 'scores.csv', 'predictions.json', 'metrics.json'
FORMAT = 'mmmammo-crossval-1'


@dataclass(frozen=True, eq=False)
class Project:
    """One cross-validation.

    Args:
        name: Of the config.
        config: Its path, as given.
        cfg: What it says.
        settings: Of the cross-validation.
        needs: Name -> the cross-validation whose folds come before the same folds of this one.
        digest: Of everything that its numbers follow from, but for code and images.
        folder: Where everything is.
        store: Where cross-validations find each other.
    """

    name: str
    config: str
    cfg: Config
    settings: Settings
    needs: Mapping[str, Project]
    digest: str
    folder: Path
    store: Path

    @property
    def folds(self) -> range:
        """0 to n - 1."""
        return range(self.settings.cut.n)

    @property
    def gives_scores(self) -> bool:
        """Whether the scores of its folds are gathered; otherwise their detections are."""
        return _has_metric(self.with_options(), ScoreMetric)

    def with_options(self) -> Config:
        """The config with what is written over it in every fold, placeholders as they are."""
        return _with_options(self.cfg, self.settings, self.config)

    @property
    def link(self) -> Path:
        """Where others look for this one."""
        return self.store / f'{self.name}-{self.digest[:8]}-seed{self.settings.train_seed}'

    def with_needs(self) -> Iterator[Project]:
        """This one, and all that it needs."""
        yield self
        for need in self.needs.values():
            yield from need.with_needs()

    def fold_folder(self, fold: int) -> Path:
        """Where everything of a fold is."""
        return self.folder / f'fold{fold}'

    def pool_files(self) -> list[Path]:
        """The index files that are cut."""
        dataset = next(datasets_of(self.cfg.train_dataloader))
        return [Path(dataset.data_root, name) for name in self.settings.cut.part(self.cfg, 0, 'rest').pool]

    def claim(self) -> None:
        """Write down what is cross-validated here, or compare with what was; and leave a link in the store.

        Raises:
            MammoError: If config, cut, seed or the images changed since the first fold.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        facts = self._facts()
        path = self.folder / RECORD
        if path.is_file():
            self._compare(path, json.loads(path.read_text(encoding='utf-8')), facts)
        else:
            with written_whole(path) as file:
                file.write(json.dumps(facts, indent=1) + '\n')
        if self.link.resolve() != self.folder.resolve():
            self.store.mkdir(parents=True, exist_ok=True)
            if not self.link.exists():
                self.link.unlink(missing_ok=True)  # one that leads nowhere
                with suppress(FileExistsError):  # another process was quicker
                    self.link.symlink_to(self.folder.resolve())

    def _facts(self) -> dict[str, Any]:
        cut = asdict(self.settings.cut) | {'splits': list(self.settings.cut.splits)}
        return {
            'format': FORMAT,
            'config': self.config,
            'digest': self.digest,
            'cut': cut,
            'seed': self.settings.train_seed,
            'index_files': {path.name: _sha256(path) for path in self.pool_files()},
        }

    def _compare(self, path: Path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
        changed = [key for key in ('cut', 'seed', 'index_files', 'digest') if then.get(key) != now[key]]
        if not changed:
            return
        words = {'cut': 'the cut', 'seed': 'the seed', 'index_files': 'the prepared set', 'digest': 'the config'}
        key = changed[0]
        shown = f': {then.get(key)}, now {now[key]}' if key in ('cut', 'seed') else ''
        raise MammoError(
            path,
            field=key,
            found=f'{words[key]} of folds made before is another{shown}',
            expected='that of this command: folds of two kinds do not make one table',
            remedy='give another --work-dir, or remove this folder to begin anew',
        )


def open_project(
    config: str,
    root: Path,
    store: Path,
    *,
    folder: Path | None = None,
    cfg_options: Mapping[str, Any] | None = None,
    **said: Any,
) -> Project:
    """Read a config and those that it needs.

    Args:
        config: Path of the config.
        root: Folder that the configs of needs are relative to.
        store: Where cross-validations find each other.
        folder: Where this one goes; by default into the store.
        cfg_options: Overrides of the config. Those of data sets reach what it needs too, see
            :func:`~mmmammo.crossval.shared_data.options_of_need`.
        **said: See :func:`~mmmammo.crossval.settings.read_settings`.

    Raises:
        MammoError: If a config is missing or makes no sense, needs itself, has no metric of scores or detections, or
            its training would be steered by the validation, which in a fold is of the images that are held out; if its
            model or metrics have a file that was computed from images of all folds; or if it needs a config on other
            images, whose folds are not its own.
    """
    return _open(config, root, store, folder, cfg_options, said, ())


def _open(
    config: str,
    root: Path,
    store: Path,
    folder: Path | None,
    options: Mapping[str, Any] | None,
    said: Mapping[str, Any],
    chain: Sequence[str],
) -> Project:
    path = _path_of(config, root)
    here = str(path.resolve())
    if here in chain:
        names = ' -> '.join(Path(one).name for one in (*chain, here))
        raise MammoError(
            config, field='crossval.needs', found=names, expected='no circle', remedy='correct the configs'
        )
    cfg = load_config(path, options=options)
    settings = read_settings(cfg, **said)
    stratum = settings.cut.part(cfg, 0, 'rest').stratify  # of the config at the end of a chain, for all
    settings = replace(settings, cut=replace(settings.cut, stratify=stratum))
    of_folds = _with_options(cfg, settings, config)
    _require_metric(of_folds, settings, config)
    if settings.average is None:
        require_nothing_held_out(of_folds, root, config)
    require_one_set(cfg, config)
    passed_on = {'cut': settings.cut, 'train_seed': settings.train_seed}
    needs = {
        name: _open(other, root, store, None, _passed(options, path, other, root), passed_on, (*chain, here))
        for name, other in sorted(settings.needs.items())
    }
    project = Project(path.stem, str(config), cfg, settings, needs, _digest(cfg, settings, needs), Path(), store)
    for name, need in needs.items():
        require_same_images(config, project.pool_files(), name, need.config, need.pool_files())
    return replace(project, folder=folder or project.link)


def _with_options(cfg: Config, settings: Settings, config: str) -> Config:
    cfg = copy.deepcopy(cfg)
    write_options(cfg, settings.options, config)
    return cfg


def _path_of(config: str, root: Path) -> Path:
    return Path(config) if Path(config).is_file() else root / config


def _passed(options: Mapping[str, Any] | None, path: Path, other: str, root: Path) -> dict[str, Any]:
    """The overrides that a needed config takes too."""
    return options_of_need(options, load_config(path), load_config(_path_of(other, root))) if options else {}


def _digest(cfg: Config, settings: Settings, needs: Mapping[str, Project]) -> str:
    said = {
        'config': config_digest(cfg.to_dict()),
        'cut': asdict(settings.cut),
        'seed': settings.train_seed,
        'needs': {name: project.digest for name, project in needs.items()},
    }
    return hashlib.sha256(json.dumps(said, sort_keys=True, default=str).encode()).hexdigest()


def _require_metric(cfg: Config, settings: Settings, config: str) -> None:
    """Refuse a config whose test would leave nothing to gather, before anything is trained."""
    if _has_metric(cfg, ScoreMetric) or (settings.average is None and _has_metric(cfg, FROCMetric, APMetric)):
        return
    raise MammoError(
        config,
        field='test_evaluator',
        found=', '.join(evaluator.type for evaluator in metrics_of(cfg)[0]) or 'no metric',
        expected='a metric of scores, such as mmmammo.ProbabilisticF1Metric'
        + (', or of detections: mmmammo.FROCMetric, APMetric' if settings.average is None else ''),
        remedy='add such a metric' if settings.average is None else 'average classifiers',
    )


def _has_metric(cfg: Config, *bases: type) -> bool:
    return any(issubclass(kind, bases) for kind in metrics_of(cfg)[1])


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()

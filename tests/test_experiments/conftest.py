"""Fixtures around the toy plan."""

import json

import pytest
from toy_plan import AVERAGE, CROSSVAL, PLAN, TEST, TRAIN

from mmmammo.experiments import read_plan
from mmmammo.experiments.runs import Run


@pytest.fixture
def plan(tmp_path):
    """The plan, in a folder of its own."""
    path = tmp_path / 'plan.yaml'
    path.write_text(PLAN)
    return read_plan(path)


@pytest.fixture
def root(tmp_path):
    """A repository whose tools take no time."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'train.py').write_text(TRAIN)
    (tmp_path / 'tools' / 'test.py').write_text(TEST)
    (tmp_path / 'tools' / 'crossval.py').write_text(CROSSVAL)
    (tmp_path / 'tools' / 'average_scores.py').write_text(AVERAGE)
    return tmp_path


@pytest.fixture
def make_runs(tmp_path):
    """Runs of a plan without reading its configs."""

    def _make_runs(plan):
        return [
            Run(row, seed, 'a' * 64, 2, tmp_path / 'out' / row.name / f'seed{seed}')
            for row in plan.rows
            for seed in row.seeds
        ]

    return _make_runs


@pytest.fixture
def metrics_of():
    """The metrics a run wrote."""
    return lambda run: json.loads((run.folder / 'metrics.json').read_text())['metrics']

from pathlib import Path

import pytest

from mmmammo.experiments import read_plan
from mmmammo.experiments.schedule import config_digest, plan_runs, shard
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
PLANS = sorted((ROOT / 'configs').rglob('experiments*.yaml'))


@pytest.mark.parametrize('path', PLANS, ids=lambda path: path.parent.name)
def test_every_plan_names_configs_that_load(path, tmp_path):
    plan = read_plan(path)
    runs = plan_runs(plan, ROOT, tmp_path)
    assert len(runs) == sum(len(row.seeds) for row in plan.rows)
    assert len({run.folder for run in runs}) == len(runs)
    assert len({run.digest for run in runs}) == len(plan.rows)
    assert all(run.epochs > 0 for run in runs)


def test_first_seeds_come_first_and_rows_can_be_chosen(tmp_path):
    plan = read_plan(ROOT / 'configs/agrcnn/experiments.yaml')
    runs = plan_runs(plan, ROOT, tmp_path, only=['agrcnn', 'agrcnn_k1'], seeds=[0, 2])
    assert [run.name for run in runs] == ['agrcnn, seed 0', 'agrcnn_k1, seed 0', 'agrcnn, seed 2']
    with pytest.raises(MammoError, match='--only: found nobody'):
        plan_runs(plan, ROOT, tmp_path, only=['nobody'])


def test_shards_divide_the_runs(plan, make_runs):
    runs = make_runs(plan)
    parts = [shard(runs, index, 2) for index in (1, 2)]
    assert sorted(run.name for part in parts for run in part) == sorted(run.name for run in runs)
    assert shard(runs, 1, 1) == runs


def test_the_digest_is_of_the_config_wherever_it_writes():
    config = {'model': {'k': 3}, 'work_dir': 'a'}
    assert config_digest(config) == config_digest({**config, 'work_dir': 'b'})
    assert config_digest(config) != config_digest({**config, 'model': {'k': 1}})

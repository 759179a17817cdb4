import hashlib
import json
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
    assert all(run.epochs > 0 or run.parts for run in runs)


def test_first_seeds_come_first_and_rows_can_be_chosen(tmp_path):
    plan = read_plan(ROOT / 'configs/agrcnn/experiments.yaml')
    runs = plan_runs(plan, ROOT, tmp_path, only=['agrcnn', 'agrcnn_k1'], seeds=[0, 2])
    assert [run.name for run in runs] == ['agrcnn, seed 0', 'agrcnn_k1, seed 0', 'agrcnn, seed 2']
    with pytest.raises(MammoError, match='--only: found nobody'):
        plan_runs(plan, ROOT, tmp_path, only=['nobody'])


def test_folds_and_means_have_runs_of_their_own(tmp_path):
    path = tmp_path / 'plan.yaml'
    config = 'configs/wsol/cam_resnet18_phantom.py'
    path.write_text(
        f"""
        name: means
        reference: one
        metrics: {{exam/auc: AUC}}
        rows:
          - {{name: one, config: {config}}}
          - {{name: also, config: {config}, folds: 4, cfg_options: {{train_cfg.max_epochs: 2}}}}
          - {{name: four, config: {config}, folds: 4, seeds: [0, 1]}}
          - {{name: five, config: {config}, folds: 5}}
          - {{name: mean, combine: {{mean_log_odds: [four, also]}}}}
        tables: [{{title: All, rows: {{one: One}}}}]
        """
    )
    runs = plan_runs(read_plan(path), ROOT, tmp_path, only=['mean', 'four', 'five'])
    assert [run.name for run in runs] == ['four, seed 0', 'five, seed 0', 'four, seed 1', 'mean, seed 0']
    four, five, _, mean = runs
    assert len({run.digest for run in runs}) == 3 and four.digest != five.digest
    assert [part.name for part in mean.parts] == ['four, seed 0', 'also, seed 0'] and not mean.is_ready
    command = four.command(four.steps[0])
    assert command[1:3] == ['tools/crossval.py', config] and command[5:] == [
        '--folds',
        '4',
        '--seed',
        '0',
        '--jobs',
        '1',
    ]
    assert mean.command('average_scores')[2:] == [
        *(str(part.folder) for part in mean.parts),
        *('--out', str(mean.folder), '--scale', 'log_odds'),
    ]
    path.write_text(path.read_text().replace('{name: mean,', '{name: mean, seeds: [1],'))
    with pytest.raises(MammoError, match='seeds: found 1; expected seeds that all of four, also have'):
        plan_runs(read_plan(path), ROOT, tmp_path)


def test_shards_divide_the_runs(plan, make_runs):
    runs = make_runs(plan)
    parts = [shard(runs, index, 2) for index in (1, 2)]
    assert sorted(run.name for part in parts for run in part) == sorted(run.name for run in runs)
    assert shard(runs, 1, 1) == runs


def test_the_digest_is_of_the_config_wherever_it_writes():
    config = {'model': {'k': 3}, 'work_dir': 'a'}
    assert config_digest(config) == config_digest({**config, 'work_dir': 'b'})
    assert config_digest(config) != config_digest({**config, 'model': {'k': 1}})


def test_the_digest_does_not_depend_on_the_order_of_keys_of_any_type():
    mapping = {0: 0, 1: 1, None: 0, 'x': 2}
    assert config_digest({'a': mapping, 'b': 1}) == config_digest({'b': 1, 'a': dict(reversed(mapping.items()))})
    assert config_digest({'a': mapping}) != config_digest({'a': mapping | {None: 1}})
    plain = {'b': (1, {'z': 1, 'c': [{'q': 2, 'd': None}]}), 'a': {10: 3, 2: 4}}
    assert config_digest(plain) == hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()

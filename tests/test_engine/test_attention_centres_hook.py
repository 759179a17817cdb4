"""Centres of attention before a training: found once, kept, and those of another locator not used."""

import json
import shutil
from types import SimpleNamespace

import pytest
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import init_default_scope
from mmengine.runner import Runner

from mmmammo.engine.hooks import AttentionCentresHook
from mmmammo.engine.hooks.attention_centres_hook import FILE_NAME, drawn_images
from mmmammo.io.attention_centres import read_centres, write_centres
from mmmammo.registry import HOOKS, MODELS
from mmmammo.structures import MammoError
from mmmammo.testing.cohort_set import make_cohort_set


@pytest.fixture(scope='module')
def root(tmp_path_factory):
    return make_cohort_set(tmp_path_factory.mktemp('cohort'), (8, 2, 2), size=(64, 48))


def small_config(root):
    """The phantom twin at a size for this set, with images to spare."""
    cfg = Config.fromfile('configs/attention_phantom.py')
    init_default_scope('mmdet')
    cfg.model.roi_size = (16, 24)
    for step in cfg.test_pipeline:
        if step.type == 'mmmammo.AddOverview':
            step.update(width=36, size=(40, 32))
    cfg.default_hooks.attention_centres.update(pipeline=cfg.test_pipeline, batch_size=3)
    loader = cfg.train_dataloader
    loader.update(num_workers=0, persistent_workers=False, batch_size=2)
    loader.dataset.update(data_root=str(root), pipeline=cfg.test_pipeline)
    return cfg


def run_of(cfg, work_dir, epochs=2, seed=0):
    """What the hook asks of a runner."""
    torch.manual_seed(seed)
    return SimpleNamespace(
        model=MODELS.build(cfg.model),
        train_dataloader=Runner.build_dataloader(cfg.train_dataloader, seed=0),
        work_dir=str(work_dir),
        max_epochs=epochs,
        logger=MMLogger.get_current_instance(),
    )


def hook_of(cfg):
    return HOOKS.build(cfg.default_hooks.attention_centres)


def test_only_images_that_are_drawn_get_a_centre(root, tmp_path):
    cfg = small_config(root)
    run = run_of(cfg, tmp_path)
    hook_of(cfg).before_train(run)
    data = run.train_dataloader.dataset
    drawn = drawn_images(run.train_dataloader.sampler, len(data), 2)
    assert 4 < len(drawn) < len(data)
    assert set(data.attention_centres) == {data.get_data_info(i)['img_id'] for i in drawn}
    assert all(0 <= x <= 48 and 0 <= y <= 64 for x, y in data.attention_centres.values())
    record = data.get_data_info(drawn[0])
    assert record['attention_centre'] == data.attention_centres[record['img_id']]
    assert run.model.training


def test_a_second_run_reads_the_file_and_goes_on_where_it_was_cut_off(root, tmp_path, monkeypatch):
    cfg = small_config(root)
    first = run_of(cfg, tmp_path)
    hook_of(cfg).before_train(first)
    path, document = tmp_path / FILE_NAME, json.loads((tmp_path / FILE_NAME).read_text())
    lost = dict(list(document['centres'].items())[:-3])
    path.write_text(json.dumps(document | {'centres': lost}))
    found = []
    real = AttentionCentresHook._find
    monkeypatch.setattr(AttentionCentresHook, '_find', lambda *args: found.append(len(args[-1])) or real(*args))
    second = run_of(cfg, tmp_path)
    hook_of(cfg).before_train(second)
    assert found == [3]
    again, before = (run.train_dataloader.dataset.attention_centres for run in (second, first))
    assert again.keys() == before.keys()
    assert all(again[i] == pytest.approx(before[i], abs=0.01) for i in before)
    assert all(again[int(i)] == before[int(i)] for i in lost)  # a resumed run cuts the very same windows


def test_centres_of_another_locator_are_not_used(root, tmp_path):
    cfg = small_config(root)
    hook_of(cfg).before_train(run_of(cfg, tmp_path))
    before = (tmp_path / FILE_NAME).read_text()
    other = run_of(cfg, tmp_path, seed=1)
    hook_of(cfg).before_train(other)
    assert json.loads((tmp_path / FILE_NAME).read_text())['key'] != json.loads(before)['key']


def test_centres_of_other_images_are_not_used(root, tmp_path, monkeypatch):
    cfg = small_config(root)
    hook_of(cfg).before_train(run_of(cfg, tmp_path / 'work'))
    larger = small_config(make_cohort_set(tmp_path / 'larger', (8, 2, 2), size=(72, 48)))  # the same ids
    run = run_of(larger, tmp_path / 'work')
    found = []
    real = AttentionCentresHook._find
    monkeypatch.setattr(AttentionCentresHook, '_find', lambda *args: found.extend(args[-1]) or real(*args))
    hook_of(larger).before_train(run)
    data = run.train_dataloader.dataset
    assert sorted(found) == drawn_images(run.train_dataloader.sampler, len(data), 2)


def test_centres_of_a_set_that_was_prepared_again_are_not_used(root, tmp_path):
    cfg = small_config(shutil.copytree(root, tmp_path / 'set'))
    run, hook = run_of(cfg, tmp_path), hook_of(cfg)
    before = hook.key(run.model, run.train_dataloader.dataset)
    assert hook.key(run.model, run.train_dataloader.dataset) == before
    (tmp_path / 'set' / 'prepare.json').write_text('{"options": {"voi": false}}')
    assert hook.key(run.model, run.train_dataloader.dataset) != before


def test_the_same_pixels_are_found_with_random_numbers_left_alone(root, tmp_path):
    cfg = small_config(root)
    run = run_of(cfg, tmp_path)
    state = torch.get_rng_state()
    hook_of(cfg).before_train(run)
    assert torch.equal(torch.get_rng_state(), state)


def test_other_models_and_sets_are_refused(root, tmp_path):
    cfg = small_config(root)
    run = run_of(cfg, tmp_path)
    run.model = torch.nn.Linear(1, 1)
    with pytest.raises(MammoError, match=r'model.*Linear.*AttentionClassifier'):
        hook_of(cfg).before_train(run)


def test_samplers_that_do_not_tell_get_all():
    assert drawn_images(object(), 3, 5) == [0, 1, 2]


def test_the_file_says_what_it_is(tmp_path):
    path = tmp_path / 'deep' / 'c.json'
    write_centres(path, 'abc', {7: (1.234, 5.0), 3: (0.0, 0.5)})
    assert read_centres(path) == {7: (1.23, 5.0), 3: (0.0, 0.5)}
    assert read_centres(path, 'abc') == read_centres(path) and read_centres(path, 'other') == {}
    assert [p.name for p in path.parent.iterdir()] == ['c.json']
    (tmp_path / 'x.json').write_text('[]')
    with pytest.raises(MammoError, match='format'):
        read_centres(tmp_path / 'x.json')
    with pytest.raises(MammoError, match=r'no\.json'):
        read_centres(tmp_path / 'no.json')

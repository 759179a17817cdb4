"""The commands of tools/analysis, on what fits in one's head."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.testing.prepared_set import make_prepared_set

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(monkeypatch, tmp_path):
    """Run a command of tools/analysis with pictures into tmp_path/plots."""

    def _run(name, *args):
        spec = importlib.util.spec_from_file_location(f'tool_{name}', ROOT / 'tools' / 'analysis' / f'{name}.py')
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        monkeypatch.setattr(sys, 'argv', [name, *map(str, args), '--out', str(tmp_path / 'plots')])
        return module.main()

    return _run


@pytest.fixture
def predictions(tmp_path):
    """Two images: a lesion found at .9, one missed, and a false mark at .8 and at .1."""
    lesion, elsewhere = [10.0, 10, 30, 30], [50.0, 50, 60, 60]
    common = {'width': 100, 'height': 100, 'view': 'CC', 'laterality': 'L', 'pixel_spacing_mm': 0.5}
    made = [
        ImagePrediction(
            i,
            file_name=f'{i}.png',
            exam_id=f'e{i}',
            patient_id=f'p{i}',
            boxes=np.array(boxes),
            scores=np.array(scores),
            labels=np.zeros(len(boxes), dtype=int),
            gt_boxes=np.array([lesion]),
            gt_labels=np.zeros(1, dtype=int),
            **common,
        )
        for i, (boxes, scores) in enumerate([([lesion, elsewhere], [0.9, 0.1]), ([elsewhere], [0.8])])
    ]
    path = tmp_path / 'predictions.json'
    write_predictions(path, made, ['mass'])
    return path


def test_the_threshold_of_the_best_f1(run, predictions, tmp_path, capsys):
    assert run('plot_thresholds', predictions) == 0
    said = capsys.readouterr().out
    assert 'best F1 0.667 at a score of 0.900: precision 1.000, recall 0.500, 0.00 false positives' in said
    assert (tmp_path / 'plots/thresholds.png').stat().st_size > 5000


def test_sizes_of_what_is_shown(run, predictions, tmp_path, capsys):
    assert run('plot_sizes', predictions, '--score', 0.5) == 0
    assert '2 detections with a score of 0.500 or more, 2 lesions' in capsys.readouterr().out
    assert run('plot_sizes', predictions) == 0
    assert '1 detections with a score of 0.900 or more' in capsys.readouterr().out
    assert (tmp_path / 'plots/sizes.svg').is_file()


def test_the_published_prior(run, tmp_path):
    assert run('plot_geometric_prior') == 0
    assert (tmp_path / 'plots/geometric_prior.png').stat().st_size > 5000


def write_scalars(folder, begin, losses):
    path = folder / 'vis_data' / 'scalars.json'
    path.parent.mkdir(parents=True)
    lines = [{'loss': loss, 'epoch': 1 + (begin + i - 1) // 2, 'step': begin + i} for i, loss in enumerate(losses)]
    path.write_text(''.join(json.dumps(line) + '\n' for line in [*lines, {'froc/fauc': 0.5, 'step': 1}]) + '{"lo')


def test_losses_of_a_run_that_was_resumed(run, tmp_path):
    work = tmp_path / 'run'
    write_scalars(work / '20260101_000000', 1, [5.0, 4.0, 3.0])
    write_scalars(work / '20260102_000000', 3, [2.5, 2.0])
    (work / 'staged.py').write_text(
        "stages = [dict(name='a', epochs=1), dict(name='b', epochs=1)]\n"
        "custom_hooks = [dict(type='mmmammo.StagedTrainingHook', stages=stages)]"
    )
    assert run('plot_losses', work) == 0
    spec = importlib.util.spec_from_file_location('losses', ROOT / 'tools/analysis/plot_losses.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    curve = tool.read_curve(work, 'loss')
    assert curve.losses.tolist() == [5, 4, 2.5, 2] and curve.epochs.tolist() == [0.5, 1, 1.5, 2]
    assert curve.stages == ((0.0, 'a'), (1.0, 'b'))
    with pytest.raises(MammoError, match="none with 'loss_mask'"):
        tool.read_curve(work, 'loss_mask')


def test_anchors_of_a_training_set(run, tmp_path, capsys):
    data = make_prepared_set(tmp_path / 'set', size=(96, 72))
    where = f'train_dataloader.dataset.data_root={data}'
    found = ('--levels', 1, '--ratios', 1, '--shapes', 1, '--cfg-options', where)
    assert run('fit_anchors', ROOT / 'configs/maskrcnn_phantom.py', *found) == 0
    said = capsys.readouterr().out
    assert 'model.rpn_head.anchor_generator.base_sizes=[' in said and "with the config's own" in said
    assert (tmp_path / 'plots/anchors.png').is_file()


def test_features_of_a_single_view_detector_are_refused(run, tmp_path):
    data = make_prepared_set(tmp_path / 'set', size=(96, 72))
    where = f'test_dataloader.dataset.data_root={data}'
    with pytest.raises(MammoError, match=r'model\.neck: found one neck.*multi-view config'):
        run('plot_feature_maps', ROOT / 'configs/maskrcnn_phantom.py', 'x.pth', '--cfg-options', where)


def test_features_of_an_exam(run, tmp_path):
    import copy

    import torch
    from mmengine.config import Config
    from mmengine.registry import init_default_scope

    from mmmammo.registry import MODELS

    data = make_prepared_set(tmp_path / 'set', size=(96, 72))
    cfg = Config.fromfile(ROOT / 'configs/agrcnn_phantom.py')
    init_default_scope('mmdet')
    cfg.model.neck[1].prior = None
    torch.save({'state_dict': MODELS.build(copy.deepcopy(cfg.model)).state_dict()}, tmp_path / 'weights.pth')
    named = ('plot_feature_maps', ROOT / 'configs/agrcnn_phantom.py', tmp_path / 'weights.pth')
    where = ('--cfg-options', f'test_dataloader.dataset.data_root={data}')
    assert run(*named, *where) == 0
    assert (tmp_path / 'plots/features.png').stat().st_size > 20_000
    with pytest.raises(MammoError, match='--exam: exam: found nobody; expected one of'):
        run(*named, '--exam', 'nobody', *where)

"""Any detector with a multi-view neck: the plain one at first, whatever the exam, and the same under symmetries."""

import copy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from scipy.optimize import linear_sum_assignment

from mmmammo.models import EvidenceGraphNeck, LesionMatcher
from mmmammo.models.lesion_matcher import box_means
from mmmammo.testing.detector_timing import trainer, with_setting
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'models'
SIZE = (96, 64)
EVIDENCE = 'agrcnn_r18_small, evidence'
SYSTEMS = ('agrcnn_r18_small', EVIDENCE, 'xattn_rcnn_r18_small', 'agdino_r18_small', 'agrtmdet_small')
EXAMS = {
    1: FOUR_VIEWS[1:2],
    2: (FOUR_VIEWS[0], FOUR_VIEWS[3]),
    3: FOUR_VIEWS[:3],
    5: (*FOUR_VIEWS, ('R', 'MLO')),  # a repeat
    6: (*FOUR_VIEWS, ('L', 'XCCL'), ('U', 'CC')),  # another projection, an unknown side
}
"""Exams of one to six images; of four there are more tests below."""


def config_of(system):
    cfg = Config.fromfile(CONFIGS / f'{system.split(",")[0]}.py').model
    if system == EVIDENCE:
        cfg.neck[1].update(type='mmmammo.EvidenceGraphNeck', k=1)
    if 'roi_head' in cfg:
        cfg.roi_head.mask_head = cfg.roi_head.mask_roi_extractor = None  # pasting masks takes longer than all the rest
    return cfg


def build(cfg):
    with DefaultScope.overwrite_default_scope('mmdet'):
        torch.manual_seed(0)
        return MODELS.build(copy.deepcopy(cfg)).eval()


def shake(neck):
    """Weights of a neck that has learned something."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for parameter in neck.parameters():
            parameter.add_(torch.randn(parameter.shape, generator=generator) * 0.2)


@pytest.fixture(scope='module', params=SYSTEMS)
def multi(request):
    """A trained multi-view detector, built once."""
    model = build(config_of(request.param))
    shake(model.neck[1])
    return model


def plain_twin(system):
    """The single-view detector whose weights a multi-view one has, and that one."""
    cfg = config_of(system)
    multi = build(cfg)
    cfg.neck = cfg.neck[0]
    plain = build(cfg)
    missing, unexpected = multi.load_state_dict(plain.state_dict(), strict=False)
    assert not unexpected and all(key.startswith('neck.1.') for key in missing)
    return plain, multi


def predict(model, batch):
    with torch.no_grad():
        data = model.data_preprocessor(copy.deepcopy(batch))
        return [sample.pred_instances for sample in model(**data, mode='predict')]


def pick(batch, order):
    return {key: [values[i] for i in order] for key, values in batch.items()}


def assert_same(found, expected, atol=1e-4):
    """Equal detections: each with the one it lies nearest to, for those of nearly equal score may change places."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert len(a) == len(b)
        apart = torch.cdist(a.bboxes, b.bboxes) + 1e3 * (a.labels[:, None] != b.labels)
        rows, columns = linear_sum_assignment(apart + 1e2 * (a.scores[:, None] - b.scores).abs())
        assert torch.equal(a.labels[rows], b.labels[columns])
        torch.testing.assert_close(a.bboxes[rows], b.bboxes[columns], rtol=1e-3, atol=0.05)
        torch.testing.assert_close(a.scores[rows], b.scores[columns], rtol=1e-3, atol=atol)


@pytest.mark.parametrize('system', SYSTEMS)
def test_detects_like_the_plain_detector_at_first(system):
    plain, multi = plain_twin(system)
    batch = exam_batch(size=SIZE)
    assert_same(predict(multi, batch), predict(plain, batch))


@pytest.mark.gpu
def test_a_gpu_gives_what_a_cpu_gives(multi):
    batch = exam_batch(size=SIZE)
    found = predict(copy.deepcopy(multi).to('cuda'), batch)
    assert_same([instances.cpu() for instances in found], predict(multi, batch), atol=1e-3)


@pytest.mark.parametrize('device', ['cpu', pytest.param('cuda', marks=pytest.mark.gpu)])
def test_bfloat16_and_channels_last_train_on_any_device(multi, device):
    model = with_setting(copy.deepcopy(multi).to(device), 'channels-last+bf16')
    batch = exam_batch(size=SIZE, boxes=[[12.0, 30, 26, 50]])
    if not hasattr(model, 'roi_head'):
        for sample in batch['data_samples']:
            del sample.gt_instances.masks
    step = trainer(model, batch)
    before = [parameter.detach().clone() for parameter in model.neck[1].parameters()]
    losses = [step() for _ in range(2)]
    assert np.isfinite(losses).all()
    assert any(not torch.equal(a, b) for a, b in zip(before, model.neck[1].parameters(), strict=True))


def test_the_lesion_matcher_looks_where_the_boxes_are(multi, monkeypatch):
    """In a map of places as large as the level it takes, the mean over a box is the centre of the box."""
    seen = []
    matcher = LesionMatcher(score_thr=0.0)
    monkeypatch.setattr(matcher, '_looks', lambda samples, boxes, level: seen.append(level))
    monkeypatch.setattr(multi, 'lesion_matcher', matcher)
    predict(multi, exam_batch(size=SIZE))
    rows, columns = seen[0].shape[2:]
    ys, xs = (torch.arange(rows) + 0.5) * SIZE[0] / rows, (torch.arange(columns) + 0.5) * SIZE[1] / columns
    places = torch.stack(torch.meshgrid(xs, ys, indexing='xy'))[None]
    boxes = [np.array([[16.0, 24, 40, 56], [10, 60, 30, 80]])]
    np.testing.assert_allclose(box_means(places, boxes, matcher.stride), [[28, 40], [20, 70]], atol=1e-3)


@pytest.mark.parametrize('count', EXAMS)
def test_exams_of_one_to_six_images_are_detected_in(multi, count):
    found = predict(multi, exam_batch(views=EXAMS[count], size=SIZE))
    assert len(found) == count
    assert all(torch.isfinite(image.scores).all() and len(image.scores) for image in found)


def test_exams_of_six_images_are_trained_on(multi):
    batch = exam_batch(views=EXAMS[6], size=SIZE, boxes=[[20, 30, 44, 60]])
    for sample in batch['data_samples']:
        sample.gt_instances.pop('masks')
    data = multi.data_preprocessor(batch, training=True)
    losses = multi.train()(**data, mode='loss')
    assert ('loss_nodes' in losses) == isinstance(multi.neck[1], EvidenceGraphNeck)
    loss, _ = multi.parse_losses(losses)
    loss.backward()
    assert torch.isfinite(loss)
    assert all(torch.isfinite(p.grad).all() for p in multi.parameters() if p.grad is not None)
    assert all(p.grad is not None for p in multi.neck.parameters())
    multi.zero_grad()
    multi.eval()


def test_order_of_exams_and_views_does_not_matter(multi):
    batch, order = exam_batch(2, size=SIZE), [6, 2, 0, 7, 3, 1, 5, 4]
    straight = predict(multi, batch)
    assert_same(predict(multi, pick(batch, order)), [straight[i] for i in order])


def test_a_mirrored_woman_has_the_same_detections_on_the_other_side(multi):
    """Her prepared images are the same, their sides exchanged."""
    batch = exam_batch(size=SIZE)
    before = predict(multi, batch)
    for sample in batch['data_samples']:
        sample.set_metainfo({'laterality': 'R' if sample.laterality == 'L' else 'L'})
    swap = [2, 3, 0, 1]
    assert_same(predict(multi, pick(batch, swap)), [before[i] for i in swap])


def test_a_missing_view_equals_a_masked_one(multi):
    batch = exam_batch(size=SIZE)
    whole = predict(multi, batch)
    batch['data_samples'][1].set_metainfo({'laterality': 'U'})  # there, but nobody's partner
    masked = predict(multi, batch)
    assert not torch.allclose(whole[0].scores[:5], masked[0].scores[:5], rtol=1e-3)
    kept = [0, 2, 3]
    assert_same(predict(multi, pick(batch, kept)), [masked[i] for i in kept])


def test_a_worse_repeat_changes_nothing_for_the_others(multi):
    batch = exam_batch(views=EXAMS[5], size=SIZE)
    batch['data_samples'][4].set_metainfo({'quality': 0.1})
    with_repeat = predict(multi, batch)
    assert_same(with_repeat[:4], predict(multi, pick(batch, range(4))))

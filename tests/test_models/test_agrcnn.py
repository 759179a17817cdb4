"""The detector: equal to Mask R-CNN at first, loads its weights, trains on nothing found, passes errors on."""

import copy
from pathlib import Path

import pytest
import torch
from mmdet.models.detectors import RetinaNet
from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope

from mmmammo.models import AGRCNN, MultiViewMixin
from mmmammo.structures import MammoError
from mmmammo.testing.exam_samples import FOUR_VIEWS, exam_batch

CONFIGS = Path(__file__).resolve().parents[2] / 'configs' / '_base_' / 'models'


def build(name, fusion=None):
    cfg = copy.deepcopy(Config.fromfile(CONFIGS / f'{name}.py').model)
    if fusion is not None:
        cfg.neck[1].fusion = fusion
    with DefaultScope.overwrite_default_scope('mmdet'):
        torch.manual_seed(0)
        return MODELS.build(cfg)


@pytest.fixture(scope='module')
def mask_rcnn():
    return build('mask_rcnn_r18_small').eval()


@pytest.fixture
def agrcnn(mask_rcnn):
    model = build('agrcnn_r18_small').eval()
    model.load_state_dict(mask_rcnn.state_dict(), strict=False)
    return model


def predict(model, batch):
    with torch.no_grad():
        data = model.data_preprocessor(copy.deepcopy(batch))
        return [sample.pred_instances for sample in model(**data, mode='predict')]


def total(losses):
    return sum(sum(v) if isinstance(v, list) else v for k, v in losses.items() if 'loss' in k)


@pytest.mark.parametrize('views', [FOUR_VIEWS, FOUR_VIEWS[:3], FOUR_VIEWS[1:2]], ids=len)
def test_detects_like_mask_rcnn_at_first(mask_rcnn, agrcnn, views):
    batch = exam_batch(views=views)
    for plain, multi in zip(predict(mask_rcnn, batch), predict(agrcnn, batch), strict=True):
        assert len(plain) > 0
        torch.testing.assert_close(plain.scores, multi.scores, rtol=0, atol=1e-6)
        torch.testing.assert_close(plain.bboxes, multi.bboxes, rtol=0, atol=1e-6 * 128)  # of the height of the image
        assert torch.equal(plain.labels, multi.labels) and torch.equal(plain.masks, multi.masks)


def test_detects_like_mask_rcnn_to_the_last_bit_where_the_factor_is_a_power_of_two(mask_rcnn):
    """Half the features by twice the identity is exact; the 1.2 of the residual fusion is not."""
    multi = build('agrcnn_r18_small', fusion='multiplicative').eval()
    multi.load_state_dict(mask_rcnn.state_dict(), strict=False)
    batch = exam_batch()
    for plain, found in zip(predict(mask_rcnn, batch), predict(multi, batch), strict=True):
        for key in ('bboxes', 'scores', 'labels', 'masks'):
            assert torch.equal(plain[key], found[key]), key


def test_loads_a_mask_rcnn_checkpoint(mask_rcnn, agrcnn):
    result = agrcnn.load_state_dict(mask_rcnn.state_dict(), strict=False)
    assert not result.unexpected_keys
    assert all(key.startswith('neck.1.') for key in result.missing_keys)
    assert torch.equal(agrcnn.neck[0].fpn_convs[0].conv.weight, mask_rcnn.neck.fpn_convs[0].conv.weight)


def test_loads_its_own_checkpoint(agrcnn):
    with torch.no_grad():
        agrcnn.neck[1].fusion.attention_weight.fill_(2)
    fresh = build('agrcnn_r18_small')
    fresh.load_state_dict(agrcnn.state_dict())
    assert torch.equal(fresh.neck[1].fusion.attention_weight, agrcnn.neck[1].fusion.attention_weight)


@pytest.mark.parametrize('boxes', [[], [[20, 30, 44, 60]]], ids=['nothing found', 'one lesion'])
@pytest.mark.parametrize('views', [FOUR_VIEWS, FOUR_VIEWS[:1]], ids=['exam', 'single view'])
def test_training_step_reaches_every_parameter(agrcnn, boxes, views):
    data = agrcnn.data_preprocessor(exam_batch(views=views, boxes=boxes), training=True)
    loss = total(agrcnn.train()(**data, mode='loss'))
    loss.backward()
    assert torch.isfinite(loss)
    without = [n for n, p in agrcnn.named_parameters() if p.grad is None]
    assert not without


def test_partners_change_the_detections_of_a_trained_model(agrcnn):
    for parameter in agrcnn.neck[1].parameters():
        torch.nn.init.normal_(parameter, std=0.3)
    exam = exam_batch()
    lone = {key: value[:1] for key, value in exam.items()}
    assert not torch.equal(predict(agrcnn, exam)[0].scores[:5], predict(agrcnn, lone)[0].scores[:5])


def test_context_does_not_outlive_a_failed_call(agrcnn):
    with pytest.raises(RuntimeError, match='mode'):
        agrcnn(torch.zeros(4, 1, 128, 96), exam_batch()['data_samples'], mode='nonsense')
    with pytest.raises(MammoError, match='exam context'):
        agrcnn.extract_feat(torch.zeros(1, 1, 128, 96))


def test_any_detector_becomes_multi_view():
    class MultiViewRetinaNet(MultiViewMixin, RetinaNet):
        pass

    fpn = dict(type='mmdet.FPN', in_channels=[64, 128, 256, 512], out_channels=16, num_outs=5)
    graph = dict(type='mmmammo.AnatomyGraphNeck', in_channels=16)
    head = dict(type='mmdet.RetinaHead', num_classes=1, in_channels=16, feat_channels=16)
    head['anchor_generator'] = dict(type='mmdet.AnchorGenerator', ratios=[1.0], scales=[4], strides=[4, 8, 16, 32, 64])
    with DefaultScope.overwrite_default_scope('mmdet'):  # upstream's own defaults carry no scope
        model = MultiViewRetinaNet(
            backbone=dict(type='mmmammo.GrayResNet', depth=18),
            neck=[fpn, graph],
            bbox_head=head,
            test_cfg=Config(dict(nms_pre=10, score_thr=0.0, nms=dict(type='nms', iou_threshold=0.5), max_per_img=5)),
            data_preprocessor=dict(type='mmmammo.ExamDataPreprocessor', pad_size_divisor=32),
        ).eval()
    assert len(predict(model, exam_batch())) == 4


def test_is_a_registered_mask_rcnn(agrcnn):
    assert isinstance(agrcnn, AGRCNN)
    assert MODELS.get('mmmammo.AGRCNN') is AGRCNN

"""Which configs which inferencer takes: those whose models give boxes or maps, and those that give scores."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmmammo.apis import ExamInferencer, ScoreInferencer
from mmmammo.apis.run_results import gives_boxes
from mmmammo.structures import MammoError

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'


@pytest.mark.parametrize(
    ('name', 'boxes'),
    [
        ('agrcnn_phantom', True),
        ('ihrrb_dino_r50_4scale_phantom', True),
        ('wsol/cam_resnet18_phantom', True),
        ('image_labels/saliency_phantom', True),
        ('patch/patch_effnetv2s_phantom_sliding', True),
        ('patch_effnetv2s_phantom', False),
        ('rsna/baseline_phantom', False),
        ('nyu_adapted_phantom', False),
        ('mil_phantom', False),
        ('attention_phantom', False),
    ],
)
def test_metrics_tell_what_a_model_gives(name, boxes):
    assert gives_boxes(Config.fromfile(CONFIGS / f'{name}.py')) is boxes


@pytest.mark.parametrize(('name', 'found'), [('holistic', 'ImageClassifier'), ('ensemble', 'AttentionClassifier')])
def test_the_inferencer_of_boxes_refuses_a_classifier(name, found, tmp_path):
    with pytest.raises(MammoError, match=rf'{name}_phantom\.py: model: found mm\w+\.{found}; .*use ScoreInferencer'):
        ExamInferencer(CONFIGS / f'{name}_phantom.py', tmp_path / 'unread.pth')


@pytest.mark.parametrize('name', ['agrcnn', 'patch_effnetv2s', 'patch/patch_effnetv2s_phantom_sliding'])
def test_the_inferencer_of_scores_refuses_what_has_no_labelled_views(name, tmp_path):
    path = CONFIGS / (f'{name}.py' if '/' in name else f'{name}_phantom.py')
    with pytest.raises(MammoError, match=r'expected a set of labelled views or exams\. .*a detector, a classifier'):
        ScoreInferencer(path, tmp_path / 'unread.pth')


def test_models_that_need_heatmaps_are_refused(tmp_path):
    with pytest.raises(MammoError, match='found LoadPatchHeatmaps; expected a model of pixels alone'):
        ScoreInferencer(CONFIGS / 'nyu' / 'nyu_pretrained_heatmaps_cohort.py', tmp_path / 'unread.pth')

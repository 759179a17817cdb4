"""Which configs the inferencer takes: those whose models give boxes or maps."""

from pathlib import Path

import pytest
from mmengine.config import Config

from mmmammo.apis import ExamInferencer
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
def test_a_classifier_is_refused_with_the_way_to_its_scores(name, found, tmp_path):
    with pytest.raises(MammoError, match=rf'{name}_phantom\.py: model: found mm\w+\.{found}; expected a det') as told:
        ExamInferencer(CONFIGS / f'{name}_phantom.py', tmp_path / 'unread.pth')
    assert 'tools/prepare_dataset.py folder' in told.value.reason and 'tools/test.py' in told.value.reason
    page = (CONFIGS / 'image_labels' / 'README.md').read_text()
    assert '## Your own exams' in page

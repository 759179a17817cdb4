"""Which images are worth a look, what exams are called there, and what is drawn of them."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import init_default_scope

from mmmammo.apis.saliency_views import choose_images, exam_names, window_pictures
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.registry import DATASETS, MODELS
from mmmammo.testing.cohort_set import make_cohort_set

LABELS = [0, 1, 0, 1, 0, 1]
SCORES = [0.9, 0.2, 0.1, 0.8, 0.95, 0.8]


@pytest.mark.parametrize(
    ('count', 'kind', 'scores', 'chosen'),
    [
        (4, 'both', None, [1, 3, 0, 2]),
        (4, 'both', SCORES, [3, 5, 4, 0]),
        (3, 'both', SCORES, [3, 5, 4]),
        (2, 'negative', SCORES, [4, 0]),
        (9, 'positive', SCORES, [3, 5, 1]),
    ],
)
def test_the_most_suspicious_of_each_kind_come_first(count, kind, scores, chosen):
    assert choose_images(LABELS, count, kind, scores) == chosen


def test_exams_have_the_running_numbers_of_the_gallery():
    records = [{'exam_id': 'b', 'img_id': 3}, {'exam_id': 'a', 'img_id': 2}, {'exam_id': 'b', 'img_id': 1}]
    assert exam_names(records) == {'b': 'Exam 1', 'a': 'Exam 2'}
    assert exam_names(records, show_exam_ids=True) == {'b': 'b', 'a': 'a'}


@pytest.fixture(scope='module')
def attention(tmp_path_factory):
    """An untrained model, and the test set of two exams."""
    root = make_cohort_set(tmp_path_factory.mktemp('set'), (2, 2, 2), size=(64, 48))
    cfg = Config.fromfile('configs/attention_phantom.py')
    init_default_scope('mmdet')
    torch.manual_seed(0)
    model = MODELS.build(cfg.model).eval()
    dataset = DATASETS.build(cfg.test_dataloader.dataset | {'data_root': str(root)})
    return model, dataset


def test_pictures_say_what_the_table_of_scores_says(attention, tmp_path):
    model, dataset = attention
    records = [dataset.get_data_info(i) for i in range(len(dataset))]
    rows = [
        ScoreRow(
            str(r['img_id']),
            r['exam_id'],
            r['patient_id'],
            r['laterality'],
            r['view'],
            'test',
            (bool(r['gt_label']),),
            (place / 10,),
        )
        for place, r in enumerate(records)
    ]
    write_scores(tmp_path / 'scores.csv', rows)
    pictures = window_pictures(model, dataset, tmp_path / 'scores.csv', show_exam_ids=False, count=4)
    assert [picture.title for picture in pictures] == [
        'Exam 1 L MLO: 0.10 (cancer)',
        'Exam 1 L CC: 0.00 (cancer)',
        'Exam 2 R MLO: 0.70',
        'Exam 2 R CC: 0.60',
    ]
    assert all(picture.uri.startswith('data:image/jpeg;base64,') for picture in pictures)
    assert [picture.num_lesions > 0 for picture in pictures] == [True, True, False, False]
    (first, *_) = window_pictures(model, dataset, None, show_exam_ids=True, count=2)
    assert first.title.startswith(f'{records[0]["exam_id"]} L CC: ')

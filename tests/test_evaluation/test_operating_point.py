"""Thresholds: chosen by each rule, frozen, and refused on the rows they were chosen on."""

import json
from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mmmammo.evaluation.functional import (
    OperatingPoint,
    SplitRecord,
    choose_froc_operating_point,
    choose_operating_point,
    froc,
    lesion_f1,
    report_froc_operating_point,
    report_operating_point,
)
from mmmammo.structures import MammoError

LABELS = [1, 1, 0, 1, 0, 0, 0, 0]
SCORES = [0.9, 0.8, 0.7, 0.6, 0.5, 0.5, 0.5, 0.1]
IDS = list('abcdefgh')


def chosen(rule='max_f1', target=None, labels=LABELS, scores=SCORES):
    return choose_operating_point(labels, scores, IDS[: len(labels)], 'val', rule, target)


@pytest.mark.parametrize(
    ('rule', 'target', 'threshold'),
    [
        ('max_f1', None, 0.6),  # 6/7, against 4/5 at 0.8
        ('youden', None, 0.6),  # 1 + .8 - 1, against 2/3 at 0.8
        ('sensitivity', 0.6, 0.8),
        ('sensitivity', 1.0, 0.6),
        ('specificity', 1.0, 0.8),
        ('specificity', 0.8, 0.6),
        ('specificity', 0.2, 0.6),  # lower ones call more negatives and no more positives
    ],
)
def test_each_rule_by_hand(rule, target, threshold):
    assert chosen(rule, target).threshold == threshold


def test_max_f1_equals_the_best_of_scikit_learn():
    rng = np.random.default_rng(0)
    labels, scores = rng.integers(0, 2, 200), np.round(rng.random(200), 2)
    point = choose_operating_point(labels, scores, range(200), 'val')
    tried = {t: f1_score(labels, scores >= t) for t in scores}
    assert tried[point.threshold] == point.achieved['f1'] == max(tried.values())


def test_max_pf1_is_over_the_thresholds_of_paper_2():
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 2, 200)
    scores = rng.random(200)
    point = choose_operating_point(labels, scores, range(200), 'val', 'max_pf1')
    tried = [f1_score(labels, scores > t, zero_division=0) for t in np.linspace(0, 1, 100)]
    assert point.achieved['f1'] == pytest.approx(max(tried))
    assert np.abs(np.linspace(0, 1, 100) - point.threshold).min() < 1e-12


def test_a_report_on_other_rows_by_hand():
    report = report_operating_point(chosen(), [1, 1, 0, 0, 0], [0.9, 0.5, 0.6, 0.3, 0.2], range(5), 'test')
    assert (report.true_positives, report.false_positives) == (1, 1)
    assert (report.false_negatives, report.true_negatives) == (1, 2)
    assert (report.sensitivity, report.specificity, report.f1) == (0.5, 2 / 3, 0.5)
    assert (report.positive_predictive_value, report.negative_predictive_value) == (0.5, 2 / 3)
    assert report.recall_rate == 0.4 and report.split.name == 'test' and not report.same_split


def test_undefined_ratios_say_why():
    report = report_operating_point(chosen(), [0, 0], [0.1, 0.2], ['x', 'y'], 'test')
    assert report.sensitivity.reason == report.f1.reason == 'no positive label'
    assert report.positive_predictive_value.reason == 'nothing is called' and report.specificity == 1
    assert report_operating_point(chosen(), [], [], [], 'test').recall_rate.reason == 'no row'


@pytest.mark.parametrize(
    ('ids', 'split', 'words'),
    [
        (IDS, 'val', 'the same 8 rows'),
        (IDS[::-1], 'test', "the same 8 rows, chosen on split 'val'"),
        (list('ijklmnop'), 'val', 'another set of rows under the same name'),
    ],
    ids=['same', 'renamed and shuffled', 'same name'],
)
def test_the_split_it_was_chosen_on_is_refused_unless_asked_for(ids, split, words):
    point = chosen()
    with pytest.raises(MammoError, match=words):
        report_operating_point(point, LABELS, SCORES, ids, split)
    report = report_operating_point(point, LABELS, SCORES, ids, split, allow_same_split=True)
    assert report.same_split and report.sensitivity == point.achieved['sensitivity'] == 1.0


def test_a_saved_point_is_the_same_point(tmp_path):
    point = chosen('sensitivity', 0.6, scores=[0.1 + 0.2, *SCORES[1:]])
    point.save(tmp_path / 'run' / 'threshold.json')
    again = OperatingPoint.load(tmp_path / 'run' / 'threshold.json')
    assert again == point
    with pytest.raises(MammoError, match='the same 8 rows'):
        report_operating_point(again, LABELS, SCORES, IDS, 'test')


@pytest.mark.parametrize(
    ('text', 'words'),
    [
        (None, 'file: found nothing'),
        ('{', 'content: found'),
        ('[]', "format: found 'list'"),
        ('{"format": "x"}', "format: found 'x'; expected 'mmmammo-operating-point-1'"),
        ('{"format": "mmmammo-operating-point-1"}', "entries: found 'chosen_on'"),
        (
            '{"format": "mmmammo-operating-point-1", "chosen_on": {"name": "a", "ids_sha256": "b", "n": 1}}',
            'entries: found .*missing 5',
        ),
    ],
)
def test_a_file_that_is_no_operating_point_is_refused(tmp_path, text, words):
    path = tmp_path / 'threshold.json'
    if text is not None:
        path.write_text(text)
    with pytest.raises(MammoError, match=words):
        OperatingPoint.load(path)


LESION, NOWHERE = [0.0, 0, 10, 10], [50.0, 50, 60, 60]


def three_images(shift=0.0):
    """Falling scores: hit .9, false .8, hit .7, false .6, false .5; three lesions in three images."""
    detections = [
        ([LESION, NOWHERE], np.array([0.9, 0.6]) + shift),
        ([NOWHERE, LESION], np.array([0.8, 0.7]) + shift),
        ([NOWHERE], np.array([0.5]) + shift),
    ]
    return froc(detections, [[LESION]] * 3)


def test_threshold_of_detections_by_hand():
    result = three_images()
    # F1 = 2 TP / (detections + lesions): 2/4, 2/5, 4/6, 4/7, 4/8
    np.testing.assert_allclose(lesion_f1(result), [0, 2 / 4, 2 / 5, 4 / 6, 4 / 7, 4 / 8])
    point = choose_froc_operating_point(result, 'abc', 'val')
    assert point.threshold == 0.7 and point.rule == 'froc_max_f1' and point.n_positive == 3
    assert point.achieved == pytest.approx({'recall': 2 / 3, 'precision': 2 / 3, 'f1': 2 / 3, 'fps_per_image': 1 / 3})


@pytest.mark.parametrize(('fps', 'threshold'), [(0, 0.9), (0.3, 0.9), (1 / 3, 0.7), (4, 0.7)])
def test_threshold_for_false_positives_per_image(fps, threshold):
    # Below 0.7 nothing more is found, so no more false positives are bought.
    assert choose_froc_operating_point(three_images(), 'abc', 'val', 'fps_per_image', fps).threshold == threshold


@pytest.mark.parametrize(('recall', 'threshold'), [(0.1, 0.9), (1 / 3, 0.9), (0.34, 0.7), (2 / 3, 0.7)])
def test_threshold_for_a_share_of_lesions(recall, threshold):
    assert choose_froc_operating_point(three_images(), 'abc', 'val', 'sensitivity', recall).threshold == threshold


@pytest.mark.parametrize(
    ('target', 'words'), [(0.7, 'one that finds 0.7 of the lesions'), (None, 'target: found None')]
)
def test_a_share_of_lesions_out_of_reach_is_refused(target, words):
    with pytest.raises(MammoError, match=words):
        choose_froc_operating_point(three_images(), 'abc', 'val', 'sensitivity', target)


def test_detections_of_another_split():
    point = choose_froc_operating_point(three_images(), 'abc', 'val')
    report = report_froc_operating_point(point, three_images(shift=-0.1), 'def', 'test')
    # Scores a tenth lower: 0.8 hit and 0.7 false stay.
    assert (report.recall, report.precision, report.f1) == pytest.approx((1 / 3, 1 / 2, 2 / 5))
    assert report.fps_per_image == pytest.approx(1 / 3) and report.n_lesions == 3
    with pytest.raises(MammoError, match='the same 3 rows'):
        report_froc_operating_point(point, three_images(), 'cba', 'test')


def test_a_curve_of_normal_images_only_tells_no_precision():
    whole = three_images()
    partial = replace(whole, n_fp_images=2)
    with pytest.raises(MammoError, match='FROC: found false positives of 2 images; expected of all 3'):
        choose_froc_operating_point(partial, 'abc', 'val')
    point = choose_froc_operating_point(partial, 'abc', 'val', 'fps_per_image', 1)
    report = report_froc_operating_point(point, partial, 'def', 'test')
    assert report.precision.reason == report.f1.reason == 'false positives are known of 2 images only'
    assert report.recall == pytest.approx(2 / 3) and report.fps_per_image == pytest.approx(1 / 3)


def test_detections_without_lesions_say_why():
    point = choose_froc_operating_point(three_images(), 'abc', 'val')
    report = report_froc_operating_point(point, froc([([NOWHERE], [0.8]), ([], [])], [[], []]), 'de', 'test')
    assert report.recall.reason == report.f1.reason == 'no lesion'
    assert (report.precision, report.fps_per_image) == (0.0, 0.5)


@pytest.mark.parametrize(
    ('call', 'words'),
    [
        (lambda: chosen('f2'), "rule: found 'f2'; expected one of"),
        (lambda: chosen('sensitivity'), 'target: found None; expected the sensitivity to reach'),
        (lambda: chosen('sensitivity', 90), 'target: found 90'),
        (lambda: chosen('max_f1', 0.9), "target: found 0.9; expected none: 'max_f1' has no target"),
        (lambda: chosen(labels=[1, 1], scores=[0, 1]), 'labels: found no negative label; expected both classes'),
        (lambda: chosen('specificity', 0.9, [0, 1], [0.9, 0.1]), 'found only one that calls nothing'),
        (lambda: chosen('youden', None, [0, 1], [0.9, 0.1]), 'found only one that calls nothing'),
        (lambda: chosen('max_pf1', None, [0, 1], [0, 0]), 'found only one that calls nothing'),
        (lambda: chosen('max_pf1', None, [0, 1], [0, 7]), r'scores\[1\]: found 7'),
        (lambda: choose_operating_point([0, 1], [0, 1], ['a', 'a'], 'val'), r"ids\[1\]: found 'a', already in row 0"),
        (lambda: choose_operating_point([0, 1], [0, 1], ['a'], 'val'), 'ids: found 1 rows'),
        (lambda: choose_froc_operating_point(three_images(), 'ab', 'val'), 'image_ids: found 2 rows; expected 3'),
        (lambda: choose_froc_operating_point(three_images(), 'abc', 'val', 'youden'), "rule: found 'youden'"),
        (lambda: choose_froc_operating_point(three_images(), 'abc', 'val', 'fps_per_image'), 'target: found None'),
        (lambda: choose_froc_operating_point(froc([([], [])], [[]]), 'a', 'val'), 'lesions: found no lesion'),
        (lambda: choose_froc_operating_point(froc([([NOWHERE], [1])], [[LESION]]), 'a', 'val'), 'calls nothing'),
        (lambda: report_froc_operating_point(chosen(), three_images(), 'xyz', 'test'), 'a threshold of detections'),
        (
            lambda: report_operating_point(
                choose_froc_operating_point(three_images(), 'abc', 'val'), LABELS, SCORES, IDS, 'test'
            ),
            'a threshold of row scores',
        ),
    ],
)
def test_bad_input_is_named(call, words):
    with pytest.raises(MammoError, match=words):
        call()


def test_a_folder_is_no_file(tmp_path):
    with pytest.raises(MammoError, match='file: found a folder'):
        OperatingPoint.load(tmp_path)


def test_a_split_is_known_by_its_ids_in_any_order():
    assert SplitRecord.of('val', ['b', 'a']) == SplitRecord.of('val', ['a', 'b'])
    assert SplitRecord.of('val', ['a', 'b']).ids_sha256 != SplitRecord.of('val', ['ab']).ids_sha256


def test_a_point_knows_how_exams_scored_where_it_was_chosen(tmp_path):
    """1,500 exams between 0 and 1; where nothing below 0.5 is told, only the upper halves can be compared."""
    scores = np.linspace(0, 1, 1500)
    point = choose_operating_point([0, 1], [0.1, 0.9], ['a', 'b'], 'val', 'youden').comparable_with(scores)
    point.save(tmp_path / 'point.json')
    point = OperatingPoint.load(tmp_path / 'point.json')
    assert point.exam_scores == pytest.approx(scores, abs=1e-6)
    assert point.shift(scores).verdict == 'same' and point.shift(0.5 * scores).verdict == 'moved'
    told = np.where(scores >= 0.5, scores, 0)
    assert point.shift(told).verdict == 'moved' and point.shift(told, floor=0.5).distance < 0.001
    assert point.shift(scores[::300]).verdict == 'too_few' and point.shift([]) is None


def test_of_many_exams_a_point_keeps_quantiles():
    rng = np.random.default_rng(0)
    scores = rng.beta(2, 5, 20_000)
    point = choose_operating_point([0, 1], [0.1, 0.9], ['a', 'b'], 'val', 'youden').comparable_with(scores)
    assert len(point.exam_scores) == 2000 and list(point.exam_scores) == sorted(point.exam_scores)
    assert point.shift(scores).distance < 0.001


def test_a_point_of_an_earlier_version_compares_nothing(tmp_path):
    point = choose_operating_point([0, 1], [0.1, 0.9], ['a', 'b'], 'val', 'youden')
    point.save(tmp_path / 'point.json')
    document = json.loads((tmp_path / 'point.json').read_text())
    del document['exam_scores']
    (tmp_path / 'point.json').write_text(json.dumps(document))
    assert OperatingPoint.load(tmp_path / 'point.json').shift([0.5]) is None

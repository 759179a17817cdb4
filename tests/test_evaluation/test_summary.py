"""What runs are reported as: the functions of evaluation.functional, put together."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    average_precision_per_class,
    bootstrap_ci,
    delong_interval,
    froc_interval,
    match_images,
)
from mmmammo.evaluation.summary import (
    Aggregation,
    DetectionSettings,
    ScoreSettings,
    choose_for_detections,
    choose_for_scores,
    compare_detections,
    detection_document,
    frozen,
    on_same_images,
    report_detections,
    report_scores,
    summarise_detections,
    summarise_scores,
    with_subgroups,
)
from mmmammo.evaluation.summary.average_precision import IOUS, average_precision_reader, class_matches
from mmmammo.io.detection_files import DetectionSet
from mmmammo.io.intake import Intake
from mmmammo.io.score_tables import ScoreTable
from mmmammo.structures import ImagePrediction, MammoError

INTAKE = Intake('file', '0' * 64, 'rows', 1)


def images(seed=0, n=24, model=0):
    """Four images per patient; a lesion in every third of every second exam; boxes that drift from it."""
    rng = np.random.default_rng(seed)
    noise = np.random.default_rng([seed, model])
    made = []
    for i in range(n):
        corner = rng.uniform(10, 50, (int(i % 3 == 0 and i // 4 % 2 == 0), 2))
        lesions = np.concatenate([corner, corner + 20], axis=1)
        found = np.concatenate([lesions + noise.normal(0, 4, lesions.shape), noise.uniform(60, 70, (3, 4))])
        found = np.concatenate([found[:, :2], np.maximum(found[:, 2:], found[:, :2] + 1)], axis=1)
        made.append(
            ImagePrediction(
                i,
                f'{i}.png',
                100,
                100,
                f'e{i // 4}',
                f'p{i // 4}',
                'LR'[i % 4 // 2],
                ('CC', 'MLO')[i % 2],
                found,
                noise.uniform(0, 1, len(found)),
                noise.integers(0, 2, len(found)),
                lesions,
                np.full(len(lesions), i % 2),
            )
        )
    return made


def detection_set(records):
    lesions = sum(len(image.gt_boxes) for image in records)
    labels = tuple({'density': 'ab'[i % 2]} for i in range(len(records)))
    return DetectionSet(
        tuple(records), ('mass', 'calc'), labels, ({'pathology': 'benign'},) * lesions, 'test', (INTAKE,)
    )


def score_table(split='test', n=40, seed=0, rows_per_patient=1):
    rng = np.random.default_rng(seed)
    labels = (np.arange(n) % 3 == 0).astype(np.int64)[:, None]
    scores = np.clip(0.25 * labels + rng.uniform(0, 0.7, (n, 1)), 0, 1)
    ids = tuple(f'{split}{i}' for i in range(n))
    patients = tuple(f'{split}-p{i // rows_per_patient}' for i in range(n))
    return ScoreTable(ids, patients, patients, ('L',) * n, labels, scores, ('score',), {}, split, 'image', (INTAKE,))


@pytest.fixture(scope='module')
def summary():
    return summarise_detections(detection_set(images()), DetectionSettings(bootstrap=40))


def test_recalls_and_their_intervals_are_those_of_the_functions(summary):
    records = images()
    fps = summary.settings.all_fps
    interval = froc_interval(match_images(records), [image.patient_id for image in records], fps, 40)
    keys = [f'froc/recall@{value:.2f}' for value in fps] + ['froc/fauc']
    numbers = [summary.numbers[key] for key in keys]
    assert [number.value for number in numbers] == pytest.approx(interval.estimate)
    told = interval.low < interval.high  # equal replicates are no interval
    assert told.any() and [number.no_interval is None for number in numbers] == told.tolist()
    for side in ('low', 'high'):
        expected = np.where(told, getattr(interval, side), np.nan)
        np.testing.assert_allclose([getattr(number, side) for number in numbers], expected)


def test_average_precision_is_the_mean_over_the_classes_that_occur(summary):
    per_class = average_precision_per_class(images(), ('mass', 'calc'), IOUS)
    for iou in IOUS:
        expected = np.mean([per_class[name][iou] for name in ('mass', 'calc')])
        assert summary.numbers[f'ap/{iou:.2f}'].value == pytest.approx(expected)
    seven = np.mean([summary.numbers[f'ap/{iou:.2f}'].value for iou in IOUS[:7]])
    assert summary.numbers['ap/mean7_0.20-0.80'].value == pytest.approx(seven)


def test_weighing_images_equals_repeating_them():
    records = images()
    repeated = [replace(records[i], image_id=k) for k, i in enumerate([*range(24), 3, 3, 9])]
    weights = np.ones(24)
    weights[3], weights[9] = 3, 2
    weighed = average_precision_reader(class_matches(detection_set(records)))(weights)
    again = average_precision_reader(class_matches(detection_set(repeated)))(np.ones(27))
    assert weighed == pytest.approx(again)


def test_operating_points_that_are_not_listed_are_read_too():
    settings = DetectionSettings(bootstrap=0, fps_per_image=(1.0,), operating_fps=0.25)
    summary = summarise_detections(detection_set(images()), settings)
    assert summary.headline.key == 'froc/recall@0.25' and 'froc/recall@1.00' in summary.numbers


def test_subgroups_carry_their_counts(summary):
    rows = {(row.column, row.value): row.counts for row in summary.subgroups}
    assert rows['density', 'a']['images'] == 12 and rows['pathology', 'benign']['lesions'] == 4
    assert rows['pathology', 'malignant']['lesions'] == 0


def test_subgroups_are_the_same_of_a_set_that_knows_nothing(summary):
    bare = [replace(image, view='UNKNOWN', laterality='U') for image in images()[:4]]
    silent = DetectionSet(tuple(bare), ('mass', 'calc'), ({},) * 4, ({},) * 2, 'test', (INTAKE,))
    rows = {(row.column, row.value): row.counts for row in summarise_detections(silent, DetectionSettings()).subgroups}
    always = {(row.column, row.value) for row in summary.subgroups} - {('density', 'a'), ('density', 'b')}
    assert set(rows) == always
    assert {('view', 'CC'), ('laterality', 'R'), ('density', 'D'), ('age', '< 40 years')} < set(rows)
    assert rows['view', 'CC']['images'] == 0 and rows['laterality', 'unknown']['images'] == 4


def test_classes_that_only_the_annotations_have_are_subgroups_after_those_of_the_model():
    data = detection_set(images())
    kinds = (['distortion', 'mass', 'asymmetry', None] * len(data.lesion_labels))[: len(data.lesion_labels)]
    labelled = replace(data, lesion_labels=tuple({'class': kind} for kind in kinds))
    rows = summarise_detections(labelled, DetectionSettings(bootstrap=0)).subgroups
    found = {row.value: row.counts['lesions'] for row in rows if row.column == 'class'}
    assert list(found) == ['mass', 'calc', 'asymmetry', 'distortion', 'unknown']
    assert found == {name: kinds.count(None if name == 'unknown' else name) for name in found}


def test_merged_sets_are_subgroups_where_there_are_several():
    data = detection_set(images())
    for names, expected in ((('film', 'digital'), {'digital': 12, 'film': 12}), (('film',), {})):
        labels = tuple({**label, 'set': names[i % len(names)]} for i, label in enumerate(data.image_labels))
        rows = summarise_detections(replace(data, image_labels=labels), DetectionSettings(bootstrap=0)).subgroups
        assert {row.value: row.counts['images'] for row in rows if row.column == 'set'} == expected
        table = replace(score_table(), attributes={'set': tuple(names[i % len(names)] for i in range(40))})
        assert ('set' in with_subgroups(table)[1]) == bool(expected)


def test_the_document_is_json_without_nan(summary):
    document = json.loads(json.dumps(detection_document(summary, {}), allow_nan=False))
    assert document['format'] == 'mmmammo-metrics-1'
    assert document['numbers']['froc/lesion/fauc']['reason'] == 'the truth does not say which boxes show one lesion'


def test_equal_models_do_not_differ_and_the_pair_uses_the_first_truth():
    sets = on_same_images([detection_set(images()), detection_set(images()[::-1])], ['a', 'b'])
    assert [image.image_id for image in sets[1].images] == list(range(24))
    summaries = [summarise_detections(data, DetectionSettings(bootstrap=10)) for data in sets]
    (rows,) = compare_detections(summaries, ['a', 'b']).differences
    assert {(row.value, row.p_permutation) for row in rows.values()} == {(0.0, 1.0)}


def test_differences_are_those_of_the_numbers():
    sets = [detection_set(images(model=model)) for model in (0, 1)]
    summaries = [summarise_detections(data, DetectionSettings(bootstrap=10)) for data in sets]
    comparison = compare_detections(summaries, ['a', 'b'])
    for key, row in comparison.differences[0].items():
        expected = summaries[1].numbers[key].value - summaries[0].numbers[key].value
        assert row.value == pytest.approx(expected), key


def test_one_row_per_patient_gets_delong_and_several_get_the_bootstrap():
    independent, clustered = score_table(), score_table(rows_per_patient=2)
    number = summarise_scores(independent, ScoreSettings(bootstrap=10)).numbers['auc']
    expected = delong_interval(independent.labels[:, 0], independent.scores[:, 0])
    assert (number.method, number.low, number.high) == ('DeLong', expected.low, expected.high)
    assert summarise_scores(clustered, ScoreSettings(bootstrap=10)).numbers['auc'].method == 'bootstrap of patients'


def test_sums_are_no_probabilities():
    table = score_table(rows_per_patient=2)
    settings = ScoreSettings(Aggregation('breast', 'sum'), bootstrap=0)
    numbers = summarise_scores(table, settings).numbers
    assert numbers['pf1'].reason == 'the scores are sums, no probabilities' and numbers['auc'].reason is None


def test_tables_without_exams_cannot_be_put_together():
    table = replace(score_table(), exam_ids=('',) * 40)
    with pytest.raises(MammoError, match='one per image, without exams; expected one per image with its exam'):
        summarise_scores(table, ScoreSettings(Aggregation('exam'), bootstrap=0))


def test_exams_have_what_all_their_images_agree_on():
    """Two exams of two views: one density each, but the first is not told of its second image; two views each."""
    table = replace(
        score_table(),
        ids=('1', '2', '3', '4'),
        exam_ids=('a', 'a', 'b', 'b'),
        patient_ids=('p', 'p', 'q', 'q'),
        lateralities=('L', 'R', 'L', 'R'),
        labels=np.array([[1], [0], [0], [0]]),
        scores=np.array([[0.9], [0.1], [0.2], [0.3]]),
        attributes={'density': ('c', '', 'd', 'd'), 'view': ('CC', 'MLO', 'CC', 'CC'), 'age': ('44', '44', '', '')},
    )
    settings = ScoreSettings(Aggregation('exam'), bootstrap=0, subgroups=('view', 'density'))
    summary = summarise_scores(with_subgroups(table)[0], settings)
    assert summary.table.attributes == {
        'density': ('c', 'd'),
        'view': ('', 'CC'),
        'age': ('40 to < 50 years', ''),
        'laterality': ('', ''),
    }
    assert summary.table.notes == (
        'view: 1 exams have images of several values, and count as unknown; see --level row',
    )
    assert [row.value for row in summary.subgroups if row.column == 'view'] == ['CC', 'unknown']


def test_ages_that_are_bands_already_stay():
    table = replace(score_table(), attributes={'age': ('50-59', '') * 20})
    assert with_subgroups(table)[0].attributes['age'] == table.attributes['age']


def test_unknown_subgroups_are_named():
    with pytest.raises(MammoError, match='expected also density'):
        summarise_scores(score_table(), ScoreSettings(subgroups=('density',), bootstrap=0))


def test_a_frozen_threshold_is_reported_with_the_bootstrap_of_its_ratios():
    settings = ScoreSettings(bootstrap=30)
    val, test = (summarise_scores(score_table(split, seed=i), settings) for i, split in enumerate(('val', 'test')))
    point = choose_for_scores(val, 'sensitivity', 0.8)
    report = report_scores(point, test, chosen_on=val, allow_same=False)
    labels, called = test.table.labels[:, 0] == 1, test.table.scores[:, 0] >= point.threshold
    assert report.numbers['operating_point/sensitivity'].value == pytest.approx(called[labels].mean())
    interval = bootstrap_ci(lambda rows: called[rows][labels[rows]].mean(), test.table.patient_ids, 30)
    number = report.numbers['operating_point/sensitivity']
    assert (number.low, number.high) == pytest.approx((float(interval.low), float(interval.high)))
    assert report.shift is not None and report.shift.n_reference == 40
    units = {key.partition('/')[2]: number.counts['units'] for key, number in report.numbers.items()}
    assert units['sensitivity'] == labels.sum() and units['specificity'] == (~labels).sum()
    assert units['positive_predictive_value'] == called.sum() and units['recall_rate'] == 40


def test_where_a_threshold_was_chosen_no_shift_is_looked_for():
    summary = summarise_scores(score_table('val'), ScoreSettings(bootstrap=0))
    point = choose_for_scores(summary, 'max_f1', None)
    report = report_scores(point, summary, chosen_on=summary, allow_same=True)
    assert report.same_split and report.shift is None


def test_units_of_detections_are_what_each_number_is_counted_on():
    summary = summarise_detections(detection_set(images()), DetectionSettings(bootstrap=0))
    point = choose_for_detections(summary, 'max_f1', None)
    report = report_detections(point, summary, allow_same=True)
    marks = (summary.matches.scores >= point.threshold).sum()
    assert report.numbers['operating_point/precision'].counts['units'] == marks
    assert report.numbers['operating_point/recall'].counts['units'] == summary.froc.n_lesions
    assert report.numbers['operating_point/fps_per_image'].counts['units'] == 24
    assert summary.numbers['exam/auc'].counts | {'units': 6, 'positives': 3} == summary.numbers['exam/auc'].counts


def test_subgroups_of_a_table_tell_their_positives():
    table = score_table()
    table = replace(table, attributes={'density': ('a', 'b') * 20})
    rows = summarise_scores(table, ScoreSettings(subgroups=('density',), bootstrap=2)).subgroups
    positives = {row.value: row.counts['positives'] for row in rows if row.column}
    assert positives == {'a': table.labels[::2, 0].sum(), 'b': table.labels[1::2, 0].sum()}
    assert next(row for row in rows if not row.column).counts['positives'] == table.labels.sum()


def test_rows_of_an_unknown_subgroup_have_positives_too():
    table = score_table()
    table = replace(table, attributes={'density': ('a', '') * 20})
    rows = summarise_scores(table, ScoreSettings(subgroups=('density',), bootstrap=2)).subgroups
    (unknown,) = [row for row in rows if row.value == 'unknown']
    assert unknown.counts['positives'] == table.labels[1::2, 0].sum() > 0


def test_a_shift_of_scores_is_that_of_exams_not_of_their_images():
    """Four images of an exam are alike; as independent rows they would make a shift of any difference."""
    table = score_table()
    table = replace(table, exam_ids=tuple(f'e{i // 4}' for i in range(len(table.ids))))
    assert frozen._independent(table).tolist() == table.scores[:, 0].reshape(-1, 4).max(axis=1).tolist()
    unknown = replace(table, exam_ids=('',) * len(table.ids), patient_ids=tuple('ab' * (len(table.ids) // 2)))
    assert frozen._independent(unknown).tolist() == [table.scores[::2, 0].max(), table.scores[1::2, 0].max()]


def test_thresholds_are_for_one_class():
    table = score_table()
    both = replace(table, classes=('a', 'b'), labels=np.tile(table.labels, 2), scores=np.tile(table.scores, 2))
    with pytest.raises(MammoError, match='expected one, to choose a threshold or a calibration for'):
        choose_for_scores(summarise_scores(both, ScoreSettings(bootstrap=0)), 'max_f1', None)


def test_macro_is_undefined_where_a_class_is():
    table = score_table()
    labels = np.concatenate([table.labels, np.zeros_like(table.labels)], axis=1)
    both = replace(table, classes=('a', 'b'), labels=labels, scores=np.tile(table.scores, 2))
    summary = summarise_scores(both, ScoreSettings(bootstrap=5))
    assert summary.headline.reason == 'b: no positive label' and summary.numbers['a/auc'].reason is None

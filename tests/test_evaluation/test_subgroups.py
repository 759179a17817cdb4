"""Subgroup tables: which rows, what is counted, what is said where nothing is."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import (
    auc,
    bands,
    bootstrap_ci,
    flatten_images,
    froc,
    froc_interval,
    froc_subgroups,
    lesion_diameters_mm,
    match_detections,
    subgroup_table,
)
from mmmammo.structures import MammoError

LESION = [0, 0, 10, 10]
BIG_LESION = [100, 100, 150, 150]
NOWHERE = [50, 50, 60, 60]


def by_name(rows):
    return {(row.column, row.value): row for row in rows}


def test_numbers_intervals_and_counts_by_hand():
    values = np.array([1.0, 3.0, 5.0, 7.0, 9.0])
    rows = by_name(
        subgroup_table(
            lambda rows: values[rows].mean(),
            {'density': ['a', 'b', 'a', 'b', None], 'age': [50, 50, 60, 60, np.nan]},
            patients=[1, 1, 2, 2, 3],
            values={'density': ['a', 'b', 'c', 'd']},
            units={'exams': ['e1', 'e1', 'e2', 'e3', 'e4']},
            n=50,
        )
    )
    assert list(rows) == [
        ('', 'all'),
        ('density', 'a'),
        ('density', 'b'),
        ('density', 'c'),
        ('density', 'd'),
        ('density', 'unknown'),
        ('age', '50'),
        ('age', '60'),
        ('age', 'unknown'),
    ]
    assert rows['', 'all'].counts == {'rows': 5, 'patients': 3, 'exams': 4}
    assert rows['density', 'a'].interval.estimate == 3.0 and rows['density', 'a'].reason is None
    alone = bootstrap_ci(lambda rows: values[[0, 2]][rows].mean(), [1, 2], 50)
    assert (rows['density', 'a'].interval.low, rows['density', 'a'].interval.high) == (alone.low, alone.high)
    empty = rows['density', 'c']
    assert np.isnan(empty.interval.estimate) and empty.reason == 'no row'
    assert empty.counts == {'rows': 0, 'patients': 0, 'exams': 0}
    assert rows['density', 'unknown'].interval.reason == 'a single group has no spread'


def test_a_subgroup_without_positives_says_so():
    labels, scores = np.array([0, 1, 0, 0]), np.array([0.1, 0.9, 0.2, 0.3])
    rows = by_name(subgroup_table(lambda r: auc(labels[r], scores[r]), {'side': ['L', 'L', 'R', 'R']}, range(4), n=20))
    assert rows['side', 'L'].interval.estimate == 1.0
    assert np.isnan(rows['side', 'R'].interval.estimate) and rows['side', 'R'].reason == 'undefined on these rows'


def test_rows_do_not_depend_on_the_data_when_listed():
    def names(labels):
        table = subgroup_table(len, {'view': labels}, range(len(labels)), values={'view': ['CC', 'MLO']}, n=2)
        return [(row.column, row.value, tuple(row.counts)) for row in table]

    assert names(['CC', 'MLO', '']) == names(['CC', 'CC'])


def run():
    detections = [
        ([LESION, NOWHERE], [0.9, 0.5]),
        ([BIG_LESION, NOWHERE], [0.8, 0.6]),
        ([NOWHERE], [0.7]),
        ([], []),
    ]
    return detections, [[LESION], [BIG_LESION, LESION], [], [LESION]]


def test_froc_of_images_and_of_lesions():
    detections, truth = run()
    matches = match_detections(flatten_images(detections, truth))
    rows = by_name(
        froc_subgroups(
            matches,
            ['p', 'q', 'r', 's'],
            image_columns={'vendor': ['X', 'X', 'Y', 'Y']},
            lesion_columns={'size': ['small', 'big', 'small', 'small']},
            values={'size': ['small', 'big', 'huge']},
            exams=['e', 'f', 'g', 'h'],
            n=20,
        )
    )
    x = froc(detections[:2], truth[:2])
    assert rows['vendor', 'X'].interval.estimate.tolist() == [*x.recall_at.values(), x.fauc]
    assert rows['vendor', 'X'].counts == {'lesions': 3, 'images': 2, 'patients': 2, 'exams': 2}
    # Small lesions: one of three found, with the same false positives on all four images.
    assert rows['size', 'small'].interval.estimate[-2] == pytest.approx(1 / 3)
    assert rows['size', 'big'].interval.estimate[-2] == 1.0
    assert rows['size', 'big'].counts == {'lesions': 1, 'images': 4, 'patients': 4, 'exams': 4}
    huge = rows['size', 'huge']
    assert np.isnan(huge.interval.estimate).all() and huge.interval.estimate.shape == (6,)
    assert huge.reason == 'no lesion in the ground truth'
    whole = froc_interval(matches, ['p', 'q', 'r', 's'], (0.5, 1, 2, 3, 4), 20)
    np.testing.assert_array_equal(rows['', 'all'].interval.low, whole.low)


def test_a_label_without_images_has_its_row():
    matches = match_detections(flatten_images(*run()))
    rows = by_name(
        froc_subgroups(matches, list('pqrs'), image_columns={'view': ['CC'] * 4}, values={'view': ['CC', 'MLO']}, n=2)
    )
    assert rows['view', 'MLO'].reason == 'no image' and rows['view', 'MLO'].counts['patients'] == 0


def test_bands_by_hand():
    labels, names = bands([39.9, 40, 49, 70, np.nan], [40, 50, 70])
    assert names == ['< 40', '40 to < 50', '50 to < 70', '>= 70']
    assert labels == ['< 40', '40 to < 50', '40 to < 50', '>= 70', 'unknown']
    assert bands([], [5], 'mm')[1] == ['< 5 mm', '>= 5 mm']


def test_lesion_diameters():
    sizes = lesion_diameters_mm([[0, 0, 100, 50], [0, 0, 10, 40], LESION], [0.1, 0.05, np.nan])
    assert sizes[:2].tolist() == [10.0, 2.0] and np.isnan(sizes[2])
    assert lesion_diameters_mm([], []).shape == (0,)


@pytest.mark.parametrize(
    ('columns', 'values', 'words'),
    [
        ({'view': ['CC']}, None, r'view: found shape \(1,\); expected \(2,\)'),
        (
            {'view': ['CC', 'XCCL']},
            {'view': ['CC', 'MLO']},
            r"view\[1\]: found 'XCCL'; expected one of \['CC', 'MLO'\]",
        ),
    ],
)
def test_bad_columns_are_named(columns, values, words):
    with pytest.raises(MammoError, match=words):
        subgroup_table(len, columns, [1, 2], values=values, n=2)


def test_a_row_without_patient_is_named():
    with pytest.raises(MammoError, match=r"patients\[1\]: patient: found ''"):
        subgroup_table(len, {}, ['a', ''], n=2)


def test_bad_edges_are_named():
    with pytest.raises(MammoError, match='edges: found'):
        bands([1], [3, 2])

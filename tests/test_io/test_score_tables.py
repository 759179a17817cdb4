"""Tables of scores: columns, rows, splits, and what is refused."""

import csv

import pytest

from mmmammo.io.score_rows import Columns
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError

HEAD = ['image_id', 'exam_id', 'patient_id', 'laterality', 'view', 'label', 'score', 'density']
ROWS = [[f't{i}', f'e{i}', f'p{i}', 'L', 'CC', int(i < 2), s, 'b'] for i, s in enumerate((0.9, 0.4, 0.6, 0.1))]


def table(folder, rows, head=HEAD, delimiter=','):
    with (folder / 'test.csv').open('w', newline='') as file:
        csv.writer(file, delimiter=delimiter).writerows([head, *rows])
    return folder / 'test.csv'


@pytest.mark.parametrize('delimiter', [',', ';', '\t'])
def test_a_table_of_images(tmp_path, delimiter):
    read = read_score_table(table(tmp_path, ROWS, delimiter=delimiter))
    assert (read.ids, read.patient_ids) == (('t0', 't1', 't2', 't3'), ('p0', 'p1', 'p2', 'p3'))
    assert (read.labels.ravel().tolist(), read.scores.ravel().tolist()) == ([1, 1, 0, 0], [0.9, 0.4, 0.6, 0.1])
    assert (read.level, read.split, read.attributes['density']) == ('image', 'test', ('b',) * 4)


@pytest.mark.parametrize(
    ('columns', 'level', 'first'),
    [
        ((1, 3, 5, 6), 'breast', 'e0_L'),
        ((1, 5, 6), 'exam', 'e0'),
        ((2, 5, 6), 'patient', 'p0'),
        ((0, 5, 6), 'image', 't0'),
    ],
)
def test_ids_decide_what_a_row_is(tmp_path, columns, level, first):
    read = read_score_table(table(tmp_path, [[row[i] for i in columns] for row in ROWS], [HEAD[i] for i in columns]))
    assert (read.level, read.ids[0]) == (level, first)
    assert len(read.notes) == (2 not in columns)


@pytest.mark.parametrize(
    ('row', 'said'),
    [
        (['x', 'e', 'p', 'L', 'CC', 1, 1.2, ''], "score: found '1.2'; expected a number in [0, 1]"),
        (['x', 'e', 'p', 'L', 'CC', 1, 'nan', ''], "score: found 'nan'"),
        (['x', 'e', 'p', 'L', 'CC', 1, '', ''], "score: found ''"),
        (['x', 'e', 'p', 'L', 'CC', 2, 0.5, ''], "label: found '2'; expected 0 or 1"),
        (['x', 'e', 'p', 'L', 'CC', '', 0.5, ''], "label: found ''"),
        (['x', '', 'p', 'L', 'CC', 1, 0.5, ''], 'exam_id: found nothing; expected an id'),
        (ROWS[0], "id: found 't0', also in line 2; expected each id once"),
    ],
)
def test_a_bad_row_is_left_out_with_its_line(tmp_path, row, said):
    path = table(tmp_path, [*ROWS, row])
    (intake,) = read_score_table(path).intakes
    (refused,) = intake.refused
    assert (intake.used, refused.row) == (4, 'line 6') and refused.reason.startswith(said)
    with pytest.raises(MammoError, match='line 6'):
        read_score_table(path, strict=True)


def test_a_duplicate_exam_id_is_refused(tmp_path):
    path = table(tmp_path, [['e', 1, 0.5], ['f', 0, 0.5], ['e', 1, 0.5]], ['exam_id', 'label', 'score'])
    (intake,) = read_score_table(path).intakes
    assert [(row.row, "'e', also in line 2" in row.reason) for row in intake.refused] == [('line 4', True)]


def test_of_contradicting_repeats_none_is_used(tmp_path):
    (intake,) = read_score_table(table(tmp_path, [*ROWS, [*ROWS[0][:6], 0.2, 'b']])).intakes
    assert (intake.used, [row.row for row in intake.refused]) == (3, ['line 2', 'line 6'])
    assert 'with another label or score' in intake.refused[0].reason


def test_an_unknown_side_of_a_breast_is_refused(tmp_path):
    path = table(tmp_path, [['e', 'L', 1, 0.5], ['e', '?', 0, 0.5]], ['exam_id', 'laterality', 'label', 'score'])
    assert read_score_table(path).intakes[0].refused[0].reason.startswith("laterality: found '?'; expected L or R")


def test_columns_missing_are_named_with_those_there_are(tmp_path):
    with pytest.raises(MammoError, match=r'found image_id, exam_id.*expected also prob.*--score'):
        read_score_table(table(tmp_path, ROWS), Columns(scores=('prob',)))
    with pytest.raises(MammoError, match='expected also image_id, exam_id or patient_id'):
        read_score_table(table(tmp_path, [[1, 0.5]], ['label', 'score']))


@pytest.mark.parametrize(
    'columns',
    [
        Columns(labels=('label',), scores=('score', 'density')),
        Columns(labels=('label', 'label'), scores=('score', 'score')),
        Columns(labels=('label', 'label'), scores=('score', 'density'), class_column='view'),
    ],
)
def test_columns_that_do_not_pair_are_refused(tmp_path, columns):
    with pytest.raises(MammoError, match='name them in pairs'):
        read_score_table(table(tmp_path, ROWS), columns)


def test_a_row_of_another_length_is_named(tmp_path):
    with pytest.raises(MammoError, match='line 3: cells: found 2; expected 8'):
        read_score_table(table(tmp_path, [ROWS[0], ['a', 'b']]))


@pytest.mark.parametrize('rows', [[], [['', '', '', '', '', '', '', '']]])
def test_a_table_without_rows_is_refused(tmp_path, rows):
    with pytest.raises(MammoError, match='no rows below a head'):
        read_score_table(table(tmp_path, rows))


def test_a_patient_in_two_splits_is_refused(tmp_path):
    rows = [[*ROWS[0], 'val'], [*ROWS[1][:2], 'p0', *ROWS[1][3:], 'test']]
    with pytest.raises(MammoError, match='p0 in test, val; expected no patient in two splits'):
        read_score_table(table(tmp_path, rows, [*HEAD, 'split']), split='test')


def test_splits_are_asked_for_by_name(tmp_path):
    path = table(tmp_path, [[*row, split] for row, split in zip(ROWS, 'abab', strict=True)], [*HEAD, 'split'])
    read = read_score_table(path, split='a')
    assert (read.split, read.ids, read.intakes[0].used, read.intakes[0].left_out) == ('a', ('t0', 't2'), 2, 2)
    for split, said in ((None, 'found a, b; expected one split'), ('c', "found a, b; expected 'c'")):
        with pytest.raises(MammoError, match=said):
            read_score_table(path, split=split)


def test_a_long_table_needs_every_class_of_every_id(tmp_path):
    lines = [
        ['i', 'mass', 1, 0.5],
        ['i', 'calc', 0, 0.25],
        ['j', 'mass', 0, 0.1],
        ['k', 'mass', 0, 7],
        ['k', 'calc', 0, 0],
    ]
    path = table(tmp_path, lines, ['image_id', 'finding', 'label', 'score'])
    read = read_score_table(path, Columns(class_column='finding'))
    assert (read.ids, read.classes, read.scores.tolist()) == (('i',), ('calc', 'mass'), [[0.25, 0.5]])
    assert [row.row for row in read.intakes[0].refused] == ['line 4', 'line 5', 'line 6']
    assert "'j' without a good line for calc" in read.intakes[0].refused[0].reason

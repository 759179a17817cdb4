"""From scores of images to the file of RSNA's challenge."""

import importlib.util
import sys
from pathlib import Path

import pytest

from mmmammo.evaluation.summary.submission import make_submission
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
ROWS = (
    '1,e10008,10008,L,0.25',
    '2,e10008,10008,L,0.75',
    '3,e10008,10008,R,0.1',
    '4,e9,9,L,0.5',
    '5,e9,9,R,1',
    '6,e9,9,R,0.5',
    '7,e9,9,R,0.75',
)


@pytest.fixture
def table(tmp_path):
    """A function that writes a table of images."""

    def _table(*rows, head='image_id,exam_id,patient_id,laterality,score'):
        path = tmp_path / 'scores.csv'
        path.write_text('\n'.join([head, *rows]) + '\n')
        return path

    return _table


@pytest.fixture
def asked(tmp_path):
    """A function that writes a file of prediction ids."""

    def _asked(*names):
        path = tmp_path / 'sample_submission.csv'
        path.write_text('\n'.join(['prediction_id,cancer', *(f'{name},0.02' for name in names)]) + '\n')
        return path

    return _asked


def test_a_breast_is_the_mean_of_its_images_patients_in_order(table, tmp_path):
    submission = make_submission(table(*ROWS))
    submission.write(tmp_path / 'out' / 'submission.csv')
    assert (tmp_path / 'out' / 'submission.csv').read_text().splitlines() == [
        'prediction_id,cancer',
        '9_L,0.5',
        '9_R,0.75',
        '10008_L,0.5',
        '10008_R,0.1',
    ]
    assert submission.n_images == 7 and not submission.one_sided


def test_or_the_maximum_or_a_call(table):
    assert make_submission(table(*ROWS), rule='max').scores['9_R'] == 1
    called = make_submission(table(*ROWS), threshold=0.5).scores
    assert called == {'9_L': 0, '9_R': 1, '10008_L': 0, '10008_R': 0}  # above, as paper 2 calls


def test_the_order_is_that_of_the_file_that_asks(table, asked):
    names = ['10008_R', '9_R', '10008_L', '9_L']
    assert list(make_submission(table(*ROWS), expected=asked(*names, *names)).scores) == names


def test_breasts_that_are_asked_for_must_be_there_or_get_a_score(table, asked):
    path, names = table(*ROWS), asked('9_L', '9_R', '10008_L', '10008_R', '7_L', '7_R')
    with pytest.raises(MammoError, match=r'breasts: found no image of 2 of 6 breasts: 7_L, 7_R; .*--missing'):
        make_submission(path, expected=names)
    filled = make_submission(path, expected=names, missing=0.02)
    assert filled.filled == ('7_L', '7_R') and filled.scores['7_R'] == 0.02


def test_breasts_that_nobody_asked_for_are_refused(table, asked):
    with pytest.raises(MammoError, match=r'sample_submission\.csv does not ask for \(1\): 10008_R'):
        make_submission(table(*ROWS), expected=asked('9_L', '9_R', '10008_L'))


def test_a_patient_with_one_breast_is_told(table):
    assert make_submission(table(*ROWS[:4])).one_sided == ('9',)


@pytest.mark.parametrize(
    ('row', 'words'),
    [
        ('7,e9,9,L,0.5', r"line 9: image_id: found '7'; expected an id, each once"),
        (',e9,9,L,0.5', r"line 9: image_id: found ''"),
        ('8,e9b,9,L,0.5', r"line 9: exam_id: found exam 'e9b' of patient '9', who also has 'e9'"),
        ('8,e9,9,U,0.5', r"line 9: laterality: found 'U'; expected L or R"),
        ('8,,,L,0.5', r'line 9: patient_id: found nothing'),
        ('8,e9,9,L,nan', r"line 9: score: found 'nan'; expected a number in \[0, 1\]"),
        ('8,e9,9,L,-3.1', r"line 9: score: found '-3.1'"),
        ('8,e9,9,L,', r"line 9: score: found ''"),
    ],
)
def test_a_row_that_cannot_be_used_stops(table, row, words):
    with pytest.raises(MammoError, match=words):
        make_submission(table(*ROWS, row))


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'rule': 'sum'}, "rule: found 'sum'"),
        ({'threshold': 1.5}, 'threshold: found 1.5'),
        ({'missing': -1}, 'missing: found -1'),
        ({'score': 'prob'}, 'columns: found .*expected also prob'),
        ({'expected': Path('nowhere.csv')}, 'nowhere.csv: file: found'),
    ],
)
def test_options_that_make_no_sense_are_refused(table, options, words):
    with pytest.raises(MammoError, match=words):
        make_submission(table(*ROWS), **options)


def test_an_empty_table_is_refused(table):
    with pytest.raises(MammoError, match='columns: found no rows below a head'):
        make_submission(table())


def test_the_command_writes_and_tells(table, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location('tool_export', ROOT / 'tools' / 'export_submission.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    out = tmp_path / 'submission.csv'
    monkeypatch.setattr(sys, 'argv', ['export', str(table(*ROWS[:4])), '--out', str(out)])
    assert tool.main() == 0
    assert len(out.read_text().splitlines()) == 4
    said = capsys.readouterr().out
    assert said.startswith('3 breasts of 4 images: ') and 'patients with one breast only (1): 9' in said

"""Results of parts of an archive, put together."""

import hashlib
import json
from pathlib import Path

import pytest

from mmmammo.apis import ExamResult, ExamScores, ResultWriter, ScoreWriter
from mmmammo.apis.file_names import FileNames, part_of
from mmmammo.apis.joined_results import join_results
from mmmammo.prepare.exams import rejected_row
from mmmammo.structures import MammoError

INFO = {'config': 'c.py', 'checkpoint': 'epoch_1.pth', 'digest': '1'}


def refused(exam_id):
    return (rejected_row(f'{exam_id}.dcm', exam_id, 'no DICOM'),)


def part(folder, *exam_ids, **info):
    """A detector's, of exams without a usable file."""
    with ResultWriter(folder, ('mass',), INFO | info) as writer:
        for exam_id in exam_ids:
            writer.add(ExamResult(exam_id, (), refused(exam_id)))
    return folder


def exams_of(path):
    return [exam['exam_id'] for exam in json.loads(path.read_text())['exams']]


def test_parts_of_a_detector_become_one(tmp_path):
    parts = [part(tmp_path / '1', 'a', 'b'), part(tmp_path / '2'), part(tmp_path / '3', 'c', config='moved.py')]
    told = []
    assert join_results(parts, tmp_path / 'out', lambda *said: told.append(said)) == 3
    assert told == [(parts[0], 2, 0), (parts[1], 0, 0), (parts[2], 1, 0)]
    part(tmp_path / 'one', 'a', 'b', 'c')
    for name in ('detections.json', 'detections.csv', 'files.csv'):
        assert (tmp_path / 'out' / name).read_text() == (tmp_path / 'one' / name).read_text()
    assert join_results(parts, tmp_path / 'out') == 3  # again, in its place


def test_parts_of_a_classifier_become_one(tmp_path):
    for exam_id in 'ab':
        with ScoreWriter(tmp_path / exam_id, INFO) as writer:
            writer.learn(rule='greatest')
            writer.add(ExamScores(exam_id, (), (), {}, None, refused(exam_id)))
    assert join_results([tmp_path / 'a', tmp_path / 'b'], tmp_path / 'out') == 2
    assert exams_of(tmp_path / 'out' / 'scores.json') == ['a', 'b']
    assert json.loads((tmp_path / 'out' / 'scores.json').read_text())['info'] == INFO | {'rule': 'greatest'}


@pytest.mark.parametrize(
    ('second', 'message'),
    [
        ({'digest': '2'}, r'2: digest: found "2"; expected "1" as .*1 has it'),
        ({'score_thr': 0.5}, 'score_thr: found 0.5; expected null'),
    ],
)
def test_parts_of_two_models_are_not_one(tmp_path, second, message):
    parts = [part(tmp_path / '1', 'a'), part(tmp_path / '2', 'b', **second)]
    with pytest.raises(MammoError, match=message):
        join_results(parts, tmp_path / 'out')
    assert not (tmp_path / 'out').exists()


def test_an_exam_of_two_parts_is_refused(tmp_path):
    parts = [part(tmp_path / '1', 'a'), part(tmp_path / '2', 'b', 'a')]
    with pytest.raises(MammoError, match=r'2: exam: found a; expected in one part; .*1 has it, too'):
        join_results(parts, tmp_path / 'out')


@pytest.mark.parametrize(('names', 'out'), [(['1', '2'], '2'), (['1', '1'], 'out'), (['1', '../{}/1'], 'out')])
def test_a_folder_that_is_named_twice_is_refused(tmp_path, names, out):
    for number, name in enumerate(('1', '2')):
        part(tmp_path / name, f'exam{number}')
    parts = [tmp_path / name.format(tmp_path.name) for name in names]
    with pytest.raises(MammoError, match='found a folder named twice'):
        join_results(parts, tmp_path / out)
    assert exams_of(tmp_path / '2' / 'detections.json') == ['exam1']


def test_results_of_other_exams_are_not_replaced(tmp_path):
    part(tmp_path / 'out', 'z')
    with pytest.raises(MammoError, match='--out: found results of 1 other exams'):
        join_results([part(tmp_path / '1', 'a')], tmp_path / 'out')
    assert exams_of(tmp_path / 'out' / 'detections.json') == ['z']


def test_what_is_no_part_is_named(tmp_path):
    (tmp_path / '1').mkdir()
    with pytest.raises(MammoError, match=r'1: \.infer/journal\.jsonl: found nothing; expected results of tools/infer'):
        join_results([tmp_path / '1'], tmp_path / 'out')


def test_a_part_that_is_still_at_work_is_refused(tmp_path):
    with ResultWriter(tmp_path / '1', ('mass',), INFO), pytest.raises(MammoError, match='found a run that writes'):
        join_results([tmp_path / '1'], tmp_path / 'out')


def test_every_exam_is_in_one_part_whatever_lies_beside_it():
    exams = {f'exam {i}': i for i in range(200)}
    parts = [part_of(exams, index, 3) for index in (1, 2, 3)]
    assert sorted(exam for one in parts for exam in one) == sorted(exams)
    assert all(40 < len(one) < 95 for one in parts)
    later = part_of(exams | {'new': -1}, 2, 3)
    assert {exam: i for exam, i in later.items() if exam != 'new'} == parts[1]
    assert part_of(exams, 1, 1) == exams


def test_exams_that_would_share_a_file_are_in_one_part():
    alike = dict.fromkeys(['a/1', 'a_1', 'A 1'])
    assert sorted(len(part_of(alike, index, 7)) for index in range(1, 8)) == [0] * 6 + [3]
    names = FileNames()
    assert len({names.of(text) for text in alike}) == 3
    assert Path(names.of('a/1')).name != 'a_1'


def test_a_name_that_somebody_else_has_is_never_given_again():
    names = FileNames()
    first = names.of('e_1')
    digest = FileNames.of(names, 'e 1')
    assert [first, names.of(digest)] == ['e_1', f'{digest}-{hashlib.sha256(digest.encode()).hexdigest()[:8]}']
    names = FileNames()
    given = [names.of(text) for text in ('e 1', digest, 'e_1', 'e/1', 'E 1')]
    assert len(set(map(str.lower, given))) == 5

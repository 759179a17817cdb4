"""Files that grow exam by exam, and runs that go on from them."""

import csv
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from mmmammo.apis.exam_writer import JOURNAL, ExamWriter, Written, stamp_of_exam
from mmmammo.prepare.exams import NO_MEMORY, rejected_row
from mmmammo.structures import ImageRecord, MammoError

INFO = {'config': 'c.py', 'checkpoint': 'epoch_1.pth'}
STAMPS = {'a': 'stamp of a', 'b': 'stamp of b', 'c': 'stamp of c'}


@dataclass
class Exam:
    exam_id: str
    images: tuple = (0.5,)
    rejected: tuple = ()


class Writer(ExamWriter):
    document = 'all.json'
    tables = ('images.csv',)

    def written(self, exam, name):
        rows = [[exam.exam_id, score] for score in exam.images]
        panel = self.out / f'{name}.png'
        panel.write_text(exam.exam_id)
        entry = {'exam_id': exam.exam_id, 'images': list(exam.images)}
        return Written(entry, {'images.csv': rows}, {'images.csv': ['exam_id', 'score']}, panel)


def add(writer, *exams):
    for exam in exams:
        writer.add(Exam(exam) if isinstance(exam, str) else exam)


def killed(out, *exams, stamps=STAMPS):
    """A run that did not come to its end."""
    writer = Writer(out, INFO, stamps)
    add(writer, *exams)
    writer._journal.close()


def files_of(out):
    return {name: (out / name).read_text() for name in ('all.json', 'images.csv')}


def test_a_run_that_goes_on_leaves_the_files_of_one_that_was_never_stopped(tmp_path):
    with Writer(tmp_path / 'whole', INFO, STAMPS) as writer:
        add(writer, 'a', 'b', 'c')
    killed(tmp_path / 'out', 'a', 'b')
    assert not (tmp_path / 'out' / 'all.json').exists()
    with Writer(tmp_path / 'out', INFO, STAMPS, resume=True) as writer:
        assert writer.kept == {'a', 'b'} and writer.num_images == 2
        add(writer, 'c')
    assert files_of(tmp_path / 'out') == files_of(tmp_path / 'whole')
    document = json.loads((tmp_path / 'out' / 'all.json').read_text())
    assert document == {'info': INFO, 'exams': [{'exam_id': exam, 'images': [0.5]} for exam in 'abc']}


def test_rows_cut_short_by_a_kill_are_made_again(tmp_path):
    killed(tmp_path, 'a', 'b')
    table = (tmp_path / 'images.csv').read_text()
    (tmp_path / 'images.csv').write_text(table[:-3])
    with (tmp_path / JOURNAL).open('a') as file:
        file.write('{"stamp": "stamp of c", "exam": {"exam_id": "c"')
    with Writer(tmp_path, INFO, STAMPS, resume=True) as writer:
        assert writer.kept == {'a', 'b'}
    assert (tmp_path / 'images.csv').read_text() == table
    assert len(json.loads((tmp_path / 'all.json').read_text())['exams']) == 2


def test_only_exams_whose_files_are_as_they_were_stay(tmp_path):
    killed(tmp_path, 'a', 'b', 'c')
    with Writer(tmp_path, INFO, {'a': 'stamp of a', 'b': 'other'}, resume=True) as writer:
        assert writer.kept == {'a'}
        add(writer, Exam('b', images=(0.1, 0.2)))
    with (tmp_path / 'images.csv').open() as file:
        assert list(csv.reader(file)) == [['exam_id', 'score'], ['a', '0.5'], ['b', '0.1'], ['b', '0.2']]


def test_without_resume_nothing_stays(tmp_path):
    killed(tmp_path, 'a', 'b')
    with Writer(tmp_path, {'config': 'other.py'}, STAMPS) as writer:
        assert writer.kept == set()
        add(writer, 'c')
    assert [one['exam_id'] for one in json.loads((tmp_path / 'all.json').read_text())['exams']] == ['c']


def test_without_stamps_nothing_can_be_kept(tmp_path):
    killed(tmp_path, 'a', stamps=None)
    assert Writer(tmp_path, INFO, STAMPS, resume=True).kept == set()


def test_results_of_two_models_are_not_mixed(tmp_path):
    killed(tmp_path, 'a')
    with pytest.raises(MammoError, match=r'checkpoint: found results made with epoch_1\.pth; expected epoch_2\.pth'):
        Writer(tmp_path, INFO | {'checkpoint': 'epoch_2.pth'}, STAMPS, resume=True)
    assert Writer(tmp_path, INFO, STAMPS, resume=True).kept == {'a'}  # nothing was lost


def test_what_another_machine_may_manage_is_tried_again(tmp_path):
    refused = rejected_row('a/L_CC.dcm', 'a', NO_MEMORY)
    useless = rejected_row('b/L_CC.dcm', 'b', 'no mammogram')
    killed(tmp_path, Exam('a', (), (refused,)), Exam('b', (), (useless,)))
    assert Writer(tmp_path, INFO, STAMPS, resume=True).kept == {'b'}


def test_an_exam_counts_once_what_follows_it_is_done(tmp_path):
    writer = Writer(tmp_path, INFO, STAMPS)
    told = []
    panel = writer.add(Exam('a'), told.append)
    assert told == [panel]
    with pytest.raises(OSError, match='full'):
        writer.add(Exam('b'), lambda _: (_ for _ in ()).throw(OSError('full')))
    writer._journal.close()
    assert Writer(tmp_path, INFO, STAMPS, resume=True).kept == {'a'}


def test_what_was_learnt_is_known_to_the_next_run(tmp_path):
    writer = Writer(tmp_path, INFO, STAMPS)
    writer.learn(rule='mean')
    writer.learn(rule='mean')
    add(writer, 'a')
    writer._journal.close()
    assert (tmp_path / JOURNAL).read_text().count('facts') == 1
    for _ in range(2):
        with Writer(tmp_path, INFO, STAMPS, resume=True) as writer:
            assert writer.facts == {'rule': 'mean'}
    assert json.loads((tmp_path / 'all.json').read_text())['info'] == INFO | {'rule': 'mean'}


def test_exams_of_like_names_keep_a_picture_each(tmp_path):
    stamps = {'a/1': 'x', 'a_1': 'y'}
    killed(tmp_path, 'a/1', stamps=stamps)
    with Writer(tmp_path, INFO, stamps, resume=True) as writer:
        panel = writer.add(Exam('a_1'))
    assert panel.read_text() == 'a_1' and (tmp_path / 'a_1.png').read_text() == 'a/1' and panel.name != 'a_1.png'


def test_a_stamp_knows_files_that_come_go_and_change(tmp_path):
    def record(name):
        path = tmp_path / name
        path.touch()
        return ImageRecord(path=path, relative_path=name, exam_id='a', patient_id='a')

    first, second = record('1.png'), record('2.png')
    stamp = stamp_of_exam([first, second])
    assert stamp == stamp_of_exam([second, first]) != stamp_of_exam([first])
    Path(tmp_path / '2.png').write_text('more')
    assert stamp != stamp_of_exam([first, second])

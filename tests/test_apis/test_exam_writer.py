"""Files that grow exam by exam, and runs that go on from them."""

import csv
import json
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from mmmammo.apis.exam_journal import STATE, stamp_of_exam
from mmmammo.apis.exam_writer import ExamWriter, Written
from mmmammo.prepare.exams import NO_MEMORY, rejected_row
from mmmammo.structures import ImageRecord, Laterality, MammoError

INFO = {'config': 'c.py', 'checkpoint': 'epoch_1.pth'}


def record_of(name, exam_id=None, **said):
    """A file of an exam, of which nothing is there."""
    return ImageRecord(path=Path('none', name), relative_path=name, exam_id=exam_id or name, patient_id='p', **said)


EXAMS = {exam: [record_of(f'{exam}.png', exam)] for exam in 'abc'}
CHANGED = [record_of('changed.png', 'b')]


@dataclass
class Exam:
    exam_id: str
    images: tuple = (0.5,)
    rejected: tuple = ()


class Writer(ExamWriter):
    document = 'all.json'
    tables = ('images.csv',)

    @staticmethod
    def greatest_score(entry):
        return max(image['score'] for image in entry['images'])

    def written(self, exam, name):
        rows = [[exam.exam_id, score] for score in exam.images]
        panel = self.out / f'{name}.png'
        panel.write_text(f'{exam.exam_id} {exam.images}')
        images = [{'file': f'{exam.exam_id}.png', 'score': score} for score in exam.images]
        entry = {'exam_id': exam.exam_id, 'images': images, 'rejected': [{'file': row.path} for row in exam.rejected]}
        return Written(entry, {'images.csv': rows}, {'images.csv': ['exam_id', 'score']}, panel, [panel.name])


def add(writer, *exams):
    for exam in exams:
        writer.add(Exam(exam) if isinstance(exam, str) else exam)


def killed(out, *judged, exams=EXAMS):
    """A run that did not come to its end."""
    writer = Writer(out, INFO, exams)
    add(writer, *judged)
    writer.close()


def kept_by(out, exams=EXAMS, info=INFO):
    writer = Writer(out, info, exams, resume=True)
    writer.close()
    return writer.kept


def files_of(out):
    return {name: (out / name).read_text() for name in ('all.json', 'images.csv')}


def test_a_run_that_goes_on_leaves_the_files_of_one_that_was_never_stopped(tmp_path):
    with Writer(tmp_path / 'whole', INFO, EXAMS) as writer:
        add(writer, 'a', 'b', 'c')
    killed(tmp_path / 'out', 'a', 'b')
    assert not (tmp_path / 'out' / 'all.json').exists()
    with Writer(tmp_path / 'out', INFO, EXAMS, resume=True) as writer:
        assert writer.kept == {'a', 'b'} and writer.num_images == 2
        add(writer, 'c')
        assert len(writer.exam_scores) == 3
    assert files_of(tmp_path / 'out') == files_of(tmp_path / 'whole')
    document = json.loads((tmp_path / 'out' / 'all.json').read_text())
    assert document['info'] == INFO and [exam['exam_id'] for exam in document['exams']] == ['a', 'b', 'c']


def test_rows_cut_short_by_a_kill_are_made_again(tmp_path):
    killed(tmp_path, 'a', 'b')
    table = (tmp_path / 'images.csv').read_text()
    (tmp_path / 'images.csv').write_text(table[:-3])
    with (tmp_path / STATE / 'journal.jsonl').open('a') as file:
        file.write('\0\0\0\n{"stamp": "stamp of c", "exam": {"exam_id": "c"')
    with Writer(tmp_path, INFO, EXAMS, resume=True) as writer:
        assert writer.kept == {'a', 'b'}
    assert (tmp_path / 'images.csv').read_text() == table
    assert len(json.loads((tmp_path / 'all.json').read_text())['exams']) == 2


def test_only_exams_whose_files_are_as_they_were_stay_and_those_that_nobody_asks_for(tmp_path):
    killed(tmp_path, 'a', 'b', 'c')
    with Writer(tmp_path, INFO, {'a': EXAMS['a'], 'b': CHANGED}, resume=True) as writer:
        assert writer.kept == {'a', 'c'} and not (tmp_path / 'b.png').exists()
        add(writer, Exam('b', images=(0.1, 0.2)))
    with (tmp_path / 'images.csv').open() as file:
        rows = [['a', '0.5'], ['c', '0.5'], ['b', '0.1'], ['b', '0.2']]
        assert list(csv.reader(file)) == [['exam_id', 'score'], *rows]
    assert (tmp_path / 'b.png').read_text() == 'b (0.1, 0.2)'


def test_without_resume_nothing_stays(tmp_path):
    killed(tmp_path, 'a', 'b')
    (tmp_path / 'mine.txt').write_text('not made by a run')
    with Writer(tmp_path, {'config': 'other.py'}, EXAMS) as writer:
        assert writer.kept == set()
        add(writer, 'c')
    assert [one['exam_id'] for one in json.loads((tmp_path / 'all.json').read_text())['exams']] == ['c']
    assert {path.name for path in tmp_path.iterdir()} == {STATE, 'all.json', 'images.csv', 'c.png', 'mine.txt'}


def test_what_a_run_of_another_kind_made_goes_too(tmp_path):
    class Other(Writer):
        document, tables = 'other.json', ('images.csv', 'others.csv')

    with Other(tmp_path, INFO) as writer:
        add(writer, 'a')
    killed(tmp_path, 'b')
    assert not (tmp_path / 'other.json').exists()


def test_nothing_outside_of_the_folder_is_removed(tmp_path):
    (tmp_path / 'out').mkdir()
    (tmp_path / 'theirs').write_text('x')
    killed(tmp_path / 'out', 'a')
    journal = tmp_path / 'out' / STATE / 'journal.jsonl'
    journal.write_text(journal.read_text().replace('["a.png"]', '["a.png", "../theirs"]'))
    killed(tmp_path / 'out', 'b')
    assert (tmp_path / 'theirs').exists() and not (tmp_path / 'out' / 'a.png').exists()


def test_two_runs_do_not_write_to_one_folder(tmp_path):
    with Writer(tmp_path, INFO, EXAMS) as writer:
        add(writer, 'a')
        with pytest.raises(MammoError, match='found another run that writes its results here'):
            Writer(tmp_path, INFO, EXAMS)
        add(writer, 'b')
    assert len(json.loads((tmp_path / 'all.json').read_text())['exams']) == 2
    assert kept_by(tmp_path) == {'a', 'b'}


def test_a_run_that_knows_no_exams_keeps_none(tmp_path):
    killed(tmp_path, 'a')
    assert kept_by(tmp_path, exams=None) == set()
    killed(tmp_path, 'a', exams=None)
    assert kept_by(tmp_path) == set()


def test_files_that_are_now_of_another_exam_do_not_count_twice(tmp_path):
    killed(tmp_path, 'a', 'b')
    renamed = {'a-0': [record_of('a.png', 'a-0')]}
    assert kept_by(tmp_path, renamed) == {'b'} and not (tmp_path / 'a.png').exists()


def test_an_exam_whose_picture_is_gone_is_made_again_and_no_kept_one_twice(tmp_path):
    killed(tmp_path, 'a', 'b')
    (tmp_path / 'a.png').unlink()
    (tmp_path / '.all.json.0.unfinished').write_text('of a run that was killed')
    with Writer(tmp_path, INFO, EXAMS, resume=True) as writer:
        assert writer.kept == {'b'}
        with pytest.raises(ValueError, match='b was kept'):
            writer.add(Exam('b'))
    assert not list(tmp_path.glob('.*.unfinished'))


def test_config_and_checkpoint_may_move_where_a_digest_tells_models_apart(tmp_path):
    Writer(tmp_path, INFO | {'digest': 'x'}, EXAMS).close()
    Writer(tmp_path, {'config': '../c.py', 'checkpoint': 'last.pth', 'digest': 'x'}, EXAMS, resume=True).close()
    with pytest.raises(MammoError, match='digest: found results made with x; expected y'):
        Writer(tmp_path, INFO | {'digest': 'y'}, EXAMS, resume=True)


def test_results_of_two_models_are_not_mixed(tmp_path):
    killed(tmp_path, 'a')
    with pytest.raises(MammoError, match=r'checkpoint: found results made with epoch_1\.pth; expected epoch_2\.pth'):
        Writer(tmp_path, INFO | {'checkpoint': 'epoch_2.pth'}, EXAMS, resume=True)
    assert kept_by(tmp_path) == {'a'}  # nothing was lost


def test_information_need_not_be_as_json_has_it(tmp_path):
    assert kept_by(tmp_path, info={'classes': ('mass',)}) == kept_by(tmp_path, info={'classes': ['mass']}) == set()


def test_what_another_machine_may_manage_is_tried_again(tmp_path):
    refused = rejected_row('a/L_CC.dcm', 'a', NO_MEMORY, may_pass=True)
    useless = rejected_row('b/L_CC.dcm', 'b', 'no mammogram')
    killed(tmp_path, Exam('a', (0.1,), (refused,)), Exam('b', (), (useless,)))
    assert kept_by(tmp_path) == {'b'}


def test_an_exam_counts_once_what_follows_it_is_done(tmp_path):
    writer = Writer(tmp_path, INFO, EXAMS)
    (tmp_path / 'a.dcm').write_text('report')
    told = []
    panel = writer.add(Exam('a'), lambda panel: [told.append(panel), tmp_path / 'a.dcm'][1:])
    assert told == [panel]
    with pytest.raises(OSError, match='full'):
        writer.add(Exam('b'), lambda _: (_ for _ in ()).throw(OSError('full')))
    writer.close()
    assert kept_by(tmp_path) == {'a'} and (tmp_path / 'a.dcm').exists()
    assert kept_by(tmp_path, {'a': CHANGED}) == set() and not (tmp_path / 'a.dcm').exists()


def test_what_was_learnt_is_known_to_the_next_run(tmp_path):
    writer = Writer(tmp_path, INFO, EXAMS)
    writer.learn(rule='mean')
    writer.learn(rule='mean')
    add(writer, 'a')
    writer.close()
    assert (tmp_path / STATE / 'journal.jsonl').read_text().count('facts') == 1
    for _ in range(2):
        with Writer(tmp_path, INFO, EXAMS, resume=True) as writer:
            assert writer.facts == {'rule': 'mean'}
    assert json.loads((tmp_path / 'all.json').read_text())['info'] == INFO | {'rule': 'mean'}


def test_exams_of_like_names_keep_a_picture_each(tmp_path):
    exams = {exam: [record_of(f'{exam}.png', exam)] for exam in ('a/1', 'a_1')}
    killed(tmp_path, 'a/1', 'a_1', exams=exams)
    (second,) = {path.name for path in tmp_path.glob('*.png')} - {'a_1.png'}
    with Writer(
        tmp_path, INFO, exams | {'a/1': [*exams['a/1'], record_of('further.png', 'a/1')]}, resume=True
    ) as writer:
        writer.add(Exam('a/1', (0.9,)))
    pictures = {path.name: path.read_text() for path in tmp_path.glob('*.png')}
    assert pictures == {'a_1.png': 'a/1 (0.9,)', second: 'a_1 (0.5,)'}


def test_a_stamp_knows_files_that_come_go_and_change_and_no_other_exams(tmp_path):
    first, second = (replace(record_of(name, 'a'), path=tmp_path / name) for name in ('1.png', '2.png'))
    first.path.touch()
    second.path.touch()
    stamp = stamp_of_exam([first, second])
    assert stamp == stamp_of_exam([second, first]) != stamp_of_exam([first])
    assert stamp == stamp_of_exam([replace(first, patient_id='other'), second])
    for said in ({'laterality': Laterality.LEFT}, {'refused': 'a link'}):
        assert stamp != stamp_of_exam([replace(first, **said), second])
    second.path.write_text('more')
    assert stamp != stamp_of_exam([first, second])


@pytest.mark.parametrize('name', ['all.json', 'images.csv'])
def test_what_no_run_has_made_is_not_replaced(tmp_path, name):
    (tmp_path / name).write_text('of another command')
    with pytest.raises(MammoError, match=f'--out: found {name} of something else'):
        Writer(tmp_path, INFO, EXAMS)
    assert (tmp_path / name).read_text() == 'of another command'


def test_exams_that_a_run_does_not_have_are_not_replaced(tmp_path):
    killed(tmp_path, 'a', 'b')
    fewer = {'a': EXAMS['a']}
    with pytest.raises(MammoError, match=r'--out: found results of 1 other exams; .*--resume'):
        Writer(tmp_path, INFO, fewer)
    assert (tmp_path / 'b.png').exists()
    assert kept_by(tmp_path, fewer) == {'a', 'b'}


def test_the_results_of_parts_are_those_of_one_run(tmp_path):
    with Writer(tmp_path / 'whole', INFO, EXAMS) as writer:
        writer.learn(rule='greatest')
        add(writer, 'a', 'c', 'b')
    for part in ('ac', 'b'):
        with Writer(tmp_path / part, INFO, {exam: EXAMS[exam] for exam in part}) as writer:
            writer.learn(rule='greatest')
            add(writer, *part)
    with Writer(tmp_path / 'joined', INFO, dict.fromkeys('abc', ())) as writer:
        assert [writer.take_over(tmp_path / part) for part in ('ac', 'b')] == [(2, 0), (1, 0)]
    assert files_of(tmp_path / 'joined') == files_of(tmp_path / 'whole')
    assert kept_by(tmp_path / 'joined') == set('abc')


def test_an_exam_of_which_a_part_has_lost_a_file_is_left_to_be_done_again(tmp_path):
    killed(tmp_path / 'part', 'a', 'b')
    (tmp_path / 'part' / 'a.png').unlink()
    with Writer(tmp_path / 'joined', INFO) as writer:
        assert writer.take_over(tmp_path / 'part') == (1, 1)
    assert kept_by(tmp_path / 'joined') == {'b'}


def test_a_journal_gives_no_file_from_outside_of_its_folder(tmp_path):
    (tmp_path / 'secret.png').write_text('x')
    killed(tmp_path / 'part', 'a')
    journal = tmp_path / 'part' / STATE / 'journal.jsonl'
    journal.write_text(journal.read_text().replace('"a.png"]', '"../secret.png"]'))
    with Writer(tmp_path / 'joined', INFO) as writer:
        assert writer.take_over(tmp_path / 'part') == (0, 1)


@pytest.mark.parametrize(
    ('said', 'instead'),
    [('{"images.csv": [[', '{"../profile": [['), ('["a.png"]', '["../part/a.png"]')],
    ids=['table', 'file'],
)
def test_a_journal_that_somebody_has_changed_writes_nothing_elsewhere(tmp_path, said, instead):
    (tmp_path / 'profile').write_text('mine')
    killed(tmp_path / 'part', 'a')
    journal = tmp_path / 'part' / STATE / 'journal.jsonl'
    assert said in journal.read_text()
    journal.write_text('[]\n' + '[' * 9999 + '\n' + journal.read_text().replace(said, instead))
    with (
        Writer(tmp_path / 'joined', INFO) as writer,
        pytest.raises(MammoError, match='somebody has changed the journal'),
    ):
        writer.take_over(tmp_path / 'part')
    assert (tmp_path / 'profile').read_text() == 'mine'
    assert {path.name for path in (tmp_path / 'part').iterdir()} == {STATE, 'a.png', 'images.csv'}

"""A screening programme's folder: on the phantom dressed as it, and on tables that are wrong."""

import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.io.exam_index import read_index
from mmmammo.phantom.dressing import cohort as dressing
from mmmammo.sources import cohort
from mmmammo.sources.cohort_table import read_cohort
from mmmammo.structures import Laterality, MammoError, View

EXAMS = 8
HEADER = 'file,exam_id,patient_id,laterality,view,outcome,exam_outcome,reader1,reader2,age,date,split,fold'
EXAM = (
    'e/1.dcm,e,p,L,CC,screening,,4,3,55,2012-05,train,1',
    'e/2.dcm,e,p,L,MLO,screening,,4,3,55,2012-05,train,1',
    'e/3.dcm,e,p,R,CC,none,,1,2,55,2012-05,train,1',
    'e/4.dcm,e,p,R,MLO,none,,1,2,55,2012-05,train,1',
)


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('cohort')
    return raw, dressing.dress(raw, exams, 0)


def write(tmp_path, *lines, header=HEADER):
    path = tmp_path / 'cohort.csv'
    path.write_text('\n'.join([header, *lines]) + '\n')
    return path


def changed(row, **cells):
    """One of the rows above with other cells."""
    values = dict(zip(HEADER.split(','), EXAM[row].split(','), strict=True)) | cells
    return ','.join(values.values())


def labels(path):
    return [image.labels for image in read_cohort(path)]


def test_every_planted_fault_is_found_and_nothing_else(download, tmp_path):
    rows = quality_rows('cohort', download[0], tmp_path)
    assert wrong_rows(rows, download[1]) == []
    assert len(rows) == sum(1 for _ in cohort.list_records(download[0]))
    images = [
        image
        for split in ('train', 'val', 'test')
        for image in read_index(tmp_path / 'annotations' / f'{split}.json').images
    ]
    assert {image.labels['exam_outcome'] for image in images} == {'screening', 'interval', 'none'}
    assert all(image.labels['cancer'] == (image.labels['outcome'] != 'none') for image in images)


def test_labels_are_those_of_the_phantom(download, exams):
    records = records_by_path('cohort', download[0])
    for image in dressing.images_of(exams, 0)[len(dressing.FAULTS) :]:
        record = records[image.path]
        assert (record.laterality, record.view) == (image.view.laterality, image.view.view)
        for name in ('outcome', 'reader1', 'reader2', 'age', 'fold'):
            assert record.labels[name] == image.cells[name]
    cancers = {record.exam_id for record in records.values() if record.labels.get('cancer')}
    sides = (Laterality.LEFT, Laterality.RIGHT)
    assert cancers == {exam.exam_id for exam in exams if any(exam.labels(side)['cancer'] for side in sides)}


def test_boxes_are_those_of_the_phantom(download, exams):
    records = records_by_path('cohort', download[0])
    seen = 0
    for image in dressing.images_of(exams, 0)[len(dressing.FAULTS) :]:
        found = records[image.path].findings
        assert [(f.category, f.lesion_id, f.pathology) for f in found] == [
            (f.category, f.lesion_id, f.pathology) for f in image.view.findings
        ]
        for mine, other in zip(found, image.view.findings, strict=True):
            assert mine.bbox == pytest.approx(other.bbox)
        seen += len(found)
    assert seen > 5


def boxes(tmp_path, *lines, header='file,category,x1,y1,x2,y2,lesion_id,birads'):
    write(tmp_path, *EXAM)
    (tmp_path / 'annotations.csv').write_text('\n'.join([header, *lines]) + '\n')
    return {record.relative_path: record.findings for record in cohort.list_records(tmp_path)}


def test_an_image_may_have_several_boxes_or_none(tmp_path):
    found = boxes(tmp_path, 'e/1.dcm,mass,1,2,30,40,a,4', 'e/1.dcm,cancer,5,6,7,8,,', 'e/2.dcm,mass,1.5,2,3,4,a,')
    assert [(f.category, f.bbox, f.lesion_id, f.birads) for f in found['e/1.dcm']] == [
        ('mass', (1, 2, 30, 40), 'a', '4'),
        ('cancer', (5, 6, 7, 8), None, None),
    ]
    assert [f.lesion_id for f in found['e/2.dcm']] == ['a'] and found['e/3.dcm'] == found['e/4.dcm'] == ()


@pytest.mark.parametrize(
    ('lines', 'words'),
    [
        (('e/1.dcm,tumour,1,2,3,4,,',), 'annotations.csv row 2, category: found tumour; expected one of cancer, mass,'),
        (('e/1.dcm,mass,1,2,3,4,,', 'e/9.dcm,mass,1,2,3,4,,'), 'annotations.csv row 3, file: found e/9.dcm'),
        (('e/1.dcm,mass,1,2,3,,,',), 'row 2, y2: found nothing'),
        (('e/1.dcm,mass,9,2,3,4,,',), 'row 2, x1, y1, x2, y2: found 9, 2, 3, 4; expected x1 less than x2'),
    ],
)
def test_a_wrong_box_is_told_with_its_row(tmp_path, lines, words):
    with pytest.raises(MammoError, match=words.replace('.', r'\.')):
        boxes(tmp_path, *lines)


def test_what_cohort_csv_says_stays_there(tmp_path):
    with pytest.raises(MammoError, match='columns: found unknown cancer; expected only file, category, x1'):
        boxes(tmp_path, 'e/1.dcm,1', header='file,cancer')


def test_the_exam_has_the_worst_outcome_of_its_breasts(tmp_path):
    assert [said['exam_outcome'] for said in labels(write(tmp_path, *EXAM))] == ['screening'] * 4
    assert [said['cancer'] for said in labels(write(tmp_path, *EXAM))] == [1, 1, 0, 0]
    interval = [changed(i, outcome='interval') for i in (2, 3)]
    both = labels(write(tmp_path, *EXAM[:2], *interval))
    assert [said['exam_outcome'] for said in both] == ['screening'] * 4
    assert [said['outcome'] for said in both] == ['screening'] * 2 + ['interval'] * 2


def test_scores_of_5_4_can_be_made_of_the_labels(tmp_path):
    """Single: maximum over the breasts; double: sum of the readers by breast, then the maximum."""
    images = read_cohort(write(tmp_path, *EXAM))
    breasts = {image.laterality: image.labels for image in images}
    assert max(said['reader1'] for said in breasts.values()) == 4
    assert max(said['reader1'] + said['reader2'] for said in breasts.values()) == 7


def test_what_one_row_says_holds_for_its_breast_exam_and_patient(tmp_path):
    silent = dict(outcome='', reader1='', reader2='', age='', date='', split='', fold='')
    first, second = read_cohort(write(tmp_path, EXAM[0], changed(1, **silent)))
    assert second.labels == first.labels and second.split == 'train'


def test_an_exam_may_have_cancer_in_nobody_knows_which_breast(tmp_path):
    unknown = [changed(i, outcome='', exam_outcome='interval') for i in range(4)]
    for said in labels(write(tmp_path, *unknown)):
        assert said['exam_outcome'] == 'interval' and 'outcome' not in said and 'cancer' not in said


def test_in_an_exam_without_cancer_every_breast_is_without(tmp_path):
    healthy = [changed(i, outcome='', exam_outcome='none') for i in range(4)]
    for said in labels(write(tmp_path, *healthy)):
        assert said['outcome'] == said['exam_outcome'] == 'none' and said['cancer'] == 0


def test_empty_cells_are_absent_labels(tmp_path):
    path = write(tmp_path, 'a.png,e,p,none', header='file,exam_id,patient_id,outcome')
    (image,) = read_cohort(path)
    assert image.labels == {'outcome': 'none', 'exam_outcome': 'none', 'cancer': 0}
    assert (image.laterality, image.view, image.split) == (Laterality.UNKNOWN, View.UNKNOWN, None)


def test_normal_is_another_word_for_none(tmp_path):
    normal = [changed(i, outcome='normal', exam_outcome='normal') for i in range(4)]
    for said in labels(write(tmp_path, *normal)):
        assert said['outcome'] == said['exam_outcome'] == 'none' and said['cancer'] == 0


@pytest.mark.parametrize(
    ('cells', 'words'),
    [
        (
            {'outcome': 'benign'},
            'cohort.csv row 2, outcome: found benign; expected one of none, interval, screening, normal',
        ),
        ({'exam_outcome': 'cancer'}, 'row 2, exam_outcome: found cancer'),
        ({'laterality': 'left'}, 'row 2, laterality: found left; expected one of L, R'),
        ({'view': 'mlo'}, 'row 2, view: found mlo; expected one of CC, MLO'),
        ({'reader1': 'high'}, 'row 2, reader1: found high; expected a number'),
        ({'reader2': '-1'}, 'row 2, reader2: found -1; expected a number from 0 up'),
        ({'reader2': 'inf'}, 'row 2, reader2: found inf; expected a finite number'),
        ({'age': '550'}, 'row 2, age: found 550; expected years'),
        ({'age': '2'}, 'row 2, age: found 2; expected years from 15 to 130; codes of groups of ages belong into'),
        ({'date': '31.5.2012'}, 'row 2, date: found 31.5.2012; expected a date'),
        ({'date': '2012-13'}, 'row 2, date'),
        ({'split': 'training'}, 'row 2, split: found training; expected one of train, val, test'),
        ({'fold': '1.5'}, 'row 2, fold: found 1.5; expected a whole number'),
        ({'fold': '-1'}, 'row 2, fold: found -1'),
        ({'exam_id': ''}, 'row 2, exam_id: found nothing'),
        ({'patient_id': ''}, 'row 2, patient_id: found nothing'),
        ({'outcome': ''}, 'outcome: found nothing; expected one, or exam_outcome'),
        ({'exam_outcome': 'none'}, 'outcome: found screening; expected no more than the exam_outcome, none'),
        ({'file': '../e/1.dcm'}, 'row 2, file: found ../e/1.dcm; expected a path below the folder'),
        ({'file': '/etc/hostname'}, 'row 2, file'),
        ({'file': 'e/../../x.dcm'}, 'row 2, file'),
        ({'file': 'e\\1.dcm'}, 'row 2, file'),
        ({'file': 'e//1.dcm'}, 'row 2, file'),
        ({'file': ''}, 'row 2, file: found nothing'),
    ],
)
def test_a_value_that_has_no_meaning_is_told_with_its_row(tmp_path, cells, words):
    with pytest.raises(MammoError, match=words.replace('.', r'\.')):
        read_cohort(write(tmp_path, changed(0, **cells)))


@pytest.mark.parametrize(
    ('row', 'cells', 'words'),
    [
        (1, {'outcome': 'none'}, 'row 3, outcome: found none; expected screening, as row 2 says of the same breast'),
        (1, {'reader1': '5'}, 'row 3, reader1: found 5.0; expected 4.0, as row 2'),
        (2, {'age': '56'}, 'row 4, age: found 56.0; expected 55.0, as row 2 says of the same exam'),
        (2, {'patient_id': 'q'}, 'row 4, patient_id: found q; expected p, as row 2 says of the same exam'),
        (3, {'split': 'test'}, 'row 5, split: found test; expected train, as row 2 says of the same patient'),
        (3, {'exam_id': 'f', 'fold': '2'}, 'row 5, fold: found 2; expected 1, as row 2 says of the same patient'),
        (3, {'file': 'e/1.dcm'}, 'row 5, file: found e/1.dcm; expected a file that is not in row 2 too'),
    ],
)
def test_rows_that_contradict_each_other_are_told_with_both(tmp_path, row, cells, words):
    lines = [changed(i, **cells) if i == row else line for i, line in enumerate(EXAM)]
    with pytest.raises(MammoError, match=words.replace('.', r'\.')):
        read_cohort(write(tmp_path, *lines))


def test_the_complaint_says_how_many_more_rows_are_wrong(tmp_path):
    path = write(tmp_path, *(changed(i, outcome='?') for i in range(4)))
    with pytest.raises(MammoError, match=r'row 2, outcome: found \? \(and 3 more rows with an error\)'):
        read_cohort(path)


@pytest.mark.parametrize(
    ('header', 'words'),
    [
        ('file,exam_id,patient_id', 'expected outcome, or exam_outcome'),
        ('file,exam_id,outcome', 'column patient_id: found only file, exam_id, outcome'),
        ('file,exam_id,patient_id,outcome,birads', 'columns: found unknown birads; expected only file, exam_id'),
        ('file,exam_id,patient_id,outcome', 'rows: found none'),
    ],
)
def test_columns_that_are_missing_or_unknown_are_told(tmp_path, header, words):
    with pytest.raises(MammoError, match=words):
        read_cohort(write(tmp_path, header=header))


def test_a_missing_table_and_one_outside_are_told(tmp_path):
    raw = tmp_path / 'raw'
    raw.mkdir()
    with pytest.raises(MammoError, match=r'cohort\.csv: table: found no such file.*Remedy: correct the table; docs/'):
        list(cohort.list_records(raw))
    write(tmp_path, *EXAM)
    (raw / 'cohort.csv').symlink_to(tmp_path / 'cohort.csv')
    with pytest.raises(MammoError, match='leads out of the folder'):
        list(cohort.list_records(raw))
    (raw / 'cohort.csv').unlink()
    write(raw, *EXAM)
    (raw / 'annotations.csv').symlink_to(tmp_path / 'cohort.csv')
    with pytest.raises(MammoError, match=r'annotations\.csv.*leads out of the folder'):
        list(cohort.list_records(raw))


def test_files_below_a_link_to_a_folder_are_not_opened(tmp_path):
    raw = tmp_path / 'raw'
    raw.mkdir()
    (tmp_path / 'outside').mkdir()
    (tmp_path / 'outside/1.dcm').write_bytes(b'somebody')
    (raw / 'e').symlink_to(tmp_path / 'outside')
    write(raw, EXAM[0])
    (record,) = cohort.list_records(raw)
    assert 'leads out of the folder' in record.refused.reason


def test_files_that_are_no_images_are_counted(download):
    assert cohort.count_skipped(download[0]) == 1
    assert cohort.count_checks(download[0]) == ()


def test_the_order_is_that_of_the_names(download):
    names = [record.relative_path for record in cohort.list_records(download[0])]
    assert names == sorted(names)
    assert cohort.CATEGORIES and not cohort.OPTIONS


@pytest.mark.parametrize('outcome', ['none', 'interval'])
def test_an_exam_with_more_than_both_of_its_breasts_is_a_contradiction(tmp_path, outcome):
    lines = [changed(i, outcome=outcome, exam_outcome='screening') for i in range(4)]
    with pytest.raises(MammoError, match=f'found {outcome} and {outcome} of the two breasts; expected scr'):
        read_cohort(write(tmp_path, *lines))

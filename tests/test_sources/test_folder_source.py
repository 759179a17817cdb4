"""Any folder of exams: which files are one exam, whose they are, and what is told about those that are none."""

import os

import numpy as np
import pytest

from mmmammo.sources import SOURCES, get_source
from mmmammo.sources.folder import count_skipped, list_records
from mmmammo.sources.folder_exams import MOST_IMAGES, MOST_REPEATS
from mmmammo.structures import Laterality, MammoError, View
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

PIXELS = draw_breast(size=(32, 24))


def png(path):
    return write_png(path, PIXELS)


def dicom(path, study='1.2.3', patient='p1', **tags):
    return write_dicom(path, PIXELS, StudyInstanceUID=study, PatientID=patient, **tags)


def exams(raw):
    """Files by exam."""
    found = {}
    for record in list_records(raw):
        found.setdefault(record.exam_id, []).append(record.relative_path)
    return found


def patients(raw):
    return {record.exam_id: record.patient_id for record in list_records(raw)}


def test_a_folder_is_an_exam_and_names_say_side_and_view(tmp_path):
    for name in ('b/L-CC.png', 'b/right_mlo.png', 'a/RCC.png', 'a/photo.png'):
        png(tmp_path / name)
    (tmp_path / 'a/notes.txt').touch()
    (tmp_path / 'a/.hidden.png').touch()
    assert exams(tmp_path) == {'a': ['a/RCC.png', 'a/photo.png'], 'b': ['b/L-CC.png', 'b/right_mlo.png']}
    sides = {record.relative_path: (record.laterality, record.view) for record in list_records(tmp_path)}
    assert sides['a/RCC.png'] == (Laterality.RIGHT, View.CC)
    assert sides['a/photo.png'] == (Laterality.UNKNOWN, View.UNKNOWN)
    assert sides['b/right_mlo.png'] == (Laterality.RIGHT, View.MLO)


def test_a_flat_folder_is_grouped_by_what_stands_before_the_view(tmp_path):
    for name in ('0_L-CC.png', '0_R-CC.png', '1_L-CC.png', 'p12_2020_RMLO.png'):
        png(tmp_path / name)
    assert exams(tmp_path) == {
        '0': ['0_L-CC.png', '0_R-CC.png'],
        '1': ['1_L-CC.png'],
        'p12-2020': ['p12_2020_RMLO.png'],
    }


def test_the_folder_of_one_exam_has_the_name_of_the_folder(tmp_path):
    png(tmp_path / 'case7/L_CC.png')
    png(tmp_path / 'case7/R_CC.png')
    assert list(exams(tmp_path / 'case7')) == ['case7']


def test_numbered_files_of_one_exam_stay_together(tmp_path):
    png(tmp_path / 'e/IM01_L-CC.png')
    png(tmp_path / 'e/IM02_R-CC.png')
    assert list(exams(tmp_path)) == ['e']


def test_a_sub_folder_of_many_exams_is_told_by_its_repeated_views(tmp_path):
    for name in ('0_L-CC.png', '0_R-CC.png', '1_L-CC.png'):
        png(tmp_path / 'png' / name)
    assert list(exams(tmp_path)) == ['png-0', 'png-1']


def test_folders_named_after_side_or_view_belong_to_the_exam_above(tmp_path):
    png(tmp_path / 'e1/left/CC/image.png')
    png(tmp_path / 'e1/right/image_mlo.png')
    assert list(exams(tmp_path)) == ['e1']


def test_series_folders_of_a_study_are_one_exam(tmp_path):
    dicom(tmp_path / 'pat/study/s1/1.dcm')
    dicom(tmp_path / 'pat/study/s2/1.dcm', ImageLaterality='R')
    assert exams(tmp_path) == {'pat/study': ['pat/study/s1/1.dcm', 'pat/study/s2/1.dcm']}


def test_studies_of_one_folder_are_never_mixed(tmp_path):
    dicom(tmp_path / 'e/1', study='1.1')
    dicom(tmp_path / 'e/2', study='1.2')
    dicom(tmp_path / 'e/3', study='1.1', ImageLaterality='R')
    groups = exams(tmp_path)
    assert sorted(map(sorted, groups.values())) == [['e/1', 'e/3'], ['e/2']]
    assert all(exam.startswith('e-study-') for exam in groups)


def test_one_study_uid_for_everybody_does_not_merge_patients(tmp_path):
    dicom(tmp_path / 'a/1.dcm', patient='p1')
    dicom(tmp_path / 'b/1.dcm', patient='p2')
    assert list(exams(tmp_path)) == ['a', 'b']


def test_the_header_says_side_and_view_before_the_name(tmp_path):
    dicom(tmp_path / 'e/R_MLO.dcm', ImageLaterality='L', ViewPosition='CC')
    dicom(tmp_path / 'e/x_R_MLO.dcm', ImageLaterality=None, ViewPosition=None)
    first, second = list_records(tmp_path)
    assert (first.laterality, first.view) == (Laterality.LEFT, View.CC)
    assert (second.laterality, second.view) == (Laterality.RIGHT, View.MLO)


def test_patients_are_digests_of_their_ids(tmp_path):
    dicom(tmp_path / 'a/1.dcm', study='1.1', patient='Jane')
    dicom(tmp_path / 'b/1.dcm', study='1.2', patient='Jane')
    dicom(tmp_path / 'c/1.dcm', study='1.3', patient='Joan')
    found = patients(tmp_path)
    assert found['a'] == found['b'] != found['c']
    assert found['a'].startswith('patient-') and 'Jane' not in found['a']


@pytest.mark.parametrize('patient', [None, '', 'ANONYMOUS', 'anonymized'])
def test_nobody_is_no_patient(tmp_path, patient):
    dicom(tmp_path / 'a/1.dcm', study='1.1', patient=patient)
    dicom(tmp_path / 'b/1.dcm', study='1.2', patient=patient)
    assert patients(tmp_path) == {'a': 'a', 'b': 'b'}


def test_of_two_folders_the_upper_one_is_the_patient(tmp_path):
    for name in ('ann/2019/L_CC.png', 'ann/2021/L_CC.png', 'eve/2020/L_CC.png'):
        png(tmp_path / name)
    assert patients(tmp_path) == {'ann/2019': 'ann', 'ann/2021': 'ann', 'eve/2020': 'eve'}


def test_a_common_upper_folder_is_no_patient(tmp_path):
    png(tmp_path / 'images/a/L_CC.png')
    png(tmp_path / 'images/b/L_CC.png')
    assert patients(tmp_path) == {'images/a': 'images/a', 'images/b': 'images/b'}


def test_a_folder_of_a_class_or_a_split_is_no_patient(tmp_path):
    for name in ('cancer/001/L_CC.png', 'cancer/002/L_CC.png', 'normal/003/L_CC.png', 'normal/eve/1/L_CC.png'):
        png(tmp_path / name)
    expected = {'cancer/001': 'cancer/001', 'cancer/002': 'cancer/002', 'normal/003': 'normal/003'}
    assert patients(tmp_path) == expected | {'normal/eve/1': 'normal/eve'}


def test_exams_of_one_woman_stay_together_below_a_common_folder(tmp_path):
    for name in ('x/ann/1/L_CC.png', 'x/ann/2/L_CC.png', 'x/eve/1/L_CC.png'):
        png(tmp_path / name)
    assert patients(tmp_path) == {'x/ann/1': 'x/ann', 'x/ann/2': 'x/ann', 'x/eve/1': 'x/eve'}


def test_exams_of_one_folder_are_one_woman(tmp_path):
    for name in ('ann/2019_L-CC.png', 'ann/2021_L-CC.png', 'eve/L-CC.png'):
        png(tmp_path / name)
    for i in range(MOST_IMAGES + 1):
        png(tmp_path / f'joan/{i:03}.png')
    dicom(tmp_path / 'kim/1.dcm', study='1.1', patient='')
    dicom(tmp_path / 'kim/2.dcm', study='1.2', patient='')
    found = patients(tmp_path)
    assert found['ann-2019'] == found['ann-2021'] == 'ann' and found['eve'] == 'eve'
    assert {patient for exam, patient in found.items() if exam.startswith('joan')} == {'joan'}
    assert {patient for exam, patient in found.items() if exam.startswith('kim')} == {'kim'}


def test_an_exam_without_an_id_is_of_the_woman_whose_folder_it_is_in(tmp_path):
    dicom(tmp_path / 'ann/1/a.dcm', study='1.1', patient='Ann')
    dicom(tmp_path / 'ann/2/b.dcm', study='1.2', patient='')
    dicom(tmp_path / 'two/1/a.dcm', study='1.3', patient='Eve')
    dicom(tmp_path / 'two/2/b.dcm', study='1.4', patient='Kim')
    dicom(tmp_path / 'two/3/c.dcm', study='1.5', patient='')
    found = patients(tmp_path)
    assert found['ann/1'] == found['ann/2'] != 'ann'
    assert len({found[f'two/{i}'] for i in (1, 2, 3)}) == 3 and found['two/3'] == 'two'


def test_exams_that_a_table_names_are_their_own_patients(tmp_path):
    for i in range(3):
        png(tmp_path / f'all/{i}_L_CC.png')
    table = 'file,exam_id\n' + ''.join(f'all/{i}_L_CC.png,e{i}\n' for i in range(3))
    (tmp_path / 'annotations.csv').write_text(table)
    assert patients(tmp_path) == {f'e{i}': f'e{i}' for i in range(3)}


@pytest.mark.parametrize('named', ['all', 'L_CC', 'L_MLO'])
def test_a_table_may_repeat_the_names_of_exams_as_they_were_derived(tmp_path, named):
    names = [f'{woman}/{i}_{view}.png' for woman in ('p1', 'p2') for i in range(2) for view in ('L_CC', 'L_MLO')]
    for name in names:
        png(tmp_path / name)
    before = patients(tmp_path)
    rows = [f'{name},{name[:2]}-{name[3]}\n' for name in names if named == 'all' or name.endswith(f'{named}.png')]
    (tmp_path / 'annotations.csv').write_text('file,exam_id\n' + ''.join(rows))
    assert patients(tmp_path) == before
    assert before == {'p1-0': 'p1', 'p1-1': 'p1', 'p2-0': 'p2', 'p2-1': 'p2'}


def test_many_images_without_side_and_view_are_no_exam(tmp_path):
    for i in range(MOST_IMAGES + 1):
        png(tmp_path / f'all/{i:03}.png')
    png(tmp_path / 'few/1.png')
    png(tmp_path / 'few/2.png')
    png(tmp_path / 'all/9_L_CC.png')
    found = exams(tmp_path)
    assert found['few'] == ['few/1.png', 'few/2.png']
    assert found['all-003'] == ['all/003.png'] and found['all'] == ['all/9_L_CC.png']
    assert len(found) == MOST_IMAGES + 3


def test_names_that_begin_with_side_and_view_are_grouped_by_what_follows(tmp_path):
    for exam in '000', '001':
        for view in 'L_CC', 'L_MLO':
            png(tmp_path / f'flat/{view}_{exam}.png')
    assert exams(tmp_path / 'flat') == {e: [f'L_CC_{e}.png', f'L_MLO_{e}.png'] for e in ('000', '001')}
    assert list(exams(tmp_path)) == ['flat']  # in a folder of an exam: repeats
    for number in range(2, MOST_REPEATS + 1):
        png(tmp_path / f'flat/L_CC_{number:03d}.png')
    assert list(exams(tmp_path)) == [f'flat-{number:03d}' for number in range(MOST_REPEATS + 1)]


def test_repeats_and_remarks_behind_the_view_are_no_exams(tmp_path):
    for name in ('L_CC.png', 'L_CC_2.png', 'R_CC.png', 'R_MLO_benign.png'):
        png(tmp_path / 'case' / name)
    assert list(exams(tmp_path / 'case')) == ['case']


def test_women_of_one_folder_without_studies_are_told_apart(tmp_path):
    for woman in 'p1', 'p2':
        for view in 'CC', 'MLO':
            dicom(tmp_path / f'{woman}{view}.dcm', '', woman, ImageLaterality='L', ViewPosition=view)
    found = exams(tmp_path)
    assert sorted(found.values()) == [['p1CC.dcm', 'p1MLO.dcm'], ['p2CC.dcm', 'p2MLO.dcm']]
    assert len(set(patients(tmp_path).values())) == 2


@pytest.mark.parametrize(('patient', 'exam_count'), [('ANONYMOUS', 2), ('p1', 1)])
def test_one_study_uid_for_nobodies_does_not_merge_their_folders(tmp_path, patient, exam_count):
    for folder in 'a', 'b':
        for view in 'CC', 'MLO':
            dicom(tmp_path / f'{folder}/{view}.dcm', '1.2', patient, ImageLaterality='L', ViewPosition=view)
    assert len(exams(tmp_path)) == exam_count


def test_places_whose_names_would_be_one_are_told_apart(tmp_path):
    for name in ('p/1_L-CC.png', 'p/2_L-CC.png', 'p-1/R-CC.png'):
        png(tmp_path / name)
    found = exams(tmp_path)
    assert found['p-1'] == ['p-1/R-CC.png'] and found['p-2'] == ['p/2_L-CC.png'] and len(found) == 3
    of = {record.relative_path: record.patient_id for record in list_records(tmp_path)}
    assert of['p/1_L-CC.png'] == of['p/2_L-CC.png'] != of['p-1/R-CC.png']


def test_a_file_that_cannot_be_read_belongs_to_its_folder(tmp_path):
    dicom(tmp_path / 'a/1.dcm')
    (tmp_path / 'a/2.dcm').write_bytes(b'junk')
    (tmp_path / 'a/DICOMDIR').touch()
    assert exams(tmp_path) == {'a': ['a/1.dcm', 'a/2.dcm']}
    assert len(set(patients(tmp_path).values())) == 1


def test_links_that_are_not_followed_are_records_with_the_reason(tmp_path):
    raw = tmp_path / 'raw'
    outside = png(tmp_path / 'outside/L_CC.png')
    inside = png(raw / 'e/R_CC.png')
    (raw / 'e/L_CC.png').symlink_to(outside)
    (raw / 'e/L_MLO.png').symlink_to(inside)
    (raw / 'e/R_MLO.png').symlink_to('nowhere.png')
    (raw / 'e/loop.png').symlink_to('loop.png')
    (raw / 'f').symlink_to(tmp_path / 'outside')
    (raw / 'g').symlink_to('e')
    assert exams(raw) == {
        'e': ['e/L_CC.png', 'e/L_MLO.png', 'e/R_CC.png', 'e/R_MLO.png', 'e/loop.png'],
        'f': ['f'],
        'g': ['g'],
    }
    refused = {record.relative_path: record.refused for record in list_records(raw) if record.refused}
    out, nowhere, folder = 'leads out of the folder', 'leads nowhere', 'a link to another folder'
    expected = {'e/L_CC.png': out, 'e/R_MLO.png': nowhere, 'e/loop.png': nowhere, 'f': out, 'g': folder}
    assert refused.keys() == expected.keys()
    for name, words in expected.items():
        assert words in refused[name].reason and str(tmp_path) not in refused[name].reason


def test_links_that_are_not_followed_change_nothing_about_the_others(tmp_path):
    for name in ('images/a/L_CC.png', 'images/b/IM1_L_CC.png'):
        png(tmp_path / 'raw' / name)
    before = patients(tmp_path / 'raw')
    (tmp_path / 'raw/images/b/IM2_L_CC.png').symlink_to(tmp_path)
    (tmp_path / 'raw/other').symlink_to(tmp_path)
    assert before.items() <= patients(tmp_path / 'raw').items()


def test_a_folder_of_links_only_says_so(tmp_path):
    outside = png(tmp_path / 'outside/L_CC.png')
    (tmp_path / 'raw').mkdir()
    (tmp_path / 'raw/L_CC.png').symlink_to(outside)
    with pytest.raises(MammoError, match=r'found no image, only links that are not followed \(1\)'):
        list(list_records(tmp_path / 'raw'))


def test_a_table_outside_of_the_folder_is_not_read(tmp_path):
    png(tmp_path / 'raw/e/L_CC.png')
    (tmp_path / 'table.csv').write_text('file,split\ne/L_CC.png,train\n')
    (tmp_path / 'raw/annotations.csv').symlink_to(tmp_path / 'table.csv')
    with pytest.raises(MammoError, match=r'annotations.csv: link: found a link that leads out of the folder'):
        list(list_records(tmp_path / 'raw'))


def test_files_that_are_no_images_by_their_names_are_counted(tmp_path):
    png(tmp_path / 'e/L_CC.png')
    for name in ('annotations.csv', 'e/notes.txt', 'e/README', 'e/.hidden.png', 'table.csv'):
        (tmp_path / name).write_text('file\n')
    assert count_skipped(tmp_path) == 4


def test_names_that_are_no_utf8_can_be_written(tmp_path):
    for name in (b'm\xfcller', b'm\xe4ller'):  # Latin-1, as zip files of old systems bring it
        png(tmp_path / 'new' / 'L_CC.png')
        os.rename(tmp_path / 'new', tmp_path / os.fsdecode(name))
    records = list(list_records(tmp_path))
    assert [record.relative_path for record in records] == ['m\\xe4ller/L_CC.png', 'm\\xfcller/L_CC.png']
    assert [record.exam_id for record in records] == ['m\\xe4ller', 'm\\xfcller']
    assert all(record.path.is_file() for record in records)


def test_the_order_is_that_of_the_names(tmp_path):
    for name in ('b/2.png', 'a/9.png', 'b/1.png', 'a-b/1.png'):
        png(tmp_path / name)
    names = [record.relative_path for record in list_records(tmp_path)]
    assert names == ['a/9.png', 'a-b/1.png', 'b/1.png', 'b/2.png']


@pytest.mark.parametrize(('make', 'words'), [(False, 'no such folder'), (True, 'no image')])
def test_a_missing_or_empty_folder_is_named(tmp_path, make, words):
    if make:
        (tmp_path / 'x').mkdir()
        (tmp_path / 'x/readme.md').touch()
    with pytest.raises(MammoError, match=f'x: .*{words}'):
        list(list_records(tmp_path / 'x'))


def test_counting_in_what_is_no_folder_says_to_check_the_path(tmp_path):
    (tmp_path / 'file').touch()
    for name in ('missing', 'file'):
        with pytest.raises(MammoError, match=f'{name}: folder: .*Remedy: check the path'):
            count_skipped(tmp_path / name)


def test_the_real_files(real_data):
    found = {record.relative_path: record for record in list_records(real_data / 'exam_0')}
    views = {name: (found[f'0_{name}.png'].laterality, found[f'0_{name}.png'].view) for name in ('L-CC', 'R-MLO')}
    assert views == {'L-CC': (Laterality.LEFT, View.CC), 'R-MLO': (Laterality.RIGHT, View.MLO)}
    assert {record.exam_id for record in found.values()} == {'0'}
    (senographe,) = list_records(real_data / 'dicom')
    assert (senographe.laterality, senographe.view) == (Laterality.RIGHT, View.MLO)


@pytest.mark.parametrize('name', SOURCES)
def test_every_source_has_what_preparing_needs(name):
    source = get_source(name)
    assert source.CATEGORIES and all(isinstance(category, str) for category in source.CATEGORIES)
    assert callable(source.list_records) and callable(source.count_skipped)


def test_an_unknown_source_is_answered_with_the_known_ones():
    with pytest.raises(MammoError, match=f'SOURCE: name: found ddms; expected one of {", ".join(SOURCES)}'):
        get_source('ddms')


def test_no_pixel_is_touched(tmp_path):
    path = dicom(tmp_path / 'e/1.dcm')
    path.write_bytes(path.read_bytes()[: -PIXELS.nbytes // 2])
    (record,) = list_records(tmp_path)
    assert record.view is View.CC and np.prod(PIXELS.shape) > 0


def test_a_named_pipe_is_not_waited_for(tmp_path):
    write_png(tmp_path / 'e/L_CC.png', draw_breast())
    os.mkfifo(tmp_path / 'e/R_CC.png')
    refused = {record.path.name: record.refused for record in list_records(tmp_path)}
    assert refused['L_CC.png'] is None and 'a named pipe' in str(refused['R_CC.png'])

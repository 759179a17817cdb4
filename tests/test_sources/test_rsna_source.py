"""RSNA's challenge on the phantom dressed as it: every fault found, every label as drawn, folds as published."""

import csv
import shutil
import warnings

import numpy as np
import pytest
from pydicom import dcmread
from sklearn.model_selection import StratifiedGroupKFold

from mmmammo.io import CorruptFile, read_mammogram
from mmmammo.io.exam_index import read_index
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing import rsna as dressing
from mmmammo.phantom.exam import make_exam
from mmmammo.prepare import prepare_dataset
from mmmammo.sources import rsna
from mmmammo.structures import MammoError, View

EXAMS = 8
J2K, JPEG_LOSSLESS = '1.2.840.10008.1.2.4.90', '1.2.840.10008.1.2.4.70'


@pytest.fixture(scope='module')
def exams():
    return [make_exam(PhantomConfig(height=256), 0, index) for index in range(EXAMS)]


@pytest.fixture(scope='module')
def images(exams):
    return {image.path: image for image in dressing.images_of(exams)}


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('rsna')
    return raw, dressing.dress(raw, exams, 0)


@pytest.fixture(scope='module')
def prepared(tmp_path_factory, download):
    raw, out = download[0], tmp_path_factory.mktemp('rsna_set')
    prepare_dataset(rsna.list_records(raw), out, categories=rsna.CATEGORIES, source='rsna')
    with (out / 'quality.csv').open(newline='', encoding='utf-8') as file:
        return out, {row['path']: row for row in csv.DictReader(file)}


@pytest.fixture()
def tables(tmp_path, download):
    """A copy without images, for tables to be spoiled in."""
    for name in ('train.csv', 'test.csv'):
        shutil.copy(download[0] / name, tmp_path)
    return tmp_path


def records_of(raw, **options):
    return {record.relative_path: record for record in rsna.list_records(raw, **options)}


def path_of(download, fault):
    return next(planted.path for planted in download[1] if planted.fault == fault)


def spoil(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_exactly_the_planted_faults_are_found(download, prepared):
    expected = {(fault.path, fault.status) for fault in download[1] if fault.status != 'accepted'}
    assert {(path, row['status']) for path, row in prepared[1].items() if row['status'] != 'accepted'} == expected
    for fault in download[1]:
        row = prepared[1][fault.path]
        assert row['status'] == fault.status and fault.says in row['reason'] + row['warnings'], fault


def test_labels_are_those_of_the_phantom(download, exams):
    by_patient = {str(70_001 + exam.index): exam for exam in exams}
    compared = 0
    for record in rsna.list_records(download[0]):
        exam = by_patient[record.patient_id]
        if record.refused is None and record.split is None:
            truth, labels = exam.labels(record.laterality), record.labels
            assert labels['cancer'] == truth['cancer'] and labels['biopsy'] == int(truth['birads'] != '1')
            assert labels['difficult_negative'] is (truth['birads'] == '2')
            assert labels.get('age') in (truth['age'], None)
            assert labels.get('density') == (truth['density'] if exam.index % 2 else None)
            assert (labels['site'], labels['machine']) == (('2', '21'), ('1', '49'))[exam.index % 2]
            compared += 1
    assert compared > 20


def test_of_a_missing_value_there_is_no_label(download):
    records = records_of(download[0])
    assert 'age' not in records[path_of(download, 'no age')].labels
    negative = [r.labels for r in records.values() if r.labels.get('site') == '2' and r.labels.get('biopsy') == 0]
    assert negative and not any('birads' in labels for labels in negative)
    assert records[path_of(download, 'implant')].labels['implant'] == 1


@pytest.mark.parametrize('view', [View.AT, View.ML, View.LM, View.LMO])
def test_the_rare_views_are_kept(download, view):
    assert records_of(download[0])[path_of(download, f'view {view}')].view is view


def test_images_of_the_test_have_no_diagnosis(download, prepared):
    tested = [record for record in rsna.list_records(download[0]) if record.split == 'test']
    assert len(tested) == 4 and all(record.relative_path.startswith('test_images/') for record in tested)
    assert {record.labels['prediction_id'] for record in tested} == {'70008_L', '70008_R'}
    assert not any({'cancer', 'biopsy', 'invasive', 'birads'} & set(record.labels) for record in tested)
    in_set = {image.source['path'] for image in read_index(prepared[0] / 'annotations/test.json').images}
    assert {record.relative_path for record in tested} <= in_set


def test_files_have_the_elements_of_a_real_one(download, images):
    path = next(path for path in reversed(images) if images[path].machine.name == 'site 2')
    dataset = dcmread(download[0] / path)
    assert len(dataset) == 27 and 'PixelData' in dataset
    absent = ('SOPClassUID', 'Modality', 'ViewPosition', 'Manufacturer', 'PatientAge', 'ImagerPixelSpacing')
    assert not [keyword for keyword in absent if keyword in dataset]
    assert dataset.file_meta.MediaStorageSOPClassUID == '1.2.840.10008.5.1.4.1.1.1.1'
    assert {dcmread(p).file_meta.TransferSyntaxUID for p in (download[0] / 'test_images').rglob('*.dcm')} == {
        JPEG_LOSSLESS
    }
    assert dataset.file_meta.TransferSyntaxUID == J2K


@pytest.mark.parametrize(
    'fault', ['two windows', 'no window', 'SIGMOID', '16 bits', '10 bits', 'MONOCHROME1 in JPEG 2000', 'view ML']
)
def test_pixels_are_shown_as_meant(download, images, fault):
    path = path_of(download, fault)
    mammogram, view = read_mammogram(download[0] / path), images[path].view
    assert np.abs(mammogram.pixels - view.image).max() < (0.1 if fault == 'no window' else 0.005)
    assert mammogram.meta.laterality is view.laterality and mammogram.meta.view is View.UNKNOWN


@pytest.mark.parametrize('codec', ['JPEG 2000', 'JPEG Lossless'])
def test_pixels_that_exceed_their_bits_are_shown_whole(download, images, codec):
    path = path_of(download, f'{codec} exceeds BitsStored')
    shown, true = read_mammogram(download[0] / path).pixels, images[path].view.image
    assert np.corrcoef(shown.ravel(), true.ravel())[0, 1] > 0.99


def test_a_file_that_is_cut_off_is_told_once(download):
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        with pytest.raises(CorruptFile, match='cut off'):
            read_mammogram(download[0] / path_of(download, 'cut off'))


def test_a_listed_image_is_left_out_unless_it_is_wanted(download, images, monkeypatch):
    path, image = list(images.items())[-5]
    monkeypatch.setattr(rsna, 'BAD_IMAGES', {image.cells['image_id']: 'stripes across it'})
    assert 'found stripes across it' in records_of(download[0])[path].refused.reason
    assert records_of(download[0], listed='accept')[path].refused is None


def test_the_list_holds_image_ids_with_a_reason():
    assert len(rsna.BAD_IMAGES) == 10
    assert all(image.isdecimal() and reason for image, reason in rsna.BAD_IMAGES.items())


def folds_in(raw, **options):
    records = rsna.list_records(raw, folds='4', **options)
    return {record.patient_id: record.labels['fold'] for record in records if record.split is None}


def test_folds_are_those_of_scikit_learn_in_any_order_of_rows(tables):
    rng = np.random.default_rng(0)
    header = (tables / 'train.csv').read_text().splitlines()[0]
    patients = np.repeat(rng.permutation(60_000)[:200] + 1, 4)
    cancer = np.repeat(rng.random(400) < 0.2, 2).astype(int)
    rows = [
        f'1,{p},{i},{"LR"[i % 4 // 2]},{("CC", "MLO")[i % 2]},,{c},{c},0,,0,,49,False'
        for i, (p, c) in enumerate(zip(patients, cancer, strict=True))
    ]
    (tables / 'train.csv').write_text('\n'.join([header, *rows]) + '\n')
    folds = folds_in(tables)
    splitter = StratifiedGroupKFold(4, shuffle=True, random_state=121)
    for fold, (_, held_out) in enumerate(splitter.split(patients, cancer, patients)):
        assert {folds[str(patient)] for patient in patients[held_out]} == {fold}
    (tables / 'train.csv').write_text('\n'.join([header, *sorted(rows, reverse=True)]) + '\n')
    assert folds == folds_in(tables)
    other = folds_in(tables, fold_seed='1')
    assert other != folds and set(other.values()) == {0, 1, 2, 3}


def test_folds_are_written_only_if_asked_for_and_counted(tables):
    assert not any('fold' in record.labels for record in rsna.list_records(tables))
    checks = {check.what: check for check in rsna.count_checks(tables, folds='2')}
    sizes = [checks[f'images of fold {fold}'] for fold in range(2)]
    assert sum(check.found for check in sizes) == checks['images'].found and sizes[0].published is None
    positive = [checks[f'images of fold {fold} with cancer'].found for fold in range(2)]
    assert sum(positive) == checks['images with cancer'].found


def test_too_many_folds_are_refused(tables):
    with pytest.raises(MammoError, match='folds: patients: found 7 patients; expected enough for 10 folds'):
        list(rsna.list_records(tables, folds='10'))


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ({'folds': '7'}, 'options: folds: found 7; expected one of 0, 2, 3, 4, 5, 10'),
        ({'fold': '4'}, 'options: fold: found no such option; expected folds, fold_seed, listed'),
    ],
)
def test_an_unknown_option_is_refused(tables, options, words):
    with pytest.raises(MammoError, match=words):
        list(rsna.list_records(tables, **options))


def test_numbers_may_have_a_decimal_point(tables):
    before = [record.labels for record in rsna.list_records(tables)]
    text = (tables / 'train.csv').read_text()
    assert '.0,' in text
    (tables / 'train.csv').write_text(text.replace('.0,', ','))
    assert [record.labels for record in rsna.list_records(tables)] == before


def test_counts_are_told_beside_the_published_ones(download, images):
    checks = {check.what: check for check in rsna.count_checks(download[0])}
    train = [image for image in images.values() if image.part == 'train' and image.has_row]
    assert checks['images'].found == len(train) and checks['images'].published == 54_706
    assert checks['patients'].found == EXAMS - 1
    assert checks['image files'].found == sum(x.has_file for x in images.values() if x.part == 'train')
    assert checks['images with cancer'].found == sum(image.cells['cancer'] == '1' for image in train)
    assert checks['images of BIRADS 0'].found == sum(image.cells['BIRADS'] in ('0', '0.0') for image in train)
    assert checks['images without age'].found == 1 and checks['images AT'].found == 1
    published = {what: check.published for what, check in checks.items()}
    assert sum(published[f'images {view}'] for view in ('MLO', 'CC', 'AT', 'LM', 'ML', 'LMO')) == 54_706
    assert published['images L'] + published['images R'] == 54_706
    assert published['images of site 1'] + published['images of site 2'] == 54_706
    assert all(check.explanation for check in checks.values() if check.found != check.published)


def test_files_that_are_no_images_are_counted(download):
    assert rsna.count_skipped(download[0]) == 1  # sample_submission.csv


def test_a_folder_above_will_do_and_the_test_may_be_missing(tmp_path, tables):
    below = tmp_path / 'above/rsna-breast-cancer-detection'
    below.mkdir(parents=True)
    shutil.copy(tables / 'train.csv', below)
    records = records_of(tmp_path / 'above')
    assert all(path.startswith('rsna-breast-cancer-detection/train_images/') for path in records)
    assert all(record.refused and record.split is None for record in records.values())


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ('site_id,', 'site,', 'column site_id: found only site, patient_id'),
        (',70001,', ',../x,', r'train\.csv row 2, patient_id: found \.\./x; expected a number'),
        (',2147480002,', ',2147480001,', 'image_id: found that of row 2 again; expected one row per image'),
    ],
)
def test_a_damaged_table_is_refused(tables, old, new, words):
    spoil(tables / 'train.csv', old, new)
    with pytest.raises(MammoError, match=words):
        list(rsna.list_records(tables))


@pytest.mark.parametrize(
    ('column', 'cell', 'words'),
    [
        ('laterality', 'B', 'laterality: found B; expected one of L, R'),
        ('cancer', '2', 'cancer: found 2; expected one of 0, 1'),
        ('cancer', '', 'cancer: found nothing'),
        ('age', 'old', 'age: found old; expected a number'),
        ('density', 'E', 'density: found E; expected one of A, B, C, D'),
        ('machine_id', '4.5', 'machine_id: found 4.5; expected a whole number'),
        ('difficult_negative_case', 'maybe', 'difficult_negative_case: found maybe; expected one of True, False'),
    ],
)
def test_an_unknown_value_refuses_its_image_only(tables, column, cell, words):
    rows = list(csv.reader((tables / 'train.csv').read_text().splitlines()))
    rows[-1][rows[0].index(column)] = cell
    with (tables / 'train.csv').open('w', newline='') as file:
        csv.writer(file).writerows(rows)
    refused = [record.refused.reason for record in rsna.list_records(tables)]
    assert sum(words in reason for reason in refused) == 1
    assert next(reason for reason in refused if words in reason).startswith(f'train.csv row {len(rows)}, {column}')


def test_another_column_is_told(tables):
    lines = (tables / 'train.csv').read_text().splitlines()
    (tables / 'train.csv').write_text('\n'.join([f'{lines[0]},fold', *(f'{line},0' for line in lines[1:])]) + '\n')
    check = rsna.count_checks(tables)[-1]
    assert (check.what, check.explanation) == ('unknown columns of train.csv', 'not read: fold')


def test_an_image_folder_that_is_a_link_gives_the_same(tables, download):
    for name in ('train_images', 'test_images'):
        (tables / name).symlink_to(download[0] / name)
    found, expected = list(rsna.list_records(tables)), list(rsna.list_records(download[0]))
    assert [record.relative_path for record in found] == [record.relative_path for record in expected]
    assert [bool(record.refused) for record in found] == [bool(record.refused) for record in expected]
    assert rsna.count_checks(tables) == rsna.count_checks(download[0])

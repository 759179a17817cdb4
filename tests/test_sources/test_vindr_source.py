"""VinDr-Mammo on the phantom dressed as it: every fault found, every box and label as drawn."""

import csv
import shutil
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io import read_mammogram, read_meta
from mmmammo.io.exam_index import read_index
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing import vindr as dressing
from mmmammo.phantom.dressing.vindr_dicom import shown
from mmmammo.phantom.exam import make_exam
from mmmammo.prepare import SetOptions, prepare_dataset
from mmmammo.sources import vindr
from mmmammo.structures import MammoError

EXAMS = 8
TABLES = ('breast-level_annotations.csv', 'finding_annotations.csv', 'metadata.csv')


@pytest.fixture(scope='module')
def exams():
    return [make_exam(PhantomConfig(height=256), 0, index) for index in range(EXAMS)]


@pytest.fixture(scope='module')
def images(exams):
    return {image.path: image for image in dressing.images_of(exams, 0)}


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('vindr')
    return raw, dressing.dress(raw, exams, 0)


@pytest.fixture(scope='module')
def prepared(tmp_path_factory, download):
    raw, out = download[0], tmp_path_factory.mktemp('vindr_set')
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        prepare_dataset(vindr.list_records(raw), out, categories=vindr.CATEGORIES, source='vindr')
    with (out / 'quality.csv').open(newline='', encoding='utf-8') as file:
        return out, {row['path']: row for row in csv.DictReader(file)}


@pytest.fixture()
def tables(tmp_path, download):
    """A copy without images, for tables to be spoiled in."""
    for name in TABLES:
        shutil.copy(download[0] / name, tmp_path)
    return tmp_path


def records_of(raw):
    return {record.relative_path: record for record in vindr.list_records(raw)}


def spoil(path, old, new):
    text = path.read_text(encoding='utf-8')
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding='utf-8')


def test_exactly_the_planted_faults_are_found(download, prepared):
    expected = {(fault.path, fault.status) for fault in download[1] if fault.status != 'accepted'}
    assert {(path, row['status']) for path, row in prepared[1].items() if row['status'] != 'accepted'} == expected
    for fault in download[1]:
        row = prepared[1][fault.path]
        assert row['status'] == fault.status and fault.says in row['reason'] + row['warnings'], fault


def test_all_known_faults_are_planted(download):
    assert len(download[1]) == len(dressing.FAULTS) + 3


def test_boxes_and_labels_are_those_of_the_phantom(download, images):
    compared = 0
    for path, record in records_of(download[0]).items():
        if record.refused is None:
            view = images[path].view
            found = record.findings[: len(view.findings)]  # further boxes are planted
            assert (record.laterality, record.view) == (view.laterality, view.view)
            assert np.allclose([f.bbox for f in found], [f.bbox for f in view.findings], atol=1e-6)
            assert all(a.category.endswith(b.category) for a, b in zip(found, view.findings, strict=True))
            assert [f.birads for f in found] == [{'malignant': '5', 'benign': '3'}[f.pathology] for f in view.findings]
            assert record.labels['density'] == images[path].cells['breast_density'][-1]
            assert record.pixel_spacing_mm in (None, pytest.approx(view.projection.spacing_mm))
            compared += len(found)
    assert compared > 5


def test_prepared_boxes_lead_back_to_the_phantom(prepared, images):
    compared = 0
    for split in ('train', 'val', 'test'):
        for image in read_index(prepared[0] / f'annotations/{split}.json').images:
            true = [finding.bbox for finding in images[image.source['path']].view.findings]
            back = image.affine.inverse().boxes([f.bbox for f in image.findings[: len(true)]] or np.empty((0, 4)))
            assert np.allclose(back, np.reshape(true, (-1, 4)), atol=1e-4)
            compared += len(true)
    assert compared > 5


def test_records_come_in_the_order_of_the_table(download, images):
    records = list(vindr.list_records(download[0]))
    assert [r.relative_path for r in records] == [r.relative_path for r in vindr.list_records(download[0])]
    assert [r.relative_path for r in records][:-1] == [path for path, image in images.items() if image.has_breast]


def test_a_box_of_several_categories_becomes_one_finding_each(download):
    (path,) = [fault.path for fault in download[1] if fault.fault == 'box of several categories']
    calcification, mass = records_of(download[0])[path].findings[-2:]
    assert (calcification.category, mass.category) == ('calcification', 'mass')
    assert calcification.bbox == mass.bbox and calcification.birads == mass.birads == '4'
    assert calcification.attributes == mass.attributes
    assert mass.attributes['categories'] == ['calcification', 'mass']


def test_splits_are_the_published_ones(download, prepared, images):
    test = {image.source['path'] for image in read_index(prepared[0] / 'annotations/test.json').images}
    expected = {path for path, image in images.items() if image.cells['split'] == 'test'}
    assert test == expected & {path for path, row in prepared[1].items() if row['status'] != 'quarantined'}
    assert {record.split for record in vindr.list_records(download[0]) if not record.refused} == {'train', 'test'}


def test_labels_say_who_and_with_what(download, images):
    records = records_of(download[0])
    for path, image in images.items():
        if records[path].refused is None and image.has_metadata:
            labels = records[path].labels
            assert labels['manufacturer'] == image.machine.name and labels['machine'] == image.machine.model_name
            assert labels.get('age') == (float(image.age[:3]) if image.age else None)
    without = next(path for path, image in images.items() if not image.has_metadata)
    assert set(records[without].labels) == {'birads', 'density'}


@pytest.mark.parametrize('machine', ['SIEMENS', 'Planmed', 'IMS s.r.l.', 'IMS GIOTTO S.p.A.'])
def test_files_of_every_vendor_are_shown_as_meant_and_without_a_warning(download, images, machine):
    paths = [path for path, image in images.items() if image.machine.name == machine and image.has_file]
    path = download[0] / paths[-1]
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        mammogram, meta = read_mammogram(path), read_meta(path)
    image = images[paths[-1]]
    assert np.abs(mammogram.pixels - shown(image.view, image.machine)).max() < 0.01
    assert mammogram.meta.attributes['inverted'] is (machine == 'Planmed')
    assert (meta.laterality, meta.view, meta.patient_id) == (image.view.laterality, image.view.view, None)


def test_files_that_are_no_images_are_counted(download):
    assert vindr.count_skipped(download[0]) == EXAMS + 1  # index.html in every study, LICENSE.txt


def test_a_folder_above_will_do(tmp_path, download, images):
    below = tmp_path / 'physionet.org/files/vindr-mammo'
    below.mkdir(parents=True)
    shutil.copytree(download[0], below / '1.0.0')
    records = records_of(tmp_path)
    assert len(records) == len(images)
    assert all(path.startswith('physionet.org/files/vindr-mammo/1.0.0/images/') for path in records)
    shutil.copytree(download[0], tmp_path / 'again')
    with pytest.raises(MammoError, match='expected one such file'):
        records_of(tmp_path)


def test_counts_are_told_beside_the_published_ones(download, images):
    checks = {check.what: check for check in vindr.count_checks(download[0])}
    assert checks['images'].published == 20_000 and checks['images'].found == 4 * EXAMS - 1
    assert checks['image files'].found == 4 * EXAMS - 1
    assert checks['rows of Mass'].published == 1_226
    boxed = [image for image in images.values() if image.has_findings and image.boxes]
    assert checks['rows with a box'].found == sum(len(image.boxes) for image in boxed) - 1  # Cyst is no category
    published = {what: check.published for what, check in checks.items()}
    assert sum(published[f'images of BI-RADS {n}'] for n in range(1, 6)) == 20_000
    assert sum(published[f'images of DENSITY {letter}'] for letter in 'ABCD') == 20_000
    assert published['rows with a box'] + published['rows of No Finding'] == published['rows of findings']
    assert all(check.explanation for check in checks.values() if check.found != check.published)


def test_columns_and_ages_that_are_not_understood_are_told(tables):
    for name in TABLES:
        header, _, rows = (tables / name).read_text().partition('\n')
        rows = ''.join(f'{row},x\n' for row in rows.splitlines())
        (tables / name).write_text(f'{header},colour\n{rows}')
    text = (tables / 'metadata.csv').read_text().splitlines()
    cells = text[1].split(',')
    (tables / 'metadata.csv').write_text('\n'.join([text[0], ','.join([cells[0], 'old', *cells[2:]]), *text[2:]]))
    told = {check.what: check.explanation for check in vindr.count_checks(tables)[-4:]}
    assert [told.pop(f'unknown columns of {name}') for name in TABLES] == ['not read: colour'] * 3
    assert told.keys() == {'ages that are none'}
    assert "metadata.csv row 2, Patient's Age: found old; expected years" in told['ages that are none']


def test_without_metadata_the_rest_is_there(tables):
    (tables / 'metadata.csv').unlink()
    record = next(vindr.list_records(tables))
    assert set(record.labels) == {'birads', 'density'} and record.pixel_spacing_mm is None
    check = next(check for check in vindr.count_checks(tables) if check.what == 'rows of metadata.csv')
    assert check.found == 0 and 'not downloaded' in check.explanation


def test_of_a_part_of_the_download_every_image_has_its_row(tables, images):
    records = records_of(tables)
    assert len(records) == len(images) and all(record.refused for record in records.values())


def test_order_of_columns_and_quoting_do_not_matter(tables, download):
    before = records_of(download[0])
    for name in TABLES[:2]:
        with (tables / name).open(newline='') as file:
            rows = [row[::-1] for row in csv.reader(file)]
        with (tables / name).open('w', newline='', encoding='utf-8-sig') as file:
            csv.writer(file, quoting=csv.QUOTE_ALL).writerows(rows)
    for path, record in records_of(tables).items():
        assert [vars(finding) for finding in record.findings] == [vars(f) for f in before[path].findings]
        assert record.labels == before[path].labels


@pytest.mark.parametrize(
    ('name', 'old', 'new', 'words'),
    [
        (TABLES[0], 'breast_birads', 'birads', 'column breast_birads: found only study_id'),
        (TABLES[1], 'xmin', 'x_min', 'column xmin: found only'),
        (TABLES[2], 'SOP Instance UID', 'UID', None),
        (TABLES[2], 'SOP Instance UID,', 'UID,', None),
    ],
)
def test_a_missing_column_is_named(tables, name, old, new, words):
    spoil(tables / name, old, new)
    if words is None:
        assert records_of(tables)  # the header has it twice
    else:
        with pytest.raises(MammoError, match=words):
            records_of(tables)


def test_ids_cannot_lead_out_of_the_folder(tables, images):
    image = next(iter(images.values()))
    spoil(tables / TABLES[0], image.cells['image_id'], '../../../etc/passwd')
    with pytest.raises(MammoError, match=r'row 2, image_id: found \.\./\.\./\.\./etc/passwd; expected 32 hexadecimal'):
        records_of(tables)


def test_an_image_with_two_rows_is_refused(tables):
    rows = (tables / TABLES[0]).read_text()
    (tables / TABLES[0]).write_text(rows + rows.splitlines()[1] + '\n')
    with pytest.raises(MammoError, match='image_id: found that of row 2 again'):
        records_of(tables)


def test_an_image_that_only_the_findings_name_is_told(tables):
    header, row = (tables / TABLES[1]).read_text().splitlines()[:2]
    cells = dict(zip(header.split(','), next(csv.reader([row])), strict=True)) | {'image_id': 'f' * 32}
    with (tables / TABLES[1]).open('a', newline='') as file:
        csv.writer(file).writerow(cells.values())
    *_, record = vindr.list_records(tables)
    assert record.relative_path.endswith(f'{"f" * 32}.dicom')
    assert f'found {"f" * 32}; expected an image of breast-level_annotations.csv' in record.refused.reason
    spoil(tables / TABLES[1], f'{cells["series_id"]},{"f" * 32}', f'{cells["series_id"]},/etc/passwd')
    with pytest.raises(MammoError, match='image_id: found /etc/passwd; expected 32 hexadecimal'):
        records_of(tables)


@pytest.mark.parametrize(
    ('cell', 'words'),
    [
        ("['No Finding', 'Mass']", 'found No Finding; expected No Finding alone'),
        ('[]', 'expected a list such as'),
        ('[1]', 'expected a list such as'),
        ("__import__('os').abort()", 'expected a list such as'),
        ('[' * 10_000, 'expected a list such as'),
    ],
)
def test_categories_are_a_list_of_known_names(tables, images, cell, words):
    path, image = next((path, image) for path, image in reversed(images.items()) if not image.boxes)
    rows = list(csv.reader((tables / TABLES[1]).read_text().splitlines()))
    for row in rows:
        if row[2] == image.cells['image_id']:
            row[rows[0].index('finding_categories')] = cell
    with (tables / TABLES[1]).open('w', newline='') as file:
        csv.writer(file).writerows(rows)
    assert words in records_of(tables)[path].refused.reason


def test_no_finding_stands_alone(tables, images):
    path, image = next((path, image) for path, image in reversed(images.items()) if not image.boxes)
    row = next(x for x in (tables / TABLES[1]).read_text().splitlines() if image.cells['image_id'] in x)
    with (tables / TABLES[1]).open('a') as file:
        file.write(f'{row}\n')
    assert 'No Finding as the only row of an image' in records_of(tables)[path].refused.reason


@pytest.mark.parametrize('of_folder', [False, True])
def test_a_link_out_of_the_folder_is_not_followed(tables, download, images, of_folder):
    path = list(images)[-1]
    link = Path(path).parent if of_folder else Path(path)
    (tables / link).parent.mkdir(parents=True)
    (tables / link).symlink_to(download[0] / link)
    assert 'leads out of the folder' in records_of(tables)[path].refused.reason


def test_a_list_of_digests_that_is_none_is_refused(tables):
    (tables / 'SHA256SUMS.txt').write_text('abc  images/x.dicom\n')
    with pytest.raises(MammoError, match=r'SHA256SUMS.txt: line 1: found abc  ?images/x.dicom; expected 64 hexa'):
        records_of(tables)


def test_another_folder_is_told_what_is_missing(tmp_path):
    with pytest.raises(MammoError, match=r'breast-level_annotations\.csv: found no such file'):
        records_of(tmp_path)


def test_sides_and_views_are_told_even_of_missing_images(tables):
    missing = [record for record in vindr.list_records(tables) if 'such file' in record.refused.reason]
    assert {(record.laterality, record.view) for record in missing} == {(s, v) for s in 'LR' for v in ('CC', 'MLO')}


def test_of_one_class_a_box_of_several_categories_is_one_box(download, tmp_path):
    path = next(fault.path for fault in download[1] if fault.fault == 'box of several categories')
    (record,) = [record for record in vindr.list_records(download[0]) if record.relative_path == path]
    prepare_dataset(
        [replace(record, split='train')],
        tmp_path,
        None,
        SetOptions(single_class='lesion'),
        categories=vindr.CATEGORIES,
        source='vindr',
    )
    (image,) = read_index(tmp_path / 'annotations/train.json').images
    assert len(image.findings) == len({f.bbox for f in record.findings}) == len(record.findings) - 1
    assert image.findings[-1].attributes['categories'] == ['calcification', 'mass']


def test_an_image_folder_that_is_a_link_gives_the_same(tables, download):
    for name in ('images',):
        (tables / name).symlink_to(download[0] / name)
    found, expected = list(vindr.list_records(tables)), list(vindr.list_records(download[0]))
    assert [record.relative_path for record in found] == [record.relative_path for record in expected]
    assert [bool(record.refused) for record in found] == [bool(record.refused) for record in expected]
    assert vindr.count_checks(tables) == vindr.count_checks(download[0])

"""CBIS-DDSM on the phantom dressed as it, in every layout, and on its real tables."""

import csv
import shutil
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from dressed import phantom_exams, wrong_rows

from mmmammo.io.exam_index import check_patient_disjoint, read_index
from mmmammo.phantom.dressing import cbis_ddsm as dressing
from mmmammo.phantom.dressing.cbis_ddsm_files import LAYOUTS
from mmmammo.prepare import PrepareOptions, prepare_dataset
from mmmammo.sources import cbis_ddsm
from mmmammo.sources.cbis_ddsm_layouts import Series
from mmmammo.structures import MammoError

TABLES = tuple(f'{kind}_case_description_{split}_set.csv' for kind in ('mass', 'calc') for split in ('train', 'test'))
BOX_ONLY = {'no mask', 'mask cut off'}


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(6)


@pytest.fixture(scope='module')
def images(exams):
    """The first of them have the faults."""
    return dressing.images_of(exams, 0)


@pytest.fixture(scope='module')
def downloads(tmp_path_factory, exams):
    """Folder and planted faults by layout."""
    made = {}
    for layout in LAYOUTS:
        raw = tmp_path_factory.mktemp(f'cbis_{layout}')
        made[layout] = (raw, dressing.dress(raw, exams, 0, layout))
    return made


@pytest.fixture()
def copy(tmp_path, downloads):
    """A download in layout A to be spoiled."""
    return Path(shutil.copytree(downloads['A'][0], tmp_path / 'raw'))


def prepare(raw, out, **options):
    """Rows of ``quality.csv`` and prepared images, by path."""
    with ThreadPoolExecutor(1) as executor:
        prepare_dataset(
            cbis_ddsm.list_records(raw, **options),
            out,
            PrepareOptions(policies=cbis_ddsm.POLICIES),
            categories=cbis_ddsm.CATEGORIES,
            source='cbis_ddsm',
            executor=executor,
        )
    with (out / 'quality.csv').open(newline='', encoding='utf-8') as file:
        rows = {row['path']: row for row in csv.DictReader(file)}
    index = [read_index(out / f'annotations/{split}.json') for split in ('train', 'val', 'test')]
    return rows, {image.source['path']: image for part in index for image in part.images}


@pytest.fixture(scope='module', params=LAYOUTS)
def prepared(request, tmp_path_factory, downloads):
    raw, planted = downloads[request.param]
    return request.param, planted, *prepare(raw, tmp_path_factory.mktemp('out'))


def records_of(raw, **options):
    return {record.relative_path: record for record in cbis_ddsm.list_records(raw, **options)}


def spoil(path, old, new, count=1):
    text = path.read_bytes().decode()
    assert old in text
    path.write_bytes(text.replace(old, new, count).encode())


def rewritten(path, rows=None, line_end='\n'):
    """The rows of a table; new ones are written first."""
    if rows is not None:
        with path.open('w', newline='') as file:
            csv.writer(file, lineterminator=line_end).writerows(rows)
    with path.open(newline='') as file:
        return list(csv.reader(file))


def checks_of(raw, **options):
    return {check.what: check for check in cbis_ddsm.count_checks(raw, **options)}


def test_exactly_the_planted_faults_are_found(prepared):
    _, planted, rows, _ = prepared
    assert wrong_rows(rows, planted) == []
    assert len(planted) == len(dressing.FAULTS) + 1


def test_boxes_are_those_of_the_masks(prepared, images):
    layout, planted, _, found = prepared
    faults = {fault.path: fault.fault for fault in planted}
    compared = 0
    for image in images:
        if image.path(layout) not in found:
            continue
        prepared_image, fault = found[image.path(layout)], faults.get(image.path(layout))
        back = [prepared_image.affine.inverse().boxes(f.bbox) for f in prepared_image.findings]
        expected = [lesion.crop_box if fault in BOX_ONLY else lesion.box for lesion in image.lesions]
        tolerance = 1 if fault == 'mask of another size' else 1e-6
        assert np.allclose(back, expected, atol=tolerance), fault
        assert all(bool(f.polygons) != (fault in BOX_ONLY) for f in prepared_image.findings)
        compared += len(expected)
    assert compared >= 20


def test_labels_and_attributes_are_those_of_the_tables(downloads, images):
    records = records_of(downloads['A'][0])
    for image in images:
        record = records.get(image.path('A'))
        if record is None or record.refused is not None:
            continue
        pathologies = [lesion.pathology for lesion in image.lesions]
        assert record.labels['cancer'] == int('MALIGNANT' in pathologies)
        assert record.labels.get('density') == {'0': None, **dict(zip('1234', 'ABCD', strict=True))}[image.density]
        for masked, lesion in zip(record.masked, image.lesions, strict=True):
            assert masked.pathology == ('malignant' if lesion.pathology == 'MALIGNANT' else 'benign')
            assert masked.attributes['pathology_source'] == lesion.pathology and masked.birads == lesion.assessment
            assert masked.attributes.get('subtlety') == (int(lesion.subtlety) or None)
            assert masked.attributes.get('margins') == (None if lesion.looks[1] == 'N/A' else lesion.looks[1])
        assert record.film is not None and record.exam_id == record.patient_id == image.patient


def test_a_lesion_has_one_id_in_every_view(downloads):
    views = {}
    for record in records_of(downloads['A'][0], abnormality='both').values():
        for masked in record.masked if record.refused is None else ():
            views.setdefault(masked.lesion_id, set()).add((record.patient_id, record.laterality))
    assert all(len(breasts) == 1 for breasts in views.values())
    assert {'P_90001_RIGHT_mass_2', 'P_90001_LEFT_calc_1'} <= set(views)


@pytest.mark.parametrize('layout', LAYOUTS[1:])
def test_all_layouts_tell_the_same(downloads, images, layout):
    def told(layout):
        records = records_of(downloads[layout][0], abnormality='both')
        found = {image.case: records[image.path(layout)] for image in images}
        return {
            case: (r.labels, r.split, r.laterality, r.view, [m.lesion_id for m in r.masked])
            for case, r in found.items()
        }

    assert told(layout) == told('A')


def test_either_type_alone_keeps_the_official_split(downloads):
    for kind, word in (('mass', 'Mass'), ('calc', 'Calc')):
        for path, record in records_of(downloads['A'][0], abnormality=kind).items():
            if record.refused is None:
                assert (
                    record.split
                    == {f'{word}-Training': 'train', f'{word}-Test': 'test'}[path.split('/')[1].split('_')[0]]
                )
                assert record.notes == ()


def test_both_types_are_split_again_so_that_nobody_is_in_both(downloads, tmp_path):
    raw = downloads['A'][0]
    records = records_of(raw, abnormality='both')
    moved = {record.patient_id for record in records.values() if record.notes}
    assert (
        moved == {'P_90001'} and checks_of(raw, abnormality='both')['mass and calc patients moved to test'].found == 1
    )
    assert {r.split for r in records.values() if r.patient_id == 'P_90001' and r.refused is None} == {'test'}
    rows, _ = prepare(raw, tmp_path / 'out', abnormality='both')
    check_patient_disjoint([tmp_path / f'out/annotations/{split}.json' for split in ('train', 'val', 'test')])
    told = [row for row in rows.values() if 'the patient is in the test set of the other type' in row['reason']]
    assert len(told) == 4 and all(row['status'] == 'mended' for row in told)


def test_a_view_in_both_tables_has_one_label_and_the_findings_of_each_in_its_own_file(copy):
    calc = copy / 'calc_case_description_test_set.csv'
    spoil(calc, 'BENIGN_WITHOUT_CALLBACK', 'MALIGNANT', count=-1)
    both = [r for r in records_of(copy, abnormality='both').values() if r.patient_id == 'P_90001' and r.refused is None]
    left_cc = [r for r in both if (r.laterality, r.view) == ('L', 'CC')]
    assert [[m.category for m in r.masked] for r in left_cc] == [['calcification'], ['mass']]
    assert [r.labels['cancer'] for r in left_cc] == [1, 1]
    alone = records_of(copy)[left_cc[1].relative_path]
    assert alone.labels['cancer'] == 0  # the tables of masses say so


def test_the_other_type_is_left_out_and_counted(downloads):
    raw = downloads['kaggle'][0]
    assert not any('Calc' in m.lesion_id for r in records_of(raw).values() for m in r.masked if m.lesion_id)
    check = checks_of(raw)['files of the other type']
    assert check.found == len([*raw.rglob('*.jpg')]) - checks_of(raw)['mass files'].found - 1  # and the unlisted one
    assert check.published is None and '--abnormality both' in check.explanation


@pytest.mark.parametrize('folder', ['CBIS-DDSM', '.'])
def test_tables_are_found_beside_and_above_the_tree(downloads, folder):
    raw = downloads['C'][0]
    (manifest,) = raw.glob('manifest-*')
    assert len(records_of(manifest / folder)) == len(records_of(raw))


def test_missing_tables_are_named_with_where_they_come_from(copy):
    (copy / TABLES[1]).unlink()
    with pytest.raises(MammoError, match=rf'no {TABLES[1]}; .*10\.7937/K9/TCIA\.2016\.7O02S9CY'):
        records_of(copy)
    assert records_of(copy, abnormality='calc')


def test_a_folder_without_any_file_of_the_tables_is_refused(copy):
    shutil.rmtree(copy / 'CBIS-DDSM')
    with pytest.raises(MammoError, match='files: found none that the tables name'):
        records_of(copy)


def test_a_part_of_the_collection_can_be_read(copy):
    kept = [path for path in (copy / 'CBIS-DDSM').iterdir() if 'P_90003' not in path.name]
    for path in kept:
        shutil.rmtree(path)
    records = records_of(copy)
    there = [r for r in records.values() if r.refused is None]
    assert {r.patient_id for r in there} == {'P_90003'} and len(records) == 24
    check = checks_of(copy)['mass files']
    assert 'that the tables name are not there' in check.explanation and check.published == 4984


@pytest.mark.parametrize(
    ('old', 'new', 'says'),
    [
        ('BENIGN_WITHOUT_CALLBACK', 'UNPROVEN', 'pathology: found UNPROVEN; expected one of MALIGNANT, BENIGN'),
        ('OVAL', 'OVAL-CUBIC', 'mass shape: found CUBIC; expected words out of ROUND, OVAL'),
        (',LEFT,CC,1,', ',LEFT,ML,1,', 'image view: found ML; expected one of CC, MLO'),
        (',LEFT,CC,1,', ',LEFT,CC,one,', 'abnormality id: found one'),
        (',LEFT,CC,1,', ',RIGHT,CC,1,', 'image file path: found Mass-Training_P_90001_LEFT_CC; expected Mass-Training'),
        ('LEFT_CC_1/', 'LEFT_CC_3/', 'cropped image file path: found Mass-Training_P_90001_LEFT_CC_3'),
        ('000001.dcm\n', '1.png\n', 'ROI mask file path: found'),
        (',mass,', ',lump,', 'abnormality type: found lump; expected one of mass'),
    ],
)
def test_a_wrong_value_is_told_with_its_row_and_refuses_its_image_only(copy, old, new, says):
    good = [r for r in records_of(copy).values() if r.refused is None]
    spoil(copy / TABLES[0], old, new)
    refused = [r for r in records_of(copy).values() if r.refused is not None and says in str(r.refused)]
    assert len(refused) == 1 and f'{TABLES[0]} row ' in refused[0].refused.reason
    assert 'Remedy' in refused[0].refused.reason
    assert len([r for r in records_of(copy).values() if r.refused is None]) == len(good) - 1


@pytest.mark.parametrize(
    ('changes', 'says'),
    [
        ({}, 'abnormality id: found 1; expected each abnormality of an image once'),
        ({1: '1', 4: '2', 12: '_1/', 13: '_1/'}, 'breast_density: found A; expected one density in all rows'),
    ],
)
def test_rows_that_contradict_each_other_are_refused(copy, changes, says):
    rows = rewritten(copy / TABLES[0])
    again = list(rows[1])
    for column, text in changes.items():
        again[column] = again[column].replace(text, '_2/') if '/' in text else text
    assert rows[1][1] != '1' and rows[1][4] == '1'
    rewritten(copy / TABLES[0], [*rows, again])
    (refused,) = (r.refused for r in records_of(copy).values() if r.refused and r.patient_id == 'P_90001')
    assert says in refused.reason and f'{TABLES[0]} row {len(rows) + 1}' in refused.reason


def test_a_table_without_a_column_or_with_a_foreign_path_is_refused(copy):
    spoil(copy / TABLES[0], 'subtlety', 'subtle')
    with pytest.raises(MammoError, match='column subtlety'):
        records_of(copy)
    spoil(copy / TABLES[0], 'subtle', 'subtlety')
    spoil(copy / TABLES[0], 'Mass-Training_P_90001_LEFT_CC/', 'images/')
    with pytest.raises(MammoError, match='image file path: found images/'):
        records_of(copy)


def test_an_unknown_column_is_told_and_not_read(copy):
    table = copy / TABLES[0]
    header, *rows = rewritten(table)
    rewritten(table, [['id', *header], *(['7', *row] for row in rows)], line_end='\r\n')
    check = checks_of(copy)[f'unknown columns of {table.name}']
    assert check.found == 1 and 'not read: id' in check.explanation
    assert any(r.refused is None for r in records_of(copy).values())


def test_a_second_copy_is_told_and_the_dicom_one_is_used(copy, downloads):
    shutil.copytree(downloads['kaggle'][0] / 'jpeg', copy / 'jpeg')
    records = records_of(copy)
    used = {Path(path).suffix for path, record in records.items() if record.refused is None}
    copies = [r for path, r in records.items() if path.endswith('.jpg')]
    assert used == {'.dcm'} and copies and all('no row of' in str(r.refused) for r in copies)


def test_links_are_not_followed_out_of_the_folder(copy, tmp_path):
    path = next(p for p, r in records_of(copy).items() if r.refused is None)
    outside = tmp_path / 'outside.dcm'
    shutil.move(copy / path, outside)
    (copy / path).symlink_to(outside)
    records = [r for r in cbis_ddsm.list_records(copy) if r.relative_path == path]
    assert all('leads out of the folder' in str(r.refused) or 'nothing at its place' in str(r.refused) for r in records)
    assert records


def test_an_unknown_type_is_refused(downloads):
    with pytest.raises(MammoError, match='abnormality: found calcs; expected one of mass, calc, both'):
        records_of(downloads['A'][0], abnormality='calcs')


def test_documents_are_skipped_and_counted(downloads):
    assert cbis_ddsm.count_skipped(downloads['C'][0]) == 2  # metadata.csv and LICENSE
    assert cbis_ddsm.count_skipped(downloads['kaggle'][0]) == 2  # dicom_info.csv and meta.csv
    assert cbis_ddsm.count_skipped(downloads['A'][0]) == 0


@pytest.mark.parametrize(
    ('names', 'numbers'),
    [
        (('000000.dcm', '000001.dcm'), [0, 1]),
        (('1-1.dcm', '1-2.dcm'), [0, 1]),
        (('00000001.dcm', '00000002.dcm'), [0, 1]),
        (('1-036.jpg', '2-236.jpg'), [0, 1]),
        (('1-036.jpg', '1-236.jpg'), [0, 1]),
        (('x.dcm', 'y.dcm'), [0, 1]),
        (('000001.dcm',), [1]),
        (('1-2.dcm',), [1]),
        (('00000002.dcm',), [1]),
        (('2-236.jpg',), [1]),
        (('1-1.dcm',), [0]),
    ],
)
def test_files_of_a_series_of_two_are_numbered_as_in_the_tables(names, numbers):
    series = Series(tuple(map(Path, names)), ('1.2',))
    assert list(series.numbered(2)) == numbers
    assert list(series.numbered(2).values()) == list(map(Path, names))


def test_the_only_file_of_a_series_of_one_is_it_whatever_its_name():
    assert Series((Path('1-204.jpg'),), ('1.2',)).numbered(1) == {0: Path('1-204.jpg')}
    assert Series((Path('2-204.jpg'),), ('1.2',)).numbered(1) == {0: Path('2-204.jpg')}


# The real tables, against empty files: what a layout is, written down once more.


def place_in(layout, path, description):
    """Where a file of a table's path column lies."""
    case, study, series, name = path.split('/')
    number = int(name[:6])
    if layout == 'A':
        return f'CBIS-DDSM/{path}'
    if layout == 'B':
        return f'CBIS-DDSM/{case}/10-04-2016-DDSM-{study[-5:]}/1-{description}-{series[-5:]}/{name}'
    if layout == 'C':
        folders = f'07-20-2016-DDSM-NA-{study[-5:]}/1.000000-{description}-{series[-5:]}'
        return f'manifest-1/CBIS-DDSM/{case}/{folders}/1-{number + 1}.dcm'
    if layout == 'D':
        return f'{series}/{number + 1:08}.dcm'
    return f'jpeg/{series}/{number + 1}-{int(series[-4:]) % 400:03}.jpg'


def real_rows(real_data):
    for name in TABLES:
        with (real_data / 'cbis_ddsm_tables' / name).open(newline='') as file:
            yield from csv.DictReader(file)


def dress_tables(real_data, out, layout):
    """An empty file for every path of the four tables; their number."""
    folder = out / 'csv' if layout == 'kaggle' else out
    shutil.copytree(real_data / 'cbis_ddsm_tables', folder, dirs_exist_ok=True)
    columns = {
        'image file path': 'full mammogram images',
        'cropped image file path': 'ROI mask images',
        'ROI mask file path': 'ROI mask images',
    }
    places = {
        place_in(layout, row[column].strip(), description)
        for row in real_rows(real_data)
        for column, description in columns.items()
    }
    for place in sorted(places):
        (out / place).parent.mkdir(parents=True, exist_ok=True)
        (out / place).touch()
    return len(places)


@pytest.mark.parametrize(
    'layout', ['A', pytest.param('B', marks=pytest.mark.slow), 'C', pytest.param('D', marks=pytest.mark.slow), 'kaggle']
)
def test_every_row_of_the_real_tables_finds_its_files(real_data, tmp_path, layout):
    assert dress_tables(real_data, tmp_path, layout) == 10239
    records = list(cbis_ddsm.list_records(tmp_path, abnormality='both'))
    assert len(records) == 3103 and sum(len(r.masked) for r in records) == 3568
    assert not any(r.refused for r in records)
    masks = [path for r in records for m in r.masked for path in m.files]
    assert len(set(masks)) == len(masks) == 2 * 3568 and all(path.is_file() for path in masks)
    checks = cbis_ddsm.count_checks(tmp_path, abnormality='both')
    assert len(checks) == 25 and [c for c in checks if c.published not in (None, c.found)] == []
    assert Counter(r.split for r in records if r.notes) == {'test': 64}
    assert len({r.patient_id for r in records if r.notes}) == 31


def test_the_real_tables_of_one_type_give_the_published_counts(real_data, tmp_path):
    dress_tables(real_data, tmp_path, 'A')
    counts = {'mass': (1592, 1696, 892, 1231, 602, 145, 103), 'calc': (1511, 1872, 753, 1227, 509, 119, 1)}
    for kind, expected in counts.items():
        records = list(cbis_ddsm.list_records(tmp_path, abnormality=kind))
        train = [r for r in records if r.split == 'train']
        cancers = Counter(r.split for r in records if r.labels['cancer'])
        found = (len(records), sum(len(r.masked) for r in records), len({r.patient_id for r in records}), len(train))
        apart = sum(m.files[0].parent != m.files[1].parent for r in records for m in r.masked)
        assert (*found, cancers['train'], cancers['test'], apart) == expected
        assert all(c.published in (None, c.found) for c in cbis_ddsm.count_checks(tmp_path, abnormality=kind))


def test_equal_numbers_describe_the_same_lesion_in_the_real_tables(real_data):
    """Why ``lesion_id`` follows the number: equal numbers agree as well as the only lesion of either view does."""
    views = {}
    for row in real_rows(real_data):
        breast = (row['abnormality type'], row['patient_id'], row['left or right breast'])
        views.setdefault(breast, {}).setdefault(row['image view'], {})[row['abnormality id']] = row['pathology']
    alone, several = [], []
    for seen in (breast for breast in views.values() if len(breast) == 2):
        counted = alone if len(seen['CC']) == len(seen['MLO']) == 1 else several
        counted += [seen['CC'][n] == seen['MLO'][n] for n in seen['CC'].keys() & seen['MLO'].keys()]
    assert len(several) == 342 and np.mean(several) > 0.97
    assert len(alone) == 1176 and abs(np.mean(several) - np.mean(alone)) < 0.02

"""CMMD: on the phantom dressed as it, and on tables that are wrong."""

import shutil

import pandas as pd
import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.phantom.dressing import cmmd as dressing
from mmmammo.sources import cmmd
from mmmammo.structures import MammoError, View

EXAMS = 12


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('cmmd')
    return raw, dressing.dress(raw, exams, 0)


@pytest.fixture(scope='module')
def right(exams):
    """Patients without a fault."""
    return dressing.patients_of(exams)[len(dressing.FAULTS) :]


@pytest.fixture()
def copied(tmp_path, download):
    return shutil.copytree(download[0], tmp_path / 'raw')


def change_table(raw, change):
    table = pd.read_excel(raw / dressing.TABLE, dtype=object)
    change(table).to_excel(raw / dressing.TABLE, index=False)


def test_every_planted_fault_is_found_and_nothing_else(download, tmp_path):
    rows = quality_rows('cmmd', download[0], tmp_path)
    assert wrong_rows(rows, download[1]) == []
    sides = {(row['laterality'], row['view']) for row in rows.values() if row['status'] == 'accepted'}
    assert sides == {('L', 'CC'), ('L', 'MLO'), ('R', 'CC'), ('R', 'MLO')}


def test_headers_say_side_and_view_and_the_table_the_rest(download, right):
    records = records_by_path('cmmd', download[0])
    assert right
    for patient in right:
        said = {row['LeftRight']: row for row in patient.rows}
        for view in patient.views:
            record = records[patient.path(view)]
            assert (record.laterality, record.view) == (view.laterality, view.view)
            assert record.patient_id == patient.name and record.exam_id.startswith(f'{patient.name}-')
            assert record.labels['part'] == patient.name[:2]
            row = said.get(str(view.laterality))
            if row is None:
                assert record.labels.keys() == {'part'}
            else:
                assert record.labels['cancer'] == patient.exam.labels(view.laterality)['cancer']
                assert record.labels['age'] == patient.exam.woman.age
                assert record.labels.get('subtype') == row['subtype']


def test_the_breast_without_a_row_is_normal_only_if_asked_for(download):
    silent = [path for path, record in records_by_path('cmmd', download[0]).items() if record.labels.keys() == {'part'}]
    asked = records_by_path('cmmd', download[0], other_breast='normal')
    assert silent and all(asked[path].labels['cancer'] == 0 for path in silent)


def test_both_is_two_findings(copied):
    change_table(copied, lambda table: table.assign(abnormality='both'))
    labels = [record.labels for record in cmmd.list_records(copied) if 'findings' in record.labels]
    assert labels and all(said['findings'] == ['mass', 'calcification'] for said in labels)


def test_a_table_saved_as_csv_says_the_same(copied):
    before = {path: record.labels for path, record in records_by_path('cmmd', copied).items()}
    table = pd.read_excel(copied / dressing.TABLE, dtype=object)
    table.to_csv(copied / 'CMMD_clinicaldata_revision.csv', index=False)
    (copied / dressing.TABLE).unlink()
    assert {path: record.labels for path, record in records_by_path('cmmd', copied).items()} == before


def test_the_folders_of_a_retriever_may_lie_above(copied, tmp_path):
    (tmp_path / 'above/manifest-1').mkdir(parents=True)
    shutil.move(copied / 'CMMD', tmp_path / 'above/manifest-1/CMMD')
    shutil.move(copied / dressing.TABLE, tmp_path / 'above')
    usable = [record for record in cmmd.list_records(tmp_path / 'above') if record.refused is None]
    assert usable and all('part' in record.labels for record in usable)


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda raw: (raw / dressing.TABLE).unlink(), 'table: found none; expected CMMD_clinicaldata_revision.xlsx'),
        (lambda raw: (raw / dressing.TABLE).write_bytes(b'PK\x03\x04 cut'), 'found no sheet that can be read'),
        (lambda raw: change_table(raw, lambda table: table.drop(columns='Age')), 'column Age: found only ID1'),
        (lambda raw: change_table(raw, lambda table: table.assign(ID1=None)), 'row 2, ID1: found nothing'),
    ],
)
def test_a_table_that_is_none_is_told(copied, spoil, words):
    spoil(copied)
    with pytest.raises(MammoError, match=words):
        list(cmmd.list_records(copied))


def test_unknown_columns_are_counted(copied):
    change_table(copied, lambda table: table.assign(remark='x'))
    (check,) = (check for check in cmmd.count_checks(copied) if 'unknown columns' in check.what)
    assert check.found == 1 and 'remark' in check.explanation


def test_files_in_no_folder_of_a_patient_are_refused(copied, download):
    image = sorted(copied.rglob('*.dcm'))[-1]
    shutil.copy(image, copied / 'CMMD/loose.dcm')
    assert 'found no patient' in records_by_path('cmmd', copied)['CMMD/loose.dcm'].refused.reason


def test_a_file_that_cannot_be_read_is_judged_when_it_is_prepared(copied, right):
    patient = right[0]
    path = patient.path(patient.views[0])
    (copied / path).write_bytes(b'junk')
    record = records_by_path('cmmd', copied)[path]
    assert record.refused is None and record.view is View.UNKNOWN and record.labels == {}


def test_counts_stand_beside_the_published_ones(download):
    checks = {check.what: check for check in cmmd.count_checks(download[0])}
    assert checks['patients'].found == EXAMS and checks['patients'].published == 1775
    assert checks['Benign'].found + checks['Malignant'].found == checks['rows (breasts)'].found - 1
    assert checks['images'].explanation == 'not everything was downloaded'
    assert cmmd.count_skipped(download[0]) == 1

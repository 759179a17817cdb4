"""EMBED: on the phantom dressed as it, on tables that are wrong, and on histories whose labels can be told by hand."""

import csv
import shutil

import numpy as np
import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.phantom.dressing import embed as dressing
from mmmammo.sources import embed
from mmmammo.sources.embed_clinical import CATEGORIES, categories_of, labels_of_breast, pathology_of
from mmmammo.sources.tables import Row
from mmmammo.structures import Laterality, MammoError

EXAMS = 16
FIRST = {'empi_anon': '1', 'acc_anon': '11', 'study_date_anon': '2014-01-10', 'side': 'L', 'asses': 'A'}


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('embed')
    return raw, dressing.dress(raw, exams, 0)


@pytest.fixture()
def copied(tmp_path, download):
    return shutil.copytree(download[0], tmp_path / 'raw')


def table(path):
    with path.open(newline='') as file:
        return list(csv.DictReader(file))


def change_table(path, change):
    rows = [change(dict(row)) for row in table(path)]
    with path.open('w', newline='') as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator='\n')
        writer.writeheader()
        writer.writerows(rows)


def clinical(**cells):
    return Row('clinical.csv', 2, {name: str(value) for name, value in {**FIRST, **cells}.items()})


def labels(*rows, side=Laterality.LEFT, days=180):
    return labels_of_breast([row for row in rows if row.cells['acc_anon'] == '11'], rows, side, days)


def test_every_planted_fault_is_found_and_nothing_else(download, tmp_path):
    assert wrong_rows(quality_rows('embed', download[0], tmp_path), download[1]) == []


def test_tables_say_side_view_boxes_and_labels(download, exams):
    records = records_by_path('embed', download[0])
    seen = 0
    for exam, dressed in list(zip(exams, dressing.exams_of(exams, 0), strict=True))[len(dressing.FAULTS) :]:
        for image in dressed.images:
            record, view = records[image.path], image.view
            assert (record.laterality, record.view) == (view.laterality, view.view)
            truth = exam.labels(view.laterality)
            said = record.labels
            assert (said['density'], said['cancer'], said['biopsy']) == tuple(
                truth[name] for name in ('density', 'cancer', 'biopsy')
            )
            assert said['screening'] == 1 and said['age'] == truth['age'] + 0.5
            assert len(record.findings) == len(view.findings)
            for found, meant in zip(record.findings, view.findings, strict=True):
                assert np.abs(np.subtract(found.bbox, meant.bbox)).max() <= 0.5
                seen += found.category == meant.category
    assert seen


def test_a_box_gets_the_category_all_rows_of_its_breast_agree_on():
    mass, calcification = clinical(massshape='O'), clinical(calcfind='P')
    assert categories_of([mass]) == ['mass']
    assert categories_of([calcification, mass]) == ['calcification', 'mass']
    assert categories_of([clinical(massmargin='I')]) == categories_of([clinical(massdens='+')]) == ['mass']
    assert categories_of([clinical(calcnumber=3)]) == ['calcification']
    assert categories_of([clinical(asses='N', calcnumber=0)]) == []
    assert categories_of([mass, clinical(asses='N')]) == ['mass']  # nothing else was seen
    assert categories_of([mass, clinical(asses='A')]) == ['lesion', 'mass']  # something was, and nobody says what
    assert {'mass', 'calcification', 'lesion'} <= set(CATEGORIES)


def test_boxes_of_a_breast_with_two_kinds_are_lesions(copied):
    change_table(copied / dressing.CLINICAL, lambda row: row | {'massshape': 'R', 'calcfind': 'A'})
    findings = [finding for record in embed.list_records(copied) for finding in record.findings]
    assert findings and {finding.category for finding in findings} == {'lesion'}
    assert findings[0].attributes['categories'] == ['calcification', 'mass']


@pytest.mark.parametrize(
    ('rows', 'expected'),
    [
        ([clinical(asses='N')], {'birads': '1', 'cancer': 0, 'biopsy': 0}),
        ([clinical(asses='A')], {'birads': '0'}),
        ([clinical(asses='X')], {}),
        ([clinical(asses='N'), clinical(asses='S')], {'birads': '4'}),
        ([clinical(path_severity='0.0')], {'birads': '0', 'cancer': 1, 'biopsy': 1, 'invasive': 1}),
        ([clinical(path_severity=1)], {'birads': '0', 'cancer': 1, 'biopsy': 1, 'invasive': 0}),
        ([clinical(path_severity=2)], {'birads': '0', 'cancer': 0, 'biopsy': 1}),
        ([clinical(path_severity=6)], {'birads': '0', 'biopsy': 1}),
        ([clinical(asses='N', tissueden='3.0')], {'birads': '1', 'density': 'C', 'cancer': 0, 'biopsy': 0}),
        ([clinical(tissueden=1), clinical(tissueden=2)], {'birads': '0'}),
        ([clinical(tissueden=5)], {'birads': '0'}),
        ([clinical(side='R', path_severity=0)], {}),
        (
            [clinical(side='R', desc='MG Screening Bilateral')],
            {'birads': '1', 'cancer': 0, 'biopsy': 0, 'screening': 1},
        ),
        ([clinical(side='R', desc='MG Diagnostic Right', tissueden=2)], {'density': 'B', 'screening': 0}),
        ([clinical(side='B', asses='B')], {'birads': '2', 'cancer': 0, 'biopsy': 0}),
        ([clinical(side='', asses='N')], {'birads': '1', 'cancer': 0, 'biopsy': 0}),
        ([clinical(side='B', bside='R', path_severity=0)], {'birads': '0'}),
        ([clinical(side='', asses='N', path_severity=0)], {'birads': '1'}),
        (
            [clinical(side='', asses='N', path_severity=1), clinical(asses='B', path_severity=4)],
            {'birads': '2', 'biopsy': 1},
        ),
        (
            [clinical(side='', asses='N', path_severity=1), clinical(asses='B', path_severity=0)],
            {'birads': '2', 'cancer': 1, 'biopsy': 1, 'invasive': 1},
        ),
    ],
)
def test_labels_of_the_left_breast(rows, expected):
    said = labels(*rows)
    assert {name: value for name, value in said.items() if name != 'date'} == expected


@pytest.mark.parametrize(
    ('when', 'days', 'cancer'),
    [('2014-02-10', 180, 1), ('2014-02-10', 0, None), ('2014-12-10', 180, None), ('2013-12-10', 180, None)],
)
def test_pathology_of_a_later_exam_is_that_of_the_screening(when, days, cancer):
    later = clinical(acc_anon='12', study_date_anon=when, asses='S', path_severity=0)
    assert labels(clinical(), later, days=days).get('cancer') == cancer


def test_pathology_of_a_later_exam_is_found_for_a_breast_without_a_row():
    screening = clinical(side='R', desc='MG Screening Bilateral')
    later = clinical(acc_anon='12', study_date_anon='2014-02-01', side='L', asses='S', path_severity=1)
    assert labels(screening, later)['cancer'] == 1


@pytest.mark.parametrize(
    ('rows', 'left'),
    [
        ([clinical(path_severity=0)], 'malignant'),
        ([clinical(path_severity=3), clinical(path_severity=4)], 'benign'),
        ([clinical(path_severity=0), clinical(path_severity=4)], None),
        ([clinical(path_severity=0), clinical()], None),
        ([clinical(side='B', bside='R', path_severity=0)], None),
        ([clinical(side='', bside='L', path_severity=0)], 'malignant'),
    ],
)
def test_a_box_gets_the_pathology_all_rows_of_its_breast_agree_on(rows, left):
    assert pathology_of(rows, Laterality.LEFT) == left


@pytest.mark.parametrize('cell', ['[[1, 2, 30, 40], [5, 6, 70, 80]]', '(([1, 2, 30, 40], [5, 6, 70, 80]),)'])
def test_boxes_are_read_from_lists_of_any_depth(copied, cell):
    changed = {'num_roi': '2', 'ROI_coords': cell, 'match_level': 'unknown'}
    change_table(copied / dressing.METADATA, lambda row: row | changed)
    usable = [record for record in embed.list_records(copied) if record.refused is None]
    assert usable and all(
        [finding.bbox for finding in record.findings] == [(2, 1, 40, 30), (6, 5, 80, 70)] for record in usable
    )


def test_a_place_without_a_box_may_be_counted(copied):
    changed = {'num_roi': '2', 'ROI_coords': '((825, 563, 1343, 890), ())', 'match_level': '[1]'}
    change_table(copied / dressing.METADATA, lambda row: row | changed)
    usable = [record for record in embed.list_records(copied) if record.refused is None]
    assert usable and {finding.bbox for record in usable for finding in record.findings} == {(563, 825, 890, 1343)}


def test_suspicious_breasts_without_a_box_may_be_refused(copied):
    change_table(copied / dressing.METADATA, lambda row: row | {'num_roi': '0', 'ROI_coords': '()'})
    kept, refused = (records_by_path('embed', copied, unboxed=choice) for choice in ('keep', 'refuse'))
    asked = {path for path, record in refused.items() if record.refused and 'unboxed' in record.refused.reason}
    suspicious = {path for path, record in kept.items() if record.labels.get('birads') == '0' and not record.refused}
    assert asked == suspicious and asked


def test_an_exam_of_two_women_is_refused_and_no_other(copied):
    rows = table(copied / dressing.CLINICAL)
    exam = rows[-1]['acc_anon']
    before = {path for path, record in records_by_path('embed', copied).items() if record.refused}
    change_table(copied / dressing.CLINICAL, lambda row: row | ({'empi_anon': '7'} if row['acc_anon'] == exam else {}))
    records = records_by_path('embed', copied)
    wrong = {path for path, record in records.items() if record.refused} - before
    assert len(wrong) == 4 and all('one woman per exam' in records[path].refused.reason for path in wrong)


def test_images_may_lie_on_another_disk(copied, tmp_path):
    before = {record.path.name: record.labels for record in embed.list_records(copied)}
    shutil.move(copied / 'images/cohort_1', tmp_path / 'disk')
    (copied / 'images/cohort_1').symlink_to(tmp_path / 'disk')
    assert {record.path.name: record.labels for record in embed.list_records(copied)} == before


def test_rows_of_women_who_were_not_downloaded_may_be_odd(copied):
    before = {path: record.labels for path, record in records_by_path('embed', copied).items()}
    for name in (dressing.METADATA, dressing.CLINICAL):
        path = copied / name
        first = table(path)[0]
        odd = first | {'empi_anon': '4.9e+15', **({'anon_dicom_path': ''} if 'anon_dicom_path' in first else {})}
        with path.open('a', newline='') as file:
            csv.DictWriter(file, list(first), lineterminator='\n').writerow(odd)
    assert {path: record.labels for path, record in records_by_path('embed', copied).items()} == before
    (check,) = (check for check in embed.count_checks(copied) if check.what == 'findings of no exam or patient')
    assert check.found == 1


def test_spreadsheets_add_decimals_to_numbers_and_nothing_changes(copied):
    before = {path: (x.exam_id, x.labels) for path, x in records_by_path('embed', copied).items()}
    for name in (dressing.METADATA, dressing.CLINICAL):
        change_table(copied / name, lambda row: row | {k: f'{row[k]}.0' for k in ('empi_anon', 'acc_anon')})
    assert {
        path: (record.exam_id, record.labels) for path, record in records_by_path('embed', copied).items()
    } == before


def test_women_who_were_not_downloaded_are_not_spoken_of(copied):
    women = sorted((copied / 'images/cohort_1').iterdir())
    for woman in women[1:]:
        shutil.rmtree(woman)
    records = list(embed.list_records(copied))
    assert {record.patient_id for record in records} == {women[0].name}
    (check,) = (check for check in embed.count_checks(copied) if check.what == 'images')
    assert check.found == len(records) == 4 and check.explanation == 'not everything was downloaded'


def test_files_may_lie_in_other_folders(copied):
    def said():
        records = [record for record in embed.list_records(copied) if record.path.exists()]
        boxes = {record.path.name: [finding.bbox for finding in record.findings] for record in records}
        return boxes, {record.path.name: record.labels for record in records}

    before = said()
    (copied / 'flat').mkdir()
    for path in list(copied.rglob('*.dcm')):
        path.rename(copied / 'flat' / path.name)
    assert said() == before


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda raw: (raw / dressing.METADATA).unlink(), 'EMBED_OpenData_metadata_reduced.csv: found no such file'),
        (lambda raw: (raw / dressing.CLINICAL).unlink(), 'EMBED_OpenData_clinical.csv: found no such file'),
        (
            lambda raw: change_table(raw / dressing.CLINICAL, lambda row: row | {'acc_anon': '4.9e+15'}),
            'acc_anon: found 4.9e',
        ),
        (lambda raw: shutil.copytree(raw / 'images', raw / 'again'), 'each file once'),
    ],
)
def test_a_download_that_is_none_is_told(copied, spoil, words):
    spoil(copied)
    with pytest.raises(MammoError, match=words):
        list(embed.list_records(copied))


def test_an_unknown_side_or_date_spoils_the_images_of_the_woman_only(copied):
    first = table(copied / dressing.CLINICAL)[-1]['empi_anon']
    for wrong in ({'side': 'W'}, {'study_date_anon': 'May'}):
        spoilt = shutil.copytree(copied, copied.with_name(next(iter(wrong))))
        change_table(
            spoilt / dressing.CLINICAL,
            lambda row, wrong=wrong: row | wrong if row['empi_anon'] == first else row,
        )
        refused = {record.patient_id for record in embed.list_records(spoilt) if record.refused}
        before = {record.patient_id for record in embed.list_records(copied) if record.refused}
        assert refused == before | {first}

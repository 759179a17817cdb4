"""DDSM: on the phantom dressed as it, on texts that are wrong, and in the layout of Mini-DDSM."""

import shutil

import cv2
import numpy as np
import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.phantom.dressing import ddsm as dressing
from mmmammo.sources import ddsm
from mmmammo.sources.ddsm_ics import read_ics
from mmmammo.sources.ddsm_overlay import read_overlay
from mmmammo.structures import FilmScan, Laterality, MammoError, View

EXAMS = 18
ICS = f"""ics_version 1.0
filename B-9001-1
DATE_OF_STUDY 29 5 1998
PATIENT_AGE 58
FILM{' '}
FILM_TYPE REGULAR
DENSITY 2
DATE_DIGITIZED 14 7 1998
DIGITIZER LUMISYS LASER
SEQUENCE
LEFT_CC LINES 40 PIXELS_PER_LINE 30 BITS_PER_PIXEL 12 RESOLUTION 50 OVERLAY
RIGHT_CC LINES 46 PIXELS_PER_LINE 38 BITS_PER_PIXEL 12 RESOLUTION 50 NON_OVERLAY
"""
OVERLAY = """TOTAL_ABNORMALITIES 1
ABNORMALITY 1
LESION_TYPE MASS SHAPE IRREGULAR MARGINS SPICULATED
ASSESSMENT 5
SUBTLETY 4
PATHOLOGY MALIGNANT
TOTAL_OUTLINES 2
BOUNDARY
10 20 2 2 4 4 6 6 0 0 #
\tCORE
11 21 #
"""


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('ddsm')
    return raw, dressing.dress(raw, exams, 0)


def written(folder, ics=ICS, overlay=OVERLAY):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / 'B-9001-1.ics').write_text(ics)
    (folder / 'B_9001_1.LEFT_CC.OVERLAY').write_text(overlay)
    for name in ('LEFT_CC', 'RIGHT_CC'):
        (folder / f'B_9001_1.{name}.LJPEG').write_bytes(b'\xff\xd8')
    return folder


def test_every_planted_fault_is_found_and_nothing_else(download, tmp_path, exams):
    rows = quality_rows('ddsm', download[0], tmp_path)
    assert wrong_rows(rows, download[1]) == []
    assert len(rows) == sum(len(exam.views) for exam in exams)


def test_boxes_outlines_and_labels_are_those_of_the_phantom(download, exams):
    records = records_by_path('ddsm', download[0])
    found = 0
    for case in dressing.cases_of(exams)[len(dressing.FAULTS) :]:
        for view in case.exam.views:
            record = records[case.path(dressing.view_name(view))]
            assert (record.laterality, record.view) == (view.laterality, view.view)
            assert record.labels['cancer'] == case.exam.labels(view.laterality)['cancer']
            assert record.labels['density'] == case.exam.labels(view.laterality)['density']
            for finding, truth in zip(record.findings, view.findings, strict=True):
                np.testing.assert_allclose(finding.bbox, truth.bbox, atol=2)
                assert finding.pathology == truth.pathology and finding.birads == '4'
                found += 1
    assert found


def test_a_chain_goes_from_pixel_to_pixel(tmp_path):
    (record, other) = ddsm.list_records(written(tmp_path))
    (finding,) = record.findings
    assert finding.bbox == (10, 20, 13, 23)
    corners = [(10, 20), (11, 20), (12, 20), (12, 21), (12, 22), (11, 22), (10, 22), (10, 21)]
    np.testing.assert_array_equal(finding.polygons[0], np.array(corners) + 0.5)
    assert (finding.category, finding.pathology, finding.birads) == ('mass', 'malignant', '5')
    assert finding.attributes['shape'] == 'IRREGULAR' and finding.attributes['num_cores'] == 1
    assert other.findings == () and other.labels['cancer'] == 0
    assert record.labels == {
        'cancer': 1,
        'machine': 'LUMISYS LASER',
        'age': 58.0,
        'density': 'B',
        'density_source': '2',
    }
    assert (record.exam_id, record.patient_id, record.pixel_spacing_mm) == ('B-9001-1', 'B-9001', 0.05)
    assert vars(record.film) == vars(FilmScan('lumisys-wfu', (40, 30)))
    assert (record.laterality, record.view, record.split) == (Laterality.LEFT, View.CC, None)


@pytest.mark.parametrize(
    ('code', 'step'), enumerate([(0, -1), (1, -1), (1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1)])
)
def test_steps_of_a_chain(tmp_path, code, step):
    folder = written(tmp_path, overlay=OVERLAY.replace('10 20 2 2 4 4 6 6 0 0', f'10 20 {code}'))
    (abnormality,) = read_overlay(folder / 'B_9001_1.LEFT_CC.OVERLAY')
    np.testing.assert_array_equal(abnormality.outlines[0], [(10, 20), (10 + step[0], 20 + step[1])])


def test_two_types_are_two_findings_of_one_place(download, exams):
    case = dressing.cases_of(exams)[0]
    record = records_by_path('ddsm', download[0])[case.path(case.first)]
    first, second = record.findings[:2]
    assert (first.category, second.category) == ('calcification', 'mass')
    assert first.bbox == second.bbox and first.attributes['abnormality'] == second.attributes['abnormality'] == 1


def test_unproven_is_neither_cancer_nor_none(download, tmp_path):
    overlay = OVERLAY.replace('PATHOLOGY MALIGNANT', 'PATHOLOGY UNPROVEN')
    record, other = ddsm.list_records(written(tmp_path, overlay=overlay))
    assert 'cancer' not in record.labels and record.findings[0].pathology is None
    assert other.labels['cancer'] == 0


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ('TOTAL_ABNORMALITIES 1', 'TOTAL_ABNORMALITIES 2', 'last line: found the end of the file'),
        ('TOTAL_ABNORMALITIES 1', 'TOTAL_ABNORMALITIES 0', 'nothing after abnormality 0'),
        ('TOTAL_ABNORMALITIES 1', 'TOTAL_ABNORMALITIES 99999999999', 'expected TOTAL_ABNORMALITIES n'),
        ('TOTAL_OUTLINES 2', 'TOTAL_OUTLINES 3', 'last line'),
        ('TOTAL_OUTLINES 2', 'TOTAL_OUTLINES 1', 'nothing after'),
        ('TOTAL_OUTLINES 2', 'TOTAL_OUTLINES 0', 'a boundary'),
        ('BOUNDARY', 'CORE', 'expected BOUNDARY'),
        ('PATHOLOGY MALIGNANT', 'PATHOLOGY MALIGN', 'PATHOLOGY: found MALIGN; expected one of MALIGNANT'),
        ('PATHOLOGY MALIGNANT\n', '', 'PATHOLOGY of abnormality 1: found none'),
        ('ASSESSMENT 5', 'ASSESSMENT 7', 'line 4, ASSESSMENT'),
        ('SHAPE IRREGULAR', 'SHAPE', 'names and values in turns'),
        ('SHAPE IRREGULAR', 'FORM IRREGULAR', 'one of SHAPE'),
        ('2 2 4 4 6 6 0 0 #', '2 2 8 #', 'a step 8'),
        ('2 2 4 4 6 6 0 0 #', '2 2 x #', 'then #'),
        ('10 20 2 2 4 4 6 6 0 0 #', '10 #', 'then #'),
        ('SUBTLETY 4', 'OPINION 4', 'line 5: found OPINION 4'),
    ],
)
def test_an_overlay_that_is_not_as_published_refuses_its_view(tmp_path, old, new, words):
    record, other = ddsm.list_records(written(tmp_path, overlay=OVERLAY.replace(old, new)))
    with pytest.raises(MammoError, match=words):
        raise record.refused
    assert other.refused is None and 'cancer' not in record.labels


@pytest.mark.parametrize(
    ('old', 'new', 'words'),
    [
        ('filename B-9001-1', 'filename X', 'filename: found X; expected a name such as'),
        ('LINES 40', 'LINES forty', 'line 11: found LEFT_CC LINES forty'),
        ('LINES 40', 'LINES 0', 'greater than 0'),
        ('RIGHT_CC', 'LEFT_CC', 'each view once'),
        ('DENSITY 2', 'DENSITY 7', 'DENSITY: found 7; expected 1 to 4'),
        ('PATIENT_AGE 58', 'PATIENT_AGE old', 'PATIENT_AGE: found old'),
    ],
)
def test_a_case_that_is_not_described_is_refused_as_a_whole(tmp_path, old, new, words):
    records = list(ddsm.list_records(written(tmp_path, ics=ICS.replace(old, new))))
    assert len(records) == 2
    for record in records:
        with pytest.raises(MammoError, match=words):
            raise record.refused


def test_zeros_say_nothing_and_an_unknown_scanner_is_told(tmp_path):
    ics = ICS.replace('PATIENT_AGE 58', 'PATIENT_AGE 0').replace('DENSITY 2', 'DENSITY 0').replace('LUMISYS', 'XEROX')
    case = read_ics(written(tmp_path, ics=ics) / 'B-9001-1.ics')
    assert case.labels == {'machine': 'XEROX LASER'}
    assert case.film.digitizer is None
    assert case.notes == ('no curve of optical density for XEROX of hospital B: shown by its grey values',)


def test_an_image_without_a_case_is_refused(download, tmp_path):
    raw = shutil.copytree(download[0], tmp_path / 'raw')
    (raw / 'cases/stray').mkdir()
    (raw / 'cases/stray/B_9002_1.LEFT_CC.LJPEG').write_bytes(b'\xff\xd8')
    record = records_by_path('ddsm', raw)['cases/stray/B_9002_1.LEFT_CC.LJPEG']
    assert 'no row for B_9002_1.LEFT_CC' in record.refused.reason


def test_a_decoded_file_goes_before_its_ljpeg(tmp_path):
    folder = written(tmp_path)
    (folder / 'B_9001_1.LEFT_CC.LJPEG.1').write_bytes(bytes(2 * 40 * 30))
    records = list(ddsm.list_records(tmp_path))
    assert [record.relative_path for record in records] == ['B_9001_1.LEFT_CC.LJPEG.1', 'B_9001_1.RIGHT_CC.LJPEG']
    assert ddsm.count_skipped(tmp_path) == 1


def test_outlines_of_mini_ddsm_are_scaled_to_its_images(tmp_path):
    folder = tmp_path / 'MINI-DDSM-Complete-PNG-16' / 'Cancer' / '0001'
    written(folder)
    for name in ('LEFT_CC', 'RIGHT_CC'):
        (folder / f'B_9001_1.{name}.LJPEG').unlink()
    cv2.imwrite(str(folder / 'B_9001_1.LEFT_CC.png'), np.zeros((20, 15), np.uint16))
    cv2.imwrite(str(folder / 'B_9001_1.LEFT_CC_Mask.png'), np.zeros((20, 15), np.uint8))
    record, other = ddsm.list_records(tmp_path)
    assert record.findings[0].bbox == (5, 10, 6.5, 11.5)
    assert record.pixel_spacing_mm == pytest.approx(0.1)
    assert vars(record.film) == vars(FilmScan()) and record.refused is None
    assert 'no such file' in other.refused.reason
    assert ddsm.count_skipped(tmp_path) == 1


def test_without_a_case_there_is_nothing(tmp_path):
    with pytest.raises(MammoError, match=r'found no \.ics file'):
        list(ddsm.list_records(tmp_path))


def test_counts_stand_beside_the_published_ones(download):
    checks = {check.what: check for check in ddsm.count_checks(download[0])}
    assert sum(check.found for check in checks.values()) == EXAMS
    assert checks['cases, cancers'].published == 914 and checks['cases, cancers'].explanation
    assert ddsm.count_skipped(download[0]) == EXAMS


def test_a_second_file_of_a_case_is_told_and_the_case_is_read_once(tmp_path):
    folder = written(tmp_path)
    (folder / 'B-9001-1 (1).ics').write_text(ICS)
    (folder / 'B-9001-1 (2).ics').write_text('cut off')
    records = records_by_path('ddsm', tmp_path)
    refused = {name: record.refused.reason for name, record in records.items() if record.refused}
    assert set(records) - set(refused) == {'B_9001_1.LEFT_CC.LJPEG', 'B_9001_1.RIGHT_CC.LJPEG'}
    assert refused.keys() == {'B-9001-1 (1).ics', 'B-9001-1 (2).ics'}
    assert 'the case of B-9001-1.ics once more' in refused['B-9001-1 (1).ics']
    assert ddsm.count_skipped(tmp_path) == 0


def test_a_case_behind_a_link_is_told(tmp_path):
    written(tmp_path / 'raw' / 'case1')
    written(tmp_path / 'elsewhere')
    (tmp_path / 'raw' / 'case2').symlink_to(tmp_path / 'elsewhere')
    records = records_by_path('ddsm', tmp_path / 'raw')
    assert 'a link that leads out of the folder' in records['case2'].refused.reason
    assert not any(name.startswith('case2/') for name in records)

"""mini-MIAS: on the phantom dressed as it, and on lines that are wrong."""

import shutil

import numpy as np
import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.phantom.dressing import mias as dressing
from mmmammo.sources import mias
from mmmammo.sources.mias_table import read_info
from mmmammo.structures import FilmScan, Laterality, MammoError, View

EXAMS = 8


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('mias')
    return raw, dressing.dress(raw, exams, 0)


def one_line(tmp_path, line):
    (tmp_path / 'Info.txt').write_text(f'What mdb001 is\n\n{line}\n')
    return tmp_path / 'Info.txt'


def pgm(path, side=1024):
    path.write_bytes(f'P5\n{side} {side}\n255\n'.encode() + bytes(side * side))


def test_every_planted_fault_is_found_and_nothing_else(download, tmp_path):
    rows = quality_rows('mias', download[0], tmp_path)
    assert wrong_rows(rows, download[1]) == []
    assert len(rows) == 2 * EXAMS


def test_circles_lie_where_the_phantom_has_its_findings(download, exams):
    records = records_by_path('mias', download[0])
    found = 0
    for image in dressing.images_of(exams)[len(dressing.FAULTS) :]:
        for finding, truth in zip(records[image.path].findings, image.view.findings, strict=True):
            x1, y1, x2, y2 = dressing.into_square(image.view).boxes(truth.bbox)
            box = np.array(finding.bbox)
            np.testing.assert_allclose((box[:2] + box[2:]) / 2, [(x1 + x2) / 2, (y1 + y2) / 2], atol=0.51)
            assert (box[2] - box[0]) / 2 == round(max(x2 - x1, y2 - y1) / 2)
            assert (finding.category, finding.pathology) == (truth.category, truth.pathology)
            found += 1
    assert found


def test_the_origin_is_at_the_bottom_left(tmp_path):
    one_line(tmp_path, 'mdb001 G CIRC B 535 425 197')
    pgm(tmp_path / 'mdb001.pgm')
    (record,) = mias.list_records(tmp_path)
    (finding,) = record.findings
    assert finding.bbox == (535.5 - 197, 1023.5 - 425 - 197, 535.5 + 197, 1023.5 - 425 + 197)
    distance = np.linalg.norm(finding.polygons[0] - [535.5, 598.5], axis=1)
    np.testing.assert_allclose(distance, 197)
    assert finding.attributes == {'class': 'CIRC', 'margin': 'circumscribed'}


def test_even_is_left_and_two_numbers_are_a_woman(tmp_path):
    (tmp_path / 'Info.txt').write_text('mdb001 G NORM\nmdb002 G NORM \nmdb003 D NORM\n')
    for number in (1, 2, 3):
        pgm(tmp_path / f'mdb00{number}.pgm')
    records = list(mias.list_records(tmp_path))
    assert [record.laterality for record in records] == [Laterality.RIGHT, Laterality.LEFT, Laterality.RIGHT]
    assert [record.patient_id for record in records] == ['mias-001', 'mias-001', 'mias-002']
    assert {(record.view, record.pixel_spacing_mm) for record in records} == {(View.MLO, 0.2)}
    assert all(isinstance(record.film, FilmScan) for record in records)
    assert records[0].labels == {'cancer': 0, 'density_source': 'G', 'findings': []}


def test_an_image_has_the_findings_of_all_of_its_lines(download):
    path = next(planted.path for planted in download[1] if planted.fault == 'two findings')
    record = records_by_path('mias', download[0])[path]
    assert [finding.attributes['class'] for finding in record.findings] == ['CIRC', 'SPIC']
    assert record.labels['cancer'] == 1 and record.labels['findings'] == ['mass']


def test_what_has_no_place_is_a_label_only(download):
    path = next(planted.path for planted in download[1] if planted.fault == 'NOTE 3')
    record = records_by_path('mias', download[0])[path]
    assert record.findings == () and record.labels['findings'] == ['calcification'] and record.labels['cancer'] == 1


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('mdb001 X CIRC B 1 2 3', 'line 3, tissue: found X; expected one of F, G, D'),
        ('mdb001 G circ B 1 2 3', 'line 3, class: found circ'),
        ('mdb001 G CIRC Q 1 2 3', 'line 3, severity: found Q; expected one of B, M'),
        ('mdb001 G CIRC B 1 2', 'line 3: found .*; expected tissue, class'),
        ('mdb001 G CIRC B 1 2 0', 'line 3, radius: found 0'),
        ('mdb001 G CIRC B 1 2 3 4', 'line 3: found'),
        ('mdb001 G CIRC B -1 2 3', 'line 3: found'),
        ('mdb001 G NORM B', 'line 3: found .*; expected nothing after NORM'),
        ('mdb001', 'line 3: found'),
        ('mdb001 G CIRC B NOTE 3', 'line 3: found'),
    ],
)
def test_a_line_that_cannot_be_read_refuses_its_image(tmp_path, line, words):
    (tmp_path / 'Info.txt').write_text(f'text\n\n{line}\nmdb002 G NORM\n')
    entries = read_info(tmp_path / 'Info.txt')
    with pytest.raises(MammoError, match=words):
        raise entries['mdb001'].refused
    assert entries['mdb002'].refused is None


def test_two_tissues_of_one_image_contradict_each_other(tmp_path):
    (tmp_path / 'Info.txt').write_text('mdb001 G CIRC B 1 2 3\nmdb001 D CIRC B 1 2 3\n')
    assert 'tissue: found D and G' in read_info(tmp_path / 'Info.txt')['mdb001'].refused.reason


def test_a_table_that_is_none_is_told(tmp_path):
    (tmp_path / 'Info.txt').write_text('nothing\n')
    with pytest.raises(MammoError, match='no line that begins with mdb001'):
        list(mias.list_records(tmp_path))
    (tmp_path / 'Info.txt').unlink()
    with pytest.raises(MammoError, match=r'table: found none; expected Info\.txt'):
        list(mias.list_records(tmp_path))
    with pytest.raises(MammoError, match='no such folder'):
        list(mias.list_records(tmp_path / 'nowhere'))


def test_repeated_and_misnamed_files_are_refused(download, tmp_path):
    raw = shutil.copytree(download[0], tmp_path / 'raw')
    last = sorted((raw / dressing.FOLDER).glob('*.pgm'))[-1]
    (raw / 'second').mkdir()
    shutil.copy(last, raw / 'second')
    shutil.copy(last, raw / 'second/left.pgm')
    records = records_by_path('mias', raw)
    assert 'one image of it' in records[f'second/{last.name}'].refused.reason
    assert 'found left.pgm' in records['second/left.pgm'].refused.reason


def test_counts_stand_beside_the_published_ones(download):
    checks = {check.what: check for check in mias.count_checks(download[0])}
    assert (checks['women'].found, checks['women'].published) == (EXAMS, 161)
    assert checks['images'].published == 322 and checks['images'].explanation
    assert mias.count_skipped(download[0]) == 2


def test_the_header_may_hold_comments(tmp_path):
    one_line(tmp_path, 'mdb001 G NORM')
    (tmp_path / 'mdb001.pgm').write_bytes(b'P5 # of a scanner\n# and its maker\n 2600\n# high\n4320\n255\n')
    (record,) = mias.list_records(tmp_path)
    assert 'size: found 2600 x 4320 pixels' in record.refused.reason

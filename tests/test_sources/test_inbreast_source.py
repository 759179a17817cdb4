"""INbreast: on the phantom dressed as it, and on tables and outlines that are wrong."""

import plistlib
import shutil

import numpy as np
import pytest
from dressed import phantom_exams, quality_rows, records_by_path, wrong_rows

from mmmammo.io.exam_index import read_index
from mmmammo.phantom.dressing import inbreast as dressing
from mmmammo.sources import inbreast
from mmmammo.sources.inbreast_outlines import MARKER_MARGIN_PX, read_findings
from mmmammo.structures import Laterality, MammoError, View

EXAMS = 6
CATEGORIES = {'Mass': 'mass', 'Cluster': 'calcification', 'Distortion': 'distortion', 'Asymmetry': 'asymmetry'}


@pytest.fixture(scope='module')
def exams():
    return phantom_exams(EXAMS)


@pytest.fixture(scope='module')
def download(tmp_path_factory, exams):
    raw = tmp_path_factory.mktemp('inbreast')
    return raw, dressing.dress(raw, exams, 0)


@pytest.fixture(scope='module')
def rows(tmp_path_factory, download):
    return quality_rows('inbreast', download[0], tmp_path_factory.mktemp('inbreast_set'))


@pytest.fixture()
def release(tmp_path, download):
    """A copy to spoil, and its folder."""
    return shutil.copytree(download[0] / dressing.FOLDER, tmp_path / dressing.FOLDER)


@pytest.fixture(scope='module')
def right(exams):
    """Images without a fault that have regions."""
    return [image for image in dressing.images_of(exams, 0)[len(dressing.FAULTS) :] if image.regions]


def fault(download, name):
    return next(planted.path for planted in download[1] if planted.fault == name)


def plist(path, *regions, count=None):
    drawn = [
        {'Name': name, 'NumberOfPoints': len(points), 'Point_px': [f'({x}, {y})' for x, y in points]}
        for name, points in regions
    ]
    image = {'ImageIndex': 0, 'NumberOfROIs': len(drawn) if count is None else count, 'ROIs': drawn}
    path.write_bytes(plistlib.dumps({'Images': [image]}))
    return path


def test_every_planted_fault_is_found_and_nothing_else(rows, download):
    assert wrong_rows(rows, download[1]) == []
    assert len(rows) == sum(1 for _ in inbreast.list_records(download[0]))


def test_outlines_are_those_that_were_drawn(download, right):
    records = records_by_path('inbreast', download[0])
    assert right
    for image in right:
        findings = records[image.path].findings
        assert [finding.category for finding in findings] == [CATEGORIES[region.name] for region in image.regions]
        for finding, region in zip(findings, image.regions, strict=True):
            np.testing.assert_allclose(finding.polygons[0], region.points, atol=1e-6)
            np.testing.assert_allclose(finding.bbox, [*region.points.min(0), *region.points.max(0)], atol=1e-6)


def test_boxes_of_the_set_lie_where_they_were_drawn(tmp_path, download, right):
    quality_rows('inbreast', download[0], tmp_path / 'set')
    images = {
        image.source['path']: image
        for split in ('train', 'val', 'test')
        for image in read_index(tmp_path / 'set/annotations' / f'{split}.json').images
    }
    for image in right:
        prepared = images[image.path]
        back = prepared.affine.inverse().boxes([finding.bbox for finding in prepared.findings])
        drawn = [[*region.points.min(0), *region.points.max(0)] for region in image.regions]
        np.testing.assert_allclose(back, drawn, atol=1e-3)
        assert prepared.pixel_spacing_mm == pytest.approx(0.07)


def test_the_tables_say_side_view_exam_and_labels(download):
    records = records_by_path('inbreast', download[0])
    for image in dressing.images_of(phantom_exams(EXAMS), 0)[len(dressing.FAULTS) :]:
        record = records[image.path]
        assert (record.laterality, record.view) == (image.view.laterality, image.view.view)
        assert record.patient_id == image.patient
        assert record.exam_id == f'{image.patient}-{image.cells["Acquisition date"]}'
        assert record.labels['birads'] == image.cells['Bi-Rads']
        assert record.labels['density'] == 'ABCD'[int(image.cells['ACR']) - 1]
        assert set(record.labels['findings']) == {finding.category for finding in image.view.findings}
        assert 'cancer' not in record.labels


def test_blank_density_is_no_label(download):
    labels = records_by_path('inbreast', download[0])[fault(download, 'blank density')].labels
    assert 'density' not in labels and 'birads' in labels


def test_view_fb_is_a_view_of_its_own(download):
    assert records_by_path('inbreast', download[0])[fault(download, 'view FB')].view is View.FB


def test_cancer_is_birads_only_if_asked_for(download):
    for record in inbreast.list_records(download[0], cancer='birads'):
        if record.refused is None:
            assert record.labels['cancer'] == int(record.labels['birads'] in ('4a', '4b', '4c', '5', '6'))
    with pytest.raises(MammoError, match='cancer: found yes; expected one of none, birads'):
        list(inbreast.list_records(download[0], cancer='yes'))


def test_misspelt_names_are_read_as_meant(download):
    record = records_by_path('inbreast', download[0])[fault(download, 'misspelt names')]
    assert [finding.category for finding in record.findings] == ['asymmetry', 'spiculated_region', 'calcification']
    assert record.findings[1].attributes == {'name': 'Espiculated Region'}


def test_points_become_small_boxes(download):
    record = records_by_path('inbreast', download[0])[fault(download, 'single calcifications')]
    one, two = record.findings
    assert one.attributes['point'] and two.attributes['point'] and not one.polygons
    assert one.bbox[2] - one.bbox[0] == pytest.approx(2 * MARKER_MARGIN_PX)


def test_exchanged_coordinates_are_exchanged_back(download):
    record = records_by_path('inbreast', download[0])[fault(download, 'x and y exchanged')]
    x1, y1, x2, y2 = record.findings[0].bbox
    height = 256
    width = round(height * 179.2 / 232.96)
    np.testing.assert_allclose([(x1 + x2) / 2, (y1 + y2) / 2], [0.4 * width, 0.93 * height], atol=0.01)


def test_files_that_are_no_images_are_counted(download):
    roi = len(list((download[0] / dressing.FOLDER / 'AllROI').iterdir()))
    assert inbreast.count_skipped(download[0]) == roi + 4


def test_counts_stand_beside_the_published_ones(download):
    checks = {check.what: check for check in inbreast.count_checks(download[0])}
    assert checks['images'].found == 4 * EXAMS - 1 and checks['images'].published == 410
    assert checks['rows'].explanation and checks['exams'].found == EXAMS
    assert checks['outlines of masses'].published == 116


def test_the_spreadsheet_alone_says_the_same(release, download):
    before = {path: (r.labels, r.view, r.exam_id) for path, r in records_by_path('inbreast', release.parent).items()}
    (release / 'INbreast.csv').unlink()
    after = {path: (r.labels, r.view, r.exam_id) for path, r in records_by_path('inbreast', release.parent).items()}
    assert after == before


def test_the_table_alone_says_all_but_the_crosses(release):
    (release / 'INbreast.xls').unlink()
    records = records_by_path('inbreast', release.parent).values()
    assert any(record.labels for record in records)
    assert not any('findings' in record.labels for record in records)


@pytest.mark.parametrize(
    ('spoil', 'words'),
    [
        (lambda folder: [path.unlink() for path in folder.glob('INbreast.[cx]*')], 'table: found neither'),
        (lambda folder: shutil.rmtree(folder / 'AllXML'), 'outlines: found none'),
        (
            lambda folder: (folder / 'INbreast.xls').write_bytes(b'no spreadsheet'),
            'INbreast.xls: table: found no',
        ),
        (lambda folder: (folder / 'INbreast.csv').write_text('a;b\n1;2\n'), 'column Laterality, View'),
        (lambda folder: shutil.copy(folder / 'INbreast.csv', folder / 'AllXML'), 'INbreast.csv: found'),
    ],
)
def test_a_release_that_is_none_is_told(release, spoil, words):
    spoil(release)
    with pytest.raises(MammoError, match=words):
        list(inbreast.list_records(release.parent))


def test_a_name_in_two_rows_is_told_with_both(release):
    table = release / 'INbreast.csv'
    lines = table.read_text().splitlines()
    table.write_text('\n'.join([*lines, lines[4]]) + '\n')
    with pytest.raises(MammoError, match=f'row {len(lines) + 1}, File Name: found .* not in row 5 too'):
        list(inbreast.list_records(release.parent))


def test_surplus_and_foreign_files_are_refused(release):
    folder = release / 'AllDICOMs'
    image = sorted(folder.glob('*_ANON.dcm'))[-1]
    number, _, rest = image.name.partition('_')
    shutil.copy(image, folder / f'{number}_{"f" * 16}_{rest.partition("_")[2]}')
    shutil.copy(image, folder / 'copy.dcm')
    (folder / f'30009999_{"e" * 16}_MG_L_CC_ANON.dcm').symlink_to('/etc/hostname')
    refused = {path.rpartition('/')[2]: r.refused for path, r in records_by_path('inbreast', release.parent).items()}
    assert 'one image of it' in refused[f'{number}_{"f" * 16}_{rest.partition("_")[2]}'].reason
    assert 'found copy.dcm' in refused['copy.dcm'].reason
    assert 'leads out of the folder' in refused[f'30009999_{"e" * 16}_MG_L_CC_ANON.dcm'].reason
    assert refused[image.name] is None


def test_sides_of_the_phantom_are_kept(download):
    sides = {record.laterality for record in inbreast.list_records(download[0]) if record.refused is None}
    assert sides == {Laterality.LEFT, Laterality.RIGHT}


def test_an_outline_of_no_area_is_a_marker(tmp_path):
    path = plist(tmp_path / 'a.xml', ('Calcification', [(20, 30), (20, 30), (20, 30)]))
    (finding,), notes = read_findings(path, (100, 80))
    assert finding.bbox == (13, 23, 27, 37) and finding.attributes['point'] and notes == ()


def test_a_marker_at_the_border_stays_in_the_image(tmp_path):
    (finding,), _ = read_findings(plist(tmp_path / 'a.xml', ('Calcification', [(0.5, 100.5)])), (100, 80))
    assert finding.bbox == (0, 93, 7.5, 100)


def test_what_fits_neither_way_is_left_for_the_gate(tmp_path):
    (finding,), notes = read_findings(plist(tmp_path / 'a.xml', ('Mass', [(90, 90), (150, 90), (150, 150)])), (100, 80))
    assert finding.bbox == (90, 90, 150, 150) and notes == ()


def test_points_of_an_image_of_unknown_size_stay(tmp_path):
    (finding,), _ = read_findings(plist(tmp_path / 'a.xml', ('Mass', [(-5, 1), (9, 1), (9, 9)])), None)
    assert finding.bbox == (-5, 1, 9, 9)


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'', 'a.xml, content: found no property list'),
        (b'bplist00', 'found no property list'),
        (b'<plist><key>a</key></plist>', 'found no property list'),
        (b'<plist><date>x</date></plist>', 'found no property list'),
        (b'<plist><array/></plist>', 'Images: found no such key'),
        (b'<plist><dict><key>Images</key><array/></dict></plist>', 'Images: found 0 images; expected one'),
        (b'<plist><dict><key>Images</key><array><string>a</string></array></dict></plist>', 'ROIs: found no such key'),
        (b'<plist>' + b'<array>' * 50000 + b'</array>' * 50000 + b'</plist>', 'Images: found no such key'),
    ],
)
def test_what_is_no_list_of_outlines_is_told(tmp_path, content, words):
    path = tmp_path / 'a.xml'
    path.write_bytes(content)
    with pytest.raises(MammoError, match=words):
        read_findings(path, None)


@pytest.mark.parametrize(
    ('point', 'words'),
    [('(1)', r'Point_px'), ('(nan, 1)', 'Point_px'), ('(1, inf)', 'Point_px'), ('1, 2', 'Point_px'), (3, 'Point_px')],
)
def test_points_that_are_none_are_told(tmp_path, point, words):
    region = {'Name': 'Mass', 'NumberOfPoints': 1, 'Point_px': [point]}
    path = tmp_path / 'a.xml'
    path.write_bytes(plistlib.dumps({'Images': [{'NumberOfROIs': 1, 'ROIs': [region]}]}))
    with pytest.raises(MammoError, match=words):
        read_findings(path, None)


def test_a_wrong_count_of_outlines_is_told(tmp_path):
    with pytest.raises(MammoError, match='NumberOfROIs: found 2, with 1 ROIs'):
        read_findings(plist(tmp_path / 'a.xml', ('Mass', [(1, 1)]), count=2), None)


def test_few_exams_cannot_hold_all_faults(tmp_path):
    with pytest.raises(MammoError, match='at least 18, one for every fault'):
        dressing.dress(tmp_path, phantom_exams(1), 0)

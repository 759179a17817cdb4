"""Preparing from JPEG 2000 at a lower resolution of its own: the same geometry, told of, only if asked for."""

import hashlib
import json
from dataclasses import asdict

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.uid import JPEG2000Lossless

from mmmammo.io.exam_index import read_index
from mmmammo.prepare import PrepareOptions, prepare_dataset, prepare_image
from mmmammo.sources.folder import CATEGORIES, list_records
from mmmammo.structures import Finding, ImageRecord, Laterality, MammoError, View
from mmmammo.testing.raw_files import SIZE, draw_breast, write_dicom, write_png

HEIGHT, WIDTH = SIZE
BOX = (40.25, 100.5, 70.75, 130.125)


def jpeg2000_file(path, side='L', **tags):
    write_dicom(
        path, draw_breast(side), **({'WindowCenter': 2048, 'WindowWidth': 4096, 'ImageLaterality': side} | tags)
    )
    dataset = dcmread(path)
    dataset.compress(JPEG2000Lossless)
    dataset.save_as(path)
    return path


def record_of(path, side='L', **values):
    return ImageRecord(path, path.name, 'e', 'p', laterality=Laterality(side), view=View('CC'), **values)


@pytest.mark.parametrize('side', ['L', 'R'])
@pytest.mark.parametrize(('size', 'resolution'), [({'height': 128}, '1/2'), ({'scale': 0.25}, '1/4')])
def test_only_the_pixels_differ_and_by_little(tmp_path, side, size, resolution):
    box = BOX if side == 'L' else (WIDTH - BOX[2], BOX[1], WIDTH - BOX[0], BOX[3])
    record = record_of(jpeg2000_file(tmp_path / 'x.dcm', side), side, findings=(Finding(box, 'mass'),))
    full = prepare_image(record, PrepareOptions(**size, crop=False))
    coarse = prepare_image(record, PrepareOptions(**size, crop=False, coarse_jpeg2000=True))
    assert coarse.image.source == {'path': 'x.dcm', 'resolution': resolution}
    assert full.image.source == {'path': 'x.dcm'}
    assert coarse.image.affine == full.image.affine
    assert [finding.bbox for finding in coarse.image.findings] == [finding.bbox for finding in full.image.findings]
    assert (coarse.quality.rows, coarse.quality.columns, coarse.quality.bits) == (*SIZE, 12)
    assert coarse.quality.problems == full.quality.problems
    assert coarse.pixels.shape == full.pixels.shape
    breast = full.pixels > 0
    difference = (coarse.pixels - full.pixels)[breast]
    assert 0 < np.sqrt((difference**2).mean()) < 0.04 and abs(difference.mean()) < 0.002


def test_the_breast_does_not_move(tmp_path):
    record = record_of(jpeg2000_file(tmp_path / 'x.dcm'))
    centres = []
    for coarse in (False, True):
        pixels = prepare_image(record, PrepareOptions(height=128, crop=False, coarse_jpeg2000=coarse)).pixels
        y, x = np.mgrid[: pixels.shape[0], : pixels.shape[1]]
        centres.append([(pixels * y).sum() / pixels.sum(), (pixels * x).sum() / pixels.sum()])
    assert np.abs(np.subtract(*centres)).max() < 0.05  # of pixels that are two of the source


@pytest.mark.parametrize('size', [{'height': 129}, {'height': 1000}])
def test_an_image_that_is_shrunk_to_more_than_half_keeps_its_pixels(tmp_path, size):
    record = record_of(jpeg2000_file(tmp_path / 'x.dcm'))
    coarse = prepare_image(record, PrepareOptions(**size, coarse_jpeg2000=True))
    assert coarse.image.source == {'path': 'x.dcm'}
    assert np.array_equal(coarse.pixels, prepare_image(record, PrepareOptions(**size)).pixels)


@pytest.mark.parametrize(
    ('options', 'found'),
    [
        ({}, 'full size'),
        ({'long_side': 512}, 'long_side 512'),
        ({'spacing': 0.2}, 'spacing 0.2'),
        ({'scale': 0.6}, 'scale 0.6'),
        ({'height': 512, 'voi': False}, 'without voi'),
    ],
)
def test_where_it_could_never_help_it_is_refused(options, found):
    with pytest.raises(MammoError, match=f'coarse_jpeg2000: found True.* {found}'):
        PrepareOptions(coarse_jpeg2000=True, **options)


@pytest.mark.parametrize('later', [{'coarse_jpeg2000': True}, {'crop_method': 'rsna'}], ids=str)
def test_sets_that_were_made_before_there_was_the_option_are_finished(later):
    options = PrepareOptions(height=128)
    said = asdict(options)
    for name in ('coarse_jpeg2000', 'crop_method', 'pectoral_method'):
        del said[name]
    before = hashlib.sha256(json.dumps([4, said], sort_keys=True).encode()).hexdigest()[:16]
    assert options.digest() == before != PrepareOptions(height=128, **later).digest()


def prepare(raw, out, **options):
    summary = prepare_dataset(
        list_records(raw), out, PrepareOptions(height=128, **options), categories=CATEGORIES, source='folder'
    )
    images = [i for split in ('train', 'val', 'test') for i in read_index(out / f'annotations/{split}.json').images]
    return summary, {image.source['path']: image.source.get('resolution') for image in images}


def test_a_set_says_of_which_images_it_was_made_so(tmp_path):
    raw = tmp_path / 'raw'
    jpeg2000_file(raw / 'a/L_CC.dcm')
    jpeg2000_file(raw / 'a/R_CC.dcm', 'R', WindowWidth=None)
    write_dicom(raw / 'b/L_CC.dcm', draw_breast())
    write_png(raw / 'b/R_CC.png', draw_breast('R'))
    summary, resolutions = prepare(raw, tmp_path / 'coarse', coarse_jpeg2000=True)
    assert resolutions == {'a/L_CC.dcm': '1/2', 'a/R_CC.dcm': None, 'b/L_CC.dcm': None, 'b/R_CC.png': None}
    facts = json.loads((tmp_path / 'coarse/prepare.json').read_text())
    assert summary.coarse == facts['counts']['coarse'] == 1 and facts['options']['coarse_jpeg2000'] is True
    assert prepare(raw, tmp_path / 'full')[0].coarse == 0
    files = sorted(path.relative_to(tmp_path / 'full') for path in tmp_path.glob('full/images/*/*.png'))
    same = [(tmp_path / 'full' / name).read_bytes() == (tmp_path / 'coarse' / name).read_bytes() for name in files]
    assert len(files) == 4 and same.count(False) == 1

"""JPEG 2000 at a lower resolution of its own: where its samples lie, which files it is done with, what else happens."""

import io
import math
import warnings

import numpy as np
import pytest
from dicom_factory import make_dicom, save_dicom
from PIL import Image
from pydicom import dcmread
from pydicom.encaps import encapsulate
from pydicom.uid import JPEG2000, UID, JPEG2000Lossless, JPEGLSLossless

from mmmammo.io import CorruptFile, MammogramError, read_mammogram
from mmmammo.io.codestream import JPEG2000Header, first_frame, jpeg2000_header
from mmmammo.io.dicom_file import open_dicom
from mmmammo.io.stored_values import decode
from mmmammo.structures import MammoError, Policy

SHAPE = HEIGHT, WIDTH = 256, 208
Y, X = np.mgrid[:HEIGHT, :WIDTH]
RAMP = (4 * X + 8 * Y).astype('u2')
WINDOW = {'WindowCenter': 2048, 'WindowWidth': 4096}


def blurred_disc(y, x, radius=23.0):
    """Of 12 bits, with an edge that is a few pixels wide."""
    return (200 + 3500 / (1 + np.exp((np.hypot(Y - y, X - x) - radius) / 2))).astype('u2')


def compressed(pixels, syntax=JPEG2000Lossless, bits=12, **tags):
    dataset = make_dicom(pixels, **({'BitsStored': bits, 'HighBit': bits - 1} | WINDOW | tags))
    dataset.file_meta.TransferSyntaxUID = UID('1.2.840.10008.1.2.1')
    dataset.compress(syntax)
    return dataset


def with_frame(pixels, frame, bits=16, syntax=JPEG2000Lossless, **tags):
    dataset = make_dicom(pixels, **({'BitsStored': bits, 'HighBit': bits - 1} | WINDOW | tags))
    dataset.file_meta.TransferSyntaxUID = syntax
    dataset.PixelData = encapsulate([frame])
    dataset['PixelData'].is_undefined_length = True
    return dataset


def by_pillow(pixels, **options):
    """A codestream of 8 or 16 bits."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, 'JPEG2000', **{'no_jp2': True} | options)
    return buffer.getvalue()


def saved(dataset, path):
    dataset.save_as(path / 'x.dcm', enforce_file_format=True)
    return path / 'x.dcm'


def decoded(dataset, tmp_path, rows_needed=math.inf):
    path = saved(dataset, tmp_path)
    return decode(open_dicom(path, with_pixels=True), path, rows_needed)


@pytest.mark.parametrize('halvings', [1, 2, 3])
def test_samples_lie_where_the_full_image_has_them(tmp_path, halvings):
    """On a ramp all details of the 5/3 wavelet are zero but at the far edges: not a grey level may change."""
    stored = decoded(compressed(RAMP), tmp_path, 1 / 2**halvings)
    inside = np.s_[: -(8 * 2**halvings), : -(8 * 2**halvings)]
    assert stored.halvings == halvings
    assert stored.patterns.shape == SHAPE and stored.patterns.dtype == np.uint16
    np.testing.assert_array_equal(stored.patterns[inside], RAMP[inside])


@pytest.mark.parametrize('halvings', [1, 2])
@pytest.mark.parametrize('place', [(100.0, 80.0), (101.0, 81.5), (103.3, 83.7)])
def test_a_disc_stays_where_it_is(tmp_path, place, halvings):
    coarse = decoded(compressed(blurred_disc(*place)), tmp_path, 1 / 2**halvings)
    assert coarse.halvings == halvings
    disc = coarse.patterns.astype(float) - 200
    centre = (disc * Y).sum() / disc.sum(), (disc * X).sum() / disc.sum()
    assert centre == pytest.approx(place, abs=0.1)


@pytest.mark.parametrize(
    ('rows_needed', 'halvings'),
    [(257, 0), (256, 0), (129, 0), (128, 1), (65, 1), (64, 2), (1.0, 0), (0.51, 0), (0.5, 1), (0.25, 2), (0.01, 5)],
)
def test_never_fewer_rows_than_are_needed(tmp_path, rows_needed, halvings):
    assert decoded(compressed(RAMP), tmp_path, rows_needed).halvings == halvings


@pytest.mark.parametrize(('shape', 'halvings'), [((256, 201), 1), ((253, 208), 1), ((255, 206), 2), ((254, 207), 2)])
def test_sizes_that_are_no_multiples(tmp_path, shape, halvings):
    """Pillow does not compute a quarter of 201 or 253, which the standard rounds up: then a half has to do."""
    pixels = RAMP[: shape[0], : shape[1]]
    stored = decoded(compressed(pixels), tmp_path, 0.25)
    assert stored.halvings == halvings and stored.patterns.shape == shape
    np.testing.assert_array_equal(stored.patterns[:-40, :-40], pixels[:-40, :-40])


def test_a_stream_with_fewer_levels_is_halved_as_often_as_it_can(tmp_path):
    frame = by_pillow(RAMP, num_resolutions=2)
    assert jpeg2000_header(frame) == JPEG2000Header((*SHAPE, 1), 16, False, 1)
    stored = decoded(with_frame(RAMP, frame), tmp_path, 0.125)
    assert stored.halvings == 1
    np.testing.assert_array_equal(stored.patterns[:-16, :-16], RAMP[:-16, :-16])
    whole = with_frame(RAMP, by_pillow(RAMP, num_resolutions=1))
    assert decoded(whole, tmp_path, 0.125).halvings == 0


@pytest.mark.parametrize(
    'options',
    [{'tile_size': (52, 64)}, {'tile_size': (33, 31)}, {'irreversible': True}, {'progression': 'RPCL'}],
    ids=['tiles', 'tiles of odd sides', 'the 9/7 wavelet', 'another order'],
)
def test_other_kinds_of_streams(tmp_path, options):
    smooth = (blurred_disc(100, 80) // 16).astype('u1')
    dataset = with_frame(smooth, by_pillow(smooth, **options), bits=8, syntax=JPEG2000)
    stored = decoded(dataset, tmp_path, 0.5)
    assert stored.halvings == 1
    difference = np.abs(stored.patterns.astype(int) - smooth)
    assert difference.max() < 10 and difference.mean() < 0.1


def test_samples_of_eight_bits(tmp_path):
    pixels = (RAMP // 16).astype('u1')
    stored = decoded(compressed(pixels, bits=8), tmp_path, 0.5)
    assert stored.halvings == 1 and stored.patterns.dtype == np.uint8
    assert np.abs(stored.patterns.astype(int) - pixels)[:-16, :-16].max() <= 1


@pytest.mark.parametrize('bits', [10, 12, 14, 16])
def test_what_overshoots_the_range_is_clipped_and_wraps_nowhere(tmp_path, bits):
    white = 2**bits - 1
    edge = np.where((X - 100.5) * 3 + Y < 120, white, 0).astype('u2')
    stored = decoded(compressed(edge, bits=bits), tmp_path, 0.5)
    assert stored.halvings == 1 and stored.bits == bits
    far = np.abs((X - 100.5) * 3 + Y - 120) > 30
    np.testing.assert_array_equal(stored.patterns[far], edge[far])
    assert stored.patterns.max() == white


def test_the_reader_says_that_it_was_done(tmp_path):
    pixels = blurred_disc(100, 80)
    path = saved(compressed(pixels), tmp_path)
    coarse, full = read_mammogram(path, rows_needed=128), read_mammogram(path)
    assert coarse.meta.attributes['halvings'] == 1 and 'halvings' not in full.meta.attributes
    assert {**coarse.meta.attributes} == {**full.meta.attributes, 'halvings': 1}
    assert coarse.meta.bits_stored == full.meta.bits_stored == 12
    native = read_mammogram(save_dicom(make_dicom(pixels, BitsStored=12, HighBit=11, **WINDOW), tmp_path / 'n.dcm'))
    assert np.array_equal(full.pixels, native.pixels), 'without the option every pixel is as it was stored'
    assert 0 < np.abs(coarse.pixels - full.pixels).max() < 0.02


NOT_PLAIN = {
    'signed': lambda: compressed((RAMP - 500).astype('i2')),
    'another syntax': lambda: compressed(RAMP, JPEGLSLossless),
    'no window': lambda: compressed(RAMP, WindowWidth=None),
    'padding within': lambda: compressed(RAMP, PixelPaddingValue=2000),
    'padding up to': lambda: compressed(RAMP, PixelPaddingValue=0, PixelPaddingRangeLimit=40),
    'white padding': lambda: compressed(RAMP, PixelPaddingValue=0, PhotometricInterpretation='MONOCHROME1'),
    'boxes': lambda: with_frame(RAMP, by_pillow(RAMP, no_jp2=False)),
    'an offset': lambda: with_frame(RAMP, by_pillow(RAMP, offset=(3, 5), tile_offset=(0, 0), tile_size=(512, 512))),
    'no end': lambda: with_frame(RAMP, by_pillow(RAMP)[:-2]),
}


@pytest.mark.parametrize('make', NOT_PLAIN.values(), ids=NOT_PLAIN)
def test_what_is_not_plain_is_decoded_in_full(tmp_path, make):
    dataset = make()
    try:
        expected = decoded(dataset, tmp_path).patterns
    except MammogramError as err:  # what full decoding says of it is what is said
        with pytest.raises(type(err)):
            decoded(dataset, tmp_path, 0.5)
        return
    stored = decoded(dataset, tmp_path, 0.5)
    assert stored.halvings == 0
    np.testing.assert_array_equal(stored.patterns, expected)


@pytest.mark.parametrize(
    'tags',
    [
        {'PixelPaddingValue': 0},
        {'PixelPaddingValue': 4095, 'PixelPaddingRangeLimit': 65535, 'PhotometricInterpretation': 'MONOCHROME1'},
    ],
)
def test_padding_that_is_shown_black_does_no_harm(tmp_path, tags):
    assert decoded(compressed(RAMP, **tags), tmp_path, 0.5).halvings == 1


@pytest.mark.parametrize(
    ('tags', 'how'),
    [
        ({'PresentationIntentType': 'FOR PROCESSING'}, {'for_processing': Policy.ACCEPT}),
        ({'PresentationIntentType': 'FOR PROCESSING'}, {'for_processing': Policy.MEND}),
        ({}, {'use_voi': False}),
        ({'WindowCenter': 30000, 'WindowWidth': 60000}, {}),
    ],
    ids=['raw', 'mended', 'range', 'window for another depth'],
)
def test_where_extremes_of_all_pixels_decide_all_are_decoded(tmp_path, tags, how):
    path = saved(compressed(blurred_disc(100, 80), **tags), tmp_path)
    coarse, full = read_mammogram(path, rows_needed=0.5, **how), read_mammogram(path, **how)
    assert coarse.meta.attributes == full.meta.attributes
    np.testing.assert_array_equal(coarse.pixels, full.pixels)


def test_a_cut_stream_is_corrupt(tmp_path):
    dataset = compressed(blurred_disc(100, 80))
    frame = first_frame(dcmread(saved(dataset, tmp_path)))
    for end in (100, len(frame) // 2, len(frame) - 200):
        path = saved(with_frame(RAMP, frame[:end], bits=12), tmp_path)
        with pytest.raises(CorruptFile, match='cannot be decoded'):
            read_mammogram(path, rows_needed=0.5)


def test_damage_is_refused_with_a_reason_or_not_seen(tmp_path):
    """Nothing but the package's own errors; the seed makes files of both kinds."""
    rng, outcomes = np.random.default_rng(0), set()
    clean = bytearray(first_frame(dcmread(saved(compressed(blurred_disc(100, 80)), tmp_path))))
    for _ in range(60):
        frame = clean.copy()
        for place in rng.integers(len(frame) if rng.uniform() < 0.5 else 120, size=3):
            frame[place] = rng.integers(256)
        path = saved(with_frame(RAMP, bytes(frame), bits=12), tmp_path)
        try:
            outcomes.add('halvings' in read_mammogram(path, rows_needed=0.5).meta.attributes)
        except MammogramError as err:
            assert err.reason
            outcomes.add('refused')
    assert {True, 'refused'} <= outcomes


def test_the_limits_of_pillow_are_not_ours(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, 'MAX_IMAGE_PIXELS', 100)  # it warns above, and raises from the double
    with warnings.catch_warnings():
        warnings.simplefilter('error', Image.DecompressionBombWarning)
        assert decoded(compressed(RAMP), tmp_path, 0.5).halvings == 1


def test_without_the_codec_of_pillow_all_is_decoded(tmp_path, monkeypatch):
    def fail(_):
        raise OSError('decoder jpeg2k not available')

    monkeypatch.setattr('mmmammo.io.coarse.Jpeg2KImageFile', fail)
    stored = decoded(compressed(RAMP), tmp_path, 0.5)
    assert stored.halvings == 0
    np.testing.assert_array_equal(stored.patterns, RAMP)


@pytest.mark.parametrize('rows_needed', [0, -1, math.nan])
def test_no_rows_cannot_be_needed(tmp_path, rows_needed):
    with pytest.raises(MammoError, match=r'rows_needed: found .*greater than 0'):
        read_mammogram(tmp_path / 'any.dcm', rows_needed=rows_needed)


@pytest.mark.parametrize('end', [0, 3, 44, 50])
def test_a_header_that_is_cut_off_is_none(end):
    assert jpeg2000_header(by_pillow(RAMP)[:end]) is None

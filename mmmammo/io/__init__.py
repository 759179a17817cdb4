"""Files to images and back: DICOM, raster images, prepared sets. No torch."""

from mmmammo.io.decoded import read_decoded
from mmmammo.io.errors import (
    CorruptFile,
    MammogramError,
    NotAMammogram,
    NotForPresentation,
    UnsupportedPixelData,
)
from mmmammo.io.film_scan import read_film_scan
from mmmammo.io.heatmap_files import StoredHeatmap, read_heatmap, write_heatmap, write_heatmap_pictures
from mmmammo.io.mammogram import read_mammogram, read_meta
from mmmammo.io.png16 import as_read, read_png16, write_png8, write_png16
from mmmammo.io.predictions import read_predictions, write_predictions
from mmmammo.io.view_names import parse_view_name

__all__ = [
    'as_read',
    'CorruptFile',
    'MammogramError',
    'NotAMammogram',
    'NotForPresentation',
    'StoredHeatmap',
    'UnsupportedPixelData',
    'parse_view_name',
    'read_decoded',
    'read_film_scan',
    'read_heatmap',
    'read_mammogram',
    'read_meta',
    'read_png16',
    'read_predictions',
    'write_heatmap',
    'write_heatmap_pictures',
    'write_png16',
    'write_png8',
    'write_predictions',
]

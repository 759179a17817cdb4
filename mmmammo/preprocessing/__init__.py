"""Array functions that prepare a mammogram: they know no files and no labels."""

from mmmammo.preprocessing.breast_mask import segment_breast
from mmmammo.preprocessing.crop import crop_to_breast
from mmmammo.preprocessing.pectoral import remove_pectoral

__all__ = [
    'crop_to_breast',
    'remove_pectoral',
    'segment_breast',
]

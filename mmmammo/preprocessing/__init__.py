"""Array functions that prepare a mammogram: they know no files and no labels."""

from mmmammo.preprocessing.breast_mask import segment_breast
from mmmammo.preprocessing.clahe import clahe_fuse
from mmmammo.preprocessing.crop import crop_to_breast
from mmmammo.preprocessing.film import remove_film_artifacts
from mmmammo.preprocessing.orientation import breast_side, orient_chest_left
from mmmammo.preprocessing.pectoral import remove_pectoral
from mmmammo.preprocessing.small_copy import SmallCopy

__all__ = [
    'SmallCopy',
    'breast_side',
    'clahe_fuse',
    'crop_to_breast',
    'orient_chest_left',
    'remove_film_artifacts',
    'remove_pectoral',
    'segment_breast',
]

"""The quality gate: what is wrong with an image that can be read, and what is done about it.

One small check per problem, each of which returns a :class:`Fault` or nothing; :class:`Gate` decides by the policies
and keeps the record for ``quality.csv``.
"""

from mmmammo.prepare.gate.decisions import Fault, Gate
from mmmammo.prepare.gate.header_checks import check_header, tables_fault
from mmmammo.prepare.gate.marks import blank_marks, film_fault
from mmmammo.prepare.gate.pixel_checks import check_pixels, looks_inverted, no_breast

__all__ = [
    'Fault',
    'Gate',
    'blank_marks',
    'check_header',
    'check_pixels',
    'film_fault',
    'looks_inverted',
    'no_breast',
    'tables_fault',
]

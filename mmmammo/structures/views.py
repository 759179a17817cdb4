"""Which breast, seen from where."""

from __future__ import annotations

from enum import StrEnum


class Laterality(StrEnum):
    """Side of the woman's body. ``UNKNOWN`` is a value, never a guess."""

    LEFT = 'L'
    RIGHT = 'R'
    UNKNOWN = 'U'

    @property
    def other(self) -> Laterality:
        """The opposite side; unknown stays unknown."""
        return {Laterality.LEFT: Laterality.RIGHT, Laterality.RIGHT: Laterality.LEFT}.get(self, Laterality.UNKNOWN)

    @classmethod
    def parse(cls, text: object) -> Laterality:
        """Read ``L``, ``LEFT``, ``R`` or ``RIGHT`` in any case; anything else is ``UNKNOWN``."""
        return _LATERALITY_WORDS.get(str(text or '').strip().upper(), cls.UNKNOWN)


class View(StrEnum):
    """Projection of a mammogram, in the abbreviations of DICOM CID 4014.

    ML and LM are true laterals, not MLO. AT (axillary tail) is a modifier in DICOM but a view in the RSNA tables.
    """

    CC = 'CC'
    MLO = 'MLO'
    ML = 'ML'
    LM = 'LM'
    LMO = 'LMO'
    FB = 'FB'
    XCCL = 'XCCL'
    XCCM = 'XCCM'
    SIO = 'SIO'
    ISO = 'ISO'
    AT = 'AT'
    SPECIMEN = 'SPECIMEN'
    UNKNOWN = 'UNKNOWN'

    @classmethod
    def parse(cls, text: object) -> View:
        """Read an abbreviation in any case, exactly; anything else is ``UNKNOWN``."""
        word = str(text or '').strip().upper()
        return cls(word) if word in cls.__members__ else cls.UNKNOWN

    @property
    def partner(self) -> View:
        """The other standard projection of the same breast; non-standard projections have none."""
        return {View.CC: View.MLO, View.MLO: View.CC}.get(self, View.UNKNOWN)


STANDARD_VIEWS: tuple[View, ...] = (View.CC, View.MLO)
"""The projections that are paired with each other; the rest is carried along unpaired."""

_LATERALITY_WORDS = {
    'L': Laterality.LEFT,
    'LEFT': Laterality.LEFT,
    'R': Laterality.RIGHT,
    'RIGHT': Laterality.RIGHT,
}

"""What can be wrong with a file that should hold a mammogram; each error names the file, the tag and the remedy."""

from mmmammo.structures import MammoError, Problem


class MammogramError(MammoError):
    """A file that cannot be used as a mammogram."""

    usual_problem = Problem.UNREADABLE


class CorruptFile(MammogramError):
    """Missing, empty, truncated or undecodable, or neither a DICOM file nor a raster image."""


class NotAMammogram(MammogramError):
    """A sound file that shows something else: a CT, a report, the radiograph of a hand."""

    usual_problem = Problem.MODALITY


class UnsupportedPixelData(MammogramError):
    """A mammogram without a two-dimensional grey image that can be shown: none, colour, many frames, unknown codec."""


class NotForPresentation(MammogramError):
    """The raw image of the detector, before the processing that makes a picture of it."""

    usual_problem = Problem.FOR_PROCESSING

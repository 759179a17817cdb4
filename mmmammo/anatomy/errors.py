"""The one complaint of this package."""

from mmmammo.structures import MammoError


class LandmarkError(MammoError):
    """An image or a request from which no landmarks can be had."""

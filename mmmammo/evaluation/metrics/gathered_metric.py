"""What every metric needs: small records of images, gathered from all processes, each image once."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.dist import get_world_size
from mmengine.evaluator import BaseMetric

from mmmammo.structures import MammoError

_WHOSE = ('exam_id', 'file_name')


class GatheredMetric(BaseMetric):
    """Base of metrics over records of images.

    Subclasses fill :meth:`record` and :meth:`score`.

    A data set of exams yields several images per item, so the ``size`` that MMEngine passes (the length of the data
    set) counts something else, and processes may hold different numbers of images; ``BaseMetric`` would silently
    cut the results to that size. Here each process hands over one parcel with all it has, and images that a sampler
    repeated to even out the processes are dropped by their id.

    Args:
        collect_device: See ``BaseMetric``.
        prefix: See ``BaseMetric``.
        collect_dir: See ``BaseMetric``.
    """

    @abstractmethod
    def record(self, sample: Mapping[str, Any]) -> Any:
        """What to keep of a data sample, on the CPU; it has an ``image_id``."""

    @abstractmethod
    def score(self, images: list[Any]) -> dict[str, float]:
        """Turn the records, in order of their id, into named numbers. The names must not depend on the data."""

    def completed(self, images: list[Any]) -> list[Any]:
        """The records after what can be done only when all are at hand; here nothing."""
        return images

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Keep the record of each image.

        Args:
            data_batch: Not used.
            data_samples: Data samples as dicts, as MMEngine's evaluator passes them.

        Raises:
            MammoError: If a sample lacks its id, its truth or its predictions.
        """
        self.results.extend(self.record(sample) for sample in data_samples)

    def evaluate(self, size: int) -> dict[str, float]:
        """Gather and score; ``size`` is ignored, see the class."""
        self.results = [list(self.results)]
        return super().evaluate(get_world_size())

    def compute_metrics(self, results: list[list[Any]]) -> dict[str, float]:
        """Drop repeats and score.

        Raises:
            MammoError: If no image was processed, or two images have one id, as those of two prepared sets do.
        """
        images: dict[int, Any] = {}
        for image in (image for parcel in results for image in parcel):
            _require_repeat(images.setdefault(image.image_id, image), image)
        if not images:
            raise MammoError(
                type(self).__name__,
                field='images',
                found='none',
                expected='at least one',
                remedy='look whether the dataloader of this metric is empty',
            )
        return self.score(self.completed([images[image_id] for image_id in sorted(images)]))


def _require_repeat(first: Any, image: Any) -> None:
    """Refuse two images of one id, of which one would be dropped."""
    names = [[getattr(getattr(one, 'image', one), key, None) for key in _WHOSE] for one in (first, image)]
    if names[0] != names[1]:
        raise MammoError(
            f'image {image.image_id}',
            field=', '.join(_WHOSE),
            found=' and '.join(str(tuple(name)) for name in names),
            expected='one image of each id',
            remedy='to test several prepared sets at once, make them one with tools/merge_sets.py',
        )


def require(sample: Mapping[str, Any], key: str, remedy: str) -> Any:
    """What a data sample holds under ``key``.

    Raises:
        MammoError: If that is nothing.
    """
    value = sample.get(key)
    if value is None:
        where = f'data sample {sample.get("img_path", sample.get("img_id", ""))}'
        raise MammoError(where, field=key, found='nothing', expected='present', remedy=remedy)
    return value


def patients_of(images: Sequence[Any]) -> list[str]:
    """Patient of each record.

    Raises:
        MammoError: If one has none.
    """
    patients = [image.patient_id for image in images]
    if not all(patients):
        raise MammoError(
            f'image {images[patients.index("")].image_id}',
            field='patient_id',
            found='nothing',
            expected='an id: the bootstrap resamples patients',
            remedy="add 'patient_id' to the meta_keys of the packing transform, or set bootstrap=0",
        )
    return patients

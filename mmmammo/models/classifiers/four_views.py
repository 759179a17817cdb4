"""Where in a batch of images the four standard views of each exam are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from mmmammo.structures import STANDARD_VIEWS, Laterality, MammoError

SIDES = (Laterality.LEFT, Laterality.RIGHT)


@dataclass(frozen=True, eq=False)
class FourViews:
    """Images of a batch as exams of two projections of two breasts.

    Args:
        exam: (n,) number of the exam that an image belongs to.
        view: (n,) 0 for CC, 1 for MLO.
        side: (n,) 0 for left, 1 for right.
        num_exams: How many.
    """

    exam: Tensor
    view: Tensor
    side: Tensor
    num_exams: int

    @classmethod
    def of(cls, samples: Sequence[Any]) -> FourViews:
        """Read exam, side and view off data samples.

        Args:
            samples: With the meta information ``exam_id``, ``laterality`` and ``view``, and ``exam_slot`` where
                :func:`mmmammo.datasets.exam_collate` has made the batch.

        Raises:
            MammoError: If an image is none of the four views, or an exam has one twice.
        """
        exams: dict[tuple[Any, Any], int] = {}
        places: dict[tuple[int, int, int], Any] = {}
        for sample in samples:
            meta = sample.metainfo
            exam = exams.setdefault((meta.get('exam_slot', 0), meta.get('exam_id')), len(exams))
            side, view = meta.get('laterality'), meta.get('view')
            if side not in SIDES or view not in STANDARD_VIEWS:
                raise _error(meta, f'{side} {view}', 'L or R, CC or MLO')
            place = (exam, STANDARD_VIEWS.index(view), SIDES.index(side))
            if place in places:
                raise _error(meta, f'a second {side} {view}', 'each of the four views once')
            places[place] = sample
        exam, view, side = torch.tensor(list(places), dtype=torch.long).reshape(-1, 3).T
        return cls(exam, view, side, len(exams))

    @property
    def present(self) -> Tensor:
        """(exams, views, sides) which images there are, bool."""
        there = torch.zeros(self.num_exams, len(STANDARD_VIEWS), len(SIDES), dtype=torch.bool)
        there[self.exam, self.view, self.side] = True
        return there

    def of_breasts(self, values: Tensor) -> Tensor:
        """(n, …) the values (exams, sides, …) of the breast that each image shows."""
        return values[self.exam.to(values.device), self.side.to(values.device)]

    def by_breast(self, values: Tensor) -> Tensor:
        """(exams, sides, …) from (n, …) values of images that repeat those of their breast; nan where there is none."""
        out = values.new_full((self.num_exams, len(SIDES), *values.shape[1:]), float('nan'))
        out[self.exam.to(values.device), self.side.to(values.device)] = values
        return out


def _error(meta: Mapping[str, Any], found: str, expected: str) -> MammoError:
    return MammoError(
        f'exam {meta.get("exam_id")}',
        field='laterality, view',
        found=found,
        expected=expected,
        remedy='load exams with mmmammo.FourViewDataset, which keeps one image of each of the four views',
    )

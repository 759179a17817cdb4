"""What running a model on a user's files takes, whatever the model says of them."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from mmcv.transforms import LoadAnnotations
from mmengine.config import Config
from mmengine.dataset import Compose, pseudo_collate
from mmengine.infer import BaseInferencer
from torch import nn

from mmmammo.apis.exam_inputs import ExamInputs, list_inputs
from mmmammo.datasets.mammogram_dataset import image_record
from mmmammo.datasets.transforms import LoadMammogram
from mmmammo.engine.checkpoint import classes_of, require_checkpoint_of, use_safe_loading
from mmmammo.engine.gpu_operators import require_operators
from mmmammo.memory import is_out_of_memory
from mmmammo.prepare import Prepared, PreparedExam, PrepareOptions, QualityRow, by_exam, prepare_ahead, prepare_exam
from mmmammo.prepare.exams import NO_MEMORY, rejected_row
from mmmammo.prepare.journal import sha256_of
from mmmammo.structures import ImageRecord, MammoError

Data = dict[str, Any]
Result = TypeVar('Result')


class ExamStream(BaseInferencer, Generic[Result]):
    """Base of inferencers that take exams as they lie on a user's disk, and hold one at a time and few prepared ones.

    Args:
        cfg: Of the model, for testing.
        checkpoint: Its weights; they must know their classes, as those of ``tools/train.py`` do.
        device: ``'cuda:0'``, ``'cpu'``, …; by default the best there is.
        options: How files are prepared.

    Raises:
        MammoError: If the checkpoint is missing or not the config's, there is no such device, or mmcv has no operators
            for it.
    """

    def __init__(self, cfg: Config, checkpoint: str | Path, device: str | None, options: PrepareOptions) -> None:
        use_safe_loading()
        _require_device(device)
        self.checkpoint = Path(checkpoint)
        self.classes = classes_of(self.checkpoint)
        self.options = options
        super().__init__(cfg, str(checkpoint), device, scope=cfg.default_scope, show_progress=False)
        require_operators(self.model)

    @property
    def digest(self) -> str:
        """Changes with the config and with the checkpoint."""
        said = f'{self.cfg.pretty_text} {sha256_of(self.checkpoint)}'
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    def __call__(self, inputs: ExamInputs, workers: int = 0, **kwargs: Any) -> list[Result]:
        """All results at once; :meth:`stream` holds one exam at a time."""
        return list(self.stream(inputs, workers))

    def stream(self, inputs: ExamInputs, workers: int = 0) -> Iterator[Result]:
        """Results exam by exam.

        Args:
            inputs: A folder of DICOM or PNG exams, such files, ``annotations/<split>.json`` of a prepared set, whose
                images are taken as they are, or records of any source.
            workers: Processes that prepare the files of the next exams while the model is busy with this one; exams
                then come as they are done, and a script needs its ``if __name__ == '__main__'``. With 0 this process
                does all, in order of the exams' names.

        Raises:
            MammoError: If the folder is missing or holds no image, or what :func:`list_inputs` tells.
        """
        exams = by_exam(list_inputs(inputs))
        if workers:
            for exam in prepare_ahead(exams, self.options, workers):
                yield self._if_it_fits(exam.exam_id, exam.files, partial(self.infer_prepared, exam))
            return
        for exam_id, group in exams.items():
            files = [record.relative_path for record in group]
            yield self._if_it_fits(exam_id, files, partial(self.infer_exam, exam_id, group))

    def infer_exam(self, exam_id: str, records: Sequence[ImageRecord]) -> Result:
        """The result of one exam; unusable files are in its ``rejected``."""
        return self.infer_prepared(prepare_exam(exam_id, records, self.options))

    def _if_it_fits(self, exam_id: str, files: Sequence[str], infer: Callable[[], Result]) -> Result:
        """One exam, refused as a whole if the model's memory is too small for it; the next one may be smaller."""
        try:
            return infer()
        except (MemoryError, RuntimeError) as err:
            if not (isinstance(err, torch.OutOfMemoryError) or is_out_of_memory(err)):
                raise
        torch.cuda.empty_cache()
        return self.nothing_of(exam_id, [rejected_row(file, exam_id, NO_MEMORY, may_pass=True) for file in files])

    @abstractmethod
    def nothing_of(self, exam_id: str, rejected: Sequence[QualityRow]) -> Result:
        """The result of an exam none of whose files is used."""

    @abstractmethod
    def infer_prepared(self, exam: PreparedExam) -> Result:
        """The result of an exam whose files are prepared."""

    def packed(self, views: Sequence[Prepared]) -> tuple[list[tuple[Prepared, Data]], list[QualityRow]]:
        """Images beside what the model's pipeline makes of them, and those that it refuses with their reasons."""
        taken, refused = [], []
        for number, view in enumerate(views):
            try:
                taken.append((view, self.pipeline(view_results(number, view))))
            except MammoError as err:
                refused.append(rejected_row(view.quality.path, view.quality.exam_id, err.reason))
        return taken, refused

    def forward_in_batches(self, packed: Sequence[Data], size: int) -> list[Any]:
        """What the model says of each image, given at most ``size`` at once, however many an exam has."""
        batches = (packed[i : i + size] for i in range(0, len(packed), size))
        return [sample for batch in batches for sample in self.forward(next(self.preprocess(batch)))]

    def preprocess(self, inputs: Sequence[Data], batch_size: int = 1, **kwargs: Any) -> Iterator[Data]:
        """The batch of what :meth:`packed` made of an exam's images."""
        yield self.collate_fn(list(inputs))

    def _init_pipeline(self, cfg: Any) -> Compose:
        steps = Compose(cfg.test_dataloader.dataset.pipeline).transforms
        return Compose([_in_memory(step) for step in steps if not isinstance(step, LoadAnnotations)])

    def _init_collate(self, cfg: Any) -> Any:
        return pseudo_collate  # the views of one exam are a plain batch of images

    def _init_visualizer(self, cfg: Any) -> None:
        return None

    def _load_weights_to_model(self, model: nn.Module, checkpoint: dict | None, cfg: Any) -> None:
        require_checkpoint_of(model, self.checkpoint)
        super()._load_weights_to_model(model, checkpoint, cfg)


class _TakeMammogram(LoadMammogram):
    """As its parent, of pixels that are there already."""

    def _read(self, results: dict[str, Any]) -> npt.NDArray[np.float32]:
        pixels: npt.NDArray[np.float32] = results['img']
        return pixels


def view_results(number: int, view: Prepared) -> dict[str, Any]:
    """What a pipeline is given of a prepared image.

    Args:
        number: Of the image in its exam.
        view: The image.
    """
    record, shape = image_record(view.image, view.quality.path), view.pixels.shape
    return record | {'img_id': number, 'img': view.pixels, 'img_shape': shape, 'ori_shape': shape}


def _in_memory(step: Any) -> Any:
    return _TakeMammogram(full_range=step.full_range) if isinstance(step, LoadMammogram) else step


def _require_device(device: str | None) -> None:
    """See that tensors can be put there; torch says it in many ways."""
    if device is None:
        return
    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as err:
        raise MammoError(
            'device',
            field=device,
            found=str(err).splitlines()[0],
            expected=f'cpu{", cuda:0, …" if torch.cuda.is_available() else " (torch finds no GPU here)"}',
            remedy='choose another --device, or see python -m mmmammo.doctor',
        ) from err

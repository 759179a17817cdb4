"""Results of exams for a PACS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np

from mmmammo.apis.results import ExamResult, ImageResult
from mmmammo.io.dicom_sr import MarkedImage, write_detection_report, write_picture


class DicomWriter:
    """Writes a structured report per exam, and its panel as Secondary Capture: see :mod:`mmmammo.io.dicom_sr`.

    Args:
        out: Folder; made if need be.
        classes: Class list.
        files: The path of each file by the name it has in results.
        model: Which model it is, as the reports say it.
        version: Of this package.
        parameters: What decides which detections there are: see :func:`~mmmammo.io.dicom_sr.write_detection_report`.
    """

    def __init__(
        self,
        out: Path,
        classes: Sequence[str],
        files: Mapping[str, Path],
        model: str,
        version: str,
        parameters: Sequence[str] = (),
    ) -> None:
        self.out, self.classes, self.files = out, tuple(classes), dict(files)
        self.about = (model, version, tuple(parameters))

    def add(self, exam: ExamResult, panel: Path | None) -> list[Path]:
        """Write both of one exam, ``<exam>_report.dcm`` and ``<exam>_panel.dcm``; nothing of one without an image.

        Args:
            exam: Whose images must be DICOM files of one study.
            panel: Its picture, whose name the files get.

        Raises:
            MammoError: If the images are no such files; then neither is written.
        """
        if panel is None:
            return []
        report, captured = (self.out / f'{panel.stem}_{what}.dcm' for what in ('report', 'panel'))
        for path in (report, captured):
            path.unlink(missing_ok=True)  # of another run
        images = [self._marked(image) for image in exam.images]
        write_detection_report(report, images, *self.about, is_complete=not exam.rejected)
        picture = cv2.cvtColor(cv2.imread(str(panel), cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB).astype(np.uint8)
        return [report, write_picture(captured, picture, [image.path for image in images])]

    def _marked(self, image: ImageResult) -> MarkedImage:
        names = [self.classes[label] for label in image.labels]
        prepared = image.prepared
        path = self.files[prepared.quality.path]
        return MarkedImage(path, prepared.image.laterality, image.boxes, image.scores, names, image.lesions)

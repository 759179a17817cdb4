"""Results of an exam become DICOM files beside its panel."""

import io
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pydicom
import pytest
from rich.console import Console

from mmmammo.apis.dicom_results import DicomWriter
from mmmammo.apis.infer_command import tell_dicom
from mmmammo.structures import Laterality
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

PIXELS = draw_breast(size=(64, 48))
ROOT = Path(__file__).resolve().parents[2]


def image(name, boxes):
    boxes = np.array(boxes, dtype=float).reshape(-1, 4)
    prepared = SimpleNamespace(quality=SimpleNamespace(path=name), image=SimpleNamespace(laterality=Laterality.RIGHT))
    return SimpleNamespace(
        prepared=prepared,
        boxes=boxes,
        scores=np.full(len(boxes), 0.25),
        labels=np.ones(len(boxes), dtype=int),
        lesions=('',) * len(boxes),
    )


@pytest.fixture
def panel(tmp_path):
    path = tmp_path / 'panels' / 'exam 1.png'
    path.parent.mkdir()
    cv2.imwrite(str(path), np.full((9, 12, 3), (0, 64, 255), np.uint8))  # BGR
    return path


@pytest.fixture
def writer(tmp_path):
    """Knows a DICOM file and a PNG."""
    uids = {'StudyInstanceUID': '1.2.3', 'SeriesInstanceUID': '1.2.3.4'}
    files = {'e/a.dcm': write_dicom(tmp_path / 'raw/a.dcm', PIXELS, **uids), 'e/b.png': tmp_path / 'raw/b.png'}
    write_png(files['e/b.png'], PIXELS)
    return DicomWriter(tmp_path / 'dicom', ('benign', 'mass'), files, 'agrcnn epoch_3.pth', '1.0')


def test_a_report_and_a_picture_per_exam(writer, panel, tmp_path):
    exam = SimpleNamespace(images=[image('e/a.dcm', [(1, 2, 11, 22)])], rejected=())
    report, picture = writer.add(exam, panel)
    assert [path.relative_to(tmp_path).as_posix() for path in (report, picture)] == [
        'dicom/exam 1_report.dcm',
        'dicom/exam 1_panel.dcm',
    ]
    said = [element.value for element in pydicom.dcmread(report).iterall()]
    assert {'Mammographic breast mass', 'Right', 'agrcnn epoch_3.pth', '1.0'} <= {
        one for one in said if isinstance(one, str)
    }
    np.testing.assert_array_equal(pydicom.dcmread(picture).pixel_array[0, 0], (255, 64, 0))


def test_an_exam_without_an_image_has_none(writer):
    assert writer.add(SimpleNamespace(images=[]), None) == []


def test_files_that_are_no_dicom_are_told_and_nothing_is_written(writer, panel, tmp_path):
    console = Console(file=io.StringIO(), width=300)
    exam = SimpleNamespace(images=[image('e/a.dcm', [(1, 2, 11, 22)]), image('e/b.png', [])], rejected=())
    (tmp_path / 'dicom').mkdir()
    (tmp_path / 'dicom' / 'exam 1_report.dcm').write_text('of another run')
    assert tell_dicom(writer, exam, panel, console) == []
    assert 'no DICOM: b.png: format: found no DICOM' in console.file.getvalue()
    assert not list((tmp_path / 'dicom').iterdir())

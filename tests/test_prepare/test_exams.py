"""Exams prepared here, and ahead of a model in other processes."""

import errno
from concurrent.futures import BrokenExecutor, Future
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmammo.io import read_png16, write_png16
from mmmammo.io.exam_index import read_index
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions, QualityRow, by_exam, prepare_ahead, prepare_exam, prepare_image
from mmmammo.prepare import exams as module
from mmmammo.prepare.exams import NO_MEMORY, PassingFault
from mmmammo.prepare.indexed import list_index
from mmmammo.prepare.pool import DEAD_PROCESS
from mmmammo.sources import get_source
from mmmammo.structures import MammoError
from mmmammo.testing.prepared_set import make_prepared_set

OPTIONS = PrepareOptions(height=128)


@pytest.fixture(scope='module')
def exams(tmp_path_factory):
    """Two exams of two views, one with a file that is none."""
    root = tmp_path_factory.mktemp('exams')
    for index in range(2):
        for view in make_exam(PhantomConfig(height=256), seed=3, index=index).views[:2]:
            path = root / f'exam{index}' / f'{view.name}.png'
            path.parent.mkdir(exist_ok=True)
            cv2.imwrite(str(path), (view.image * 65535).astype(np.uint16))
    (root / 'exam1' / 'R_CC.dcm').write_bytes(b'no DICOM')
    return by_exam(get_source('folder').list_records(root))


def test_an_exam_is_prepared_as_a_set_would_hold_it(exams, tmp_path):
    exam = prepare_exam('exam1', exams['exam1'], OPTIONS)
    assert [view.quality.path for view in exam.views] == ['exam1/L_CC.png', 'exam1/L_MLO.png']
    assert [row.path for row in exam.rejected] == ['exam1/R_CC.dcm'] and 'Remedy' in exam.rejected[0].reason
    write_png16(tmp_path / 'image.png', prepare_image(exams['exam1'][0], OPTIONS).pixels)
    np.testing.assert_array_equal(exam.views[0].pixels, read_png16(tmp_path / 'image.png'))


def test_other_processes_make_the_same_exams(exams):
    ahead = {exam.exam_id: exam for exam in prepare_ahead(exams, OPTIONS, workers=2)}
    assert sorted(ahead) == sorted(exams)
    for exam_id, records in exams.items():
        here, there = prepare_exam(exam_id, records, OPTIONS), ahead[exam_id]
        assert here.rejected == there.rejected and here.files == there.files
        for view, other in zip(here.views, there.views, strict=True):
            assert view.quality == other.quality
            assert view.image.landmarks.to_json() == other.image.landmarks.to_json()
            np.testing.assert_array_equal(view.pixels, other.pixels)


def test_no_workers_are_refused(exams):
    with pytest.raises(MammoError, match='workers: found -1; expected at least 1'):
        next(prepare_ahead(exams, OPTIONS, workers=-1))


@pytest.mark.parametrize(
    'error, reason', [('broken', DEAD_PROCESS), ('memory', NO_MEMORY), ('ours', 'defect of mmmammo')]
)
def test_what_goes_wrong_at_one_file_costs_that_file(exams, monkeypatch, error, reason):
    errors = {'broken': BrokenExecutor(), 'memory': MemoryError(), 'ours': ZeroDivisionError()}

    class LastFirst(module.BoundedPool):
        """Hands files back last first; one fails."""

        def run(self, work, items):
            for item in reversed(list(items)):
                future = Future()
                if item.relative_path == 'exam0/L_CC.png':
                    future.set_exception(errors[error])
                else:
                    future.set_result(work(item))
                yield item, future

    monkeypatch.setattr(module, 'BoundedPool', LastFirst)
    last, first = prepare_ahead(exams, OPTIONS, workers=1)
    assert (last.exam_id, first.exam_id) == ('exam1', 'exam0')
    assert [view.quality.path for view in last.views] == ['exam1/L_CC.png', 'exam1/L_MLO.png']  # in order of names
    assert [view.quality.path for view in first.views] == ['exam0/L_MLO.png']
    assert first.rejected[0].path == 'exam0/L_CC.png' and first.rejected[0].reason.startswith(reason)
    assert isinstance(first.rejected[0], PassingFault)
    assert [type(row) for row in last.rejected] == [QualityRow]  # a file that is none today is none tomorrow


def test_a_file_that_may_not_be_read_may_be_readable_tomorrow(exams, monkeypatch):
    def refused(path, *args, **kwargs):
        raise PermissionError(errno.EACCES, 'Permission denied')

    monkeypatch.setattr(Path, 'open', refused)
    monkeypatch.setattr(Path, 'read_bytes', refused)
    monkeypatch.setattr('builtins.open', refused)
    (row,) = prepare_exam('exam0', exams['exam0'][:1], OPTIONS).rejected
    assert isinstance(row, PassingFault) and 'permission denied' in row.reason


def test_an_image_of_a_set_that_is_a_link_out_of_it_is_not_shown(tmp_path):
    root = make_prepared_set(tmp_path / 'set')
    images = read_index(root / 'annotations/train.json').images
    path = root / 'images' / images[0].file_name
    path.rename(tmp_path / 'private.png')
    path.symlink_to(tmp_path / 'private.png')
    exams = by_exam(list_index(root / 'annotations/train.json'))
    made = [prepare_exam(exam_id, records, OPTIONS) for exam_id, records in exams.items()]
    (refused,) = [row for exam in made for row in exam.rejected]
    assert refused.path == images[0].source['path'] and 'leads out of the folder' in refused.reason
    assert sum(len(exam.views) for exam in made) == len(images) - 1


def test_the_images_of_a_set_may_be_on_another_disk(tmp_path):
    root = make_prepared_set(tmp_path / 'set')
    (root / 'images').rename(tmp_path / 'disk')
    (root / 'images').symlink_to(tmp_path / 'disk')
    assert all(record.refused is None for record in list_index(root / 'annotations/train.json'))

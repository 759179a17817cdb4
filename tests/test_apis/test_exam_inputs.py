"""What inferencers are called on."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from mmmammo.apis.exam_inputs import list_inputs
from mmmammo.io.exam_index import PreparedSet, read_index, write_index
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.prepare import PrepareOptions, SetOptions, by_exam, prepare_dataset, prepare_exam
from mmmammo.prepare.merging import merge_sets
from mmmammo.sources import folder
from mmmammo.structures import MammoError


@pytest.fixture(scope='module')
def exams(tmp_path_factory):
    """Two exams of PNGs and a file that is none."""
    root = tmp_path_factory.mktemp('exams')
    write_exams(root, range(2))
    (root / 'exam1' / 'R_ML.dcm').write_bytes(b'no DICOM')
    return root


def write_exams(root, numbers):
    for number in numbers:
        for view in make_exam(PhantomConfig(height=256), seed=3, index=number).views:
            path = root / f'exam{number}' / f'{view.name}.png'
            path.parent.mkdir(exist_ok=True, parents=True)
            cv2.imwrite(str(path), (view.image * 65535).astype(np.uint16))


def prepared(exams, out):
    splits = SetOptions(fractions=(0, 0, 1))
    records = folder.list_records(exams)
    prepare_dataset(records, out, PrepareOptions(), splits, categories=folder.CATEGORIES, source='folder')
    return out / 'annotations' / 'test.json'


@pytest.fixture(scope='module')
def index(exams, tmp_path_factory):
    """The same exams as a prepared set."""
    return prepared(exams, tmp_path_factory.mktemp('sets') / 'set')


def names_of(records):
    return {exam: [record.relative_path for record in group] for exam, group in by_exam(records).items()}


def test_files_are_those_of_their_common_folder(exams):
    files = sorted(exams.glob('*/*.png'))
    in_folder = names_of(list_inputs(exams))
    in_folder['exam1'].remove('exam1/R_ML.dcm')
    assert names_of(list_inputs(files)) == names_of(list_inputs(map(str, files))) == in_folder


def test_an_image_alone_is_an_exam(exams):
    (record,) = list_inputs(exams / 'exam0' / 'L_CC.png')
    assert (record.exam_id, record.relative_path, record.laterality, record.view) == ('exam0', 'L_CC.png', 'L', 'CC')


def test_what_lies_beside_named_files_counts_for_them_only(tmp_path):
    for name in ('L_CC', 'R_CC'):
        cv2.imwrite(str(tmp_path / f'{name}.png'), np.zeros((8, 8), np.uint8))
    (tmp_path / 'annotations.csv').write_text('file,exam_id\nL_CC.png,first\nR_CC.png,second\n')
    point = '{"L_CC.png": {"nipple": [1, 2]}, "R_CC.png": {"nipple": [3, 4]}}'
    (tmp_path / 'manual_landmarks.json').write_text(point)
    (record,) = list_inputs([tmp_path / 'R_CC.png'])
    assert record.exam_id == 'second' and record.manual_landmarks['nipple'].tolist() == [3, 4]


def test_a_file_that_is_not_there_costs_itself_only(exams):
    files = [exams / 'exam0' / 'L_CC.png', exams / 'exam0' / 'L_MLO.png', exams / 'exam0', exams / 'exam0' / 'R_CC.dcm']
    (records,) = by_exam(list_inputs(files[:2] + files[3:])).values()
    exam = prepare_exam('exam0', records, PrepareOptions())
    assert [view.quality.path for view in exam.views] == ['L_CC.png', 'L_MLO.png']
    (row,) = exam.rejected
    assert row.path == 'R_CC.dcm' and 'no such file' in row.reason
    reasons = [record.refused and record.refused.found for record in list_inputs(files[:1] + files[2:3])]
    assert 'a folder' in reasons


def test_records_stay_and_a_mixture_is_refused(exams):
    records = list_inputs(exams)
    assert list_inputs(iter(records)) == records
    with pytest.raises(MammoError, match=r'inputs: kinds: found ImageRecord, PosixPath; expected paths of images only'):
        list_inputs([exams / 'exam0' / 'L_CC.png', records[0]])


def test_a_set_gives_what_preparation_gave(exams, index):
    of_files, of_set = by_exam(list_inputs(exams)), by_exam(list_inputs(index))
    assert of_set.keys() == of_files.keys()
    for exam_id, records in of_set.items():
        wanted = prepare_exam(exam_id, of_files[exam_id], PrepareOptions())
        found = prepare_exam(exam_id, records, PrepareOptions(crop=False))  # nothing is prepared
        assert [view.quality.path for view in found.views] == [view.quality.path for view in wanted.views]
        for one, other in zip(found.views, wanted.views, strict=True):
            assert np.array_equal(one.pixels, other.pixels)
            assert np.array_equal(one.image.affine.matrix, other.image.affine.matrix)
            assert one.quality == other.quality


def test_a_set_without_its_table_knows_what_was_used_of_the_source(index, tmp_path):
    images = read_index(index).images
    write_index(tmp_path / 'annotations' / 'test.json', PreparedSet(images, ('mass',)))
    for record in list_inputs(tmp_path / 'annotations' / 'test.json'):
        corners = record.image.affine.inverse().boxes(np.array([[0, 0, record.image.width, record.image.height]]))
        assert corners[0, 2:].tolist() == [record.quality.columns, record.quality.rows]
        assert record.relative_path == record.image.source['path'] == record.quality.path


def test_a_png_of_a_set_that_is_gone_costs_itself_only(index):
    records = by_exam(list_inputs(index))['exam0']
    lost = [replace(records[0], path=records[0].path.with_name('gone.png')), *records[1:]]
    exam = prepare_exam('exam0', lost, PrepareOptions())
    assert len(exam.views) == 3 and [row.path for row in exam.rejected] == [records[0].relative_path]


def test_a_merged_set_has_the_rows_of_its_parts(index, tmp_path):
    write_exams(tmp_path / 'others', [2])
    others = prepared(tmp_path / 'others', tmp_path / 'theirs')
    merge_sets({'mine': index.parents[1], 'theirs': others.parents[1]}, tmp_path / 'merged', different_women=True)
    merged = list_inputs(tmp_path / 'merged' / 'annotations' / 'test.json')
    rows = {record.relative_path: record.quality for record in merged}
    for record in list_inputs(index):
        row = rows[f'mine/{record.relative_path}']
        assert row == replace(record.quality, path=f'mine/{record.relative_path}', exam_id=f'mine/{record.exam_id}')


def test_files_of_merged_sets_have_names_of_their_own(index, tmp_path):
    images = read_index(index).images
    alike = [replace(image, source={'path': 'a.dcm'}) for image in images[:2]]
    path = tmp_path / 'annotations' / 'test.json'
    write_index(path, PreparedSet((*alike, *images[2:]), ('mass',)))
    names = [record.relative_path for record in list_inputs(path)]
    assert len(set(names)) == len(images) and names[:2] == [image.file_name for image in alike]


def test_an_index_without_images_or_of_another_kind_is_refused(tmp_path):
    path = tmp_path / 'annotations' / 'val.json'
    write_index(path, PreparedSet((), ('mass',)))
    with pytest.raises(MammoError, match=r'images: found none; expected at least one'):
        list_inputs(path)
    path.write_text('{"images": []}')
    with pytest.raises(MammoError, match=r"info.format: found None; expected 'mmmammo-1'"):
        list_inputs(path)

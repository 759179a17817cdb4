"""What every source keeps to, on the phantom dressed as its download with faults planted in it."""

import csv
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from pydicom import dcmread
from pydicom.misc import is_dicom

from mmmammo.io import read_png16
from mmmammo.io.dicom_file import HEAD_LENGTH
from mmmammo.io.exam_index import check_patient_disjoint, read_index
from mmmammo.io.raster import raster_format
from mmmammo.phantom.config import PhantomConfig
from mmmammo.phantom.dressing import DRESSES
from mmmammo.phantom.exam import make_exam
from mmmammo.prepare import PrepareOptions, SetOptions, prepare_dataset, run
from mmmammo.sources import SOURCES, get_source
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ('train', 'val', 'test')
NUM_EXAMS = 16
_READ = {'.csv', '.xls', '.xlsx', '.xml', '.txt', '.ics', '.overlay', '.json'}


@cache
def exams():
    """The same for every source."""
    config = PhantomConfig(height=256)
    return [make_exam(config, 5, index) for index in range(NUM_EXAMS)]


def prepare(name, raw, out):
    source = get_source(name)
    with ThreadPoolExecutor(1) as executor:
        return prepare_dataset(
            source.list_records(raw),
            out,
            PrepareOptions(height=128, policies=source.POLICIES),
            SetOptions(fractions=(0.6, 0.2, 0.2)),
            categories=source.CATEGORIES,
            source=name,
            executor=executor,
            skipped=source.count_skipped(raw),
            checks=source.count_checks(raw),
        )


@pytest.fixture(scope='module', params=DRESSES)
def made(request, tmp_path_factory):
    """A dressed download and the set made of it."""
    folder = tmp_path_factory.mktemp(request.param)
    raw, out = folder / 'raw', folder / 'out'
    planted = import_module(f'mmmammo.phantom.dressing.{request.param}').dress(raw, exams(), 5)
    summary = prepare(request.param, raw, out)
    with (out / 'quality.csv').open(newline='', encoding='utf-8') as file:
        rows = list(csv.DictReader(file))
    indexes = [read_index(out / f'annotations/{split}.json') for split in SPLITS]
    images = [image for index in indexes for image in index.images]
    return SimpleNamespace(
        name=request.param, raw=raw, out=out, planted=planted, summary=summary, rows=rows, images=images
    )


def test_exactly_the_planted_faults_are_found(made):
    found = {(row['path'], row['status']) for row in made.rows if row['status'] != 'accepted'}
    assert found == {
        (fault.path, fault.status) for fault in made.planted if fault.status not in ('accepted', 'refused')
    }


def test_every_fault_is_told_in_its_own_words(made):
    told = {row['path']: f'{row["reason"]}; {row["warnings"]}; {row["problems"]}' for row in made.rows}
    for fault in made.planted:
        assert fault.says in told[fault.path], f'{fault.fault}: {fault.path}'


def test_no_fault_is_a_defect_of_ours(made):
    assert not (made.out / '.prepare/defects.txt').exists()
    assert all(row['problems'] for row in made.rows if row['status'] != 'accepted')


def test_ids_and_names_occur_once(made):
    for values in (
        [row['path'] for row in made.rows],
        [image.image_id for image in made.images],
        [image.file_name for image in made.images],
        [image.source['path'] for image in made.images],
    ):
        assert [value for value, count in Counter(values).items() if count > 1] == []


def test_patients_are_in_one_split_and_exams_of_one_patient(made):
    check_patient_disjoint([made.out / f'annotations/{split}.json' for split in SPLITS])
    patients = {}
    for image in made.images:
        assert patients.setdefault(image.exam_id, image.patient_id) == image.patient_id


def test_boxes_lie_inside_the_prepared_and_the_source_image(made):
    sizes = {row['path']: (int(row['columns']), int(row['rows'])) for row in made.rows if row['rows']}
    for image in made.images:
        for finding in image.findings:
            x1, y1, x2, y2 = finding.bbox
            assert -1e-3 <= x1 < x2 <= image.width + 1e-3 and -1e-3 <= y1 < y2 <= image.height + 1e-3
            assert finding.category in get_source(made.name).CATEGORIES
            back = image.affine.inverse().boxes(finding.bbox)
            assert (back >= -0.01).all() and (back <= np.tile(sizes[image.source['path']], 2) + 0.01).all()


def test_images_are_as_the_annotations_say(made):
    sizes = {row['path']: (int(row['columns']), int(row['rows'])) for row in made.rows if row['rows']}
    for image in made.images[:: max(1, len(made.images) // 5)]:
        assert read_png16(made.out / 'images' / image.file_name).shape == (image.height, image.width)
        size = sizes[image.source['path']]
        assert image.affine.inverse().boxes((0, 0, image.width, image.height)).max() <= max(size) + 2


def test_records_come_in_the_same_order_and_lie_below_the_folder(made):
    source = get_source(made.name)
    once, again = (list(source.list_records(made.raw)) for _ in range(2))
    assert [record.relative_path for record in once] == [record.relative_path for record in again]
    assert [row['path'] for row in made.rows] == [record.relative_path for record in once]
    for record in once:
        assert not Path(record.relative_path).is_absolute() and '..' not in Path(record.relative_path).parts
        assert record.exam_id and record.patient_id and record.split in (None, *SPLITS)


def test_every_image_file_has_a_row_or_is_a_mask_and_others_are_read_or_skipped(made):
    source = get_source(made.name)
    choices = [{option.name: choice} for option in source.OPTIONS for choice in option.choices]
    used = {
        path
        for options in ({}, *choices)
        for record in source.list_records(made.raw, **options)
        for path in record.files
    }
    rest = {path for path in made.raw.rglob('*') if path.is_file()} - used
    assert [path for path in sorted(rest) if _is_image(path)] == []
    tables = [path for path in rest if path.suffix.lower() in _READ]
    assert len(rest) - len(tables) <= source.count_skipped(made.raw) <= len(rest)


def test_a_second_run_prepares_no_image_again(made, monkeypatch):
    done, prepare_image = [], run.prepare_image

    def counted(record, *rest):
        done.append(record.relative_path)
        return prepare_image(record, *rest)

    monkeypatch.setattr(run, 'prepare_image', counted)
    before = _contents(made.out)
    prepare(made.name, made.raw, made.out)
    assert set(done) <= {row['path'] for row in made.rows if row['status'] == 'quarantined'}
    assert _contents(made.out) == before


def test_nobody_is_named_in_the_set(made):
    written = b'\n'.join(_contents(made.out).values()).decode('utf-8', 'ignore')
    names = set()
    for path in made.raw.rglob('*'):
        if path.is_file() and is_dicom(path):
            header = dcmread(path, stop_before_pixels=True)
            public = str(header.get('PatientID', ''))
            said = {str(header.get(key) or '') for key in ('PatientName', 'PatientBirthDate', 'PatientAddress')}
            names |= {name for name in said if name and name != public}
    assert [name for name in names if name in written] == []
    assert str(made.raw) not in written


def test_counts_say_why_they_differ(made):
    for check in made.summary.checks:
        assert check.published in (None, check.found) or check.explanation, check.what
    facts = json.loads((made.out / 'prepare.json').read_text())['counts']
    assert len(facts['checks']) == len(made.summary.checks)
    assert sum(facts['statuses'].values()) == len(made.rows)


def test_an_empty_folder_is_refused(made, tmp_path):
    with pytest.raises(MammoError):
        list(get_source(made.name).list_records(tmp_path))
    with pytest.raises(MammoError):
        list(get_source(made.name).list_records(tmp_path / 'absent'))


@pytest.mark.parametrize('name', SOURCES)
def test_options_have_a_choice_for_a_default(name):
    for option in get_source(name).OPTIONS:
        assert option.name.isidentifier() and option.default in option.choices and option.help


@pytest.mark.parametrize('name', SOURCES)
def test_every_source_is_written_about(name):
    assert f'## `{name}`' in (ROOT / 'data/README.md').read_text(encoding='utf-8')


def _is_image(path):
    head = path.read_bytes()[:HEAD_LENGTH]
    return raster_format(head) is not None or head[128:] == b'DICM'


def _contents(out):
    """Bytes of every file but what names the time, or counts runs."""
    files = sorted(path for path in out.rglob('*') if path.is_file() and path.name not in ('prepare.json', 'lock'))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files if path.suffix != '.jsonl'}

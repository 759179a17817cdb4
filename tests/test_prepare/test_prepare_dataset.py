"""A whole set: what is written, what is refused, what is kept when a run is killed and given again."""

import csv
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from mmmammo.io import read_png16
from mmmammo.io.exam_index import check_patient_disjoint, read_index
from mmmammo.prepare import PrepareOptions, SetOptions, prepare_dataset, run
from mmmammo.prepare.summary_tables import summary_tables
from mmmammo.sources.folder import CATEGORIES, list_records
from mmmammo.structures import Finding, Laterality, MammoError, View
from mmmammo.testing.raw_files import draw_breast, write_dicom, write_png

VIEWS = ('L-CC', 'L-MLO', 'R-CC', 'R-MLO')
CT = '1.2.840.10008.5.1.4.1.1.2'
BOX = Finding((40, 100, 70, 130), 'mass')
CALC = Finding((80, 90, 95, 100), 'calcification')


@pytest.fixture()
def raw(tmp_path):
    """Three exams of four views; one patient each."""
    for exam in range(3):
        for number, view in enumerate(VIEWS):
            write_png(tmp_path / 'raw' / f'e{exam}' / f'{view}.png', draw_breast(view[0], seed=10 * exam + number))
    return tmp_path / 'raw'


def records_of(raw, findings=(BOX, CALC)):
    """With the same two findings in every left CC view."""
    return [replace(r, findings=findings) if 'L-CC' in r.relative_path else r for r in list_records(raw)]


def prepare(raw, out, options=None, set_options=None, records=None, **values):
    """As the command does, but in a thread of this process."""
    records = records_of(raw) if records is None else records
    with ThreadPoolExecutor(1) as executor:
        values = {'categories': CATEGORIES, 'source': 'folder', 'executor': executor} | values
        return prepare_dataset(records, out, options, set_options, **values)


def test_png_of_one_exam_that_differ_in_depth_are_told(raw, tmp_path):
    """12-bit views, one of which has no pixel above 1023: it would become four times as bright."""
    assert prepare(raw, tmp_path / 'even').uneven == 0
    write_png(raw / 'e1' / 'L-CC.png', (draw_breast('L') // 8).astype(np.uint16))
    summary = prepare(raw, tmp_path / 'uneven')
    assert summary.uneven == 1
    said = ' '.join(str(part) for part in summary_tables(summary, tmp_path / 'uneven', (0.7, 0.1, 0.2)))
    assert 'images of 1 exams differ in depth' in said


def contents(out):
    """Bytes of every file but what names the time."""
    files = sorted(path for path in out.rglob('*') if path.is_file() and path.name not in ('prepare.json', 'lock'))
    return {path.relative_to(out).as_posix(): path.read_bytes() for path in files}


def rows_of(out):
    with (out / 'quality.csv').open(newline='') as file:
        return {row['path']: row for row in csv.DictReader(file)}


def images_of(out):
    return [
        image for split in ('train', 'val', 'test') for image in read_index(out / f'annotations/{split}.json').images
    ]


@pytest.fixture()
def calls(monkeypatch):
    """Records that were really prepared, in order."""
    done = []
    prepare_image = run.prepare_image

    def counted(record, options, file_name):
        done.append(record.relative_path)
        return prepare_image(record, options, file_name)

    monkeypatch.setattr(run, 'prepare_image', counted)
    return done


def test_the_set_holds_what_the_conventions_promise(raw, tmp_path):
    out = tmp_path / 'out'
    summary = prepare(raw, out, PrepareOptions(height=128), info={'command': 'c'})
    images = images_of(out)
    assert sorted(image.image_id for image in images) == list(range(1, 13))
    check_patient_disjoint([out / f'annotations/{split}.json' for split in ('train', 'val', 'test')])
    for image in images:
        pixels = read_png16(out / 'images' / image.file_name)
        assert pixels.shape == (image.height, image.width)
        assert image.file_name == f'{image.exam_id}/{image.laterality}-{image.view}.png'
        assert len(image.source['sha256']) == 64 and (raw / image.source['path']).is_file()
    assert cv2.imread(str(out / 'images/e0/L-CC.png'), cv2.IMREAD_UNCHANGED).dtype == np.uint16
    assert [row['status'] for row in rows_of(out).values()] == ['accepted'] * 12
    facts = json.loads((out / 'prepare.json').read_text())
    assert facts['command'] == 'c' and facts['options']['height'] == 128 and facts['source'] == 'folder'
    assert facts['counts']['views'] == {'L CC': 3, 'L MLO': 3, 'R CC': 3, 'R MLO': 3}
    assert sum(summary.images.values()) == 12 and sum(summary.findings.values()) == 6


def test_a_set_of_eight_bits_is_the_same_but_for_rounding(raw, tmp_path):
    prepare(raw, tmp_path / 'out', PrepareOptions(bits=8))
    prepare(raw, tmp_path / 'out16', PrepareOptions())
    name = images_of(tmp_path / 'out')[0].file_name
    eight, sixteen = (read_png16(tmp_path / out / 'images' / name) for out in ('out', 'out16'))
    assert cv2.imread(str(tmp_path / 'out/images' / name), cv2.IMREAD_UNCHANGED).dtype == np.uint8
    assert 0 < np.abs(eight - sixteen).max() <= 0.5 / 255 + 1e-4


def test_findings_of_a_set_lead_back_to_the_source(raw, tmp_path):
    prepare(raw, tmp_path / 'out', PrepareOptions(height=100))
    found = [image for image in images_of(tmp_path / 'out') if image.findings]
    assert len(found) == 3
    for image in found:
        assert [f.category for f in image.findings] == ['mass', 'calcification']
        for finding, before in zip(image.findings, (BOX, CALC), strict=True):
            assert np.abs(image.affine.inverse().boxes(finding.bbox) - before.bbox).max() < 1e-6


def test_every_bad_file_has_a_row_with_its_reason(raw, tmp_path):
    bad, pixels = raw / 'bad', draw_breast()
    write_dicom(bad / 'ct.dcm', pixels, Modality='CT', SOPClassUID=CT, ImageLaterality=None, ViewPosition=None)
    write_dicom(bad / 'raw.dcm', pixels, PresentationIntentType='FOR PROCESSING')
    frames = np.stack([pixels] * 3)
    write_dicom(bad / 'tomo.dcm', frames, NumberOfFrames=3)
    write_dicom(bad / 'nopixels.dcm', pixels, PixelData=None)
    cut = write_dicom(bad / 'cut.dcm', pixels)
    cut.write_bytes(cut.read_bytes()[:9000])
    write_png(bad / 'L_CC_black.png', np.zeros((256, 200), np.uint16))
    write_png(bad / 'L_CC_colour.png', np.random.default_rng(0).integers(0, 255, (256, 200, 3)).astype(np.uint8))
    (bad / 'empty').touch()
    (bad / 'text').write_text('hello')
    summary = prepare(raw, tmp_path / 'out')
    rows = rows_of(tmp_path / 'out')
    expected = {
        'ct.dcm': ('modality', 'Modality'),
        'raw.dcm': ('for_processing', 'PresentationIntentType.*FOR PROCESSING'),
        'tomo.dcm': ('tomosynthesis', 'NumberOfFrames.*3'),
        'nopixels.dcm': ('unreadable', 'PixelData'),
        'cut.dcm': ('unreadable', 'Pixel'),
        'L_CC_black.png': ('black', 'one value everywhere'),
        'L_CC_colour.png': ('unreadable', 'colour'),
        'empty': ('unreadable', 'empty'),
        'text': ('unreadable', 'DICOM file or a PNG'),
    }
    for name, (problem, words) in expected.items():
        row = rows[f'bad/{name}']
        assert (row['status'], row['problems']) == ('quarantined', f'{problem}=quarantine'), name
        assert re.search(words, row['reason']), row['reason']
        assert 'Remedy' in row['reason'] and str(tmp_path) not in row['reason']
    assert summary.statuses == {'accepted': 12, 'mended': 0, 'quarantined': len(expected)}
    assert len(rows) == 12 + len(expected)
    assert not (tmp_path / 'out/.prepare/defects.txt').exists()
    assert summary.problems == {
        f'{name}=quarantine': count
        for name, count in (
            ('unreadable', 5),
            ('for_processing', 1),
            ('tomosynthesis', 1),
            ('modality', 1),
            ('black', 1),
        )
    }


def test_labels_are_counted_by_value_or_if_there_are_many_by_images(raw, tmp_path):
    records = [
        replace(record, labels={'age': 40 + number, 'cancer': number % 3 // 2} if number else {'age': 50})
        for number, record in enumerate(records_of(raw) * 2)
    ]
    records = [replace(r, relative_path=f'{n}/{r.relative_path}') for n, r in enumerate(records)][:14]
    assert prepare(raw, tmp_path / 'out', records=records).labels == {
        'age': {'known': 14},
        'cancer': {'0': 9, '1': 4},
    }


def test_a_link_out_of_the_folder_is_a_row_and_is_never_opened(raw, tmp_path, monkeypatch):
    out, link = tmp_path / 'out', raw / 'e0/L-CC.png'
    prepare(raw, out)
    link.rename(tmp_path / 'away.png')  # so that size, time and content are those of the image in the set
    link.symlink_to(tmp_path / 'away.png')
    hashed, sha256_of = [], run.sha256_of
    monkeypatch.setattr(run, 'sha256_of', lambda path: hashed.append(path) or sha256_of(path))
    summary = prepare(raw, out, skipped=7)
    row = rows_of(out)['e0/L-CC.png']
    assert row['status'] == 'quarantined' and 'a link that leads out of the folder' in row['reason']
    assert (row['exam_id'], row['laterality'], row['view']) == ('e0', 'L', 'CC')
    assert link not in hashed and not (out / 'images/e0/L-CC.png').exists()
    assert summary.statuses['quarantined'] == 1 and len(images_of(out)) == 11
    assert json.loads((out / 'prepare.json').read_text())['counts']['skipped'] == 7


def test_patient_names_stay_behind(tmp_path):
    tags = {'PatientName': 'Doe^Jane', 'PatientBirthDate': '19500101', 'PatientID': 'J-1950', 'StudyInstanceUID': '1.2'}
    for side in 'LR':
        write_dicom(tmp_path / 'raw/x' / f'{side}.dcm', draw_breast(side), ImageLaterality=side, **tags)
    prepare(tmp_path / 'raw', tmp_path / 'out')
    written = b''.join(contents(tmp_path / 'out').values()) + (tmp_path / 'out/prepare.json').read_bytes()
    for secret in (b'Doe', b'Jane', b'1950'):
        assert secret not in written


def test_an_interrupted_run_goes_on_and_ends_the_same(raw, tmp_path, monkeypatch, calls):
    options = PrepareOptions(height=128)
    prepare(raw, tmp_path / 'whole', options)
    assert len(calls) == 12
    counted = run.prepare_image
    for stop_after in (3, 7):
        calls.clear()

        def killed(*args, left=stop_after):
            if len(calls) >= left:
                raise KeyboardInterrupt
            return counted(*args)

        monkeypatch.setattr(run, 'prepare_image', killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(raw, tmp_path / 'out', options)
        assert not (tmp_path / 'out/quality.csv').exists()
    monkeypatch.setattr(run, 'prepare_image', counted)
    calls.clear()
    prepare(raw, tmp_path / 'out', options)
    assert 2 <= len(calls) <= 8  # of 12: a kill loses at most what was in flight
    assert contents(tmp_path / 'out') == contents(tmp_path / 'whole')


def test_an_image_that_a_kill_left_unfinished_is_nowhere(raw, tmp_path, monkeypatch):
    """A process that is killed cannot tidy up; what it was writing lies where no user looks, until the next run."""
    out = tmp_path / 'out'
    monkeypatch.setattr('pathlib.Path.replace', lambda *_: pytest.fail('killed'))
    monkeypatch.setattr('pathlib.Path.unlink', lambda *_, **__: None)
    with pytest.raises(BaseException, match='killed'):
        prepare(raw, out)
    monkeypatch.undo()
    assert list((out / '.prepare').glob('.*.unfinished')) and not list((out / 'images').rglob('*.*'))
    prepare(raw, out)
    assert not list(out.rglob('*.unfinished'))


@pytest.mark.parametrize('name', ['quality.csv', 'annotations/train.json', 'prepare.json'])
def test_a_table_that_a_kill_left_unfinished_is_gone_after_the_next_run(raw, tmp_path, monkeypatch, name):
    out, replace = tmp_path / 'out', Path.replace
    monkeypatch.setattr(
        'pathlib.Path.replace',
        lambda self, target: pytest.fail('killed') if target == out / name else replace(self, target),
    )
    monkeypatch.setattr('pathlib.Path.unlink', lambda *_, **__: None)
    with pytest.raises(BaseException, match='killed'):
        prepare(raw, out)
    monkeypatch.undo()
    (left,) = out.rglob('*.unfinished')
    assert left.parent == (out / name).parent and not (out / name).exists()
    prepare(raw, out)
    assert not list(out.rglob('*.unfinished')) and (out / name).is_file()


def test_a_line_cut_short_by_a_kill_is_done_again(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    before = contents(tmp_path / 'out')
    journal = tmp_path / 'out/.prepare/journal.jsonl'
    journal.write_bytes(journal.read_bytes()[:-300])
    calls.clear()
    prepare(raw, tmp_path / 'out')
    assert calls == ['e2/R-MLO.png']
    assert contents(tmp_path / 'out') == before


def test_nothing_is_done_twice(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    before = contents(tmp_path / 'out')
    calls.clear()
    seen = []
    summary = prepare(raw, tmp_path / 'out', on_image=lambda row: seen.append(row.path))
    assert calls == [] and len(seen) == 12 and sum(summary.images.values()) == 12
    assert contents(tmp_path / 'out') == before


def test_only_what_changed_is_done_again(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    os.utime(raw / 'e0/L-CC.png')  # copied, say
    write_png(raw / 'e1/R-CC.png', draw_breast('R', seed=99))
    (tmp_path / 'out/images/e2/L-MLO.png').unlink()
    write_png(raw / 'e2/extra/L-CC.png', draw_breast('L', seed=98))
    calls.clear()
    records = records_of(raw)
    records[1] = replace(records[1], labels={'cancer': 1})
    prepare(raw, tmp_path / 'out', records=records)
    assert sorted(calls) == ['e0/L-MLO.png', 'e1/R-CC.png', 'e2/L-MLO.png', 'e2/extra/L-CC.png']
    fresh = tmp_path / 'fresh'
    prepare(raw, fresh, records=records)
    assert contents(tmp_path / 'out') == contents(fresh)


def test_other_options_prepare_images_again(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    calls.clear()
    prepare(raw, tmp_path / 'out', PrepareOptions(height=128))
    assert len(calls) == 12
    assert max(image.height for image in images_of(tmp_path / 'out')) <= 128


def test_classes_are_chosen_without_preparing_again(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    calls.clear()
    one = prepare(raw, tmp_path / 'out', set_options=SetOptions(single_class='lesion'))
    index = read_index(tmp_path / 'out/annotations/train.json')
    assert index.categories == ('lesion',)
    finer = {finding.attributes['category'] for image in index.images for finding in image.findings}
    assert finer == {'mass', 'calcification'} and sum(one.findings.values()) == 6
    only = prepare(raw, tmp_path / 'out', set_options=SetOptions(only=('mass',)))
    assert read_index(tmp_path / 'out/annotations/train.json').categories == ('mass',)
    assert sum(only.findings.values()) == 3 and only.left_out == {'calcification': 3}
    assert calls == []
    with pytest.raises(MammoError, match='only: found masses; expected out of mass, calc'):
        prepare(raw, tmp_path / 'out', set_options=SetOptions(only=('masses',)))


def test_quarantined_files_are_tried_again(raw, tmp_path):
    path = raw / 'e0/L-CC.png'
    sound = path.read_bytes()
    path.write_bytes(sound[:400])
    assert prepare(raw, tmp_path / 'out').statuses['quarantined'] == 1
    path.write_bytes(sound)
    assert prepare(raw, tmp_path / 'out').statuses == {'accepted': 12, 'mended': 0, 'quarantined': 0}


def test_a_file_that_left_the_source_leaves_the_set(raw, tmp_path):
    prepare(raw, tmp_path / 'out')
    (tmp_path / 'out/images/e0/mine.txt').write_text('not ours')
    (raw / 'e0/L-CC.png').unlink()
    prepare(raw, tmp_path / 'out')
    assert not (tmp_path / 'out/images/e0/L-CC.png').exists()
    assert (tmp_path / 'out/images/e0/mine.txt').exists()
    assert 'e0/L-CC.png' not in rows_of(tmp_path / 'out')


def test_workers_make_no_difference(raw, tmp_path):
    (raw / 'e0/torn.png').write_bytes(b'\x89PNG\r\n\x1a\n')
    prepare(raw, tmp_path / 'thread')
    prepare(raw, tmp_path / 'two', executor=None, workers=2)
    assert contents(tmp_path / 'two') == contents(tmp_path / 'thread')


def test_files_of_one_name_do_not_overwrite_each_other(raw, tmp_path):
    write_png(raw / 'e0/again/L-CC.png', draw_breast('L', seed=50))
    write_png(raw / 'e0/l-cc.png', draw_breast('L', seed=51))
    prepare(raw, tmp_path / 'out', records=[replace(record, exam_id='../e 0') for record in records_of(raw)[:6]])
    names = [image.file_name for image in images_of(tmp_path / 'out')]
    assert len({name.lower() for name in names}) == 6 and all(name.startswith('_e_0/') for name in names)
    assert sorted(p.name for p in (tmp_path / 'out').iterdir()) == [
        '.prepare', 'annotations', 'images', 'prepare.json', 'quality.csv',
    ]  # fmt: skip


@pytest.mark.parametrize(
    ('stem', 'name'),
    [
        ('000000', 'L_CC'),
        ('00000002', 'L_CC'),
        ('1-1', 'L_CC'),
        ('2-036', 'L_CC'),
        ('462822612', '462822612'),
        ('mdb001', 'mdb001'),
        ('20586908_6c613a14b80a8591_MG_R_CC_ANON', '20586908_6c613a14b80a8591_MG_R_CC_ANON'),
    ],
)
def test_a_name_that_only_counts_becomes_side_and_view(raw, stem, name):
    record = replace(records_of(raw)[0], relative_path=f'P_00001/{stem}.dcm')
    assert run._stem(replace(record, laterality=Laterality.LEFT, view=View.CC)) == name
    assert run._stem(replace(record, laterality=Laterality.UNKNOWN, view=View.CC)) == stem


def test_a_defect_of_ours_costs_one_image_and_is_written_down(raw, tmp_path, monkeypatch):
    prepare_image = run.prepare_image

    def broken(record, *args):
        if record.relative_path == 'e1/L-CC.png':
            raise ZeroDivisionError('oops')
        return prepare_image(record, *args)

    monkeypatch.setattr(run, 'prepare_image', broken)
    assert prepare(raw, tmp_path / 'out').statuses == {'accepted': 11, 'mended': 0, 'quarantined': 1}
    assert "ZeroDivisionError('oops')" in rows_of(tmp_path / 'out')['e1/L-CC.png']['reason']
    assert 'in broken' in (tmp_path / 'out/.prepare/defects.txt').read_text()


def test_a_full_disk_stops_the_run_and_keeps_what_is_done(raw, tmp_path, monkeypatch, calls):
    write_png16 = run.write_png16

    def full(*args, **kwargs):
        if len(calls) > 4:
            raise OSError(28, 'No space left on device')
        write_png16(*args, **kwargs)

    monkeypatch.setattr(run, 'write_png16', full)
    with pytest.raises(MammoError, match=r'No space left on device.*goes on here'):
        prepare(raw, tmp_path / 'out')
    monkeypatch.setattr(run, 'write_png16', write_png16)
    calls.clear()
    prepare(raw, tmp_path / 'out')
    assert len(calls) == 8


def test_a_set_of_other_files_is_not_touched(raw, tmp_path):
    prepare(raw, tmp_path / 'out')
    before = contents(tmp_path / 'out')
    write_png(tmp_path / 'other/x/L_CC.png', draw_breast())
    with pytest.raises(MammoError, match=r'a set made of 12 other files, such as e0/L-CC\.png'):
        prepare(tmp_path / 'other', tmp_path / 'out')
    assert contents(tmp_path / 'out') == before


def test_a_second_run_in_the_same_folder_is_refused(raw, tmp_path):
    def also(_):
        prepare(raw, tmp_path / 'out')

    with pytest.raises(MammoError, match='another run that prepares this set'):
        prepare(raw, tmp_path / 'out', on_start=also)


def test_no_usable_image_and_no_record_end_in_a_message(tmp_path):
    write_png(tmp_path / 'raw/e/L_CC.png', np.zeros((64, 64), np.uint16))
    with pytest.raises(MammoError, match=r'usable images: found none of 1.*the first is: pixels'):
        prepare(tmp_path / 'raw', tmp_path / 'out')
    assert rows_of(tmp_path / 'out')['e/L_CC.png']['status'] == 'quarantined'
    with pytest.raises(MammoError, match='no image in the source'):
        prepare(tmp_path / 'raw', tmp_path / 'nothing', records=[])
    assert not (tmp_path / 'nothing').exists()


def test_contradicting_records_are_refused_before_any_work(raw, tmp_path, calls):
    records = records_of(raw)
    records[1] = replace(records[1], patient_id='somebody')
    with pytest.raises(MammoError, match='exam e0: patient_id: found e0 and somebody'):
        prepare(raw, tmp_path / 'out', records=records)
    assert calls == []


@pytest.mark.parametrize('name', ['images/e0/L-CC.png', 'annotations/train.json'])
def test_what_others_have_made_is_not_replaced(raw, tmp_path, calls, name):
    theirs = tmp_path / 'theirs' / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b'the only copy')
    with pytest.raises(MammoError, match=r'--out: found (images|annotations)/ with files that are not'):
        prepare(raw, tmp_path / 'theirs')
    assert theirs.read_bytes() == b'the only copy' and not calls and not (tmp_path / 'theirs/.prepare').exists()


def test_a_set_is_not_made_of_its_own_images(raw, tmp_path, calls):
    prepare(raw, tmp_path / 'out')
    before = contents(tmp_path / 'out')
    calls.clear()
    with pytest.raises(MammoError, match='--raw: found files in the images of --out'):
        prepare(tmp_path / 'out/images', tmp_path / 'out')
    assert contents(tmp_path / 'out') == before and not calls


def test_pixels_that_cannot_be_written_cost_one_image(raw, tmp_path, monkeypatch):
    prepare_image = run.prepare_image

    def too_bright(record, options, file_name):
        made = prepare_image(record, options, file_name)
        return replace(made, pixels=made.pixels + 1) if record.relative_path == 'e1/R-CC.png' else made

    monkeypatch.setattr(run, 'prepare_image', too_bright)
    summary = prepare(raw, tmp_path / 'out')
    assert sum(summary.images.values()) == 11
    assert 'values from 1.0 to' in rows_of(tmp_path / 'out')['e1/R-CC.png']['reason']


def test_names_that_no_disk_takes_are_cut_and_stay_apart(raw, tmp_path):
    records = [replace(r, exam_id=f'{r.exam_id:x<300}{r.exam_id}') for r in records_of(raw)]
    prepare(raw, tmp_path / 'out', records=records)
    folders = {image.file_name.partition('/')[0] for image in images_of(tmp_path / 'out')}
    assert len(folders) == 3 and max(map(len, folders)) <= 120


def test_other_options_that_are_stopped_leave_no_set(raw, tmp_path, monkeypatch):
    out = tmp_path / 'out'
    prepare(raw, out)
    prepare_image = run.prepare_image
    left = iter(range(3))

    def stopped(record, options, file_name):
        return prepare_image(record, options, file_name) if next(left, None) is not None else pytest.fail('stopped')

    monkeypatch.setattr(run, 'prepare_image', stopped)
    with pytest.raises(BaseException, match='stopped'):
        prepare(raw, out, PrepareOptions(height=128))
    assert not (out / 'prepare.json').exists() and not list((out / 'annotations').glob('*.json'))
    monkeypatch.undo()
    prepare(raw, out, PrepareOptions(height=128))
    prepare(raw, tmp_path / 'fresh', PrepareOptions(height=128))
    assert contents(out) == contents(tmp_path / 'fresh')


def test_an_image_whose_name_another_record_took_is_made_again(raw, tmp_path, monkeypatch):
    """A run that also had a file of the same name was stopped right after that."""
    first, second = (replace(r, exam_id='e', patient_id='p') for r in records_of(raw)[:2])
    write_png(tmp_path / 'more' / 'L-CC.png', draw_breast('L', seed=98))
    (other,) = (replace(r, exam_id='e', patient_id='p') for r in list_records(tmp_path / 'more'))
    other = replace(other, relative_path='a/L-CC.png')
    prepare(raw, tmp_path / 'out', records=[first, second])
    before = contents(tmp_path / 'out')
    prepare_image = run.prepare_image

    def stopped(record, options, file_name):
        return prepare_image(record, options, file_name) if record is other else pytest.fail('stopped')

    monkeypatch.setattr(run, 'prepare_image', stopped)
    with pytest.raises(BaseException, match='stopped'):
        prepare(raw, tmp_path / 'out', records=[other, first, second])
    monkeypatch.undo()
    prepare(raw, tmp_path / 'out', records=[first, second])
    assert contents(tmp_path / 'out') == before


def test_two_records_of_one_file_are_refused_before_any_work(raw, tmp_path, calls):
    records = records_of(raw)
    with pytest.raises(MammoError, match='records: found 1 files with more than one'):
        prepare(raw, tmp_path / 'out', records=[*records, records[0]])
    assert not calls and not (tmp_path / 'out').exists()

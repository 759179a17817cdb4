"""Several prepared sets to one."""

import csv
import importlib.util
import json
import shutil
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from mmmammo.io import read_png16
from mmmammo.io.exam_index import PreparedSet, check_patient_disjoint, read_index, write_index
from mmmammo.phantom import PhantomConfig
from mmmammo.phantom.dataset import write_dataset
from mmmammo.prepare import PrepareOptions, SetOptions, prepare_dataset, recorded_options
from mmmammo.prepare.indexed import list_index
from mmmammo.prepare.journal import only_one
from mmmammo.prepare.merging import merge_sets
from mmmammo.sources import get_source
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
SPLITS = ('train', 'val', 'test')


@pytest.fixture(scope='module')
def sets(tmp_path_factory):
    """Two small sets whose exams, files and women have the same names, of different classes."""
    root = tmp_path_factory.mktemp('sets')
    for seed, (name, only) in enumerate({'one': ('mass',), 'two': ('mass', 'calcification')}.items()):
        raw = root / f'{name}_raw'
        mix = {'mass': 0.5, 'calcification': 0.5}
        config = PhantomConfig(height=256, split=(0.4, 0.2, 0.4), prevalence=1.0, finding_mix=mix)
        write_dataset(raw, 5, config, seed)
        source = get_source('phantom')
        prepare_dataset(
            source.list_records(raw),
            root / name,
            PrepareOptions(height=128),
            SetOptions(only=only),
            categories=source.CATEGORIES,
            source='phantom',
        )
    return {name: root / name for name in ('one', 'two')}


@pytest.fixture(scope='module')
def merged(sets, tmp_path_factory):
    out = tmp_path_factory.mktemp('merged') / 'both'
    return out, merge_sets(sets, out, different_women=True)


def images_of(folder, split):
    return read_index(folder / 'annotations' / f'{split}.json').images


def test_every_image_is_there_once_with_its_split_and_its_pixels(sets, merged):
    out, counts = merged
    ids = []
    for split in SPLITS:
        found = {image.file_name: image for image in images_of(out, split)}
        ids += [image.image_id for image in found.values()]
        expected = {f'{name}/{i.file_name}': (name, i) for name in sets for i in images_of(sets[name], split)}
        assert list(found) == list(expected)
        for file_name, (name, original) in expected.items():
            image = found[file_name]
            assert (image.exam_id, image.patient_id) == (f'{name}/{original.exam_id}', f'{name}/{original.patient_id}')
            assert image.labels == {**original.labels, 'set': name}
            assert [f.bbox for f in image.findings] == [f.bbox for f in original.findings]
            pixels = read_png16(out / 'images' / file_name)
            np.testing.assert_array_equal(pixels, read_png16(sets[name] / 'images' / original.file_name))
        assert counts.images[f'{split}/one'] + counts.images[f'{split}/two'] == len(found)
    assert ids == list(range(1, len(ids) + 1)) and len(ids) == 40


def test_women_of_the_same_name_stay_two(sets, merged):
    out, _ = merged
    one, two = ({i.patient_id for split in SPLITS for i in images_of(sets[name], split)} for name in sets)
    assert one == two and len(one) == 5
    check_patient_disjoint([out / 'annotations' / f'{split}.json' for split in SPLITS])
    assert len({image.patient_id for split in SPLITS for image in images_of(out, split)}) == 10


def test_classes_are_those_of_all_and_what_a_set_lacks_is_told(sets, merged):
    out, counts = merged
    assert read_index(out / 'annotations' / 'train.json').categories == counts.classes
    assert set(counts.unmarked.values()) <= {('one',), ('two',)}
    of_one, of_two = (read_index(sets[name] / 'annotations' / 'train.json').categories for name in ('one', 'two'))
    assert counts.unmarked == {label: ('one',) for label in of_two if label not in of_one}


def test_it_is_a_set_like_any_other(sets, merged):
    out, _ = merged
    assert recorded_options(out) == recorded_options(sets['one'])
    with (out / 'quality.csv').open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 40 and {row['exam_id'].split('/')[0] for row in rows} == {'one', 'two'}
    facts = json.loads((out / 'prepare.json').read_text())
    assert facts['source'] == 'merged' and facts['sets']['two']['source'] == 'phantom'


def test_a_stopped_run_leaves_no_set_and_is_done_again(sets, merged, tmp_path):
    out, counts = tmp_path / 'both', merged[1]
    merge_sets(sets, out, different_women=True)
    (out / 'images' / 'withdrawn.png').write_bytes(b'of a former run')
    done = iter(range(3))
    with pytest.raises(StopIteration):
        merge_sets(sets, out, different_women=True, on_image=lambda: next(done))
    assert not (out / 'prepare.json').exists() and not list((out / 'annotations').iterdir())
    assert merge_sets(sets, out, different_women=True) == counts
    assert not (out / 'images' / 'withdrawn.png').exists()
    assert sum(path.is_file() for path in (out / 'images').rglob('*')) == 40


def test_images_need_no_room_and_a_source_is_never_touched(sets, merged, tmp_path):
    out, _ = merged
    image = images_of(out, 'train')[0].file_name
    assert (out / 'images' / image).samefile(sets['one'] / 'images' / image.removeprefix('one/'))
    (tmp_path / 'both' / '.prepare').mkdir(parents=True)
    (tmp_path / 'both' / 'images').mkdir()
    (tmp_path / 'both' / 'images' / 'one').symlink_to(sets['one'] / 'images')
    with pytest.raises(MammoError, match=r'--out: found .*one.*, a link'):
        merge_sets(sets, tmp_path / 'both', different_women=True)
    assert len(list((sets['one'] / 'images').rglob('*.png'))) == 20


@pytest.mark.parametrize('name', ['../../elsewhere.png', '/etc/passwd', ''])
def test_names_that_leave_the_folder_are_refused(sets, other, tmp_path, name):
    folder = other()
    path = folder / 'annotations' / 'train.json'
    document = json.loads(path.read_text())
    document['images'][0]['file_name'] = name
    path.write_text(json.dumps(document))
    with pytest.raises(MammoError, match=r'file_name: found .*; expected a path below images/'):
        merge_sets({'one': sets['one'], 'other': folder}, tmp_path / 'both', different_women=True)


@pytest.mark.parametrize('of_folder', [False, True])
def test_images_behind_links_out_of_a_set_are_refused(sets, tmp_path, of_folder):
    copy = shutil.copytree(sets['two'], tmp_path / 'two')
    image = copy / 'images' / images_of(copy, 'test')[0].file_name
    linked = image.parent if of_folder else image
    linked.rename(tmp_path / 'private')
    linked.symlink_to(tmp_path / 'private')
    merged_of_two = merge_sets(sets, tmp_path / 'both', different_women=True)
    with pytest.raises(MammoError, match='behind a link' if of_folder else 'a link that leads out of the folder'):
        merge_sets({'one': sets['one'], 'two': copy}, tmp_path / 'both', different_women=True)
    assert sum(merged_of_two.images.values()) == len(list((tmp_path / 'both/images').rglob('*.png')))  # as it was


def test_whole_sets_and_merged_sets_may_be_links(sets, merged, tmp_path):
    (tmp_path / 'one').symlink_to(sets['one'])
    (tmp_path / 'merged').symlink_to(merged[0])
    both = {'one': tmp_path / 'one', 'two': sets['two']}
    assert merge_sets(both, tmp_path / 'both', different_women=True) == merged[1]
    for path in (tmp_path / 'one', tmp_path / 'merged', tmp_path / 'both'):
        records = list_index(path / 'annotations' / 'train.json')
        assert records and all(record.refused is None and record.read().pixels.any() for record in records)


def test_the_same_women_in_two_sets_are_refused(sets, merged, tmp_path):
    with pytest.raises(MammoError, match=r'patient_id: found 5 of them in one and in two; .*--different-women'):
        merge_sets(sets, tmp_path / 'both')
    with pytest.raises(MammoError, match=r'patient_id: found women of one source in both and in two'):
        merge_sets({'both': merged[0], 'two': sets['two']}, tmp_path / 'more')


def test_a_set_that_is_being_prepared_is_not_read(sets, tmp_path):
    with only_one(sets['two'] / '.prepare', 'x'), pytest.raises(MammoError, match='found another run that prepares'):
        merge_sets(sets, tmp_path / 'both', different_women=True)


def test_a_merged_set_is_not_prepared_over(sets, merged):
    records = get_source('phantom').list_records(sets['one'].parent / 'one_raw')
    with pytest.raises(MammoError, match='found a set that was merged of others'):
        prepare_dataset(records, merged[0], categories=('mass',), source='phantom')


def test_disks_without_links_get_copies(sets, tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError('no links here')

    monkeypatch.setattr('os.link', refuse)
    merge_sets(sets, tmp_path / 'both', different_women=True)
    file_name = images_of(tmp_path / 'both', 'train')[0].file_name
    copy, original = tmp_path / 'both' / 'images' / file_name, sets['one'] / 'images' / file_name.removeprefix('one/')
    assert copy.read_bytes() == original.read_bytes() and not copy.samefile(original)


@pytest.fixture
def other(sets, tmp_path):
    """A copy of the second set's papers, to be changed."""

    def make(change=lambda facts: facts, images=lambda image: image):
        folder = tmp_path / 'other'
        facts = json.loads((sets['two'] / 'prepare.json').read_text())
        for split in SPLITS:
            part = read_index(sets['two'] / 'annotations' / f'{split}.json')
            whole = PreparedSet(tuple(map(images, part.images)), part.categories, part.info)
            write_index(folder / 'annotations' / f'{split}.json', whole)
        (folder / 'prepare.json').write_text(json.dumps(change(facts)))
        (folder / 'images').symlink_to(sets['two'] / 'images')
        return folder

    return make


def test_sets_prepared_in_two_ways_are_refused_unless_that_is_wanted(sets, other, tmp_path):
    folder = other(lambda facts: facts | {'options': facts['options'] | {'height': 256}})
    with pytest.raises(MammoError, match=r'height: found 128 in one, 256 in other; .*--any-options'):
        merge_sets({'one': sets['one'], 'other': folder}, tmp_path / 'both')
    both = {'one': sets['one'], 'other': folder}
    merge_sets(both, tmp_path / 'both', any_options=True, different_women=True)
    with pytest.raises(MammoError, match='options: found None'):  # nothing says how a further image is prepared
        recorded_options(tmp_path / 'both')


@pytest.mark.parametrize(
    'options, refused',
    [({'landmarks': 'truth'}, 'landmarks: found detected in one, truth in other'), ({'policies': {}}, None)],
)
def test_landmarks_count_as_preparation_and_policies_do_not(sets, other, tmp_path, options, refused):
    both = {'one': sets['one'], 'other': other(lambda facts: facts | {'options': facts['options'] | options})}
    if refused:
        with pytest.raises(MammoError, match=refused):
            merge_sets(both, tmp_path / 'both', different_women=True)
    else:
        merge_sets(both, tmp_path / 'both', different_women=True)
        assert recorded_options(tmp_path / 'both').height == 128


def test_a_set_of_before_there_was_an_option_has_its_default(sets, other, tmp_path):
    def older(facts):
        options = {name: value for name, value in facts['options'].items() if name != 'coarse_jpeg2000'}
        return facts | {'options': options}

    merge_sets({'one': sets['one'], 'other': other(older)}, tmp_path / 'both', different_women=True)
    assert recorded_options(tmp_path / 'both') == recorded_options(sets['one'])


def test_sources_of_the_same_women_are_refused(sets, other, tmp_path):
    folder = other(lambda facts: facts | {'source': 'cbis_ddsm'})
    facts = json.loads((sets['one'] / 'prepare.json').read_text())
    (tmp_path / 'ddsm').mkdir()
    (tmp_path / 'ddsm' / 'prepare.json').write_text(json.dumps(facts | {'source': 'ddsm'}))
    with pytest.raises(MammoError, match='source: found cbis_ddsm and ddsm; expected sets of different women'):
        merge_sets({'cbis': folder, 'ddsm': tmp_path / 'ddsm'}, tmp_path / 'both')


def test_a_file_in_two_sets_is_refused(sets, other, tmp_path):
    folder = other(images=lambda image: replace(image, exam_id=f'renamed {image.exam_id}'))
    with pytest.raises(MammoError, match='images: found one file in two and other'):
        merge_sets({'two': sets['two'], 'other': folder}, tmp_path / 'both', different_women=True)


@pytest.mark.parametrize('out', ['one', 'raw', 'unfinished'])
def test_another_set_is_not_overwritten(sets, tmp_path, out):
    target = sets['one'] if out == 'one' else tmp_path
    if out == 'raw':
        (tmp_path / 'prepare.json').write_text('{"source": "vindr"}')
    if out == 'unfinished':
        (tmp_path / '.prepare').mkdir()
        (tmp_path / '.prepare' / 'journal.jsonl').touch()
    with pytest.raises(MammoError, match=r'--out: found .*; expected a folder that is no other prepared set'):
        merge_sets(sets, target)


def test_the_command(sets, tmp_path, monkeypatch, capsys):
    spec = importlib.util.spec_from_file_location('merge_sets', ROOT / 'tools' / 'merge_sets.py')
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)

    def run(*words):
        monkeypatch.setattr(
            sys, 'argv', ['tools/merge_sets.py', *map(str, words), '--out', str(tmp_path / 'both'), '--different-women']
        )
        return tool.main()

    assert run(f'film={sets["one"]}', sets['two']) == 0
    said = capsys.readouterr().out
    assert 'film' in said and 'images' in said
    command = json.loads((tmp_path / 'both' / 'prepare.json').read_text())['command']
    assert str(tmp_path) not in command and str(sets['one'].parent) not in command
    (tmp_path / 'year=2019').symlink_to(sets['one'])
    assert tool.named([str(tmp_path / 'year=2019'), f'x={tmp_path / "year=2019"}'][1:]) == {'x': tmp_path / 'year=2019'}
    for words, found in (((sets['one'], sets['one']), 'one twice'), ((f'../x={sets["one"]}', sets['two']), "'../x'")):
        with pytest.raises(MammoError, match=f'names of sets: found {found}'):
            run(*words)
    with pytest.raises(MammoError, match='sets: found 1; expected two or more'):
        run(sets['one'])
    with pytest.raises(MammoError, match=r'prepare\.json: prepared set: found no such file'):
        run(sets['one'], tmp_path)


@pytest.mark.parametrize('name', ['images/2020/only_copy.dicom', 'annotations/train.json'])
def test_a_folder_of_others_is_left_alone(sets, tmp_path, name):
    theirs = tmp_path / 'coco' / name
    theirs.parent.mkdir(parents=True)
    theirs.write_bytes(b'the only copy')
    with pytest.raises(MammoError, match=r'--out: found .* with files that are not of a prepared set'):
        merge_sets(sets, tmp_path / 'coco', different_women=True)
    assert theirs.read_bytes() == b'the only copy'

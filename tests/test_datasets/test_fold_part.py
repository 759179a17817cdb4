"""Folds: no patient in two, strata shared out, parts that add up, and cuts that cannot be made."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from sklearn.model_selection import StratifiedGroupKFold

from mmmammo.datasets import ExamDataset, MammogramDataset, ViewClassificationDataset
from mmmammo.datasets.fold_part import FoldPart
from mmmammo.io.exam_index import read_index, write_index
from mmmammo.structures import Affine, Laterality, MammoError, PreparedImage, View
from mmmammo.testing.prepared_set import make_prepared_set

pytestmark = pytest.mark.usefixtures('scope')
POOL = ['annotations/train.json', 'annotations/val.json', 'annotations/test.json']


def image(number, exam, patient, **labels):
    return PreparedImage(
        image_id=number,
        file_name=f'{number}.png',
        width=8,
        height=8,
        exam_id=exam,
        patient_id=patient,
        laterality=Laterality.LEFT,
        view=View.CC,
        affine=Affine.identity(),
        labels=labels,
    )


def part(**changes):
    return FoldPart.of({'n': 4, 'held_out': 0, 'part': 'held_out', 'pool': POOL} | changes)


@pytest.fixture(scope='module')
def screening():
    """1,500 images of 400 women as RSNA has them: two to six images each, 3 % of them positive, per breast."""
    generator = np.random.default_rng(0)
    images = []
    for patient in range(400):
        positive = generator.random() < 0.06
        for view in range(generator.integers(2, 7)):
            labels = {'cancer': int(positive and view % 2)}
            images.append(image(len(images) + 1, f'exam{patient}', str(10 * patient + 5), **labels))
    return images


def test_images_are_cut_as_scikit_learn_does_with_the_seed_of_the_paper(screening):
    folds = part().folds(screening)
    y = np.array([i.labels['cancer'] for i in screening])
    groups = np.array([int(i.patient_id) for i in screening])
    splitter = StratifiedGroupKFold(n_splits=4, shuffle=True, random_state=121)
    for number, (_, rows) in enumerate(splitter.split(y, y, groups)):
        assert {screening[row].patient_id for row in rows} == {p for p, fold in folds.items() if fold == number}
    assert part().folds(screening[::-1]) == folds
    assert part(seed=1).folds(screening) != folds


def test_positive_rates_of_folds_differ_by_less_than_a_patient(screening):
    folds = part().folds(screening)
    positive = Counter(folds[i.patient_id] for i in screening if i.labels['cancer'])
    most_of_one = max(Counter(i.patient_id for i in screening if i.labels['cancer']).values())
    assert max(positive.values()) - min(positive.values()) <= most_of_one
    sizes = Counter(folds[i.patient_id] for i in screening)
    assert max(sizes.values()) - min(sizes.values()) <= 12  # two women of six images


def test_exams_are_shared_out_by_outcome():
    """As many cancers as paper 4 has, four images an exam; every second woman has an earlier exam without cancer."""
    outcomes = ['screening'] * 783 + ['interval'] * 249 + ['none'] * 500
    exams = [(f'e{n}', f'p{n}', outcome) for n, outcome in enumerate(outcomes)]
    exams += [(f'{exam}-earlier', patient, 'none') for exam, patient, _ in exams[::2]]
    images = [
        image(4 * n + k, exam, patient, exam_outcome=outcome)
        for n, (exam, patient, outcome) in enumerate(exams)
        for k in range(4)
    ]
    folds = part(n=10, stratify='exam_outcome', unit='exam').folds(images)
    counts = Counter((folds[patient], outcome) for _, patient, outcome in exams)
    assert {counts[fold, 'screening'] for fold in range(10)} == {78, 79}
    assert {counts[fold, 'interval'] for fold in range(10)} == {24, 25}


def test_an_exam_counts_once_and_by_all_its_values():
    sides = [image(n, f'e{n // 2}', f'p{n // 2}', cancer=int(n % 4 == 1)) for n in range(80)]
    folds = part(unit='exam').folds(sides)
    positive = Counter(folds[i.patient_id] for i in sides if i.labels['cancer'])
    assert set(positive.values()) == {5}


def test_parts_add_up(screening):
    held = [part(held_out=k).select(screening) for k in range(4)]
    assert sorted(i.image_id for p in held for i in p) == [i.image_id for i in screening]
    rest = part(held_out=2, part='rest').select(screening)
    assert {i.patient_id for i in rest} == {i.patient_id for i in screening} - {i.patient_id for i in held[2]}


def test_absent_labels_are_a_stratum():
    images = [image(n, f'e{n}', f'p{n}', **({'cancer': n % 2} if n % 3 else {})) for n in range(36)]
    folds = part(n=3).folds(images)
    assert set(Counter(folds[i.patient_id] for i in images if not i.labels).values()) == {4}


def test_folds_that_the_set_brings():
    images = [image(n, f'e{n}', f'p{n}', fold=2 + n % 3) for n in range(9)]
    folds = part(n=3, label='fold').folds(images)
    assert folds == {f'p{n}': n % 3 for n in range(9)}
    with pytest.raises(MammoError, match=r"label 'fold': found values 2, 3, 4; expected 4 values"):
        part(n=4, label='fold').folds(images)
    with pytest.raises(MammoError, match='values 2, 3, 4, None'):
        part(n=4, label='fold').folds([*images, image(9, 'e9', 'p9')])
    with pytest.raises(MammoError, match=r"1 patients in several folds, the first is 'p0'"):
        part(n=3, label='fold').folds([*images, image(9, 'e9', 'p0', fold=3)])


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'n': 1}, 'n: found 1'),
        ({'held_out': 4}, 'held_out: found 4; expected a fold from 0 to 3'),
        ({'part': 'train'}, "part: found 'train'"),
        ({'unit': 'breast'}, "unit: found 'breast'"),
        ({'pool': []}, 'pool'),
        ({'shuffle': True}, 'unknown shuffle'),
        ({'seed': -1}, 'seed: found -1'),
    ],
)
def test_arguments_that_make_no_sense_are_refused(change, words):
    with pytest.raises(MammoError, match=f'folds: .*{words}'):
        part(**change)


def test_a_missing_argument_is_named():
    with pytest.raises(MammoError, match='folds: keys: found without held_out, pool'):
        FoldPart.of({'n': 4, 'part': 'rest'})


def test_fewer_patients_than_folds_and_a_label_nobody_has(screening):
    with pytest.raises(MammoError, match='patients: found 3 patients; expected enough for 4 folds'):
        part().folds([i for i in screening if i.patient_id in ('5', '15', '25')])
    with pytest.raises(MammoError, match=r"stratify: found 'outcome'; expected a label of some image, of cancer\."):
        part(stratify='outcome').folds(screening)


@pytest.fixture(scope='module')
def prepared(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('set'), {'train': 5, 'val': 3, 'test': 2}, size=(32, 24))


def build(root, held_out=1, of='held_out', kind=MammogramDataset, **kwargs):
    folds = {'n': 3, 'held_out': held_out, 'part': of, 'pool': POOL, 'stratify': 'has_finding'}
    return kind('annotations/train.json', data_root=str(root), folds=folds, **kwargs)


def test_a_data_set_holds_its_part_of_all_files(prepared):
    everything = {i.image_id for name in POOL for i in read_index(prepared / name).images}
    held = [{r['img_id'] for r in build(prepared, k).iter_images()} for k in range(3)]
    assert set.union(*held) == everything and sum(map(len, held)) == len(everything)
    assert {r['img_id'] for r in build(prepared, 0, 'rest').iter_images()} == held[1] | held[2]
    exams = build(prepared, 2, kind=ExamDataset)
    assert {r['img_id'] for r in exams.iter_images()} == held[2] and len(exams) * 4 == len(held[2])


def test_what_a_data_set_leaves_out_does_not_move_the_folds(prepared):
    rule = {'labels': 'cancer', 'mapping': {0: 0}, 'absent': 'leave_out'}
    fewer = build(prepared, kind=ViewClassificationDataset, **rule)
    whole = {r['img_id'] for r in build(prepared).iter_images()}
    assert {r['img_id'] for r in fewer.iter_images()} < whole


def test_files_of_the_pool_need_not_be_disjoint_from_each_other(prepared):
    dataset = build(prepared, disjoint_from=['annotations/val.json', 'annotations/test.json'])
    assert len(dataset) > 0
    with pytest.raises(MammoError, match=r'nowhere\.json: prepared set'):
        build(prepared, disjoint_from=['annotations/nowhere.json'])


def test_files_of_other_classes_are_not_pooled(prepared, tmp_path):
    root = make_prepared_set(tmp_path, size=(32, 24))
    other = read_index(root / POOL[1])
    write_index(root / POOL[1], replace(other, categories=(*other.categories, 'asymmetry')))
    with pytest.raises(MammoError, match=r"val\.json: categories: found \('mass', 'calcification', 'asymmetry'\)"):
        build(root)

"""Intervals and paired differences of ATD, from the table that a test leaves."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation.functional import average_top_distance
from mmmammo.experiments import collect
from mmmammo.experiments.trainings import read_trainings
from mmmammo.io.anchor_tables import AnchorTable, read_anchors, write_anchors
from mmmammo.structures import MammoError

KEYS = ('atd/3', 'atd/100', 'atd/small/3')
KS, SIZES = (3, 100, 3), ((0.0, float('inf')), (0.0, float('inf')), (0.0, 20.0))


def anchors(seed, far=0.5, num_images=24, order=None):
    """Two images per patient; each second one has two lesions, of sides 10 and 30."""
    rng = np.random.default_rng(seed)
    images = np.arange(num_images)
    lesion_image = np.repeat(images[::2], 2)
    table = AnchorTable(
        image_ids=tuple(f'{i}' for i in images),
        patient_ids=tuple(f'p{i // 2}' for i in images),
        lesion_image=lesion_image,
        distances=far * rng.random(len(lesion_image)),
        sides=np.tile([10.0, 30.0], len(lesion_image) // 2),
        keys=KEYS,
        ks=KS,
        sizes=SIZES,
    )
    if order is None:
        return table
    place = np.argsort(order)
    return replace(
        table,
        image_ids=tuple(table.image_ids[i] for i in order),
        patient_ids=tuple(table.patient_ids[i] for i in order),
        lesion_image=place[table.lesion_image],
    )


def literal(table, rows, i):
    """ATD of images that may repeat, as the metric reads it."""
    distances = [
        distance
        for row in rows
        for distance, side in zip(
            table.distances[table.lesion_image == row], table.sides[table.lesion_image == row], strict=True
        )
        if SIZES[i][0] <= side <= SIZES[i][1]
    ]
    starts, ends = np.zeros((len(distances), 4)), np.zeros((len(distances), 4))
    starts[:, 0] = distances
    return average_top_distance(starts, ends, KS[i])


def leave(run, table):
    """What tools/test.py leaves of a detector with anchors."""
    run.folder.mkdir(parents=True, exist_ok=True)
    write_anchors(run.folder / 'anchors.npz', table)
    every = range(len(table.image_ids))
    metrics = {key: float(literal(table, every, i)) for i, key in enumerate(KEYS)}
    (run.folder / 'metrics.json').write_text(json.dumps({'metrics': metrics}))
    run.remember(tested=True)


@pytest.fixture
def done(plan, make_runs):
    """A plan of these metrics, and its complete runs: the graph starts nearer."""
    of_anchors = replace(plan, metrics=dict.fromkeys(KEYS, 'x'))
    runs = make_runs(of_anchors)
    for run in runs:
        leave(run, anchors(run.seed, 0.2 if run.row.name == 'graph' else 0.6))
    return of_anchors, runs


def test_an_interval_by_a_literal_loop_over_drawn_patients(done):
    _, runs = done
    found = read_trainings(runs[:1], KEYS)['anchors'].interval(30)
    table = anchors(0, 0.6)
    patients = sorted(set(table.patient_ids))
    rng, values = np.random.default_rng(0), []
    for _ in range(30):
        drawn = [patients[i] for i in rng.integers(len(patients), size=len(patients))]
        rows = [row for one in drawn for row, patient in enumerate(table.patient_ids) if patient == one]
        values.append([literal(table, rows, i) for i in range(len(KEYS))])
    np.testing.assert_allclose(found.low, np.quantile(values, 0.025, axis=0))
    np.testing.assert_allclose(found.high, np.quantile(values, 0.975, axis=0))
    assert found.high[0] <= np.sort(table.distances)[-1]  # no draw has a larger distance


def test_every_number_has_its_interval_and_its_paired_difference(done):
    plan, runs = done
    plain, graph = collect(plan, runs, 'python x', replicates=60)['rows']
    assert plain['n'] == {'images': 24, 'patients': 12, 'lesions': 24}
    for key in KEYS:
        assert plain['values'][key]['low'] <= plain['values'][key]['mean'] <= plain['values'][key]['high'] + 1e-12
        found = graph['difference']['values'][key]
        first = graph['values'][key]['per_seed'][0] - plain['values'][key]['per_seed'][0]
        assert found['value'] == pytest.approx(first) and found['high'] < 0 and found['p_permutation'] < 0.2


def test_a_detector_does_not_differ_from_itself_in_another_order(done):
    _, runs = done
    leave(runs[2], anchors(0, 0.6, order=np.random.default_rng(1).permutation(24)))
    plain = read_trainings(runs[:1], KEYS)
    again = read_trainings(runs[2:], KEYS, plain)['anchors']
    paired = again.minus(plain['anchors'], 20)
    np.testing.assert_allclose(paired.difference.estimate, 0, atol=1e-12)
    np.testing.assert_array_equal(paired.p_permutation, 1)


def test_other_images_or_lesions_are_not_compared(done):
    plan, runs = done
    leave(runs[2], anchors(0, num_images=20))
    with pytest.raises(MammoError, match=r'anchors\.npz: images: found 4 of one run only.*\(20, 21, 22\)'):
        collect(plan, runs, 'python x', replicates=2)
    leave(runs[2], replace(anchors(0), lesion_image=np.repeat(np.arange(1, 24, 2), 2)))
    with pytest.raises(MammoError, match='with other lesions'):
        collect(plan, runs, 'python x', replicates=2)


def test_a_run_without_the_table_says_so(done):
    plan, runs = done
    (runs[1].folder / 'anchors.npz').unlink()
    plain, graph = collect(plan, runs, 'python x', replicates=10)['rows']
    assert plain['values']['atd/100']['no_interval'] == 'no interval: the test left no anchors.npz'
    assert graph['values']['atd/100']['low'] > 0  # of this row all have it


def test_without_patients_nothing_is_drawn(done):
    plan, runs = done
    for run in runs:
        leave(run, replace(anchors(run.seed), patient_ids=('',) * 24))
    plain, _ = collect(plan, runs, 'python x', replicates=10)['rows']
    assert 'names no patients' in plain['values']['atd/3']['no_interval']


def test_a_table_of_anchors_is_read_as_written(tmp_path):
    table = anchors(3)
    write_anchors(tmp_path / 'new' / 'anchors.npz', table)
    read = read_anchors(tmp_path / 'new' / 'anchors.npz')
    for name in ('image_ids', 'patient_ids', 'keys', 'ks', 'sizes'):
        assert getattr(read, name) == getattr(table, name)
    for name in ('lesion_image', 'distances', 'sides'):
        np.testing.assert_array_equal(getattr(read, name), getattr(table, name))


def test_a_test_without_lesions_leaves_an_empty_table(tmp_path):
    table = replace(anchors(0), lesion_image=np.zeros(0, dtype=int), distances=np.zeros(0), sides=np.zeros(0))
    write_anchors(tmp_path / 'anchors.npz', table)
    assert len(read_anchors(tmp_path / 'anchors.npz').distances) == 0


@pytest.mark.parametrize('content', [None, b'', b'no zip', b'PK\x03\x04 cut off'])
def test_what_is_no_table_of_anchors_is_refused(tmp_path, content):
    path = tmp_path / 'anchors.npz'
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MammoError, match='test the model again'):
        read_anchors(path)

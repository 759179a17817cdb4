"""tools/compare.py: runs on the same images side by side."""

import importlib.util
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mmmammo.io.predictions import write_predictions
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import ImagePrediction, MammoError

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location('compare_tool', ROOT / 'tools' / 'compare.py')
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)

LESION = np.array([[10.0, 10, 30, 30]])
NOWHERE = np.array([[60.0, 60, 80, 80]])


def image(i, found, score=0.8):
    boxes = LESION if found else NOWHERE
    ones = np.zeros(1, int)
    return ImagePrediction(
        i, f'{i}.png', 100, 100, f'e{i}', f'p{i}', 'L', 'CC', boxes, np.array([score]), ones, LESION, ones
    )


def write(folder, images):
    write_predictions(folder / 'predictions.json', images, ['mass'])
    return folder


def run(monkeypatch, tmp_path, *args):
    monkeypatch.setattr(
        sys, 'argv', ['compare.py', *map(str, args), '--out', str(tmp_path / 'out'), '--bootstrap', '50']
    )
    assert tool.main() == 0
    return json.loads((tmp_path / 'out' / 'comparison.json').read_text())


def test_differences_are_to_the_first_run(monkeypatch, tmp_path, capsys):
    first = write(tmp_path / 'first', [image(i, found=i < 2) for i in range(8)])
    second = write(tmp_path / 'second', [image(i, found=i < 6) for i in range(8)])
    document = run(monkeypatch, tmp_path, first, second)
    assert [entry['name'] for entry in document['runs']] == ['first', 'second']
    row = document['runs'][1]['minus_first']['froc/recall@4.00']
    assert row['value'] == pytest.approx(0.75 - 0.25)
    assert row['low'] <= row['value'] <= row['high'] and 0 < row['p_permutation'] <= 1
    printed = capsys.readouterr().out
    assert 'A is first, B is second' in printed and 'froc/recall@4.00' in printed
    page = (tmp_path / 'out' / 'comparison.html').read_text()
    assert 'The difference is +' in page and 'http' not in page.replace('http-equiv', '')


def test_of_three_runs_each_has_a_table_beside_the_first(monkeypatch, tmp_path, capsys):
    runs = [write(tmp_path / name, [image(i, found=i < 2 + n) for i in range(8)]) for n, name in enumerate('xyz')]
    run(monkeypatch, tmp_path, *runs)
    printed, page = capsys.readouterr().out, (tmp_path / 'out' / 'comparison.html').read_text()
    assert 'A is x, B is y' in printed and 'A is x, B is z' in printed and '-0.000' not in printed
    assert 'Side by side' in printed and '<caption>All runs</caption>' in page
    assert '<caption>y beside x</caption>' in page and '<caption>z beside x</caption>' in page


def test_a_run_against_itself_does_not_differ(monkeypatch, tmp_path):
    folder = write(tmp_path / 'one', [image(i, found=i % 2) for i in range(6)])
    document = run(monkeypatch, tmp_path, folder, folder, '--names', 'a', 'b')
    for row in document['runs'][1]['minus_first'].values():
        if row['value'] is not None:
            assert (row['value'], row['low'], row['high'], row['p_permutation']) == (0, 0, 0, 1)


def test_order_of_the_images_does_not_matter(monkeypatch, tmp_path):
    images = [image(i, found=i % 2, score=0.1 * (i + 1)) for i in range(6)]
    first, second = write(tmp_path / 'a', images), write(tmp_path / 'b', images[::-1])
    document = run(monkeypatch, tmp_path, first, second)
    assert {row['value'] for row in document['runs'][1]['minus_first'].values()} <= {0, None}


def test_runs_on_other_images_are_refused_with_their_names(monkeypatch, tmp_path):
    first = write(tmp_path / 'a', [image(i, found=True) for i in range(4)])
    second = write(tmp_path / 'b', [image(i, found=True) for i in range(1, 6)])
    with pytest.raises(MammoError, match=r'without 1 of a: image 0 \(0\.png\); with 2 that a has not: image 4'):
        run(monkeypatch, tmp_path, first, second)


def test_another_truth_is_refused_with_the_image(monkeypatch, tmp_path):
    images = [image(i, found=True) for i in range(4)]
    moved = [*images[:3], replace(images[3], gt_boxes=NOWHERE)]
    first, second = write(tmp_path / 'a', images), write(tmp_path / 'b', moved)
    with pytest.raises(MammoError, match=r'lesions of image 3 \(3\.png\).*same annotations'):
        run(monkeypatch, tmp_path, first, second)


def test_tables_of_scores(monkeypatch, tmp_path):
    rows = [('i0', 1, 0.9, 0.4), ('i1', 1, 0.8, 0.7), ('i2', 0, 0.3, 0.6), ('i3', 0, 0.1, 0.2)]
    for column, name in ((2, 'good'), (3, 'poor')):
        lines = ['image_id,label,score', *(f'{row[0]},{row[1]},{row[column]}' for row in rows)]
        (tmp_path / f'{name}.csv').write_text('\n'.join(lines))
    document = run(monkeypatch, tmp_path, tmp_path / 'good.csv', tmp_path / 'poor.csv')
    assert document['runs'][1]['minus_first']['auc']['value'] == 0.75 - 1


def test_runs_of_several_findings(monkeypatch, tmp_path, capsys):
    rng = np.random.default_rng(0)
    truth = rng.random((40, 2)) < 0.4
    for name, noise in (('vgg', 0.6), ('swin', 0.1), ('random', 5.0)):
        scores = np.clip(truth * 0.5 + 0.25 + noise * rng.normal(size=truth.shape), 0, 1)
        rows = [
            ScoreRow(str(i), f'e{i}', f'p{i}', 'L', 'CC', 'test', tuple(truth[i]), tuple(scores[i])) for i in range(40)
        ]
        write_scores(tmp_path / name / 'scores.csv', rows, ('Mass', 'Suspicious Calcification'))
    document = run(monkeypatch, tmp_path, *(tmp_path / name for name in ('vgg', 'swin', 'random')))
    assert [entry['name'] for entry in document['runs']] == ['vgg', 'swin', 'random']
    swin = document['runs'][1]
    f1 = [f1_score(truth[:, i], read_scores(tmp_path / 'swin')[:, i] >= 0.5) for i in range(2)]
    assert swin['numbers']['weighted/f1']['value'] == pytest.approx(np.average(f1, weights=truth.sum(axis=0)))
    for key in ('Mass/auc', 'Suspicious Calcification/f1', 'macro/auc', 'weighted/f1', 'micro/recall'):
        found = swin['minus_first'][key]
        assert found['value'] == pytest.approx(
            swin['numbers'][key]['value'] - document['runs'][0]['numbers'][key]['value']
        )
        assert found['low'] <= found['value'] <= found['high'] and 0 < found['p_permutation'] <= 1
    assert 'Mass/brier' not in swin['minus_first'] and 'weighted/f1' in capsys.readouterr().out


def read_scores(folder):
    return read_score_table(folder / 'scores.csv').scores


@pytest.mark.parametrize(
    ('names', 'said'), [(['one'], '1 runs'), (['one', 'one'], 'each with a name of its own')], ids=['alone', 'twice']
)
def test_two_runs_with_names_are_needed(names, said):
    with pytest.raises(MammoError, match=said):
        tool.names_of([Path(name) for name in names], names)


def test_kinds_are_not_mixed(monkeypatch, tmp_path):
    folder = write(tmp_path / 'a', [image(0, found=True)])
    (tmp_path / 'b.csv').write_text('image_id,label,score\ni,1,0.5\n')
    with pytest.raises(MammoError, match='compare one kind at a time'):
        run(monkeypatch, tmp_path, folder, tmp_path / 'b.csv')

"""tools/average_scores.py: the mean of models as one more model."""

import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import pytest

from mmmammo.evaluation.functional import ScoreMeasure, read_measure
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location('average_tool', ROOT / 'tools' / 'average_scores.py')
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)
MEASURE = ScoreMeasure('auc', level='exam', breast_rule='sum', as_log_odds=True)


def make_run(folder, scores):
    """Two views of four exams; the first two have cancer."""
    rows = [
        ScoreRow(str(i), f'e{i // 2}', f'p{i // 2}', 'L', ('CC', 'MLO')[i % 2], 'test', (i < 4,), (score,))
        for i, score in enumerate(scores)
    ]
    write_scores(folder / 'scores.csv', rows)
    said = {'metrics': {'exam/auc': 0.5}, 'measures': {'exam/auc': MEASURE.as_dict()}}
    (folder / 'metrics.json').write_text(json.dumps(said))
    return folder


def run(monkeypatch, *args):
    monkeypatch.setattr(sys, 'argv', ['average_scores.py', *map(str, args)])
    return tool.main()


def test_log_odds_are_averaged_image_by_image(monkeypatch, tmp_path):
    a, b = [0.9, 0.2, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1], [0.5, 0.8, 0.1, 0.5, 0.4, 0.7, 0.2, 0.3]
    runs = make_run(tmp_path / 'a', a), make_run(tmp_path / 'b', b)
    assert run(monkeypatch, *runs, '--out', tmp_path / 'mean', '--scale', 'log_odds') == 0
    table = read_score_table(tmp_path / 'mean' / 'scores.csv')
    odds = np.mean([np.log(np.divide(s, np.subtract(1, s))) for s in (a, b)], axis=0)
    np.testing.assert_allclose(table.scores[:, 0], 1 / (1 + np.exp(-odds)))
    document = json.loads((tmp_path / 'mean' / 'metrics.json').read_text())
    assert document['metrics']['exam/auc'] == pytest.approx(read_measure(table, MEASURE))
    assert document['run']['scale'] == 'log_odds' and 'auc' in document['measures']


@pytest.mark.parametrize(
    ('runs', 'out', 'said'),
    [
        (('a',), 'c', 'found 1 folder; expected two or more'),
        (('a', 'b'), 'b', 'a folder other than those of the models'),
        (('a', 'none'), 'c', 'no .*none/scores.csv'),
    ],
)
def test_what_cannot_be_averaged_is_refused(monkeypatch, tmp_path, runs, out, said):
    for name in 'ab':
        make_run(tmp_path / name, [0.5] * 8)
    with pytest.raises(MammoError, match=said):
        run(monkeypatch, *(tmp_path / name for name in runs), '--out', tmp_path / out)

import importlib.util
import json
import sys
from pathlib import Path

import pytest

from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
spec = importlib.util.spec_from_file_location('collect_results', ROOT / 'tools' / 'analysis' / 'collect_results.py')
tool = importlib.util.module_from_spec(spec)
spec.loader.exec_module(tool)


def entry(checkpoint='a.pth', recall=0.5, **metrics):
    run = {
        'config': 'c.py',
        'checkpoint': checkpoint,
        'data': 'd/test.json',
        'source': 'phantom',
        'seed': 0,
        'code': 'x',
    }
    recalls = {f'froc/recall@{fps}': recall for fps in tool.FPS_PER_IMAGE}
    return {'run': run, 'metrics': {'froc/n_images': 8.0, 'froc/n_lesions': 3.0, **recalls, **metrics}}


def test_a_row_by_hand():
    interval = {'froc/recall@1.00_low': 0.25, 'froc/recall@1.00_high': 0.75}
    row = tool.render([entry(**interval)]).splitlines()[-1]
    assert row == (
        '| `tools/test.py c.py a.pth` | d/test.json (phantom) | 8, 3 | 0 | x '
        '| 50.0 / 50.0 (25.0 to 75.0) / 50.0 / 50.0 / 50.0 |'
    )


def test_undefined_is_said_and_not_zero():
    assert 'not defined / not defined' in tool.render([entry(recall=None)])


def test_a_run_replaces_its_earlier_self_only():
    results = tool.merged([entry('a.pth', 0.1), entry('b.pth', 0.2)], entry('a.pth', 0.9))
    assert [r['metrics']['froc/recall@1.00'] for r in results] == [0.2, 0.9]


def test_the_page_in_docs_is_what_its_json_gives():
    stored = json.loads((ROOT / 'docs' / 'results.json').read_text())
    assert (ROOT / 'docs' / 'results.md').read_text() == tool.render(stored)


def test_another_file_is_named(tmp_path, monkeypatch):
    (tmp_path / 'm.json').write_text('{"run": {}}')
    monkeypatch.setattr(sys, 'argv', ['x', str(tmp_path / 'm.json'), '--docs', str(tmp_path)])
    with pytest.raises(MammoError, match=r'm\.json.*metrics\.json of tools/test\.py'):
        tool.main()

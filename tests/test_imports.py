"""The import directions of DESIGN.md section 2, read from the source."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / 'mmmammo'
LIGHT = (
    'structures',
    'io',
    'phantom',
    'preprocessing',
    'anatomy',
    'sources',
    'prepare',
    'evaluation.functional',
    'evaluation.summary',
)
HEAVY = {'torch', 'torchvision', 'mmcv', 'mmengine', 'mmdet', 'mmpretrain'}
MAY_IMPORT = {
    'structures': set(),
    'io': {'structures', 'provenance'},
    'preprocessing': {'structures', 'io'},
    'anatomy': {'structures', 'io', 'preprocessing'},
    'phantom': {'structures', 'io', 'preprocessing', 'anatomy'},
    'sources': {'structures', 'io', 'preprocessing', 'anatomy', 'phantom'},
    'prepare': {'structures', 'io', 'preprocessing', 'anatomy', 'phantom', 'sources', 'memory'},  # not torch
    'evaluation.functional': {'structures'},
    'evaluation.summary': {'structures', 'io', 'evaluation.functional'},
    'evaluation.metrics': {'structures', 'io', 'anatomy', 'evaluation.functional', 'registry'},
    'ops': {'structures'},
    'models': {'structures', 'io', 'preprocessing', 'anatomy', 'registry', 'evaluation.functional', 'ops'},
    'datasets': {'structures', 'io', 'preprocessing', 'anatomy', 'registry', 'sources'},  # whose folds are cut alike
    'engine': {'structures', 'io', 'registry', 'models', 'datasets', 'evaluation.functional', 'evaluation.metrics'},
    'crossval': {
        'structures',
        'io',
        'evaluation.functional',
        'evaluation.summary',
        'evaluation.metrics',
        'datasets',
        'apis',
        'engine',  # whose checkpoints are read safely
        'experiments',
        'registry',
    },
    'experiments': {'structures', 'io', 'evaluation.functional', 'evaluation.summary', 'apis'},
}


def part_of(module):
    """The room a module belongs to: ``mmmammo.evaluation.functional.froc`` -> ``evaluation.functional``."""
    names = module.split('.')[1:]
    return '.'.join(names[:2]) if names[:1] == ['evaluation'] else '.'.join(names[:1])


def imports_of(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module


def files_of(room):
    return sorted((PACKAGE / room.replace('.', '/')).rglob('*.py'))


@pytest.mark.parametrize('room', MAY_IMPORT)
def test_arrows_point_down(room):
    files = files_of(room)
    assert files, f'no files in {room}'
    for path in files:
        used = {part_of(name) for name in imports_of(path) if name.startswith('mmmammo.')} - {room, ''}
        assert used <= MAY_IMPORT[room], f'{path.relative_to(ROOT)} imports {sorted(used - MAY_IMPORT[room])}'


@pytest.mark.parametrize('room', LIGHT)
def test_light_rooms_import_neither_torch_nor_mm(room):
    for path in files_of(room):
        heavy = {name.split('.')[0] for name in imports_of(path)} & HEAVY
        assert not heavy, f'{path.relative_to(ROOT)} imports {sorted(heavy)}'


def test_testing_is_imported_by_tests_only():
    for path in sorted(PACKAGE.rglob('*.py')):
        if 'testing' not in path.relative_to(PACKAGE).parts:
            assert not any(name.startswith('mmmammo.testing') for name in imports_of(path)), path


def test_light_rooms_really_load_without_torch():
    code = f'import sys; {"; ".join(f"import mmmammo.{room}" for room in LIGHT)}; print("torch" in sys.modules)'
    env = {**os.environ, 'PYTHONPATH': str(ROOT)}
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == 'False'

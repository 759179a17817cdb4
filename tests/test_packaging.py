"""What is imported is declared, what is declared is pinned, and no file of the package is left behind."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYPROJECT = tomllib.loads((ROOT / 'pyproject.toml').read_text())


def name_of(requirement):
    return re.sub(r'[-_.]+', '-', re.match(r'[\w.-]+', requirement)[0]).lower()


def declared():
    project = PYPROJECT['project']
    optional = [line for lines in project['optional-dependencies'].values() for line in lines]
    return {name_of(line) for line in [*project['dependencies'], *optional]}


def imported():
    """Top-level names of absolute imports in the package, the tools and the benchmarks."""
    for folder in ('mmmammo', 'tools', 'benchmarks'):
        for path in sorted((ROOT / folder).rglob('*.py')):
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.Import):
                    yield from (alias.name.split('.')[0] for alias in node.names)
                elif isinstance(node, ast.ImportFrom) and node.level == 0:
                    yield node.module.split('.')[0]


def test_every_import_is_declared():
    own = {'mmmammo', 'bootstrap', *(path.stem for path in (ROOT / 'tools').rglob('*.py'))}
    foreign = set(imported()) - set(sys.stdlib_module_names) - own
    providers = packages_distributions()
    undeclared = {
        name for name in foreign if not {name_of(provider) for provider in providers.get(name, [name])} & declared()
    }
    assert not undeclared, f'imported but not in pyproject.toml: {sorted(undeclared)}'


def test_every_declared_package_is_pinned():
    pinned = {name_of(line) for line in (ROOT / 'constraints.txt').read_text().split()}
    assert declared() <= pinned, f'not in constraints.txt: {sorted(declared() - pinned)}'


def test_both_opencvs_have_one_pin():
    pins = dict(line.split('==') for line in (ROOT / 'constraints.txt').read_text().split())
    assert pins['opencv-python'] == pins['opencv-python-headless']


def test_data_files_of_the_package_are_shipped():
    patterns = PYPROJECT['tool']['setuptools']['package-data']['mmmammo']
    package = ROOT / 'mmmammo'
    shipped = {path for pattern in patterns for path in package.glob(pattern)}
    others = {path for path in package.rglob('*') if path.is_file() and path.suffix not in {'.py', '.pyc'}}
    assert others <= shipped, f'not in package-data: {sorted(map(str, others - shipped))}'

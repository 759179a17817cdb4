"""Options and shared fixtures."""

import os
from pathlib import Path

import pytest

REAL_DATA = Path(os.environ.get('MMMAMMO_REAL_DATA', Path(__file__).resolve().parents[1] / '..' / 'shared' / 'data'))


def pytest_addoption(parser):
    parser.addoption('--runslow', action='store_true', help='also run the tests marked slow')
    parser.addoption('--rungpu', action='store_true', help='also run the tests marked gpu')


def pytest_collection_modifyitems(config, items):
    for name in ('slow', 'gpu'):
        if config.getoption(f'--run{name}'):
            continue
        skip = pytest.mark.skip(reason=f'marked {name}; run with --run{name}')
        for item in items:
            if name in item.keywords:
                item.add_marker(skip)


@pytest.fixture(scope='session')
def real_data():
    """The folder of real inputs, see MMMAMMO_REAL_DATA; the test is skipped where it is absent."""
    if not REAL_DATA.is_dir():
        pytest.skip(f'no real inputs at {REAL_DATA}; set MMMAMMO_REAL_DATA')
    return REAL_DATA.resolve()

"""A repository whose tools take no time, and cross-validations in it."""

import pytest
from toy_folds import CONFIG_TEXT, TEST, TRAIN, write_rows

from mmmammo.crossval import open_project
from mmmammo.testing.prepared_set import make_prepared_set


@pytest.fixture(scope='session')
def prepared(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('set'), {'train': 6, 'val': 3, 'test': 3}, size=(16, 12))


@pytest.fixture
def root(tmp_path):
    """A folder with tools that only pretend."""
    (tmp_path / 'tools').mkdir()
    (tmp_path / 'tools' / 'train.py').write_text(TRAIN)
    (tmp_path / 'tools' / 'test.py').write_text(TEST)
    return tmp_path


@pytest.fixture
def write_config(root, prepared):
    """A function that writes a config and returns its path."""

    def _write_config(name='toy', size=1, more=''):
        path = root / f'{name}.py'
        path.write_text(CONFIG_TEXT.format(root=prepared, size=size, more=more))
        return str(path)

    return _write_config


@pytest.fixture
def project(root, prepared, write_config):
    """A function that opens a cross-validation in three folds."""

    def _project(name='toy', folder=None, size=1, more='', cfg_options=None, **said):
        config = write_config(name, size, more)
        said = {'folds': 3} | said
        opened = open_project(config, root, root / 'store', folder=folder, cfg_options=cfg_options, **said)
        write_rows(prepared, opened.settings.cut.part(opened.cfg, 0, 'rest'), opened.settings.cut.n)
        return opened

    return _project

"""A prepared set for the whole folder."""

import pytest
from mmengine.registry import DefaultScope

from mmmammo.testing.prepared_set import make_prepared_set


@pytest.fixture(scope='session')
def prepared_root(tmp_path_factory):
    return make_prepared_set(tmp_path_factory.mktemp('prepared'), seed=1)


@pytest.fixture()
def scope():
    """The default scope of our configs."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        yield

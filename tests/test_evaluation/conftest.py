"""Fixtures shared by the tests of metrics."""

import pytest
from mmengine.logging import MMLogger


@pytest.fixture
def log(caplog):
    """What goes through MMLogger, which does not propagate."""
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)

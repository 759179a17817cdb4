"""The AUCs that NYU published for their reader study, from their table (SYSTEMS.md 5.7, item 4).

The table is not ours to distribute: set MMMAMMO_NYU_META_DIR to a clone of nyukat/mammography_metarepository. It is a
pickle of pandas, which can run code when it is read: use their file.
"""

import os
from pathlib import Path

import pandas as pd
import pytest

from mmmammo.evaluation.functional import auc

MODELS = (0.7788, 0.8812, 0.8532, 0.7145)
"""DMV-CNN, GMIC (the mean of five), GLAM, Faster R-CNN."""
READERS = (0.7045, 0.8598)
"""The worst and the best."""


@pytest.fixture(scope='module')
def aucs():
    folder = os.environ.get('MMMAMMO_NYU_META_DIR')
    if not folder:
        pytest.skip('set MMMAMMO_NYU_META_DIR to a clone of nyukat/mammography_metarepository')
    frame = pd.read_pickle(Path(folder) / 'reader_study' / 'results.pkl').select_dtypes('number')
    assert len(frame) == 1440
    labels = [name for name in frame if set(frame[name]) == {0, 1} and frame[name].sum() == 61]
    truth = frame[labels[0]].to_numpy()
    scored = [name for name in frame if name not in labels and frame[name].notna().all()]
    return [float(auc(truth, frame[name].to_numpy(dtype=float))) for name in scored]


@pytest.mark.parametrize('published', [*MODELS, *READERS])
def test_the_published_areas(aucs, published):
    assert min(abs(area - published) for area in aucs) < 5e-5

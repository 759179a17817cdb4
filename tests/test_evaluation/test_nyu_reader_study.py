"""The AUCs that NYU published for their reader study, from their table.

The table is not ours to distribute: set MMMAMMO_NYU_META_DIR to a clone of nyukat/mammography_metarepository. It is a
frame of pandas from before 1.0, which only pandas can read, and which can run code when it is read: this test trusts
your own clone of their repository, and nothing of the package reads such a file.
"""

import os
import re
from pathlib import Path

import pandas as pd
import pytest

from mmmammo.evaluation.functional import auc

MODELS = {
    'DMV-CNN': ('dmv|nyu_model', 0.7788),
    'GMIC': ('gmic', 0.8812),
    'GLAM': ('glam', 0.8532),
    'Faster R-CNN': ('(faster|f)[ _-]*r-?cnn', 0.7145),
}
"""What the name of a model's column says, and its AUC; of GMIC, the mean of the five best."""
OTHERS = 'end2end|label|malignant|index'
READERS = {'worst': (min, 0.7045), 'best': (max, 0.8598), 'mean': (lambda areas: sum(areas) / len(areas), 0.7788)}


@pytest.fixture(scope='module')
def aucs():
    """By name of the column."""
    folder = os.environ.get('MMMAMMO_NYU_META_DIR')
    if not folder:
        pytest.skip('set MMMAMMO_NYU_META_DIR to a clone of nyukat/mammography_metarepository')
    frame = pd.read_pickle(Path(folder) / 'reader_study' / 'results.pkl').select_dtypes('number')
    assert len(frame) == 1440
    labels = [name for name in frame if set(frame[name]) == {0, 1} and frame[name].sum() == 61]
    truth = frame[labels[0]].to_numpy()
    scored = [name for name in frame if name not in labels and frame[name].notna().all()]
    return {str(name): float(auc(truth, frame[name].to_numpy(dtype=float))) for name in scored}


def named(aucs, pattern):
    return {name: area for name, area in aucs.items() if re.search(pattern, name, re.IGNORECASE)}


@pytest.mark.parametrize('model', MODELS)
def test_the_published_area_is_that_of_the_models_column(aucs, model):
    pattern, published = MODELS[model]
    found = named(aucs, pattern)
    assert any(abs(area - published) < 5e-5 for area in found.values()), (found, sorted(aucs))


@pytest.mark.parametrize('which', READERS)
def test_the_published_areas_of_the_readers(aucs, which):
    of_models = named(aucs, '|'.join([OTHERS, *(pattern for pattern, _ in MODELS.values())]))
    readers = {name: area for name, area in aucs.items() if name not in of_models}
    summary, published = READERS[which]
    assert summary(list(readers.values())) == pytest.approx(published, abs=5e-5), readers

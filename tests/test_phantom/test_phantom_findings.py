"""The findings that only some sets have."""

import numpy as np
import pytest

from mmmammo.phantom import PhantomConfig
from mmmammo.phantom.breast import sample_woman
from mmmammo.phantom.lesions import sample_lesion
from mmmammo.sources.phantom import CATEGORIES
from mmmammo.sources.vindr import CATEGORIES as VINDR_CATEGORIES


def lesions(category, pathology='benign', count=40):
    rng = np.random.default_rng(0)
    breast = sample_woman(PhantomConfig(), rng).left
    return [sample_lesion(category, pathology, 1.0, breast, lambda *_: True, rng) for _ in range(count)]


def test_names_are_those_of_vindr():
    assert set(CATEGORIES) <= set(VINDR_CATEGORIES)
    missing = set(VINDR_CATEGORIES) - set(CATEGORIES)
    assert missing == {'skin_thickening', 'skin_retraction', 'nipple_retraction'}  # docs/phantom.md


def test_they_occur_only_where_they_are_asked_for():
    assert set(PhantomConfig().finding_mix) == {'mass', 'calcification', 'distortion', 'asymmetry'}


def test_asymmetries_differ_in_size():
    radii = {name: [x.radius for x in lesions(name)] for name in CATEGORIES if 'asymmetry' in name}
    focal, plain, wide = (radii[name] for name in ('focal_asymmetry', 'asymmetry', 'global_asymmetry'))
    assert max(focal) < np.mean(plain) < max(plain) < min(wide)


@pytest.mark.parametrize('category', ['focal_asymmetry', 'global_asymmetry', 'lymph_node'])
@pytest.mark.parametrize('pathology', ['benign', 'malignant'])
def test_what_they_consist_of_lies_within_their_radius(category, pathology):
    for lesion in lesions(category, pathology):
        assert lesion.category == category and lesion.pathology == pathology
        reach = np.linalg.norm(lesion.balls[:, :3], axis=1) + lesion.balls[:, 3]
        assert 0.6 * lesion.radius < reach.max() < 1.5 * lesion.radius


def test_a_malignant_lymph_node_has_lost_its_hilum():
    def gap(lesion):  # between the two ends of the arc, in radii
        ends = lesion.balls[[0, -1]]
        return (np.linalg.norm(ends[0, :3] - ends[1, :3]) - ends[:, 3].sum()) / lesion.radius

    benign, malignant = (np.mean([gap(x) for x in lesions('lymph_node', p)]) for p in ('benign', 'malignant'))
    assert malignant < 0 < benign

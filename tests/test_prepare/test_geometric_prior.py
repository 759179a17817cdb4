"""Counting lesion pairs on breasts whose nodes are known."""

import numpy as np
import pytest

from mmmammo.anatomy import geometric_prior, pseudo_landmarks
from mmmammo.prepare.geometric_prior import build_geometric_prior, pair_findings
from mmmammo.structures import Affine, BreastLandmarks, Finding, Laterality, MammoError, PreparedImage, View

NUM_NODES = (13, 17)
ANGLES = np.linspace(-np.pi / 2, np.pi / 2, 91)


def landmarks_of(view, confidence=1.0):
    return BreastLandmarks(
        contour=np.stack([80 * np.cos(ANGLES), 100 + 100 * np.sin(ANGLES)], axis=1),
        nipple=np.array([80.0, 100.0]),
        pectoral_line=np.array([[0.0, 0.0], [0.0, 200.0]] if view == 'CC' else [[40.0, 10.0], [0.0, 120.0]]),
        confidence=confidence,
    )


def finding_at(view, node, lesion_id=None):
    x, y = pseudo_landmarks(landmarks_of(view), view, NUM_NODES[view == 'MLO'])[node] + 0.1
    return Finding(bbox=(x - 3, y - 2, x + 3, y + 2), category='mass', lesion_id=lesion_id)


def image(side, view, findings=(), confidence=1.0, exam='e'):
    return PreparedImage(
        image_id=0,
        file_name=f'{side}{view}.png',
        width=100,
        height=200,
        exam_id=exam,
        patient_id=exam,
        laterality=Laterality(side),
        view=View(view),
        affine=Affine.identity(),
        landmarks=None if confidence is None else landmarks_of(view, confidence),
        findings=tuple(findings),
    )


def breast(cc, mlo, side='L'):
    return [image(side, 'CC', cc), image(side, 'MLO', mlo)]


def cells(prior):
    return {(int(i), int(j)): float(prior.counts[i, j]) for i, j in zip(*np.nonzero(prior.counts), strict=True)}


def test_lesions_are_paired_by_id_at_their_nearest_nodes():
    cc = [finding_at('CC', 2, 'a'), finding_at('CC', 5, 'b'), finding_at('CC', 7, 'only here')]
    mlo = [finding_at('MLO', 9, 'b'), finding_at('MLO', 3, 'a')]
    prior = build_geometric_prior(breast(cc, mlo), NUM_NODES)
    assert cells(prior) == {(2, 3): 1, (5, 9): 1}
    assert prior.num_pairs == 2
    assert np.linalg.svd(geometric_prior(prior.counts))[1][0] == pytest.approx(1)


def test_without_ids_all_that_may_be_the_same_are_paired():
    cc = [finding_at('CC', 2), finding_at('CC', 5), finding_at('CC', 7, 'a')]
    mlo = [finding_at('MLO', 9)]
    assert cells(build_geometric_prior(breast(cc, mlo), NUM_NODES)) == {(2, 9): 1, (5, 9): 1}
    assert pair_findings(cc[2:], mlo) == []


def test_findings_of_different_categories_are_never_one_lesion():
    mass, distortion = (
        Finding(bbox=(1, 1, 4, 4), category='lesion', attributes={'category': kind})
        for kind in ('mass', 'calcification')
    )
    assert pair_findings([mass], [distortion]) == []
    assert len(pair_findings([mass, distortion], [distortion, mass])) == 2


@pytest.mark.parametrize(('others', 'count'), [(['CC', 'MLO'], 2), (['CC'], 1)], ids=['four views', 'three views'])
def test_per_triad_counts_each_examined_view_that_has_a_triad(others, count):
    images = breast([finding_at('CC', 2, 'a')], [finding_at('MLO', 3, 'a')]) + [image('R', view) for view in others]
    prior = build_geometric_prior(images, NUM_NODES, per_triad=True)
    assert cells(prior) == {(2, 3): count}
    assert prior.num_pairs == 1


def test_smoothing_keeps_the_total_and_reaches_neighbours():
    images = breast([finding_at('CC', 2, 'a')], [finding_at('MLO', 3, 'a')])
    prior = build_geometric_prior(images, NUM_NODES, smoothing=0.2)
    assert prior.counts.sum() == pytest.approx(1)
    assert np.count_nonzero(prior.counts > 1e-3) > 4
    assert np.unravel_index(prior.counts.argmax(), prior.counts.shape) == (2, 3)


def test_templates_lie_in_the_unit_box():
    images = breast([finding_at('CC', 2, 'a')], [finding_at('MLO', 3, 'a')])
    prior = build_geometric_prior(images, NUM_NODES)
    np.testing.assert_allclose(prior.template_cc[0], (1.0, 0.5), atol=1e-9)
    np.testing.assert_allclose(prior.template_cc, pseudo_landmarks(landmarks_of('CC'), 'CC', 13) / (80, 200), atol=1e-9)


def test_the_corner_line_of_the_template_is_where_the_mode_says():
    images = breast([finding_at('CC', 2, 'a')], [finding_at('MLO', 3, 'a')])
    prior = build_geometric_prior(images, NUM_NODES, corner_mode='seed')
    nodes = pseudo_landmarks(landmarks_of('MLO'), 'MLO', 17, 'seed')
    np.testing.assert_allclose(prior.template_mlo, nodes / (80, 200), atol=1e-9)
    assert np.abs(prior.template_mlo - build_geometric_prior(images, NUM_NODES).template_mlo).max() > 0.01
    assert prior.info['corner_mode'] == 'seed'


def test_the_surest_of_repeated_views_counts():
    images = [
        image('L', 'CC', [finding_at('CC', 1, 'a')], confidence=0.1),
        image('L', 'CC', [finding_at('CC', 2, 'a')], confidence=0.9),
        image('L', 'MLO', [finding_at('MLO', 3, 'a')]),
    ]
    assert cells(build_geometric_prior(images, NUM_NODES)) == {(2, 3): 1}


@pytest.mark.parametrize(
    'images',
    [
        breast([finding_at('CC', 2, 'a')], []),
        breast([finding_at('CC', 2, 'a')], [finding_at('MLO', 2, 'b')]),
        [image('L', 'CC', [finding_at('CC', 2, 'a')]), image('L', 'MLO', [finding_at('MLO', 2, 'a')], confidence=None)],
        [image('U', 'CC', [finding_at('CC', 2, 'a')]), image('U', 'MLO', [finding_at('MLO', 2, 'a')])],
    ],
    ids=['one view', 'other lesion', 'no landmarks', 'unknown side'],
)
def test_no_pair_is_an_error(images):
    with pytest.raises(MammoError, match='lesion pairs: found none'):
        build_geometric_prior(images, NUM_NODES)


@pytest.mark.parametrize('smoothing', [-0.1, float('nan')])
def test_negative_smoothing_is_refused(smoothing):
    with pytest.raises(MammoError, match='smoothing'):
        build_geometric_prior([], NUM_NODES, smoothing=smoothing)

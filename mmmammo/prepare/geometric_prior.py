"""The geometric prior of the anatomy graph, from the lesions of a training split.

The template of a projection is stretched per axis to the unit box, so what the inception graph calls nearest is nearest
in that frame, not in millimetres.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import product

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy import GeometricPrior, cooccurrence, nearest_node, pseudo_landmarks, spread_counts
from mmmammo.structures import STANDARD_VIEWS, Finding, Laterality, MammoError, PreparedImage, View

Key = tuple[str, Laterality, View]
Nodes = npt.NDArray[np.float64]


def build_geometric_prior(
    images: Iterable[PreparedImage],
    num_nodes: tuple[int, int],
    *,
    per_triad: bool = False,
    smoothing: float = 0.0,
    corner_mode: str = 'midpoint',
) -> GeometricPrior:
    """Put each lesion seen in both views of a breast to its nearest node in either, and count.

    Lesions are paired by ``lesion_id``; where neither view has one, every finding with every other. Views without
    landmarks are left out; of repeated views the one with the surest landmarks counts.

    Args:
        images: Of the training split only.
        num_nodes: (CC, MLO).
        per_triad: Count a pair once for each of its two views that has a contralateral one, as triads of
            (examined, ipsilateral, contralateral) do. ``num_pairs`` stays the number of pairs.
        corner_mode: As that of ``PackMammogram``, see :func:`mmmammo.anatomy.pseudo_landmarks`.
        smoothing: Width of the Gaussian that shares counts among neighbouring nodes, as a fraction of the breast.

    Raises:
        MammoError: If there is no pair, or the smoothing is negative.
    """
    if not smoothing >= 0:
        raise MammoError(
            'geometric prior', field='smoothing', found=smoothing, expected='0 or more', remedy='leave it out for none'
        )
    views = _best_views(images)
    sizes = dict(zip(STANDARD_VIEWS, num_nodes, strict=True))
    nodes = {key: pseudo_landmarks(image.landmarks, key[2], sizes[key[2]], corner_mode) for key, image in views.items()}
    pairs: list[tuple[int, int]] = []
    num_pairs = 0
    for exam, side in sorted({key[:2] for key in views}):
        found = _node_pairs(views, nodes, exam, side)
        num_pairs += len(found)
        pairs += found * (sum((exam, side.other, view) in views for view in STANDARD_VIEWS) if per_triad else 1)
    if not pairs:
        raise MammoError(
            'geometric prior',
            field='lesion pairs',
            found=f'none in {len(views)} views with landmarks',
            expected='findings in both the CC and the MLO view of a breast',
            remedy='use the index of the training split, or train with prior=None',
        )
    counts: npt.NDArray[np.floating] = cooccurrence(pairs, num_nodes).astype(np.float64)
    templates = [_mean_template(views, nodes, view) for view in STANDARD_VIEWS]
    if smoothing > 0:
        counts = spread_counts(counts, *templates, smoothing)
    info = {'views': len(views), 'per_triad': per_triad, 'smoothing': smoothing, 'corner_mode': corner_mode}
    return GeometricPrior(num_nodes, counts, *templates, num_pairs, info)


def pair_findings(cc: Sequence[Finding], mlo: Sequence[Finding]) -> list[tuple[Finding, Finding]]:
    """Findings of two views of a breast that are the same lesion, or that may be where no id tells.

    Findings of different categories are never one lesion; ``attributes['category']`` tells where classes were merged.
    """
    return [(a, b) for a, b in product(cc, mlo) if a.lesion_id == b.lesion_id and _kind(a) == _kind(b)]


def _kind(finding: Finding) -> str:
    return str(finding.attributes.get('category', finding.category))


def _best_views(images: Iterable[PreparedImage]) -> dict[Key, PreparedImage]:
    """Standard views of known side that have landmarks, one of a kind per exam."""
    best: dict[Key, PreparedImage] = {}
    for image in images:
        key = (image.exam_id, image.laterality, image.view)
        if image.landmarks is None or image.view not in STANDARD_VIEWS or image.laterality is Laterality.UNKNOWN:
            continue
        if key not in best or image.quality > best[key].quality:
            best[key] = image
    return best


def _node_pairs(
    views: Mapping[Key, PreparedImage], nodes: Mapping[Key, Nodes], exam: str, side: Laterality
) -> list[tuple[int, int]]:
    """(CC node, MLO node) of each lesion pair of a breast."""
    keys = [(exam, side, view) for view in STANDARD_VIEWS]
    if not all(key in views for key in keys):
        return []
    pairs = pair_findings(*(views[key].findings for key in keys))
    places = [nearest_node([_centre(pair[i]) for pair in pairs], nodes[key]) for i, key in enumerate(keys)]
    return [(int(cc), int(mlo)) for cc, mlo in zip(*places, strict=True)]


def _centre(finding: Finding) -> tuple[float, float]:
    x1, y1, x2, y2 = finding.bbox
    return (x1 + x2) / 2, (y1 + y2) / 2


def _mean_template(views: Mapping[Key, PreparedImage], nodes: Mapping[Key, Nodes], view: View) -> Nodes:
    """(n, 2): mean nodes of a projection, the bounding box of each breast's contour stretched to [0, 1]^2."""
    stretched = []
    for key, image in views.items():
        if key[2] is view:
            low, high = image.landmarks.contour.min(axis=0), image.landmarks.contour.max(axis=0)
            stretched.append((nodes[key] - low) / (high - low))
    return np.mean(stretched, axis=0)

"""What the graphs know before training: H_g, and where the nodes of each view lie on average."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmmammo.anatomy import GeometricPrior, geometric_prior, pseudo_landmarks
from mmmammo.structures import STANDARD_VIEWS, BreastLandmarks, MammoError, View


class GraphPrior(NamedTuple):
    """The constants of the two graphs.

    Args:
        geometric: (n_c, n_m), H_g.
        templates: (n_c, 2) and (n_m, 2), node positions with the contour's bounding box as [0, 1]^2.
        source: What they were read from; ``None`` for uniform ones.
    """

    geometric: Tensor
    templates: tuple[Tensor, Tensor]
    source: GeometricPrior | None


def read_graph_prior(
    prior: GeometricPrior | str | Path | None, num_nodes: tuple[int, int], smoothing: float
) -> GraphPrior:
    """Turn what a config says about the prior into tensors.

    Args:
        prior: The file of ``tools/build_geometric_prior.py``, loaded or not, or ``None`` for a uniform H_g and the
            template of an idealised breast.
        num_nodes: (CC, MLO), which the prior must have been built for.
        smoothing: As in :func:`mmmammo.anatomy.geometric_prior`.

    Raises:
        MammoError: If there is no such file, or it is for other node counts.
    """
    source = None if prior is None else _load(prior, num_nodes)
    if source is None:
        counts = np.ones(num_nodes)
        templates = tuple(ideal_template(v, n) for v, n in zip(STANDARD_VIEWS, num_nodes, strict=True))
    else:
        counts, templates = source.counts, (source.template_cc, source.template_mlo)
    geometric = torch.from_numpy(np.asarray(geometric_prior(counts, smoothing), dtype=np.float32))
    places = tuple(torch.from_numpy(np.asarray(t, dtype=np.float32)) for t in templates)
    return GraphPrior(geometric, places, source)


def ideal_template(view: View, num_nodes: int) -> np.ndarray:
    """(num_nodes, 2): the nodes of a half-ellipse breast whose contour has the bounding box [0, 1]^2.

    In an MLO view the muscle's front edge runs from 40 % of the width at the top to the chest wall at 70 % of the
    height, about where it lies on average.
    """
    angles = np.linspace(-np.pi / 2, np.pi / 2, 181)
    contour = np.stack([np.cos(angles), 0.5 + 0.5 * np.sin(angles)], axis=1)
    line = [[0.0, 0.0], [0.0, 1.0]]
    if view is View.MLO:
        contour = np.concatenate([[[0.0, 0.0], [0.8, 0.0]], contour[90:]])
        line = [[0.4, 0.0], [0.0, 0.7]]
    landmarks = BreastLandmarks(contour=contour, nipple=np.array([1.0, 0.5]), pectoral_line=np.array(line))
    return pseudo_landmarks(landmarks, view, num_nodes)


def _load(prior: GeometricPrior | str | Path, num_nodes: tuple[int, int]) -> GeometricPrior:
    where = prior if isinstance(prior, str | Path) else 'prior'
    remedy = (
        f'run: python tools/build_geometric_prior.py CONFIG --out {where} --num-nodes {num_nodes[0]} {num_nodes[1]} '
        '(or set prior=None: a checkpoint brings the prior it was trained with)'
    )
    if not isinstance(prior, GeometricPrior):
        if not Path(prior).is_file():
            raise MammoError(
                where, field='geometric prior', found='no such file', expected='a JSON file', remedy=remedy
            )
        prior = GeometricPrior.load(Path(prior))
    if tuple(prior.num_nodes) != tuple(num_nodes):
        raise MammoError(
            where, field='num_nodes', found=tuple(prior.num_nodes), expected=f'{tuple(num_nodes)}', remedy=remedy
        )
    return prior

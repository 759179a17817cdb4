"""Which place of a CC view belongs to which place of an MLO view, counted over lesions seen in both."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmmammo.anatomy.pseudo_landmarks import node_layout
from mmmammo.io.whole_files import written_whole
from mmmammo.structures import MammoError

Matrix = npt.NDArray[np.float64]

PRIOR_FORMAT = 'mmmammo-geometric-prior-1'


def nearest_node(points: npt.ArrayLike, nodes: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Index of the node nearest to each point; the lower one of equals.

    Args:
        points: (m, 2), for example lesion centres.
        nodes: (n, 2), n > 0, of the same image.

    Returns:
        (m,).
    """
    at, to = np.asarray(points, dtype=np.float64).reshape(-1, 2), np.asarray(nodes, dtype=np.float64).reshape(-1, 2)
    if len(to) == 0:
        raise MammoError(
            'nearest_node', field='nodes', found='none', expected='(n, 2) with n > 0', remedy='place the nodes first'
        )
    return np.asarray(((at[:, None] - to) ** 2).sum(axis=-1).argmin(axis=1), dtype=np.int64)


def cooccurrence(pairs: npt.ArrayLike, shape: tuple[int, int]) -> npt.NDArray[np.int64]:
    """Count how often each (CC node, MLO node) held the same lesion.

    Args:
        pairs: (p, 2) node indices.
        shape: Numbers of nodes (CC, MLO).

    Raises:
        MammoError: If an index lies outside of the shape.
    """
    index = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
    if index.size and (index.min() < 0 or (index >= shape).any()):
        raise MammoError(
            'cooccurrence',
            field='pairs',
            found=f'indices up to {index.max(axis=0).tolist()}, from {index.min(axis=0).tolist()}',
            expected=f'0 to {shape[0] - 1} and 0 to {shape[1] - 1}',
            remedy='count with the node numbers that the nodes were placed with',
        )
    counts = np.zeros(shape, dtype=np.int64)
    np.add.at(counts, (index[:, 0], index[:, 1]), 1)
    return counts


def geometric_prior(counts: npt.ArrayLike, smoothing: float = 0.0) -> Matrix:
    """Geometric relation of the bipartite graph: H_g[i, j] = eps_ij / sqrt(D_i. D_.j).

    The greatest singular value is 1. A node at which no lesion was seen has zeros, which block all its messages.

    Args:
        counts: (n_c, n_m) co-occurrences eps, not negative.
        smoothing: Laplace's pseudo-count, added to every cell beforehand; see also :func:`spread_counts`.

    Raises:
        MammoError: If a count or the smoothing is negative or not finite, or the counts are no matrix.
    """
    eps = np.asarray(counts, dtype=np.float64)
    if (
        eps.ndim != 2
        or not np.isfinite(eps).all()
        or (eps < 0).any()
        or not (np.isfinite(smoothing) and smoothing >= 0)
    ):
        raise MammoError(
            'geometric_prior',
            field='counts and smoothing',
            found=f'counts of shape {eps.shape}, smoothing {smoothing}',
            expected='a matrix of finite numbers >= 0 and a finite smoothing >= 0',
            remedy='pass the result of cooccurrence()',
        )
    eps = eps + smoothing
    degree = np.sqrt(np.outer(eps.sum(axis=1), eps.sum(axis=0)))
    return np.asarray(np.divide(eps, degree, out=np.zeros_like(eps), where=degree > 0))


def spread_counts(
    counts: npt.ArrayLike, template_cc: npt.ArrayLike, template_mlo: npt.ArrayLike, sigma: float
) -> Matrix:
    """Share every count among neighbouring nodes by a Gaussian of their distance; the total stays.

    With the few lesions of a training set most cells are empty; a lesion near a node says something about its
    neighbours.

    Args:
        counts: (n_c, n_m).
        template_cc: (n_c, 2) node positions in the unit box of the breast.
        template_mlo: (n_m, 2) likewise.
        sigma: In units of the box, > 0; 0.1 reaches the next node of the 22 / 26 layout.

    Raises:
        MammoError: If sigma is not a positive number.
    """
    if not sigma > 0:
        raise MammoError(
            'spread_counts',
            field='sigma',
            found=sigma,
            expected='a positive width',
            remedy='leave the counts as they are if nothing is to be spread',
        )
    cc, mlo = (
        _gaussian_shares(np.asarray(template, dtype=np.float64), sigma) for template in (template_cc, template_mlo)
    )
    return np.asarray(cc.T @ np.asarray(counts, dtype=np.float64) @ mlo)


def _gaussian_shares(template: Matrix, sigma: float) -> Matrix:
    """(n, n) rows that sum to 1."""
    squared = ((template[:, None] - template) ** 2).sum(axis=-1)
    weights = np.exp(-squared / (2 * sigma**2))
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))


@dataclass(frozen=True, eq=False)
class GeometricPrior:
    """What the training lesions say about correspondence, as one JSON file.

    Args:
        num_nodes: (CC, MLO).
        counts: (n_c, n_m) co-occurrences.
        template_cc: (n_c, 2) mean node positions, each breast normalised to its contour's bounding box [0, 1]^2.
        template_mlo: (n_m, 2) likewise.
        num_pairs: Lesion pairs counted.
        info: Anything about the origin: source, split, date; ``corner_mode`` is how the nodes of MLO views were laid.

    Raises:
        MammoError: If shapes do not fit the node numbers, or a number is negative or not finite.
    """

    num_nodes: tuple[int, int]
    counts: npt.NDArray[np.float64]
    template_cc: npt.NDArray[np.float64]
    template_mlo: npt.NDArray[np.float64]
    num_pairs: int
    info: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n_cc, n_mlo = (int(n) for n in self.num_nodes)
        if not isinstance(self.num_pairs, Integral) or self.num_pairs < 0:
            raise _bad_prior('geometric prior', 'num_pairs', repr(self.num_pairs), 'a number of pairs >= 0')
        if not isinstance(self.info, Mapping):
            raise _bad_prior('geometric prior', 'info', repr(self.info), 'an object')
        node_layout('CC', n_cc)
        node_layout('MLO', n_mlo)
        object.__setattr__(self, 'num_nodes', (n_cc, n_mlo))
        for name, shape in (('counts', (n_cc, n_mlo)), ('template_cc', (n_cc, 2)), ('template_mlo', (n_mlo, 2))):
            array = np.array(getattr(self, name), dtype=np.float64)
            if array.shape != shape or not np.isfinite(array).all() or (name == 'counts' and (array < 0).any()):
                raise _bad_prior('geometric prior', name, f'shape {array.shape}', f'finite numbers of shape {shape}')
            array.setflags(write=False)
            object.__setattr__(self, name, array)

    def require_corner_mode(self, used: str) -> None:
        """Refuse to be used with nodes that were laid in another way than those that were counted.

        Args:
            used: The ``corner_mode`` of :func:`~mmmammo.anatomy.pseudo_landmarks`.

        Raises:
            MammoError: If :attr:`info` names another one; it may name none.
        """
        built = self.info.get('corner_mode', used)
        if built != used:
            raise MammoError(
                'geometric prior',
                field='corner_mode',
                found=f'{built!r}, of the prior',
                expected=f'{used!r}, of the nodes that it is used with',
                remedy=f'build it with --corner-mode {used}, or set PackMammogram.corner_mode={built!r} everywhere',
            )

    def save(self, path: Path | str) -> None:
        """Write the JSON file, whole or not at all; the folder must exist."""
        data = {
            'format': PRIOR_FORMAT,
            'num_nodes': list(self.num_nodes),
            'num_pairs': int(self.num_pairs),
            'info': dict(self.info),
            'counts': self.counts.tolist(),
            'template_cc': np.round(self.template_cc, 6).tolist(),
            'template_mlo': np.round(self.template_mlo, 6).tolist(),
        }
        with written_whole(path) as file:
            file.write(json.dumps(data, indent=1))

    @classmethod
    def load(cls, path: Path | str) -> GeometricPrior:
        """Read and check what :meth:`save` wrote.

        Raises:
            MammoError: If the file is absent, is no JSON, has another format, or holds what does not fit together.
        """
        data = _read_json(path)
        if not isinstance(data, dict) or data.get('format') != PRIOR_FORMAT:
            found = data.get('format') if isinstance(data, dict) else type(data).__name__
            raise _bad_prior(path, 'format', repr(found), repr(PRIOR_FORMAT))
        names = ('num_nodes', 'counts', 'template_cc', 'template_mlo', 'num_pairs', 'info')
        missing = [name for name in names if name not in data]
        if missing:
            raise _bad_prior(path, ', '.join(missing), 'nothing', 'the keys ' + ', '.join(names))
        try:
            return cls(**{name: data[name] for name in names})
        except (TypeError, ValueError) as err:
            raise _bad_prior(
                path, 'contents', str(err), 'node numbers, counts and templates that fit together'
            ) from err


def _read_json(path: Path | str) -> Any:
    """The file's contents, or a complaint about the file."""
    try:
        return json.loads(Path(path).read_text(encoding='utf-8'))
    except FileNotFoundError as err:
        raise _bad_prior(path, 'file', 'nothing', 'a JSON file') from err
    except (OSError, ValueError, RecursionError) as err:
        raise _bad_prior(path, 'file', str(err), 'a JSON file') from err


def _bad_prior(where: Path | str, field_name: str, found: str, expected: str) -> MammoError:
    remedy = 'build it again: python tools/build_geometric_prior.py --help'
    return MammoError(where, field=field_name, found=found, expected=expected, remedy=remedy)

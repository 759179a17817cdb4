"""Weights of a network that somebody else wrote: which of their tensors is which of ours, told by shape and place.

Two implementations of one network name its tensors differently, but nest them alike: a block is a node of the tree that
the names make, and no other node holds tensors of just these shapes. So every block of ours looks for the nodes of
theirs that hold tensors of the same roles and shapes, larger blocks first; alike blocks are taken in the order of their
names, in which numbers count as numbers. Nothing may be left over on either side.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mmmammo.structures import MammoError

_ROLES = {
    **dict.fromkeys(('weight', 'weights', 'kernel', 'gamma', 'scale'), 'weight'),
    **dict.fromkeys(('bias', 'biases', 'beta', 'offset'), 'bias'),
    **dict.fromkeys(('running_mean', 'moving_mean'), 'mean'),
    **dict.fromkeys(('running_var', 'moving_variance'), 'variance'),
}
_IGNORED = ('num_batches_tracked',)
Arrays = Mapping[str, npt.NDArray[np.generic]]
Kind = tuple[str, tuple[int, ...]]


@dataclass(frozen=True, eq=False)
class Leaf:
    """One tensor of theirs, or of ours.

    Args:
        name: As written.
        path: Its components, without the role.
        role: ``'weight'``, ``'bias'``, ``'mean'`` or ``'variance'``.
        shape: Without the 1 x 1 of a convolution that is a linear layer.
    """

    name: str
    path: tuple[str, ...]
    role: str
    shape: tuple[int, ...]

    @property
    def kind(self) -> Kind:
        """What has to agree."""
        return self.role, self.shape


def match_weights(
    model: nn.Module, arrays: Arrays, blocks: tuple[type[nn.Module], ...], where: str | Path
) -> dict[str, Tensor]:
    """The state dict of a model from arrays with other names.

    Args:
        model: What the weights are for.
        arrays: Name -> array; names nest by ``.`` or ``/``. Kernels as PyTorch or as TensorFlow lays them out.
        blocks: Types of modules whose tensors lie together in either tree.
        where: The file, for messages.

    Raises:
        MammoError: If a name does not say what its tensor is, or the two do not have the same blocks.
    """
    ours = {leaf.name: leaf for leaf in _leaves({k: tuple(v.shape) for k, v in model.state_dict().items()}, where)}
    kernels_last = _in_tensorflow_order(arrays, ours.values())
    laid_out = {name: _as_torch(array) if kernels_last else array for name, array in arrays.items()}
    theirs = _leaves({name: array.shape for name, array in laid_out.items()}, where)
    pairs = _pairs(_blocks_of(model, ours, blocks), theirs, where)
    state = model.state_dict()
    for name, leaf in pairs.items():
        state[name] = torch.from_numpy(np.ascontiguousarray(laid_out[leaf.name])).reshape(state[name].shape)
    return {name: value.clone() for name, value in state.items()}


def natural_key(path: Iterable[str]) -> list[list[tuple[int, int, str]]]:
    """Sorts ``block2`` before ``block10``."""
    return [[(0, int(t), '') if t.isdigit() else (1, 0, t) for t in re.findall(r'\d+|\D+', part)] for part in path]


def _leaves(shapes: Mapping[str, tuple[int, ...]], where: str | Path) -> list[Leaf]:
    found = []
    for name, shape in shapes.items():
        *path, last = re.split(r'[./]', name.removesuffix(':0'))
        if last in _IGNORED:
            continue
        if last not in _ROLES:
            raise _refusal(where, 'name', repr(name), f'one that ends with {", ".join(sorted(_ROLES))}')
        plain = shape[:2] if len(shape) == 4 and shape[2:] == (1, 1) else shape
        found.append(Leaf(name, tuple(path), _ROLES[last], tuple(plain)))
    return found


def _in_tensorflow_order(arrays: Arrays, ours: Iterable[Leaf]) -> bool:
    """Whether the large kernels have the shapes of ours only after their axes are exchanged."""
    wanted = {leaf.shape for leaf in ours if len(leaf.shape) == 4}
    given = [array.shape for array in arrays.values() if array.ndim == 4 and max(array.shape[2:]) > 1]
    return not any(shape in wanted for shape in given)


def _as_torch(array: npt.NDArray[np.generic]) -> npt.NDArray[np.generic]:
    """(h, w, in, out) -> (out, in, h, w), and (in, out) -> (out, in)."""
    return array.transpose(3, 2, 0, 1) if array.ndim == 4 else array.T


def _blocks_of(model: nn.Module, leaves: Mapping[str, Leaf], types: tuple[type[nn.Module], ...]) -> list[list[Leaf]]:
    """The tensors of ours that belong together, in the order of the model."""
    roots = [name for name, module in model.named_modules() if isinstance(module, types)]
    together: dict[str, list[Leaf]] = defaultdict(list)
    for name, leaf in leaves.items():
        root = next((root for root in roots if name.startswith(f'{root}.')), '.'.join(leaf.path))
        together[root].append(leaf)
    return list(together.values())


def _pairs(blocks: Sequence[Sequence[Leaf]], theirs: Sequence[Leaf], where: str | Path) -> dict[str, Leaf]:
    """Name of ours -> leaf of theirs."""
    alike: dict[frozenset[tuple[Kind, int]], list[Sequence[Leaf]]] = defaultdict(list)
    for block in blocks:
        alike[_signature(block)].append(block)
    free = {leaf.name: leaf for leaf in theirs}
    pairs: dict[str, Leaf] = {}
    for signature, mine in sorted(alike.items(), key=lambda item: -len(item[1][0])):
        nodes = [node for node in _nodes(free.values()) if _signature(node) == signature]
        if len(nodes) != len(mine):
            shapes = ', '.join(f'{leaf.role} {leaf.shape}' for leaf in mine[0][:3])
            found = f'{len(nodes)} parts of {len(mine[0])} tensors ({shapes}{", …" if len(mine[0]) > 3 else ""})'
            raise _refusal(where, 'weights', found, f'{len(mine)}, such as {mine[0][0].name}')
        for block, node in zip(mine, nodes, strict=True):
            pairs |= _within(block, node)
            for leaf in node:
                del free[leaf.name]
    if free:
        names = sorted(free)
        raise _refusal(where, 'weights', f'{len(names)} tensors too many (e.g. {names[0]})', 'none left over')
    return pairs


def _nodes(leaves: Iterable[Leaf]) -> list[list[Leaf]]:
    """The different sets of leaves below one node of the tree of names, in natural order."""
    below: dict[tuple[str, ...], list[Leaf]] = defaultdict(list)
    for leaf in leaves:
        whole = (*leaf.path, f'{leaf.role}')
        for length in range(len(whole) + 1):
            below[whole[:length]].append(leaf)
    different: dict[frozenset[str], list[Leaf]] = {}
    for path in sorted(below, key=natural_key):
        different.setdefault(frozenset(leaf.name for leaf in below[path]), below[path])
    return list(different.values())


def _within(block: Sequence[Leaf], node: Sequence[Leaf]) -> dict[str, Leaf]:
    """Pairs of one block: those of one kind in the order of their names."""
    left: dict[Kind, list[Leaf]] = defaultdict(list)
    for leaf in sorted(node, key=lambda leaf: natural_key(leaf.path)):
        left[leaf.kind].append(leaf)
    return {leaf.name: left[leaf.kind].pop(0) for leaf in block}


def _signature(leaves: Sequence[Leaf]) -> frozenset[tuple[Kind, int]]:
    return frozenset(Counter(leaf.kind for leaf in leaves).items())


def _refusal(where: str | Path, field: str, found: str, expected: str) -> MammoError:
    remedy = 'use the files as they were released; tell us if a released file is refused'
    return MammoError(where, field=field, found=found, expected=expected, remedy=remedy)

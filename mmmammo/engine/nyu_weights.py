"""The released weights of NYU's models (the user's download) as checkpoints of ours."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from mmengine.registry import DefaultScope
from mmpretrain.models.backbones.densenet import DenseLayer, DenseTransition
from torch import Tensor, nn

from mmmammo.engine.checkpoint import load_checkpoint
from mmmammo.engine.weight_matching import match_weights
from mmmammo.io.array_pickle import read_array_pickle
from mmmammo.models.backbones.nyu_resnet import PreActivationBlock
from mmmammo.models.classifiers.four_view_heads import BREAST_CLASSES
from mmmammo.registry import MODELS
from mmmammo.structures import STANDARD_VIEWS, MammoError

_ZIP = b'PK\x03\x04'
_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_BLOCKS = (PreActivationBlock, DenseLayer, DenseTransition)
_STATISTICS = ('running_mean', 'running_var', 'moving_mean', 'moving_variance', 'num_batches_tracked')
PATCH_CLASSES = ('malignant', 'benign', 'other 2', 'other 3')
"""Of the patch classifier; the description names the first two."""
Arrays = dict[str, npt.NDArray[np.generic]]


@dataclass(frozen=True)
class NYUModel:
    """A model that was released.

    Args:
        name: For people and file names.
        parameters: Learnt numbers, batch statistics not counted. No two models have equally many.
        config: Of our model.
        classes: What its checkpoint says that it tells.
    """

    name: str
    parameters: int
    config: Mapping[str, Any]
    classes: tuple[str, ...]


def _view_wise(channels: int) -> dict[str, Any]:
    backbone = {'type': 'mmmammo.NYUResNet', 'in_channels': channels}
    return {'type': 'mmmammo.FourViewClassifier', 'backbone': backbone, 'head': {'type': 'mmmammo.BreastHead'}}


def _of_image(backbone: Mapping[str, Any], head: Mapping[str, Any]) -> dict[str, Any]:
    return {
        'type': 'mmpretrain.ImageClassifier',
        'data_preprocessor': {'type': 'mmpretrain.ClsDataPreprocessor'},
        'backbone': dict(backbone),
        'neck': {'type': 'mmpretrain.GlobalAveragePooling'},
        'head': dict(head),
    }


def _single(channels: int) -> dict[str, Any]:
    return _of_image({'type': 'mmmammo.NYUResNet', 'in_channels': channels}, {'type': 'mmmammo.SingleViewHead'})


PATCH_CONFIG = _of_image(
    {'type': 'mmmammo.SamePaddingDenseNet', 'arch': '121'},
    {'type': 'mmpretrain.LinearClsHead', 'num_classes': len(PATCH_CLASSES), 'in_channels': 1024},
)
NYU_MODELS = (
    NYUModel('nyu_image', 6_132_592, _view_wise(1), BREAST_CLASSES),
    NYUModel('nyu_image_heatmaps', 6_135_728, _view_wise(3), BREAST_CLASSES),
    NYUModel('nyu_single_image', 2_866_356, _single(1), BREAST_CLASSES),
    NYUModel('nyu_single_image_heatmaps', 2_867_924, _single(3), BREAST_CLASSES),
    NYUModel('nyu_patch', 6_957_956, PATCH_CONFIG, PATCH_CLASSES),
)
"""Known by their numbers of parameters."""


def convert_nyu_weights(path: str | Path) -> tuple[NYUModel, dict[str, Tensor]]:
    """Read a released file and bring its tensors to our names.

    Which model it is follows from the number of its parameters, which tensor is which from shapes and nesting
    (:mod:`mmmammo.engine.weight_matching`); of a view-wise model a name must say CC or MLO.

    Returns:
        The model, and the state dict of what :func:`build_nyu_model` builds.

    Raises:
        MammoError: If the file is missing, holds more than tensors, or is none of :data:`NYU_MODELS`.
    """
    arrays = read_weights(path)
    known = _known(path, arrays)
    model = build_nyu_model(known)
    if 'columns' not in dict(model.named_children()):
        return known, match_weights(model, arrays, _BLOCKS, path)
    state: dict[str, Tensor] = {}
    for view in STANDARD_VIEWS:
        part = _OfOneView(model.columns[view], model.head.branches[view])
        matched = match_weights(part, _of_view(path, arrays, view), _BLOCKS, path)
        for name, value in matched.items():
            ours = re.sub('^column', f'columns.{view}', re.sub('^branch', f'head.branches.{view}', name))
            state[ours] = value
    return known, state


def build_nyu_model(known: NYUModel) -> nn.Module:
    """Our model, its weights random."""
    with DefaultScope.overwrite_default_scope('mmdet'):
        model: nn.Module = MODELS.build(dict(known.config))
    return model


def read_weights(path: str | Path) -> Arrays:
    """All arrays of a file by dotted name: a file of torch, zipped or of old, or a pickle of numpy arrays.

    Entries that share their memory are listed once, by the first of their names.

    Raises:
        MammoError: If the file is missing, is neither, holds no array, or names what could run code.
    """
    path = Path(path)
    if not path.is_file():
        raise _refusal(path, 'file', 'no such file', 'a file of released weights')
    with path.open('rb') as file:
        zipped = file.read(len(_ZIP)) == _ZIP
    content = None if zipped else read_array_pickle(path)
    if zipped or (isinstance(content, int) and content == _TORCH_MAGIC):  # of a legacy file of torch, the first pickle
        content = load_checkpoint(path)
    if not isinstance(content, Mapping):
        raise _refusal(path, 'weights', f'a bare {type(content).__name__}', 'weights by name')
    arrays = dict(_flat(path, content))
    if not arrays:
        raise _refusal(path, 'weights', 'no array', 'weights by name')
    places = {(array.__array_interface__['data'][0], array.shape): name for name, array in reversed(arrays.items())}
    first = set(places.values())
    return {name: array for name, array in arrays.items() if name in first}


def _flat(path: Path, content: Any, prefix: str = '') -> Iterator[tuple[str, npt.NDArray[np.generic]]]:
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from _flat(path, value, f'{prefix}.{key}' if prefix else str(key))
    elif isinstance(content, Tensor):
        yield prefix, _of_tensor(path, content, prefix)
    elif isinstance(content, np.ndarray) and content.dtype.kind in 'fiu':
        yield prefix, content


def _of_tensor(path: Path, tensor: Tensor, name: str) -> npt.NDArray[np.generic]:
    try:
        array: npt.NDArray[np.generic] = tensor.detach().numpy()
    except (TypeError, RuntimeError) as err:  # bfloat16, quantised numbers, no content
        raise _refusal(path, name, f'a tensor of {tensor.dtype}, {tensor.device}', 'plain numbers') from err
    return array


def _known(path: str | Path, arrays: Arrays) -> NYUModel:
    learnt = sum(array.size for name, array in arrays.items() if not name.removesuffix(':0').endswith(_STATISTICS))
    for known in NYU_MODELS:
        if known.parameters == learnt:
            return known
    choices = ', '.join(f'{known.parameters:,} ({known.name})' for known in NYU_MODELS)
    raise _refusal(path, 'parameters', f'{learnt:,}', choices)


def _of_view(path: str | Path, arrays: Arrays, view: str) -> Arrays:
    """The arrays whose name says this view."""
    chosen = {}
    for name, array in arrays.items():
        said = {word.upper() for word in re.split(r'[^A-Za-z]+', name)} & set(STANDARD_VIEWS)
        if len(said) != 1:
            raise _refusal(path, 'name', repr(name), 'one that says CC or MLO: the two columns have the same shapes')
        if view in said:
            chosen[name] = array
    return chosen


class _OfOneView(nn.Module):
    """What the model has of one projection."""

    def __init__(self, column: nn.Module, branch: nn.Module) -> None:
        super().__init__()
        self.column = column
        self.branch = branch


def save_converted(path: str | Path, known: NYUModel, state: Mapping[str, Tensor], source: str) -> None:
    """Write a checkpoint that ``tools/test.py`` and ``columns_from`` read.

    Args:
        path: The file.
        known: What it is.
        state: Its weights.
        source: Name and digest of the released file.
    """
    meta = {'dataset_meta': {'classes': known.classes}, 'converted_from': source, 'model': known.name}
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    torch.save({'meta': meta, 'state_dict': dict(state)}, path)


def _refusal(path: str | Path, field: str, found: str, expected: str) -> MammoError:
    remedy = 'give a weights file of nyukat/breast_cancer_classifier as it was released'
    return MammoError(path, field=field, found=found, expected=expected, remedy=remedy)

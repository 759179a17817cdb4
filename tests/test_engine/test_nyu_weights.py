"""Released weights become ours: told by shapes and nesting, from files written with other names."""

import collections
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from mmmammo.engine.checkpoint import load_checkpoint
from mmmammo.engine.nyu_weights import NYU_MODELS, build_nyu_model, convert_nyu_weights, read_weights
from mmmammo.engine.weight_matching import match_weights, natural_key
from mmmammo.structures import MammoError

ROOT = Path(__file__).resolve().parents[2]
MODELS = {known.name: known for known in NYU_MODELS}
TORCH_NAMES = (
    (r'columns\.(CC|MLO)\.', lambda m: f'four_view_resnet.{m[1].lower()}.'),
    (r'stages\.(\d)\.(\d)\.downsample', r'layer_list.\1.\2.downsample.0'),
    (r'stages\.(\d)\.(\d)\.norm', r'layer_list.\1.\2.bn'),
    (r'stages\.(\d)\.(\d)\.conv', r'layer_list.\1.\2.conv'),
    (r'stem\.weight', 'first_conv.weight'),
    (r'\bnorm\.', 'final_bn.'),
    (r'head\.branches\.(CC|MLO)\.0', lambda m: f'fc1_{m[1].lower()}'),
    (r'head\.branches\.(CC|MLO)\.2', lambda m: f'output_layer_{m[1].lower()}.fc_layer'),
    (r'head\.layers\.0', 'fc1'),
    (r'head\.layers\.2', 'output_layer.fc_layer'),
)
TF_NAMES = (
    (r'backbone\.', 'densenet121/'),
    (r'stem\.0\.layer\.', 'conv1/conv/'),
    (r'stem\.1\.', 'conv1/norm/'),
    (r'stages\.(\d)\.block\.(\d+)\.(conv|norm)(\d)\.', r'dense_block\1/layer\2/x\4/\3/'),
    (r'transitions\.(\d)\.(conv|norm)\.', r'transition_block\1/\2/'),
    (r'transitions\.3\.0\.', 'final_block/'),
    (r'head\.fc\.', 'logits/'),
    (r'running_mean', 'moving_mean'),
    (r'running_var', 'moving_variance'),
)


def renamed(name, rules):
    for pattern, new in rules:
        name = re.sub(pattern, new, name)
    return name


def random_state(known):
    """A model of the kind, and its state with different numbers everywhere."""
    model = build_nyu_model(known)
    generator = torch.Generator().manual_seed(0)
    state = {
        name: value if value.dtype == torch.int64 else torch.rand(value.shape, generator=generator)
        for name, value in model.state_dict().items()
    }
    return state


def as_torch_file(known, state):
    """The tensors under other names, the blocks' members in another order."""
    named = {renamed(name, TORCH_NAMES).removeprefix('backbone.'): value for name, value in state.items()}
    return collections.OrderedDict(sorted(named.items(), key=lambda item: ('.bn' in item[0], 'mlo' not in item[0])))


def as_tensorflow_pickle(state):
    variables = {}
    for name, value in state.items():
        if name.endswith('num_batches_tracked'):
            continue
        new, array = renamed(name, TF_NAMES), value.numpy()
        if array.ndim == 4:
            new, array = new.replace('weight', 'kernel'), array.transpose(2, 3, 1, 0)
        elif array.ndim == 2:
            new, array = new.replace('weight', 'kernel'), array.T[None, None]  # a 1 x 1 convolution
        else:
            new = new.replace('weight', 'gamma') if 'logits' not in new else new
            new = new.replace('bias', 'beta') if 'logits' not in new else new
        variables[f'{new}:0'] = np.ascontiguousarray(array)
    return dict(sorted(variables.items()))  # layer10 before layer2


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0, msg=name)


@pytest.mark.parametrize('known', NYU_MODELS, ids=lambda known: known.name)
def test_every_model_has_the_published_number_of_parameters(known):
    assert sum(p.numel() for p in build_nyu_model(known).parameters()) == known.parameters


@pytest.mark.parametrize('name', [name for name in MODELS if name != 'nyu_patch'])
@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_files_of_torch_are_mapped(tmp_path, name, zipped):
    state = random_state(MODELS[name])
    content = {'model': as_torch_file(MODELS[name], state), 'epoch': 7}
    torch.save(content, tmp_path / 'a.p', _use_new_zipfile_serialization=zipped)
    known, found = convert_nyu_weights(tmp_path / 'a.p')
    assert known.name == name
    assert_same(found, state)


@pytest.mark.parametrize('protocol', [2, pickle.HIGHEST_PROTOCOL])
def test_variables_of_tensorflow_are_mapped(tmp_path, protocol):
    state = random_state(MODELS['nyu_patch'])
    (tmp_path / 'a.p').write_bytes(pickle.dumps(as_tensorflow_pickle(state), protocol))
    known, found = convert_nyu_weights(tmp_path / 'a.p')
    assert known.name == 'nyu_patch'
    assert_same(found, state)


def test_a_shared_column_under_two_names_counts_once(tmp_path):
    state = as_torch_file(MODELS['nyu_image'], random_state(MODELS['nyu_image']))
    twice = {
        name.replace('.cc.', f'.{side}_cc.').replace('.mlo.', f'.{side}_mlo.'): v
        for side in 'lr'
        for name, v in state.items()
    }
    torch.save(twice, tmp_path / 'a.p')
    assert convert_nyu_weights(tmp_path / 'a.p')[0].name == 'nyu_image'


def test_an_unknown_number_of_parameters_is_refused(tmp_path):
    torch.save({'cc.fc.weight': torch.ones(3, 3)}, tmp_path / 'a.p')
    with pytest.raises(ValueError, match=r'found 9; expected 6,132,592 \(nyu_image\)'):
        convert_nyu_weights(tmp_path / 'a.p')


def test_columns_without_a_view_in_their_names_are_refused(tmp_path):
    state = as_torch_file(MODELS['nyu_image'], random_state(MODELS['nyu_image']))
    torch.save({name.replace('mlo', 'b').replace('cc', 'a'): v for name, v in state.items()}, tmp_path / 'a.p')
    with pytest.raises(ValueError, match='one that says CC or MLO'):
        convert_nyu_weights(tmp_path / 'a.p')


def test_right_numbers_in_other_shapes_are_refused(tmp_path):
    state = dict(as_torch_file(MODELS['nyu_image'], random_state(MODELS['nyu_image'])))
    key = next(name for name in state if 'cc.layer_list.1.0.conv1' in name)
    state[key] = state[key].transpose(0, 1).contiguous()
    torch.save(state, tmp_path / 'a.p')
    with pytest.raises(ValueError, match='found 0 parts of'):
        convert_nyu_weights(tmp_path / 'a.p')


def test_members_torn_out_of_their_block_are_refused():
    model = nn.Sequential(
        nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 2))
    )
    arrays = {f'x{i}.{name}': value.numpy() for i, (name, value) in enumerate(model.state_dict().items())}

    class Pair(nn.Sequential):
        pass

    paired = nn.Sequential(Pair(*model[0]), Pair(*model[1]))
    with pytest.raises(ValueError, match='parts of 4 tensors'):
        match_weights(paired, arrays, (Pair,), 'file')


def test_alike_blocks_go_by_the_numbers_in_their_names():
    model = nn.Sequential(*(nn.Linear(2, 2, bias=False) for _ in range(12)))
    arrays = {f'block{k}/kernel': np.full((2, 2), k, dtype=np.float32) for k in sorted(range(12), key=str)}
    found = match_weights(model, arrays, (), 'file')
    assert [int(found[f'{k}.weight'][0, 0]) for k in range(12)] == list(range(12))
    assert sorted(['a10', 'a9', 'b1'], key=lambda name: natural_key([name])) == ['a9', 'a10', 'b1']


def test_something_left_over_is_refused():
    arrays = {'a.weight': np.ones((2, 2)), 'a.bias': np.ones(2), 'b.bias': np.ones(5)}
    with pytest.raises(ValueError, match=r'1 tensors too many \(e\.g\. b\.bias\)'):
        match_weights(nn.Sequential(nn.Linear(2, 2)), arrays, (), 'file')
    with pytest.raises(ValueError, match=r"name: found 'a\.momentum'"):
        match_weights(nn.Linear(2, 2), {'a.momentum': np.ones(2)}, (), 'file')


@pytest.mark.parametrize('content', [b'nothing', pickle.dumps(collections.Counter(a=1)), pickle.dumps({'a': 'text'})])
def test_files_of_something_else_are_refused(tmp_path, content):
    (tmp_path / 'a.p').write_bytes(content)
    with pytest.raises(ValueError, match=r'a\.p'):
        read_weights(tmp_path / 'a.p')


@pytest.mark.parametrize('content', [np.ones((3, 3)), [np.ones(3)], 3])
def test_arrays_without_names_are_refused(tmp_path, content):
    (tmp_path / 'a.p').write_bytes(pickle.dumps(content))
    with pytest.raises(MammoError, match=rf'a\.p: weights: found a bare {type(content).__name__}; expected weights by'):
        read_weights(tmp_path / 'a.p')


def test_a_tensor_that_numpy_does_not_have_is_told(tmp_path):
    torch.save({'a': {'w': torch.ones(2, dtype=torch.bfloat16)}}, tmp_path / 'a.p')
    with pytest.raises(MammoError, match=r'a\.p: a\.w: found a tensor of torch\.bfloat16'):
        read_weights(tmp_path / 'a.p')


def test_the_command_converts_what_it_knows_and_names_the_rest(tmp_path):
    state = random_state(MODELS['nyu_single_image'])
    torch.save(as_torch_file(MODELS['nyu_single_image'], state), tmp_path / 'good.p')
    (tmp_path / 'bad.p').write_bytes(b'nothing')
    (tmp_path / 'bare.p').write_bytes(pickle.dumps(np.ones((3, 3))))
    files = [str(tmp_path / name) for name in ('bare.p', 'good.p', 'bad.p')]
    command = [sys.executable, 'tools/convert/nyu_weights.py', *files]
    done = subprocess.run([*command, '--out', str(tmp_path / 'out')], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stdout.count('refused:') == 2 and 'bad.p' in done.stdout and 'Traceback' not in done.stderr
    assert 'bare.p: weights: found a bare ndarray' in done.stdout
    written = load_checkpoint(tmp_path / 'out' / 'nyu_single_image.pth')
    assert written['meta']['dataset_meta']['classes'] == ('benign', 'malignant')
    assert_same(written['state_dict'], state)

import collections
import fractions
import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from mmengine.logging import HistoryBuffer, MessageHub
from torch import nn

from mmmammo.engine.checkpoint import classes_of, load_checkpoint, require_checkpoint_of
from mmmammo.structures import MammoError
from mmmammo.testing.array_attacks import ATTACKS, Calls


class Runs:
    """An object whose unpickling would call a function."""

    def __init__(self, function, *args):
        self.call = (function, args)

    def __reduce__(self):
        return self.call


def test_history_of_a_run_survives(tmp_path):
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    torch.save({'message_hub': {'loss': history}, 'state_dict': {'w': torch.ones(2)}}, tmp_path / 'a.pth')
    loaded = load_checkpoint(tmp_path / 'a.pth')
    assert loaded['message_hub']['loss'].mean() == 2.0
    assert loaded['state_dict']['w'].tolist() == [1, 1]


@pytest.mark.parametrize('zipped', [True, False], ids=['zip', 'legacy'])
def test_numbers_and_arrays_of_a_run_survive(tmp_path, zipped):
    hub = MessageHub('of this test')
    hub.update_scalar('train/loss', 0.5)
    hub.update_scalar('train/loss', np.float32(0.25))
    hub.update_info('best', np.float64(0.75))
    hub.update_info('per class', np.array([0.5, 1]))
    model = nn.Linear(2, 3)
    optimizer = torch.optim.Adam(model.parameters())
    model(torch.ones(1, 2)).sum().backward()
    optimizer.step()
    content = {'message_hub': hub.state_dict(), 'state_dict': model.state_dict(), 'optimizer': optimizer.state_dict()}
    torch.save(content, tmp_path / 'a.pth', _use_new_zipfile_serialization=zipped)
    loaded = load_checkpoint(tmp_path / 'a.pth')
    history = loaded['message_hub']['log_scalars']['train/loss']
    assert type(history) is HistoryBuffer and history.data[0].tolist() == [0.5, 0.25]
    assert type(history.data[0]) is np.ndarray and history.statistics('mean', 1) == 0.25
    history.update(1.0)
    torch.save(loaded, tmp_path / 'b.pth')  # as a resumed run does
    assert load_checkpoint(tmp_path / 'b.pth')['message_hub']['log_scalars']['train/loss'].current() == 1.0
    info = loaded['message_hub']['runtime_info']
    assert info['best'] == 0.75 and type(info['best']) is np.float64 and info['per class'].tolist() == [0.5, 1]
    assert loaded['optimizer']['state'][0]['step'] == 1
    assert loaded['state_dict']._metadata == content['state_dict']._metadata
    torch.testing.assert_close(loaded['state_dict']['weight'], model.weight.detach())


def test_an_empty_history_survives(tmp_path):
    torch.save({'loss': HistoryBuffer()}, tmp_path / 'a.pth')
    assert len(load_checkpoint(tmp_path / 'a.pth')['loss'].data[0]) == 0


def save_attack(path, content):
    torch.save({'state_dict': collections.OrderedDict(w=torch.ones(1)), 'x': content}, path)


@pytest.mark.parametrize('reader', ['mmmammo.engine.checkpoint.load_checkpoint', 'numpy allowed'])
def test_bytes_never_become_pointers(tmp_path, reader):
    save_attack(tmp_path / 'a.pth', ATTACKS['pointers used'])
    code = 'from mmmammo.engine.checkpoint import load_checkpoint as read'
    if reader == 'numpy allowed':  # as mmengine has it: the attack is one
        allowed = '[np.ndarray, np.dtype, type(np.dtype("O"))]'
        code = (
            f'import numpy as np, torch; torch.serialization.add_safe_globals({allowed}); '
            'read = lambda path: torch.load(path, weights_only=True)'
        )
    command = [sys.executable, '-c', f'import sys; {code}; print(read(sys.argv[1]))', str(tmp_path / 'a.pth')]
    done = subprocess.run(command, capture_output=True, text=True)  # a crash ends another process than this one
    if reader == 'numpy allowed':
        assert done.returncode < 0
    else:
        assert done.returncode == 1 and "a dtype 'O8', which could reach memory" in done.stderr


@pytest.mark.parametrize('attack', ATTACKS)
def test_what_could_reach_other_memory_is_refused(tmp_path, attack):
    save_attack(tmp_path / 'a.pth', ATTACKS[attack])
    with pytest.raises(MammoError, match=r'a\.pth: checkpoint: found .+; expected dense tensors.+Remedy: use'):
        load_checkpoint(tmp_path / 'a.pth')


def test_what_other_code_allowed_is_not_allowed_here(tmp_path):
    save_attack(tmp_path / 'a.pth', fractions.Fraction(1, 2))
    with torch.serialization.safe_globals([fractions.Fraction, np.ndarray]):
        assert torch.load(tmp_path / 'a.pth', weights_only=True)['x'] == fractions.Fraction(1, 2)
        before = set(torch.serialization.get_safe_globals())
        with pytest.raises(MammoError, match=r'an object of fractions\.Fraction'):
            load_checkpoint(tmp_path / 'a.pth')
        assert set(torch.serialization.get_safe_globals()) == before


@pytest.mark.filterwarnings('ignore:Sparse invariant')
def test_a_sparse_tensor_is_refused(tmp_path):
    indices, values = torch.tensor([[2**40]]), torch.ones(1)
    save_attack(
        tmp_path / 'a.pth',
        Calls(torch._utils._rebuild_sparse_tensor, torch.sparse_coo, (indices, values, (2,), False)),
    )
    with pytest.raises(MammoError, match='found a sparse tensor'):
        load_checkpoint(tmp_path / 'a.pth')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        ({'_count_history': np.ones(1)}, '2 values and 1 counts'),
        ({'_log_history': np.array(['a', 'b'])}, 'something else than numbers'),
        ({'_log_history': np.ones((2, 1))}, 'something else than numbers'),
        ({'max_length': 'a'}, "at most 'a' values"),
    ],
)
def test_a_history_of_something_else_is_refused(tmp_path, change, message):
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    vars(history).update(change)
    torch.save({'loss': history}, tmp_path / 'a.pth')
    with pytest.raises(MammoError, match=message):
        load_checkpoint(tmp_path / 'a.pth')


def test_a_history_changes_no_other(tmp_path):
    history = HistoryBuffer([1.0, 3.0], [1, 1])
    history._statistics_methods = {'mean': HistoryBuffer.max, 'max': HistoryBuffer.max}
    torch.save({'loss': history}, tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['loss'].statistics('mean') == 2.0


@pytest.mark.parametrize('payload', [Runs(os.system, 'echo ran > ran'), Runs(getattr, dict, 'fromkeys')])
def test_code_in_a_checkpoint_is_refused_and_not_run(tmp_path, monkeypatch, payload):
    monkeypatch.chdir(tmp_path)
    torch.save({'state_dict': {}, 'x': payload}, 'evil.pth')
    with pytest.raises(MammoError, match=r'evil\.pth.*would run code.*Remedy'):
        load_checkpoint('evil.pth')
    assert not (tmp_path / 'ran').exists()


def test_config_in_a_checkpoint_is_dropped(tmp_path):
    torch.save({'state_dict': {}, 'meta': {'config': 'import os', 'epoch': 3}}, tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth')['meta'] == {'epoch': 3}


def test_missing_and_truncated_files_are_named(tmp_path):
    with pytest.raises(MammoError, match='no such file'):
        load_checkpoint(tmp_path / 'none.pth')
    torch.save({'state_dict': {'w': torch.ones(999)}}, tmp_path / 'a.pth')
    (tmp_path / 'cut.pth').write_bytes((tmp_path / 'a.pth').read_bytes()[:700])
    with pytest.raises(MammoError, match=r'cut\.pth.*unreadable'):
        load_checkpoint(tmp_path / 'cut.pth')


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda s: s.pop('bias'), r'1 missing \(e\.g\. bias\)'),
        (lambda s: s.update(scale=torch.ones(1)), r'1 unknown \(e\.g\. scale\)'),
        (lambda s: s.update(weight=torch.ones(5, 2)), r'1 of another shape \(e\.g\. weight\)'),
    ],
)
def test_checkpoint_of_another_model_is_refused(tmp_path, change, message):
    model = nn.Linear(2, 3)
    state = dict(model.state_dict())
    torch.save({'state_dict': state}, tmp_path / 'same.pth')
    require_checkpoint_of(model, tmp_path / 'same.pth')
    change(state)
    torch.save({'state_dict': state}, tmp_path / 'other.pth')
    with pytest.raises(MammoError, match=message):
        require_checkpoint_of(model, tmp_path / 'other.pth')


ODD = {
    'a list': ([torch.ones(1)], r'checkpoint: found a list; expected a dict'),
    'a tensor': (torch.ones(1), r'checkpoint: found a Tensor; expected a dict'),
    'a number': (5, r'checkpoint: found a int 5; expected a dict'),
    'number as a key': ({1: torch.ones(1)}, r'checkpoint: found the key 1; expected names'),
    'no state': ({'state_dict': None}, r'state_dict: found a NoneType None; expected a dict'),
    'a list as state': ({'state_dict': [torch.ones(1)]}, r'state_dict: found a list'),
    'number as a name': ({'state_dict': {1: torch.ones(1)}}, r'state_dict: found the key 1'),
    'number as a weight': ({'state_dict': {'weight': 5}}, r"state_dict\['weight'\]: found a int 5; expected a tensor"),
    'nested': ({'state_dict': {'a': {'weight': torch.ones(1)}}}, r"state_dict\['a'\]: found a dict"),
    'array as a weight': ({'state_dict': {'weight': np.ones(1)}}, r"state_dict\['weight'\]: found a ndarray"),
    'a list as meta': ({'meta': ['config'], 'state_dict': {}}, r'meta: found a list; expected a dict'),
    'quantised': ({'state_dict': {'weight': torch.quantize_per_tensor(torch.ones(2), 1, 0, torch.qint8)}}, 'quantised'),
    'without content': ({'state_dict': {'weight': torch.ones(2, device='meta')}}, r'without content \(device meta\)'),
}


@pytest.mark.parametrize(('content', 'message'), ODD.values(), ids=ODD)
def test_a_checkpoint_of_another_shape_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / 'a.pth')
    with pytest.raises(MammoError, match=rf'a\.pth: .*{message}.* Remedy'):
        load_checkpoint(tmp_path / 'a.pth')


def test_bare_weights_are_weights(tmp_path):
    model = nn.Linear(2, 3)
    torch.save(model.state_dict(), tmp_path / 'a.pth')
    require_checkpoint_of(model, tmp_path / 'a.pth')
    torch.save({'weight': torch.ones(3, 2), 'bias': 5}, tmp_path / 'b.pth')
    with pytest.raises(MammoError, match=r"state_dict\['bias'\]: found a int 5"):
        require_checkpoint_of(model, tmp_path / 'b.pth')


def test_weights_and_more_of_others_are_read(tmp_path):
    content = {'model': {'w': torch.ones(1)}, 'epoch': 3, 'meta': None}
    torch.save(content, tmp_path / 'a.pth')
    assert load_checkpoint(tmp_path / 'a.pth') == content


def save_classes(path, said):
    torch.save({'state_dict': {}, 'meta': {'dataset_meta': said}}, path)
    return path


@pytest.mark.parametrize('said', [('mass', 'scar'), ['mass', 'scar']])
def test_classes_of_a_checkpoint(tmp_path, said):
    assert classes_of(save_classes(tmp_path / 'a.pth', {'classes': said})) == ('mass', 'scar')


def test_a_single_text_is_one_class(tmp_path):
    assert classes_of(save_classes(tmp_path / 'a.pth', {'classes': 'mass'})) == ('mass',)


def test_no_dict_of_what_a_dataset_says(tmp_path):
    with pytest.raises(MammoError, match=r"meta\['dataset_meta'\]: found a list; expected a dict"):
        classes_of(save_classes(tmp_path / 'a.pth', ['mass']))


@pytest.mark.parametrize(
    ('said', 'found'),
    [
        (None, 'nothing'),
        ({}, 'nothing'),
        ({'classes': ()}, 'nothing'),
        ({'classes': ''}, 'nothing'),
        ({'classes': 3}, 'a int 3'),
        ({'classes': [1, 2]}, 'a list'),
        ({'classes': {'mass': 0}}, 'a dict'),
    ],
)
def test_classes_that_are_none_are_not_guessed(tmp_path, said, found):
    with pytest.raises(
        MammoError, match=rf"meta\['dataset_meta'\]\['classes'\]: found {found}; expected the class list"
    ):
        classes_of(save_classes(tmp_path / 'a.pth', said))

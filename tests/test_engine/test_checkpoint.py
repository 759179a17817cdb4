import os

import pytest
import torch
from mmengine.logging import HistoryBuffer
from torch import nn

from mmmammo.engine.checkpoint import load_checkpoint, require_checkpoint_of
from mmmammo.structures import MammoError


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

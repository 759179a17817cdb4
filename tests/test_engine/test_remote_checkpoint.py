"""Checkpoints by address are read as safely as files, from a server of this machine."""

import hashlib
import os
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch
from mmengine.model import BaseModule
from mmengine.runner import CheckpointLoader
from mmengine.runner.checkpoint import get_torchvision_models
from torch import nn

from mmmammo.engine import remote_checkpoint
from mmmammo.engine.checkpoint import use_safe_loading
from mmmammo.structures import MammoError


class Quiet(SimpleHTTPRequestHandler):
    """Counts what it is asked for."""

    asked: list[str] = []

    def log_message(self, *_):
        self.asked.append(self.path)


@pytest.fixture
def served(tmp_path, monkeypatch):
    """A folder and its address; downloads go to ``cache``, and mmengine's own loaders come back in the end."""
    folder = tmp_path / 'served'
    folder.mkdir()
    monkeypatch.setenv('TORCH_HOME', str(tmp_path / 'cache'))
    monkeypatch.setenv('MMENGINE_HOME', str(tmp_path / 'mmengine'))
    monkeypatch.setenv('no_proxy', '*')
    monkeypatch.setattr(torch.hub, '_hub_dir', None)
    monkeypatch.setattr(Quiet, 'asked', [])
    monkeypatch.setattr(CheckpointLoader, '_schemes', dict(CheckpointLoader._schemes))
    use_safe_loading()
    with ThreadingHTTPServer(('127.0.0.1', 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield folder, f'http://127.0.0.1:{server.server_port}'
        server.shutdown()
        thread.join()


def save(folder, content, name='weights-{digest}.pth'):
    """A file whose name ends in its digest."""
    torch.save(content, folder / 'new')
    digest = hashlib.sha256((folder / 'new').read_bytes()).hexdigest()[:8]
    return (folder / 'new').rename(folder / name.format(digest=digest)).name


def weights():
    return {'state_dict': {f'backbone.{name}': value for name, value in nn.Linear(2, 3).state_dict().items()}}


def load(address):
    return CheckpointLoader.load_checkpoint(address, map_location='cpu')


def cached(tmp_path):
    folder = tmp_path / 'cache' / 'hub' / 'checkpoints'
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def test_a_good_file_is_downloaded_once(served, tmp_path):
    folder, url = served
    content = weights()
    name = save(folder, content)
    for _ in range(2):
        torch.testing.assert_close(load(f'{url}/{name}')['state_dict'], content['state_dict'])
    assert cached(tmp_path) == [name] and Quiet.asked == [f'/{name}']


def test_the_config_of_meta_is_dropped(served):
    folder, url = served
    name = save(folder, {**weights(), 'meta': {'config': 'raise SystemExit', 'epoch': 3}}, 'epoch_3.pth')
    assert load(f'{url}/{name}')['meta'] == {'epoch': 3}


def test_another_digest_is_refused_and_nothing_kept(served, tmp_path):
    folder, url = served
    name = save(folder, weights(), 'weights-0123abcd.pth')
    with pytest.raises(MammoError, match=r'download: found invalid hash value .+SHA-256 0123abcd….+leave it as'):
        load(f'{url}/{name}')
    assert cached(tmp_path) == []


def test_another_digest_of_a_file_that_is_there_is_refused(served, tmp_path):
    folder, url = served
    name = save(folder, weights())
    load(f'{url}/{name}')
    path = tmp_path / 'cache' / 'hub' / 'checkpoints' / name
    path.write_bytes(path.read_bytes() + b'x')
    with pytest.raises(MammoError, match=rf'SHA-256: found .+ Remedy: delete .+{name}'):
        load(f'{url}/{name}')


class Runs:
    def __reduce__(self):
        return os.mkdir, ('ran',)


@pytest.mark.parametrize('name', ['evil.pth', 'evil-{digest}.pth'])
def test_an_evil_pickle_is_refused_and_not_run(served, tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    folder, url = served
    name = save(folder, {**weights(), 'x': Runs()}, name)
    with pytest.raises(MammoError, match=rf'{url}/{name}: checkpoint: found .+ would run code.+ Remedy: delete'):
        load(f'{url}/{name}')
    assert not (tmp_path / 'ran').exists()


@pytest.mark.parametrize(
    ('path', 'message'),
    [
        ('/absent.pth', r'download: found HTTP Error 404.+Remedy: check the address and the network'),
        ('/', 'no file name at its end'),
        ('/a/..', 'no file name at its end'),
    ],
)
def test_what_is_not_there_is_told(served, path, message):
    with pytest.raises(MammoError, match=message):
        load(served[1] + path)


def test_no_network_is_told_with_the_place_where_the_file_could_be_left(served, tmp_path):
    with pytest.raises(MammoError, match=r'download: found .*refused.+leave it as .+checkpoints/a-12345678\.pth'):
        load('http://127.0.0.1:9/a-12345678.pth')
    assert cached(tmp_path) == []


@pytest.mark.parametrize('prefix', [None, 'backbone.'])
def test_a_model_begins_from_an_address(served, prefix):
    folder, url = served
    content = weights()
    state = (
        content['state_dict'] if prefix else {k.removeprefix('backbone.'): v for k, v in content['state_dict'].items()}
    )
    name = save(folder, {'state_dict': state})

    class Model(BaseModule):
        def __init__(self):
            super().__init__(dict(type='Pretrained', checkpoint=f'{url}/{name}', prefix=prefix))
            self.weight, self.bias = nn.Parameter(torch.zeros(3, 2)), nn.Parameter(torch.zeros(3))

    model = Model()
    model.init_weights()
    torch.testing.assert_close(model.weight.detach(), content['state_dict']['backbone.weight'])


@pytest.mark.parametrize('scheme', ['torchvision', 'open-mmlab', 'openmmlab'])
def test_names_of_a_model_zoo_are_looked_up(served, monkeypatch, scheme):
    folder, url = served
    name = save(folder, weights())
    lists = {'get_torchvision_models': 'torchvision', 'get_external_models': 'mmlab'}
    for function, where in lists.items():
        monkeypatch.setattr(
            remote_checkpoint, function, lambda where=where: {'net': f'{url}/{name}'} if where in scheme else {}
        )
    monkeypatch.setattr(remote_checkpoint, 'get_deprecated_model_names', lambda: {'old_net': 'net'})
    assert load(f'{scheme}://net')['state_dict'].keys() == weights()['state_dict'].keys()
    if scheme != 'torchvision':
        assert load(f'{scheme}://old_net')
    with pytest.raises(MammoError, match=r"model: found 'nett'; expected .+ such as net"):
        load(f'{scheme}://nett')


def test_models_of_the_configs_have_addresses():
    models = get_torchvision_models()
    assert remote_checkpoint._url('torchvision://resnet50') == models['resnet50']
    assert remote_checkpoint._url('open-mmlab://darknet53').endswith('/darknet53-a628ea1b.pth')
    with pytest.raises(MammoError, match=r'such as shufflenetv2_x1\.0'):  # listed without an address
        remote_checkpoint._url('torchvision://shufflenetv2_x1.5')


def test_files_of_a_list_of_models_of_the_user_are_read_safely(served, tmp_path):
    (tmp_path / 'mmengine').mkdir()
    (tmp_path / 'mmengine' / 'open_mmlab.json').write_text('{"mine": "mine.pth", "evil": "evil.pth"}')
    save(tmp_path / 'mmengine', weights(), 'mine.pth')
    save(tmp_path / 'mmengine', Runs(), 'evil.pth')
    assert load('open-mmlab://mine')['state_dict'].keys() == weights()['state_dict'].keys()
    with pytest.raises(MammoError, match='would run code'):
        load('open-mmlab://evil')


@pytest.mark.parametrize(
    'address',
    ['s3://a/b.pth', 'petrel://a/b.pth', 'x:s3://a', 'pavi://a', 'modelzoo://resnet50', 'mmcls://resnet50'],
)
def test_every_other_scheme_is_refused(served, address):
    with pytest.raises(MammoError, match='Remedy: download the file and give its path'):
        load(address)


def test_no_loader_of_mmengine_is_left(served):
    assert {loader.__module__ for loader in CheckpointLoader._schemes.values()} == {'mmmammo.engine.checkpoint'}


def test_others_wait_for_the_first_process_also_when_it_fails(served, monkeypatch):
    folder, url = served
    name, waited = save(folder, weights()), []
    monkeypatch.setattr(remote_checkpoint, 'barrier', lambda: waited.append(list(Quiet.asked)))
    monkeypatch.setattr(remote_checkpoint, 'get_dist_info', lambda: (1, 2))
    load(f'{url}/{name}')
    assert waited == [[]]  # asked after it waited
    monkeypatch.setattr(remote_checkpoint, 'get_dist_info', lambda: (0, 2))
    with pytest.raises(MammoError, match='404'):
        load(f'{url}/absent.pth')
    assert len(waited) == 2 and '/absent.pth' in waited[1][-1]

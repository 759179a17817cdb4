from datetime import timedelta
from pathlib import Path

import pytest
from mmengine.config import Config

from mmmammo.apis.inputs import make_inputs
from mmmammo.apis.loaders import datasets_of
from mmmammo.apis.runs import for_testing, load_config, require_data, set_launcher
from mmmammo.structures import MammoError

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'agrcnn_phantom.py'


def test_work_dir_comes_from_the_command_then_the_config_then_its_name(tmp_path):
    assert load_config(CONFIG).work_dir == 'work_dirs/agrcnn_phantom'
    assert load_config(CONFIG, work_dir='elsewhere').work_dir == 'elsewhere'
    (tmp_path / 'c.py').write_text("work_dir = 'mine'")
    assert load_config(tmp_path / 'c.py').work_dir == 'mine'


def test_missing_config_and_wrong_options_are_named(tmp_path):
    with pytest.raises(MammoError, match=r'none\.py.*no such file'):
        load_config(tmp_path / 'none.py')
    with pytest.raises(MammoError, match='--cfg-options'):
        load_config(CONFIG, {'model.backbone.depth.x': 3})


@pytest.mark.parametrize(('name', 'text'), [('notes.md', 'hello'), ('c.py', 'model = (')])
def test_a_file_that_is_no_config_is_named(tmp_path, name, text):
    (tmp_path / name).write_text(text)
    with pytest.raises(MammoError, match=rf'{name}: config: found .*Remedy'):
        load_config(tmp_path / name)


def test_a_part_of_a_config_is_no_model_to_test(tmp_path):
    (tmp_path / 'part.py').write_text('data_root = "x"')
    with pytest.raises(MammoError, match=r'part\.py: model: found nothing'):
        for_testing(load_config(tmp_path / 'part.py'))


def test_new_entries_are_pointed_out(monkeypatch):
    told = []
    monkeypatch.setattr('mmmammo.apis.runs.print_log', lambda message, *_: told.append(message))
    load_config(CONFIG, {'model.neck.1.prior': None, 'train_cfg.max_epochs': 2})
    assert told == []
    load_config(CONFIG, {'model.nonsense': 3, 'train_cfg.epochs': 2})
    assert told == ['--cfg-options adds what the config does not have: model.nonsense, train_cfg.epochs']


def test_a_variable_that_was_used_before_is_pointed_out(monkeypatch):
    told = []
    monkeypatch.setattr('mmmammo.apis.runs.print_log', lambda message, *_: told.append(message))
    load_config(CONFIG, {'prior': 'other.json', 'resume': True, 'model.neck.1.type': 'X'})
    assert len(told) == 1 and told[0].startswith('prior: variables of the config file')


def strings(value):
    """All text of a config."""
    if isinstance(value, dict):
        value = list(value.values())
    return [text for inner in value for text in strings(inner)] if isinstance(value, list | tuple) else [value]


@pytest.mark.parametrize('path', sorted(CONFIG.parent.glob('*.py')) + sorted(CONFIG.parent.glob('*/*.py')), ids=str)
def test_every_config_moves_as_a_whole(path):
    """But for the commands that make a phantom."""
    plain = Config.fromfile(path)
    if 'data_root' not in plain:
        pytest.skip('a set named in its base only, or none')
    old, cfg = plain.data_root.rstrip('/'), load_config(path, {'data_root': '/elsewhere/mine/'})
    for loader in ('train_dataloader', 'val_dataloader', 'test_dataloader'):
        assert all(Path(one.data_root) == Path('/elsewhere/mine') for one in datasets_of(cfg[loader]))
    left = {k: v for k, v in cfg.to_dict().items() if k != 'inputs'}
    assert not [text for text in strings(left) if isinstance(text, str) and f'{old}/' in f'{text}/']
    for before, after in zip(plain.get('inputs', []), cfg.get('inputs', []), strict=True):
        is_set = before.makes.endswith('prepare.json')
        assert after.makes == (before.makes if is_set else before.makes.replace(old, '/elsewhere/mine'))
        assert (f'{old}/' in after.command) == (is_set and f'{old}/' in before.command)


def test_a_config_without_a_set_of_its_own_does_not_move(tmp_path):
    (tmp_path / 'c.py').write_text(f"_base_ = '{CONFIG}'\ndata_root = 'data/other'\n")
    with pytest.raises(MammoError, match=r'data_root: found data sets that do not follow it: data/phantom_decoys'):
        load_config(tmp_path / 'c.py', {'data_root': 'data/mine'})


def test_testing_reads_neither_pretrained_weights_nor_the_prior():
    cfg = for_testing(load_config(CONFIG))
    assert cfg.model.backbone.init_cfg is None
    assert cfg.model.neck[1].prior is None


def test_without_a_gpu_processes_talk_through_gloo(monkeypatch):
    cfg, started = load_config(CONFIG), []
    monkeypatch.setattr('torch.cuda.is_available', lambda: False)
    monkeypatch.setattr('torch.distributed.init_process_group', lambda *args, **more: started.append((args, more)))
    set_launcher(cfg, 'pytorch')
    assert started == [(('gloo',), {'timeout': timedelta(hours=4)})]
    assert (cfg.launcher, cfg.env_cfg.dist_cfg.backend) == ('pytorch', 'gloo')
    assert cfg.model_wrapper_cfg.device_ids is None
    assert cfg.model_wrapper_cfg.find_unused_parameters


@pytest.mark.parametrize(('options', 'seconds'), [({}, 14400), ({'env_cfg.dist_cfg.timeout': 60}, 60)], ids=str)
def test_processes_wait_for_the_first_that_draws_intervals(monkeypatch, options, seconds):
    cfg = load_config(CONFIG, options)
    monkeypatch.setattr('torch.cuda.is_available', lambda: True)
    set_launcher(cfg, 'pytorch')
    assert cfg.env_cfg.dist_cfg == {'backend': 'nccl', 'timeout': seconds}


def test_one_process_needs_no_launcher():
    cfg = load_config(CONFIG)
    set_launcher(cfg, 'none')
    assert (cfg.launcher, cfg.env_cfg.dist_cfg) == ('none', {'backend': 'nccl'})


def prepared(root):
    """A folder that looks like a prepared set."""
    root.mkdir(exist_ok=True)
    (root / 'prepare.json').write_text('{}')
    return root


def loaders(root):
    dataset = {'data_root': str(root), 'ann_file': 'annotations/x.json'}
    return {f'{split}_dataloader': {'dataset': dataset} for split in ('train', 'val', 'test')}


def test_inputs_are_made_once(tmp_path):
    (tmp_path / 'make.py').write_text("import sys; open(sys.argv[1], 'a').write('made')")
    target = prepared(tmp_path / 'set') / 'prior.json'
    cfg = Config({'inputs': [{'makes': str(target), 'command': f'make.py {target}'}], **loaders(tmp_path / 'set')})
    make_inputs(cfg, tmp_path)
    make_inputs(cfg, tmp_path)
    assert target.read_text() == 'made'


@pytest.mark.parametrize('by_hand', [False, True], ids=['made here', 'made by hand'])
def test_what_was_made_of_an_index_that_has_changed_is_made_again(tmp_path, by_hand, capsys):
    (tmp_path / 'make.py').write_text("import sys; open(sys.argv[2], 'w').write(open(sys.argv[1]).read())")
    root = prepared(tmp_path / 'set')
    index, target = root / 'train.json', root / 'prior.json'
    index.write_text('first')
    if by_hand:
        target.write_text('first')
    step = {'makes': str(target), 'command': f'make.py {index} {target}'}
    cfg = Config({'inputs': [step], **loaders(root)})
    make_inputs(cfg, tmp_path)
    made = target.stat().st_mtime_ns
    make_inputs(cfg, tmp_path)
    assert (target.read_text(), target.stat().st_mtime_ns) == ('first', made)
    index.write_text('second')
    make_inputs(cfg, tmp_path)
    assert target.read_text() == ('first' if by_hand else 'second')
    assert ('prior.json was made from files that have changed; making it' in capsys.readouterr().out) != by_hand


def test_inputs_of_data_sets_that_are_wrapped_are_made(tmp_path):
    (tmp_path / 'make.py').write_text("import sys; open(sys.argv[1], 'a').write('made')")
    target = prepared(tmp_path / 'set') / 'prior.json'
    cfg = Config({'inputs': [{'makes': str(target), 'command': f'make.py {target}'}], **loaders(tmp_path / 'other')})
    both = [cfg.val_dataloader.dataset, {**cfg.val_dataloader.dataset, 'data_root': str(tmp_path / 'set')}]
    cfg.train_dataloader.dataset = {'dataset': {'type': 'ConcatDataset', 'datasets': both}, 'times': 2}
    make_inputs(cfg, tmp_path)
    assert target.read_text() == 'made'
    with pytest.raises(MammoError, match=r'other/annotations/x\.json'):
        require_data(cfg, ['train'])


def test_what_is_computed_from_a_set_is_made_after_it_and_not_without(tmp_path):
    (tmp_path / 'make.py').write_text("import sys; open(sys.argv[1], 'a').write('made')")
    root = tmp_path / 'set'
    steps = [
        {'makes': str(root / name), 'command': f'make.py {root / name}'} for name in ('prepare.json', 'prior.json')
    ]
    make_inputs(Config({'inputs': steps[1:], **loaders(root)}), tmp_path)
    assert not root.exists(), 'a download that is missing is told by require_data'
    make_inputs(Config({'inputs': steps, **loaders(root)}), tmp_path)
    assert sorted(path.name for path in root.glob('*.json')) == ['prepare.json', 'prior.json']


def test_inputs_of_another_folder_are_not_made(tmp_path):
    cfg = Config({'inputs': [{'makes': str(tmp_path / 'a/x'), 'command': 'none.py'}], **loaders(tmp_path / 'b')})
    make_inputs(cfg, tmp_path)
    assert not (tmp_path / 'a').exists()


def test_failed_input_names_its_command(tmp_path):
    (tmp_path / 'fail.py').write_text('raise SystemExit(3)')
    target = prepared(tmp_path) / 'x'
    cfg = Config({'inputs': [{'makes': str(target), 'command': 'fail.py --now'}], **loaders(tmp_path)})
    with pytest.raises(MammoError, match=r'python fail\.py --now. ended with code 3'):
        make_inputs(cfg, tmp_path)


def test_inputs_that_are_there_need_no_right_to_write(tmp_path):
    root = tmp_path / 'shared'
    root.mkdir()
    for name in ('prepare.json', 'prior.json'):
        (root / name).write_text('{}')
    steps = [{'makes': str(root / name), 'command': 'none.py'} for name in ('prepare.json', 'prior.json')]
    make_inputs(Config({'inputs': steps, **loaders(root)}), tmp_path)
    assert not (root / '.making').exists()

"""Stages in a real, miniature run, and in one that is stopped and resumed."""

import pytest
import torch
from mmengine.hooks import Hook
from mmengine.model import BaseModel
from mmengine.runner import Runner
from torch import nn

from mmmammo.engine.hooks import StagedTrainingHook
from mmmammo.structures import MammoError

STAGES = [
    dict(name='head', epochs=2, trainable=['head'], lr=0.4),
    dict(name='upper', epochs=1, trainable=[r'body\.[1-3]', 'head'], lr=0.2),
    dict(name='all', epochs=2, trainable=['body', 'head'], lr=0.1),
]
TRAINED = [{'head'}, {'head'}, {'head', 'upper'}, {'head', 'upper', 'lower'}, {'head', 'upper', 'lower'}]


class Toy(BaseModel):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3), nn.ReLU(), nn.Linear(3, 3))
        self.head = nn.Linear(3, 1)
        self.headless = nn.Linear(1, 1)
        self.headless.requires_grad_(False)

    def forward(self, inputs, mode='tensor'):
        return {'loss': (self.head(self.body(torch.stack(inputs))) - 1).square().mean()}


class Recorder(Hook):
    """What is trained, how BatchNorm stands and what the rates are, after each epoch."""

    def __init__(self):
        self.rows = []

    def after_train_iter(self, runner, batch_idx, data_batch=None, outputs=None):
        model = runner.model
        groups = {'lower': model.body[0], 'upper': model.body[3], 'head': model.head}
        self.rows.append(
            dict(
                epoch=runner.epoch,
                trained={name for name, module in groups.items() if module.weight.requires_grad},
                norm_training=model.body[1].training,
                lr=runner.optim_wrapper.get_lr()['lr'][0],
            )
        )


@pytest.fixture
def run(tmp_path):
    """A function that trains up to an epoch and returns the recorder and the runner."""

    def _run(name, stages=STAGES, max_epochs=5, stop_after=None, resume=False, **kwargs):
        torch.manual_seed(0)
        recorder = Recorder()
        settings = dict(
            train_cfg=dict(by_epoch=True, max_epochs=max_epochs),
            optim_wrapper=dict(optimizer=dict(type='SGD', lr=1.0, momentum=0.9)),
            param_scheduler=[dict(type='MultiStepLR', milestones=[4], gamma=0.1, by_epoch=True)],
        )
        runner = Runner(
            model=Toy(),
            work_dir=str(tmp_path / name),
            train_dataloader=dict(
                dataset=[{'inputs': x} for x in torch.randn(8, 3)],
                batch_size=4,
                sampler=dict(type='DefaultSampler', shuffle=False),
            ),
            default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1)),
            custom_hooks=[StagedTrainingHook(stages), recorder, Stopper(stop_after)],
            resume=resume,
            experiment_name=f'{tmp_path.name}{name}{resume}',
            default_scope='mmengine',
            **{**settings, **kwargs},
        )
        try:
            runner.train()
        except KeyboardInterrupt:
            assert stop_after is not None
        return recorder.rows, runner

    return _run


class Stopper(Hook):
    """Ends the run in the middle of an epoch, as a kill does."""

    def __init__(self, epoch):
        self.epoch = epoch

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == self.epoch and batch_idx == 1:
            raise KeyboardInterrupt


def collate(rows):
    return {row['epoch']: row for row in rows}


def test_stages_of_a_whole_run(run):
    rows, runner = run('whole')
    assert [collate(rows)[e]['trained'] for e in range(5)] == TRAINED
    assert [row['norm_training'] for row in rows] == [False] * 4 + [True] * 6
    assert [collate(rows)[e]['lr'] for e in range(5)] == pytest.approx([0.4, 0.4, 0.2, 0.1, 0.01])
    assert not runner.model.headless.weight.requires_grad


def test_frozen_weights_do_not_move(run):
    torch.manual_seed(0)
    before = Toy()
    _, runner = run('short', max_epochs=2)
    assert torch.equal(runner.model.body[0].weight, before.body[0].weight)
    assert torch.equal(runner.model.body[1].running_mean, torch.zeros(3))
    assert not torch.equal(runner.model.head.weight, before.head.weight)


def test_gradients_accumulated_before_a_stage_do_not_move_what_it_freezes(run):
    stages = [dict(name=part, epochs=1, trainable=[part], lr=0.1) for part in ('body', 'head')]
    torch.manual_seed(0)
    before = Toy()
    wrapper = dict(optimizer=dict(type='SGD', lr=1.0), accumulative_counts=3)  # an epoch has 2 iterations
    _, runner = run('accumulated', stages, max_epochs=2, optim_wrapper=wrapper)
    assert torch.equal(runner.model.body[0].weight, before.body[0].weight)
    assert not torch.equal(runner.model.head.weight, before.head.weight)


@pytest.mark.parametrize('stop_after', [1, 2, 3, 4])
def test_resumed_run_equals_an_uninterrupted_one(run, stop_after):
    whole_rows, whole = run('whole')
    run('broken', stop_after=stop_after)
    rows, resumed = run('broken', resume=True)
    assert min(row['epoch'] for row in rows) == stop_after
    assert rows == [row for row in whole_rows if row['epoch'] >= stop_after]
    for a, b in zip(whole.model.parameters(), resumed.model.parameters(), strict=True):
        assert torch.equal(a, b)


def test_multipliers_and_warmup_carry_over(run):
    warmup = [dict(type='LinearLR', start_factor=0.5, by_epoch=False, begin=0, end=2)]
    wrapper = dict(optimizer=dict(type='SGD', lr=1.0), paramwise_cfg=dict(custom_keys={'body': dict(lr_mult=0.25)}))
    rows, runner = run('mult', param_scheduler=warmup, optim_wrapper=wrapper)
    body, *_, head = [group['lr'] for group in runner.optim_wrapper.param_groups if group['params'][0].requires_grad]
    assert (body, head) == pytest.approx((0.025, 0.1))
    assert rows[0]['lr'] == pytest.approx(0.25 * 0.4 * 0.5)


def test_cosine_schedule_keeps_its_shape(run):
    cosine = [dict(type='CosineAnnealingLR', T_max=5, eta_min=0.0, by_epoch=True)]
    rows, _ = run('cosine', param_scheduler=cosine)
    base = [0.4, 0.4, 0.2, 0.1, 0.1]
    shape = [(1 + torch.cos(torch.tensor(torch.pi * e / 5))) / 2 for e in range(5)]
    assert [collate(rows)[e]['lr'] for e in range(5)] == pytest.approx(
        [b * float(s) for b, s in zip(base, shape, strict=True)]
    )


def test_without_scheduler(run):
    rows, _ = run('plain', param_scheduler=None)
    assert [collate(rows)[e]['lr'] for e in range(5)] == pytest.approx([0.4, 0.4, 0.2, 0.1, 0.1])


def test_stage_changes_are_logged(run, tmp_path):
    run('logged')
    text = ''.join(path.read_text() for path in sorted((tmp_path / 'logged').rglob('*.log')))
    assert "Stage 1 of 3, 'head': epochs 1 to 2, 4 of 36 parameters trained, learning rate 0.4" in text
    assert text.count('Stage ') == 3


@pytest.mark.parametrize(
    ('stages', 'message'),
    [
        ([], 'at least one'),
        ([dict(name='a', epochs=1, lr=1)], r"keys \['epochs', 'lr', 'name'\]"),
        ([dict(name='a', epochs=0, trainable=['head'], lr=1)], "stage 'a': epochs: found 0"),
        ([dict(name='a', epochs=1, trainable=['head'], lr=-1)], "stage 'a': lr: found -1"),
        ([dict(name='a', epochs=1, trainable=[], lr=1)], 'at least one pattern'),
        ([dict(name='a', epochs=1, trainable='head', lr=1)], 'a list of strings'),
        ([dict(name='a', epochs=1, trainable=['('], lr=1)], 'regular expressions'),
    ],
    ids=['none', 'missing key', 'no epochs', 'negative rate', 'nothing trained', 'bare string', 'broken pattern'],
)
def test_malformed_schedules_are_refused(stages, message):
    with pytest.raises(MammoError, match=message):
        StagedTrainingHook(stages)


def test_unknown_module_is_refused_with_those_there_are(run):
    stages = [dict(name='a', epochs=5, trainable=['roi_head'], lr=1)]
    with pytest.raises(MammoError, match=r"'roi_head'; expected .*body, body.0, .*head.weight, headless"):
        run('unknown', stages)


def test_prefix_is_a_whole_name(run):
    rows, runner = run('prefix', [dict(name='a', epochs=5, trainable=['headless', 'head'], lr=0.1)])
    assert collate(rows)[0]['trained'] == {'head'}
    stage = StagedTrainingHook([dict(name='a', epochs=1, trainable=['head'], lr=1)]).stages[0]
    assert stage.selects('head.weight')
    assert not stage.selects('headless.weight')


def test_schedule_shorter_than_the_run_is_refused(run):
    with pytest.raises(MammoError, match='5 epochs in all; expected more than 6'):
        run('long', max_epochs=7)


def test_iteration_based_run_is_refused(run):
    with pytest.raises(MammoError, match='EpochBasedTrainLoop'):
        run('iters', train_cfg=dict(by_epoch=False, max_iters=3))

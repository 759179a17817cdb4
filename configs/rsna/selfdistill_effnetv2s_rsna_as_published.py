# Experiment 8 as its notebook ran it. Parent: ../selfdistill_effnetv2s_rsna.py
_base_ = ['../selfdistill_effnetv2s_rsna.py']

_base_.strong[1].transforms[3] = dict(type='Affine', scale=(0.8, 1.2), p=0.5)  # parent: moves and turns, too
_base_.param_scheduler[0].pct_start = 0.1  # parent: 0.3

train_dataloader = dict(
    dataset=dict(pipeline=[*_base_.load, _base_.resize, *_base_.strong, _base_.pack]),
)

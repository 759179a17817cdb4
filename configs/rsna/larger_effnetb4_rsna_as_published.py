# Experiment 2 as its notebook ran it: half of the images are shrunk to 30 % of their size, none is mirrored.
# Parent: ./larger_effnetb4_rsna.py
_base_ = ['./larger_effnetb4_rsna.py']

train_dataloader = dict(
    sampler=dict(shuffle=False),  # parent: True
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.medium, _base_.pack]),  # parent: minimal
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8

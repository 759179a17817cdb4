# Experiment 3 as its notebook ran it, but for PiecewiseAffine: half of the images are turned by exactly 30 degrees and
# moved by a tenth, always the same way. Parent: ./augmented_effnetb4_rsna.py
_base_ = ['./augmented_effnetb4_rsna.py']

_base_.strong[1].transforms[3] = dict(  # parent: ranges around 0
    type='Affine', translate_percent=0.1, rotate=30, scale=(0.8, 1.2), p=0.5
)

train_dataloader = dict(
    sampler=dict(shuffle=False),  # parent: True
    dataset=dict(pipeline=[*_base_.load_whole, _base_.resize, *_base_.strong, _base_.pack]),
)
optim_wrapper = dict(optimizer=dict(weight_decay=0.0))  # parent: 1e-8

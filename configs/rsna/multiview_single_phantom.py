# Image by image on the phantom: the twin of multiview_single_effnetv2s_rsna.py that trains from scratch on a CPU.
# Differs from it: timm's smallest network on images of 192 x 120.
_base_ = [
    '../_base_/models/rsna_small.py',
    '../_base_/datasets/phantom_rsna_breasts_192x120.py',
    '../_base_/schedules/rsna_onecycle_small.py',
    '../_base_/default_runtime.py',
]

data_root = 'data/phantom_rsna_cut/'
randomness = dict(seed=0)

# Parent: strong augmentation, which a network of this size does not learn through in 15 epochs.
train_dataloader = dict(
    batch_sampler=None,  # parent: a share of cancers in each batch; exams of several views come as they are
    drop_last=True,
    dataset=dict(pipeline=[*_base_.load, _base_.resize, dict(type='mmmammo.FlipView', prob=0.5), _base_.pack]),
)
test_evaluator = [
    dict(type='mmmammo.ProbabilisticF1Metric'),
    dict(type='mmmammo.ProbabilisticF1Metric', levels=('breast',), rule='max', prefix='max'),
]

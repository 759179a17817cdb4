# AG-RCNN trained as a whole from the first epoch to the last, at the rate of the first stage (paper 3 compares the
# losses of staged and end-to-end training). Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

custom_hooks = []  # parent: five stages
param_scheduler = [
    *_base_.param_scheduler,
    dict(type='CosineAnnealingLR', eta_min_ratio=0.05, by_epoch=True, T_max=62, convert_to_iter_based=True),
]

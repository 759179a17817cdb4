# Mask R-CNN trained as a whole from the first epoch to the last, at the rate of the first stage (paper 3 compares its
# loss with that of the three stages). Parent: ../maskrcnn_cbis.py
_base_ = ['../maskrcnn_cbis.py']

custom_hooks = []  # parent: three stages
param_scheduler = [
    *_base_.param_scheduler,
    dict(type='CosineAnnealingLR', eta_min_ratio=0.05, by_epoch=True, T_max=56, convert_to_iter_based=True),
]

# A detector with a neck behind its own that looks at other views, from scratch on a CPU. Parent: ./phantom_small.py
_base_ = ['./phantom_small.py']

# What the second neck says counts for nothing at first and has to grow in three epochs.
optim_wrapper = dict(paramwise_cfg=dict(custom_keys={'neck.1.': dict(lr_mult=5.0, decay_mult=0.0)}))
auto_scale_lr = dict(base_batch_size=1)  # an exam; parent: 4 images

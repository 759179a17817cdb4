# Experiment 5 on the phantom: a larger model. Parent: ./preprocessed_phantom.py
_base_ = ['./preprocessed_phantom.py']

model = dict(backbone=dict(channel_multiplier=1.5), head=dict(in_channels=384))  # parent: 1, 256

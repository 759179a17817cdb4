# Experiment 7 on the phantom: five tasks on a larger network. Parent: ./multitask_phantom.py
_base_ = ['./multitask_phantom.py']

model = dict(backbone=dict(channel_multiplier=1.0), head=dict(in_channels=256))  # parent: 0.75, 192

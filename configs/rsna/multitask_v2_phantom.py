# Experiment 7 on the phantom: five tasks on another network. Parent: ./multitask_phantom.py
_base_ = ['./multitask_phantom.py']

model = dict(backbone=dict(model_name='test_efficientnet'), head=dict(in_channels=256))  # parent: MobileNetV3, 1024

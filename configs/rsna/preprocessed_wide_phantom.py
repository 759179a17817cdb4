# Experiment 5 on the phantom: a larger model. Parent: ./preprocessed_phantom.py
_base_ = ['./preprocessed_phantom.py']

model = dict(backbone=dict(model_name='mobilenetv3_small_100'))  # parent: 050

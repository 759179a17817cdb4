# A quarter of ResNet-18, from scratch, pooled likewise. Parent: ./holistic_resnet18_small.py
_base_ = ['./holistic_resnet18_small.py']

model = dict(head=dict(_delete_=True, type='mmmammo.MILHead', in_channels=128, hidden=64))

# The Holistic encoder, its features pooled over an exam by gated attention. Parent: ./holistic_resnet101.py
_base_ = ['./holistic_resnet101.py']

model = dict(head=dict(_delete_=True, type='mmmammo.MILHead', in_channels=2048, hidden=128))

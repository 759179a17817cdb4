# The view-wise model at a size that trains on a CPU. Parent: ./nyu_four_view.py
_base_ = ['./nyu_four_view.py']

widths = (8, 16, 32, 64, 128)  # parent: (16, 32, 64, 128, 256)

model = dict(
    backbone=dict(widths=widths),
    head=dict(in_channels=widths[-1], hidden_channels=64),  # parent: 256, 512
)

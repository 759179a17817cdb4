# AG-RCNN that trains from scratch on the phantom on a CPU. Parent: ./mask_rcnn_r18_small.py
_base_ = ['./mask_rcnn_r18_small.py']

channels = 64

model = dict(
    type='mmmammo.AGRCNN',
    neck=[
        dict(
            type='FPN',
            in_channels=[32, 64, 128, 256],
            out_channels=channels,
            num_outs=5,
            norm_cfg=dict(type='GN', num_groups=16, requires_grad=True),
        ),
        dict(type='mmmammo.AnatomyGraphNeck', in_channels=channels, num_nodes=(22, 26), prior=None),
    ],
)

# Mask R-CNN whose views attend to each other without landmarks: ./agrcnn_r50.py with another second neck.
_base_ = ['./mask_rcnn_r50_gray.py']

model = dict(
    type='mmmammo.AGRCNN',
    neck=[
        dict(type='FPN', in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5),
        dict(
            type='mmmammo.CrossViewAttentionNeck',
            in_channels=256,
            num_heads=8,
            grid=(16, 16),  # tokens of a view and level
            levels=(0, 1, 2, 3),  # P2 to P5, as the graph
        ),
    ],
)

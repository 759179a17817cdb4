# Cross-view attention that trains from scratch on the phantom on a CPU. Parent: ./agrcnn_r18_small.py
_base_ = ['./agrcnn_r18_small.py']

model = dict(
    neck=[
        _base_.model.neck[0],
        dict(type='mmmammo.CrossViewAttentionNeck', in_channels=64, num_heads=4, grid=(16, 16), levels=(0, 1, 2, 3)),
    ],
)

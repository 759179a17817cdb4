# The twin of ihrrb_dino_swinl_4scale_birads.py that trains from scratch on a CPU.
# Differs from it: a Swin of 32 channels and five blocks; the rest as ihrrb_dino_r50_4scale_phantom.py.
_base_ = ['./ihrrb_dino_r50_4scale_phantom.py']

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmmammo.GraySwin',
        embed_dims=32,  # full size: 192
        depths=(1, 1, 2, 1),  # full size: (2, 2, 18, 2)
        num_heads=(1, 2, 4, 8),
        window_size=5,  # full size: 12
        drop_path_rate=0.1,
        out_indices=(1, 2, 3),
    ),
    neck=dict(in_channels=[64, 128, 256]),
)

# DINO whose views see each other: the detector of ./mammo_dino_r50.py, its denoising included, and behind its channel
# mapper the anatomy graph of ./agrcnn_r50.py. A comment beside what departs from the one or the other.
_base_ = ['./mammo_dino_r50.py']

model = dict(
    neck=[
        _base_.model.neck,
        dict(
            type='mmmammo.AnatomyGraphNeck',
            in_channels=256,
            num_nodes=(22, 26),  # pseudo-landmarks of a CC, an MLO view; as in the pipeline
            k=3,
            branches=(1, 3, 5),
            levels=(0, 1, 2),  # agrcnn: P2 to P5; here strides 8 to 32, the coarsest level passes
            strides=(8, 16, 32),
            fusion='residual',
            prior=None,  # a path from tools/build_geometric_prior.py
        ),
    ],
)

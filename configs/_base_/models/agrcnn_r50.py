# AG-RCNN of paper 3: the Mask R-CNN beside this file, and the anatomy graph behind its FPN.
_base_ = ['./mask_rcnn_r50_gray.py']

model = dict(
    type='mmmammo.AGRCNN',
    neck=[
        dict(type='FPN', in_channels=[256, 512, 1024, 2048], out_channels=256, num_outs=5),
        dict(
            type='mmmammo.AnatomyGraphNeck',
            in_channels=256,
            num_nodes=(22, 26),  # pseudo-landmarks of a CC, an MLO view; as in the pipeline
            k=3,
            branches=(1, 3, 5),
            levels=(0, 1, 2, 3),  # P2 to P5; P6 passes
            fusion='residual',
            prior=None,  # a path from tools/build_geometric_prior.py
        ),
    ],
)

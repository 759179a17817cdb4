# AG-RCNN with anchors fitted to the phantom's masses; at full size the headline has those that the author fitted.
# python tools/analysis/fit_anchors.py configs/agrcnn_phantom.py
# Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

model = dict(
    rpn_head=dict(
        anchor_generator=dict(
            base_sizes=[17, 21, 25, 29, 36],  # parent: 16, 32, 64, 128, 256
            ratios=[0.9, 1.0, 1.1],  # parent: 0.5, 1, 2
        )
    )
)

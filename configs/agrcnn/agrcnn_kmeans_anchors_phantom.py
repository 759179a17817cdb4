# AG-RCNN with anchors fitted to the phantom's masses; at full size the headline has those that the author fitted.
# Sizes and ratios (height / width) are what this prints: python tools/analysis/fit_anchors.py configs/agrcnn_phantom.py
# Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

model = dict(
    rpn_head=dict(
        anchor_generator=dict(
            base_sizes=[16.2, 20.3, 24.5, 29.6, 37.1],  # parent: 16, 32, 64, 128, 256
            ratios=[0.932, 1, 1.08],  # parent: 0.5, 1, 2
        )
    )
)

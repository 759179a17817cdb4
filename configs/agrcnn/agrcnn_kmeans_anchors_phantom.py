# AG-RCNN with anchors fitted to the phantom's masses. Parent: ../agrcnn_phantom.py
# python tools/analysis/fit_anchors.py configs/agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

model = dict(rpn_head=dict(anchor_generator=dict(base_sizes=[16, 20, 25, 31, 40])))  # parent: 16, 32, 64, 128, 256

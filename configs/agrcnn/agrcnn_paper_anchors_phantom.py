# The twin of agrcnn_paper_anchors_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

model = dict(rpn_head=dict(anchor_generator=dict(ratios=[1.5, 2.5, 3.6])))  # parent: 0.5, 1, 2

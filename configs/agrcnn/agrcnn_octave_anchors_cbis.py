# AG-RCNN with the anchors of mmdet, an octave per level, instead of k-means sizes. Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

model = dict(rpn_head=dict(anchor_generator=dict(base_sizes=[32, 64, 128, 256, 512])))  # parent: 16, 56, 128, 320, 768

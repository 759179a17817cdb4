# AG-RCNN with the anchors of mmdet, an octave per level, instead of the paper's k-means sizes, which the
# parent has. Its twin is ../agrcnn_phantom.py, which has octaves anyway; agrcnn_kmeans_anchors_phantom.py has fitted
# ones.
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

model = dict(rpn_head=dict(anchor_generator=dict(base_sizes=[32, 64, 128, 256, 512])))  # parent: 16, 56, 128, 320, 768

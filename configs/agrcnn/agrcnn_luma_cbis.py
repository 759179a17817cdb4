# AG-RCNN whose first convolution weighs the RGB filters by luma, as the formula of paper 3 does; they respond a third
# as strongly as the frozen BatchNorm expects. It has no twin: from scratch there are no RGB filters.
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

model = dict(backbone=dict(stem_adaptation='luma'))  # parent: 'sum'

# AG-RCNN with the original fusion, features times attention (paper 3, "+ AGN (Original fusion)": recall
# 54.2 / 63.1 / 68.9 / 71.1 / 72.0 %). Its collapse came from a random start; here both fusions start as the identity.
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].fusion = 'multiplicative'  # parent: 'residual'
model = dict(neck=_base_.model.neck)

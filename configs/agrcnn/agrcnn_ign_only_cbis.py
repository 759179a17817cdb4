# AG-RCNN with the inception graph alone (paper 3, "+ IGN only": recall 71.3 / 82.2 / 88.1 / 90.5 / 91.9 %).
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].bgn = False  # parent: True
model = dict(neck=_base_.model.neck)

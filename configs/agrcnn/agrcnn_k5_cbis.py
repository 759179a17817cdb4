# AG-RCNN with pixels that belong to five nodes (paper 3, "kNN, k=5": recall 77.8 / 84.9 / 89.7 %
# at 0.5 / 1 / 2). Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].k = 5  # parent: 3
model = dict(neck=_base_.model.neck)

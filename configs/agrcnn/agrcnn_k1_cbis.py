# AG-RCNN with pixels that belong to one node (paper 3, "kNN, k=1 (Voronoi)": recall 75.2 / 83.8 / 88.9 %
# at 0.5 / 1 / 2). Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].k = 1  # parent: 3
model = dict(neck=_base_.model.neck)

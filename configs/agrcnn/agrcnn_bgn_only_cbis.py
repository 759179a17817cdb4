# AG-RCNN with the bipartite graph alone (paper 3, "+ BGN only": recall 72.1 / 81.5 / 87.8 / 90.8 / 91.7 %).
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].ign = False  # parent: True
model = dict(neck=_base_.model.neck)

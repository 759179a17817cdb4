# AG-RCNN whose nodes carry the strongest evidence of their place instead of the mean of its pixels, and whose other
# breast sends messages too: past paper 3. Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

_base_.model.neck[1].type = 'mmmammo.EvidenceGraphNeck'  # parent: mmmammo.AnatomyGraphNeck
model = dict(neck=_base_.model.neck)

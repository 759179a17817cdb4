# AG-RCNN with anchors of the shapes that paper 3 fitted, all higher than wide, although the mean aspect of
# its masses is 1.08. The sizes are those of the parent: its k-means over CBIS-DDSM. Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

model = dict(rpn_head=dict(anchor_generator=dict(ratios=[1.5, 2.5, 3.6])))  # parent: 0.5, 1, 2

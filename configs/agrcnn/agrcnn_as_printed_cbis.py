# AG-RCNN as paper 3 prints it, where ../agrcnn_cbis.py has a reason not to: landmarks by its recipe for film, the
# corner line that overshoots, an adjacency whose rows are not normalised, lesions counted once per triad, anchors
# higher than wide and the luma weights. Batches, stages and the start as the identity stay those of the parent.
# Prepare: python tools/prepare_dataset.py cbis_ddsm --raw DIR --out data/cbis_ddsm_as_printed --height 1536 \
#     --single-class mass --landmarks paper
# Exams of your own, with the same landmarks: python tools/infer.py … --prepared-as data/cbis_ddsm_as_printed
# Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

data_root = 'data/cbis_ddsm_as_printed'  # parent: data/cbis_ddsm, whose landmarks are robust ones
prior = f'{data_root}/geometric_prior_22_26.json'
inputs = [
    dict(
        makes=prior,
        command=f'tools/build_geometric_prior.py {data_root}/annotations/train.json --out {prior} '
        '--corner-mode seed --per-triad',
    )
]
_base_.model.neck[1].update(prior=prior, row_norm=False)
_base_.train_pipeline[-1].corner_mode = 'seed'  # parent: 'midpoint'
_base_.test_pipeline[-1].corner_mode = 'seed'

model = dict(
    neck=_base_.model.neck,
    backbone=dict(stem_adaptation='luma'),  # parent: 'sum'
    rpn_head=dict(anchor_generator=dict(ratios=[1.5, 2.5, 3.6])),  # parent: 0.5, 1, 2
)
train_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(data_root=data_root, pipeline=_base_.test_pipeline))

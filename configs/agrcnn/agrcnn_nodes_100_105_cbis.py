# AG-RCNN with 100 nodes in a CC view and 105 in an MLO view (paper 3, "PL(100, 105)": recall 77.2 / 84.8 / 89.7 %
# at 0.5 / 1 / 2). Parent: ../agrcnn_cbis.py
_base_ = ['../agrcnn_cbis.py']

num_nodes = (100, 105)  # parent: (22, 26)
prior = f'{_base_.data_root}/geometric_prior_100_105.json'
inputs = [
    dict(
        makes=prior,
        command=f'tools/build_geometric_prior.py {_base_.data_root}/annotations/train.json --out {prior} '
        '--num-nodes 100 105',
    )
]
_base_.model.neck[1].update(num_nodes=num_nodes, prior=prior)
_base_.train_pipeline[-1].num_nodes = num_nodes
_base_.test_pipeline[-1].num_nodes = num_nodes

model = dict(neck=_base_.model.neck)
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

# The twin of patch_effnetv2s_vindr_no_finding.py that trains from scratch on a CPU.
# Parent: ../patch_effnetv2s_phantom.py
_base_ = ['../patch_effnetv2s_phantom.py']

model = dict(head=dict(num_classes=11))  # parent: 10
train_dataloader = dict(dataset=dict(no_finding=True))
val_dataloader = dict(dataset=dict(no_finding=True))
test_dataloader = dict(dataset=dict(no_finding=True))
# "No Finding" is the last output; nothing is derived.
test_evaluator = [
    dict(type='mmmammo.MultiLabelMetric', undefined_as=0),
    dict(type='mmmammo.FindingGroupMetric', undefined_as=0),
]

# With an eleventh output that says "No Finding". The paper has ten and prints eleven rows, of which the first cannot be
# "none of the ten above the threshold": about 100 of its 4,131 patches have no positive prediction at all (README.md).
# Parent: ../patch_effnetv2s_vindr.py
_base_ = ['../patch_effnetv2s_vindr.py']

model = dict(head=dict(num_classes=11))  # parent: 10
train_dataloader = dict(dataset=dict(no_finding=True))
val_dataloader = dict(dataset=dict(no_finding=True))
test_dataloader = dict(dataset=dict(no_finding=True))
# "No Finding" is the last output; nothing is derived.
test_evaluator = [
    dict(type='mmmammo.MultiLabelMetric', undefined_as=0),
    dict(type='mmmammo.FindingGroupMetric', undefined_as=0),
]

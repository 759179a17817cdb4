# The phantom exams with decoys, image by image, for single-view detectors. Parent: ./phantom_decoy_exams.py
_base_ = ['./phantom_decoy_exams.py']

dataset_type = 'mmmammo.MammogramDataset'
collate_fn = dict(type='pseudo_collate')  # parent: mmmammo.exam_collate

train_dataloader = dict(
    batch_size=4,  # the views of one exam, but drawn one by one
    collate_fn=collate_fn,
    dataset=dict(type=dataset_type),
)
val_dataloader = dict(collate_fn=collate_fn, dataset=dict(type=dataset_type))
test_dataloader = dict(collate_fn=collate_fn, dataset=dict(type=dataset_type))

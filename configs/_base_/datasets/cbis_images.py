# CBIS-DDSM image by image, for single-view detectors. Parent: ./cbis_exams.py
_base_ = ['./cbis_exams.py']

dataset_type = 'mmmammo.MammogramDataset'
data_root = 'data/cbis_ddsm/'
collate_fn = dict(type='pseudo_collate')  # parent: mmmammo.exam_collate

train_dataloader = dict(
    batch_size=2,  # as paper 3
    collate_fn=collate_fn,
    dataset=dict(type=dataset_type),
)
val_dataloader = dict(collate_fn=collate_fn, dataset=dict(type=dataset_type))
test_dataloader = dict(collate_fn=collate_fn, dataset=dict(type=dataset_type))

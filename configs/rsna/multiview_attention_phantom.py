# All views of an exam at once on the phantom: the twin of multiview_attention_effnetv2s_rsna.py; as
# ./multiview_single_phantom.py but for what stands here.
_base_ = ['./multiview_single_phantom.py']

model = dict(
    head=dict(
        _delete_=True,
        type='mmmammo.AttentionPoolingHead',
        in_channels=_base_.model.head.in_channels,
        hidden=32,
        gated=True,
        dropout=0.2,
        exam_context=True,
    ),
)
exams = dict(batch_size=4, collate_fn=dict(type='mmmammo.exam_collate'))  # single: 16 images
exam_set = dict(type='mmmammo.ExamClassificationDataset')
train_dataloader = dict(dataset=exam_set, **exams)
val_dataloader = dict(dataset=exam_set, **exams)
test_dataloader = dict(dataset=exam_set, **exams)
auto_scale_lr = dict(base_batch_size=4)  # exams

# The images of the fine-tuning stage, 1.5 times as large. Parent: ./birads_images.py
_base_ = ['./birads_images.py']

factor = 1.5
short_sides = [int(factor * side) for side in (480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800)]
longest_side = int(factor * 1333)

resize = dict(
    type='RandomChoiceResize',
    scales=[(side, longest_side) for side in short_sides],
    keep_ratio=True,
    resize_type='mmmammo.SmoothResize',
)
zoom = [
    dict(
        type='RandomChoiceResize',
        scales=[(int(factor * side), 6300) for side in (400, 500, 600)],
        keep_ratio=True,
        resize_type='mmmammo.SmoothResize',
    ),
    dict(
        type='RandomCrop',
        crop_type='absolute_range',
        crop_size=(int(factor * 384), int(factor * 600)),
        allow_negative_crop=True,
    ),
    resize,
]
_base_.train_pipeline[3].transforms = [[resize], zoom]
_base_.test_pipeline[1].scale = (longest_side, int(factor * 800))

train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))
val_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))
test_dataloader = dict(dataset=dict(pipeline=_base_.test_pipeline))

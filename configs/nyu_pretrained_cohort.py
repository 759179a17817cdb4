# NYU's view-wise model with the weights they released, on a screening programme; of images alone, without the heatmaps
# that "Pretrained" of paper 4 has (nyu/nyu_pretrained_heatmaps_cohort.py), which take a GPU.
#   python tools/convert/nyu_weights.py DOWNLOAD/models/*.p --out work_dirs/nyu
#   python tools/test.py configs/nyu_pretrained_cohort.py work_dirs/nyu/nyu_image.pth
# To test is what the paper does. tools/train.py fine-tunes from the same weights, which it does not.
_base_ = [
    './_base_/models/nyu_four_view.py',
    './_base_/datasets/cohort_four_views.py',
    './_base_/schedules/nyu_adapted.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cohort/'
load_from = 'work_dirs/nyu/nyu_image.pth'
randomness = dict(seed=0)
# Folds validate on what they are tested on: no plateau there.
crossval = dict(options=dict(param_scheduler=[dict(type='MultiStepLR', by_epoch=True, milestones=[20, 27], gamma=0.1)]))

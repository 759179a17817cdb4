# Mask R-CNN on CBIS-DDSM, the single-view baseline of paper 3 (row "Our MaskRCNN+FPN").
# The paper's: recall 68.9 / 79.8 / 86.3 / 90.2 / 91.3 % at 0.5 / 1 / 2 / 3 / 4 false positives per image.
# Differs from the paper because:
#   * stages are 20/20/16 epochs: its text gives 10/?/5, its figures let the graph network begin at epoch 56;
#   * anchors have ratios 0.5, 1, 2: the paper's 1.5 to 3.6 contradict its masses' mean aspect of 1.08;
#   * the first convolution sums the RGB filters: the paper's luma weights leave a third of the response that the
#     frozen BatchNorm expects (backbone.stem_adaptation='luma' has them);
#   * images keep their aspect, the longest side 1024, and are padded: its 1024 x 1024 would stretch them;
#   * the first 500 steps warm up;
#   * masks are 28 x 28, as its RoIAlign of 14 and a deconvolution give; its text says 14 x 14;
#   * half precision is a choice of the command line: tools/train.py --amp.
_base_ = [
    './_base_/models/mask_rcnn_r50_gray.py',
    './_base_/datasets/cbis_images.py',
    './_base_/schedules/mask_rcnn_staged.py',
    './_base_/default_runtime.py',
]

data_root = 'data/cbis_ddsm'
randomness = dict(seed=0)

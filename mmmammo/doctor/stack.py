"""Try out torch and what is compiled against it. Everything is imported late: it may be missing or broken."""

from __future__ import annotations

from mmmammo.doctor.result import Row, Status


def probe_torch() -> list[Row]:
    """Import torch and torchvision, whose builds have to fit each other."""
    import torch
    import torchvision

    return [('torch', Status.OK, f'{torch.__version__} with torchvision {torchvision.__version__}')]


def probe_operators() -> list[Row]:
    """Import the compiled part of mmcv and let two operators compute something that is known."""
    import mmcv._ext  # noqa: F401
    import torch
    from mmcv.ops import nms, roi_align

    boxes = torch.tensor([[0.0, 0, 10, 10], [1, 1, 11, 11], [50, 50, 60, 60]])
    _, kept = nms(boxes, torch.tensor([0.9, 0.8, 0.7]), 0.5)
    pooled = roi_align(torch.ones(1, 1, 8, 8), torch.tensor([[0.0, 0, 0, 4, 4]]), (2, 2), 1.0, 2, 'avg', True)
    if kept.tolist() != [0, 2] or not torch.allclose(pooled, torch.ones(1, 1, 2, 2)):
        raise RuntimeError(f'nms kept {kept.tolist()}, roi_align gave {pooled.flatten().tolist()}')
    return [('mmcv operators', Status.OK, 'mmcv._ext imports; nms and roi_align compute')]


def probe_own_operators() -> list[Row]:
    """Let the compiled operators of mmmammo compute what PyTorch computes; without them that does their work."""
    import torch
    from mmcv.ops import roi_align as stock_roi_align
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    from mmmammo.ops import deformable_attention, roi_align
    from mmmammo.ops.library import why_not_loaded

    reason = why_not_loaded()
    if reason:
        return [('mmmammo operators', Status.WARN, f'{reason}: DINO on CPU takes twice the time, Mask R-CNN more too')]
    generator = torch.Generator().manual_seed(0)
    value, locations, weights = (
        torch.rand(size, generator=generator) for size in ((1, 12, 2, 35), (1, 3, 2, 1, 4, 2), (1, 3, 2, 1, 4))
    )
    given = (value, torch.tensor([[3, 4]]), locations, weights)
    worst = (deformable_attention(*given) - multi_scale_deformable_attn_pytorch(*given)).abs().max().item()
    if not worst < 1e-5:
        raise RuntimeError(f'deformable attention is {worst} off')
    regions = torch.tensor([[0.0, 0.3, 0.2, 2.5, 2.9]])
    maps = value.view(1, 2, 12, 35)
    worst = (roi_align(maps, regions, (2, 2)) - stock_roi_align(maps, regions, (2, 2))).abs().max().item()
    if not worst < 1e-5:
        raise RuntimeError(f'RoIAlign is {worst} off')
    return [('mmmammo operators', Status.OK, 'compiled; deformable attention and RoIAlign compute')]


def probe_cuda() -> list[Row]:
    """See whether torch has a GPU and mmcv operators for it."""
    import torch
    from mmcv.ops import get_compiling_cuda_version, nms

    compiled = get_compiling_cuda_version()
    if not torch.cuda.is_available():
        return [('CUDA', Status.OK, f'no GPU for torch; operators compiled for CUDA: {compiled}')]
    name = torch.cuda.get_device_name()
    if compiled == 'not available':
        said = f'{name}, but mmcv has CPU operators only: detectors do not run on it, classifiers do'
        return [('CUDA', Status.WARN, said)]
    nms(torch.tensor([[0.0, 0, 1, 1]], device='cuda'), torch.ones(1, device='cuda'), 0.5)
    return [('CUDA', Status.OK, f'{name}; operators compiled for CUDA {compiled}')]


def probe_detection() -> list[Row]:
    """Import mmdet and mmpretrain, which check each other's versions."""
    import mmdet
    import mmpretrain

    return [('mmdet, mmpretrain', Status.OK, f'{mmdet.__version__}, {mmpretrain.__version__}')]


def probe_images() -> list[Row]:
    """Import what works on images."""
    import albumentations
    import cv2

    return [('image libraries', Status.OK, f'cv2 {cv2.__version__}, albumentations {albumentations.__version__}')]

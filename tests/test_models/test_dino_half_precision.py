"""A DINO trains in bfloat16: one step back and forth on a CPU."""

import pytest
import torch
from tiny_dino import batch, tiny_dino

from mmmammo.models.layers import fuse_deformable_attention

LESIONS = [[[10.0, 10.0, 24.0, 30.0], [30.0, 40.0, 38.0, 50.0]], [[5.0, 8.0, 12.0, 20.0]]]
PARTS = (
    'backbone',
    'neck',
    'encoder',
    'decoder',
    'bbox_head.cls_branches',
    'bbox_head.reg_branches',
    'memory_trans_fc',
    'query_embedding',
    'level_embed',
    'dn_query_generator',
)


def losses(model, half):
    torch.manual_seed(3)
    with torch.autocast('cpu', torch.bfloat16, enabled=half):
        parts = model.loss(*batch(LESIONS))
        return sum(value.sum() for value in parts.values())


@pytest.mark.parametrize('fused', [False, True])
def test_a_step_in_bfloat16_reaches_every_part_and_lowers_the_loss(fused):
    model = tiny_dino().train()
    if fused:
        fuse_deformable_attention(model)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    loss = losses(model, half=True)
    loss.backward()
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None and parameter.grad.isfinite().all(), name
        assert parameter.grad.dtype == parameter.dtype == torch.float32, name
    optimiser.step()
    for part in PARTS:
        of_part = {name: p for name, p in model.named_parameters() if name.startswith(part)}
        assert of_part and any(p.grad.abs().sum() > 0 for p in of_part.values()), part
        assert any(not torch.equal(p, before[name]) for name, p in of_part.items()), part
    assert losses(model, half=True) < loss
    assert losses(model, half=False) < loss  # and not only as bfloat16 sees it

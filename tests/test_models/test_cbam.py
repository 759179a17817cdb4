import torch

from mmmammo.models.layers import CBAM


def test_equals_the_formula_written_out():
    torch.manual_seed(0)
    module, x = CBAM(6, ratio=2, kernel_size=3), torch.randn(1, 6, 5, 4)
    first, last = module.mlp[0], module.mlp[2]

    def mlp(v):
        return last.weight @ torch.relu(first.weight @ v + first.bias) + last.bias

    mean = torch.stack([x[0, c].sum() / 20 for c in range(6)])
    most = torch.stack([max(x[0, c].flatten()) for c in range(6)])
    scaled = x[0] * torch.sigmoid(mlp(mean) + mlp(most))[:, None, None]
    pooled = torch.nn.functional.pad(torch.stack([scaled.sum(0) / 6, scaled.max(0).values]), (1, 1, 1, 1))
    weight = module.place.weight[0]
    places = torch.tensor(
        [[float((pooled[:, i : i + 3, j : j + 3] * weight).sum().detach()) for j in range(4)] for i in range(5)]
    )
    torch.testing.assert_close(module(x)[0], scaled * torch.sigmoid(places), rtol=1e-5, atol=1e-6)


def test_a_narrow_block_keeps_a_channel():
    assert CBAM(4, ratio=16).mlp[0].out_features == 1

"""Mixed query selection against its rule written out: anchors are chosen from the image, contents are learned."""

import numpy as np
import pytest
import torch
from tiny_dino import batch, tiny_dino

NUM_QUERIES = 12
LESIONS = [[[10.0, 10.0, 24.0, 30.0], [30.0, 40.0, 38.0, 50.0]], [[5.0, 8.0, 12.0, 20.0]]]


def linear(state, name, x):
    return x @ state[f'{name}.weight'].T + state[f'{name}.bias']


def proposals(shapes, padding):
    """(tokens, 4) cxcywh of one image: a box round each cell, of a twentieth of the image, twice that a level up."""
    rows, first = [], 0
    for level, (height, width) in enumerate(shapes):
        shown = ~padding[first : first + height * width].reshape(height, width)
        first += height * width
        for y in range(height):
            for x in range(width):
                side = 0.05 * 2**level
                rows.append([(x + 0.5) / shown[0].sum(), (y + 0.5) / shown[:, 0].sum(), side, side])
    return np.array(rows)


def encoder_outputs(state, memory, shapes, padding):
    """Class logits (tokens, classes) and anchors (tokens, 4) of one image, and which tokens may be chosen."""
    boxes = proposals(shapes, padding)
    inside = ((boxes > 0.01) & (boxes < 0.99)).all(axis=1) & ~padding
    x = linear(state, 'memory_trans_fc', np.where(inside[:, None], memory, 0))
    x = (x - x.mean(axis=1, keepdims=True)) / np.sqrt(x.var(axis=1, keepdims=True) + 1e-5)
    x = x * state['memory_trans_norm.weight'] + state['memory_trans_norm.bias']
    logits = linear(state, 'bbox_head.cls_branches.2', x)  # the head after those of the two decoder layers
    for i in (0, 2):
        x = np.maximum(linear(state, f'bbox_head.reg_branches.2.{i}', x), 0)
    moved = linear(state, 'bbox_head.reg_branches.2.4', x)[inside] + np.log(boxes[inside] / (1 - boxes[inside]))
    anchors = np.ones((len(boxes), 4))
    anchors[inside] = 1 / (1 + np.exp(-moved))
    return logits, anchors, inside


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('seed', [8, 9])
def test_queries_are_the_tokens_of_the_greatest_class_logits(training, seed):
    model = tiny_dino(seed, num_classes=3, num_queries=NUM_QUERIES).train(training)
    images, samples = batch(LESIONS, labels=[[0, 2], [1]])
    samples[1].set_metainfo({'img_shape': (50, 31)})
    given = {}
    model.decoder.register_forward_pre_hook(lambda _, __, kwargs: given.update(kwargs), with_kwargs=True)
    with torch.no_grad():
        model(images, samples, mode='loss' if training else 'predict')
    state = {name: value.double().numpy() for name, value in model.state_dict().items()}
    shapes, padding = given['spatial_shapes'].tolist(), given['key_padding_mask'].numpy()
    assert padding[1].any() and not padding[0].any()
    for image in range(2):
        memory = given['value'][image].double().numpy()
        logits, anchors, inside = encoder_outputs(state, memory, shapes, padding[image])
        chosen = np.argsort(-logits.max(axis=1), kind='stable')[:NUM_QUERIES]
        found = given['reference_points'][image, -NUM_QUERIES:].numpy()
        np.testing.assert_allclose(found, anchors[chosen], atol=1e-5)
        by_first_class = np.argsort(-logits[:, 0], kind='stable')[:NUM_QUERIES]
        assert inside[chosen].all() and set(chosen) != set(by_first_class)
        contents = given['query'][image, -NUM_QUERIES:]
        assert torch.equal(contents, model.query_embedding.weight)

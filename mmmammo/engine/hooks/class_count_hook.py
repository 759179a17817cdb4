"""No training on labels that the model has no output for."""

from __future__ import annotations

from mmengine.dataset import BaseDataset
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import nn

from mmmammo.registry import HOOKS
from mmmammo.structures import MammoError


@HOOKS.register_module()
class ClassCountHook(Hook):
    """Refuses a dataset that has more or fewer classes than the heads of the model.

    The first label too many is a head's background: such a lesion would silently be trained as none. Further ones end
    in an index error deep in a loss.

    Raises:
        MammoError: Naming the classes of the dataset and the head that does not fit.
    """

    def before_train(self, runner: Runner) -> None:
        """Check the training set."""
        _check(runner.model, runner.train_dataloader.dataset)

    def before_val(self, runner: Runner) -> None:
        """Check the validation set."""
        _check(runner.model, runner.val_dataloader.dataset)

    def before_test(self, runner: Runner) -> None:
        """Check the test set."""
        _check(runner.model, runner.test_dataloader.dataset)


def _check(model: nn.Module, dataset: BaseDataset) -> None:
    classes = tuple(dataset.metainfo['classes'])
    for name, module in model.named_modules():
        count = getattr(module, 'num_classes', None)
        # An RPN tells lesion from background, whatever the classes are; for "no head here" mmpretrain says None or -1,
        # and timm 0.
        if name.endswith('rpn_head') or not isinstance(count, int) or count < 1 or count == len(classes):
            continue
        head = f'model.{name.removeprefix("module.")}.num_classes'
        raise MammoError(
            dataset.ann_file,
            field='categories',
            found=classes,
            expected=f'{count}, which is {head}',
            remedy='prepare the set with --single-class NAME or --only CATEGORY (images are kept), or run with '
            f'--cfg-options {head}={len(classes)}, and the same for the other heads',
        )

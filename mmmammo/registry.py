"""Child registries of mmengine's, so that a config may say ``type='mmmammo.AGRCNN'``.

``locations`` names the packages that are imported the first time a type is looked up; a config therefore needs neither
``custom_imports`` nor a call to register anything. Keep ``default_scope = 'mmdet'`` and prefix our types.
"""

from mmengine.registry import DATA_SAMPLERS as MMENGINE_DATA_SAMPLERS
from mmengine.registry import DATASETS as MMENGINE_DATASETS
from mmengine.registry import FUNCTIONS as MMENGINE_FUNCTIONS
from mmengine.registry import HOOKS as MMENGINE_HOOKS
from mmengine.registry import INFERENCERS as MMENGINE_INFERENCERS
from mmengine.registry import METRICS as MMENGINE_METRICS
from mmengine.registry import MODELS as MMENGINE_MODELS
from mmengine.registry import OPTIM_WRAPPERS as MMENGINE_OPTIM_WRAPPERS
from mmengine.registry import OPTIMIZERS as MMENGINE_OPTIMIZERS
from mmengine.registry import PARAM_SCHEDULERS as MMENGINE_PARAM_SCHEDULERS
from mmengine.registry import STRATEGIES as MMENGINE_STRATEGIES
from mmengine.registry import TRANSFORMS as MMENGINE_TRANSFORMS
from mmengine.registry import VISUALIZERS as MMENGINE_VISUALIZERS
from mmengine.registry import Registry

DATASETS = Registry('dataset', parent=MMENGINE_DATASETS, scope='mmmammo', locations=['mmmammo.datasets'])
DATA_SAMPLERS = Registry(
    'data sampler', parent=MMENGINE_DATA_SAMPLERS, scope='mmmammo', locations=['mmmammo.datasets.samplers']
)
TRANSFORMS = Registry(
    'transform', parent=MMENGINE_TRANSFORMS, scope='mmmammo', locations=['mmmammo.datasets.transforms']
)
FUNCTIONS = Registry(
    'function',
    parent=MMENGINE_FUNCTIONS,
    scope='mmmammo',
    locations=['mmmammo.datasets', 'mmmammo.engine.sharding'],
)
MODELS = Registry('model', parent=MMENGINE_MODELS, scope='mmmammo', locations=['mmmammo.models'])
METRICS = Registry('metric', parent=MMENGINE_METRICS, scope='mmmammo', locations=['mmmammo.evaluation.metrics'])
HOOKS = Registry('hook', parent=MMENGINE_HOOKS, scope='mmmammo', locations=['mmmammo.engine.hooks'])
OPTIMIZERS = Registry('optimizer', parent=MMENGINE_OPTIMIZERS, scope='mmmammo', locations=['mmmammo.engine.optimizers'])
OPTIM_WRAPPERS = Registry(
    'optimizer wrapper', parent=MMENGINE_OPTIM_WRAPPERS, scope='mmmammo', locations=['mmmammo.engine.optimizers']
)
PARAM_SCHEDULERS = Registry(
    'parameter scheduler',
    parent=MMENGINE_PARAM_SCHEDULERS,
    scope='mmmammo',
    locations=['mmmammo.engine.optimizers'],
)
STRATEGIES = Registry('strategy', parent=MMENGINE_STRATEGIES, scope='mmmammo', locations=['mmmammo.engine.sharding'])
VISUALIZERS = Registry('visualizer', parent=MMENGINE_VISUALIZERS, scope='mmmammo', locations=['mmmammo.visualization'])
INFERENCERS = Registry('inferencer', parent=MMENGINE_INFERENCERS, scope='mmmammo', locations=['mmmammo.apis'])

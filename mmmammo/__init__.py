"""Mammography detection and classification on the OpenMMLab stack.

Importing the package is cheap: it pulls in neither torch nor mm*. The registries that configs speak to are in
:mod:`mmmammo.registry`.
"""

import os

# albumentations asks the network for a newer version of itself on import unless told not to.
os.environ.setdefault('NO_ALBUMENTATIONS_UPDATE', '1')

__version__ = '0.1.0'

"""Mammography detection and classification on the OpenMMLab stack.

Importing the package is cheap: it pulls in neither torch nor mm*. The registries that configs speak to are in
:mod:`mmmammo.registry`.
"""

__version__ = '0.1.0'

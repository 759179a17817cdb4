# The twin of agrcnn_end_to_end_cbis.py that trains on a CPU. Parent: ../agrcnn_phantom.py
_base_ = ['../agrcnn_phantom.py']

custom_hooks = []  # parent: the detector, then also its graphs

"""From detections and ground truth to numbers: pure ``functional`` code, and its MMEngine shells in ``metrics``."""

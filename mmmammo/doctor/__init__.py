"""Say what is installed, whether it works, and which line mends what does not: ``python -m mmmammo.doctor``.

At import this needs the standard library only; what may be missing or broken is tried out in child processes.
"""

"""Tables of trained models: a plan, its runs, what they add up to, and the page that shows it.

:mod:`mmmammo.experiments.schedule` tells which runs a plan asks for; it reads configs, all else needs no torch.
"""

from mmmammo.experiments.executor import Outcome, execute
from mmmammo.experiments.page import put_between_marks, render
from mmmammo.experiments.plan import Plan, Row, Table, read_plan
from mmmammo.experiments.results import collect
from mmmammo.experiments.runs import Run

__all__ = [
    'Outcome',
    'Plan',
    'Row',
    'Run',
    'Table',
    'collect',
    'execute',
    'put_between_marks',
    'read_plan',
    'render',
]

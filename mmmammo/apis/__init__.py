"""What a user calls from Python."""

from mmmammo.apis.exam_files import ResultWriter, panel_of
from mmmammo.apis.exam_inferencer import ExamInferencer
from mmmammo.apis.malignancy import MalignancyClassifier
from mmmammo.apis.results import ExamResult, ImageResult
from mmmammo.apis.runs import load_config
from mmmammo.apis.score_files import ScoreWriter
from mmmammo.apis.score_inferencer import ScoreInferencer
from mmmammo.apis.score_results import ExamScores, ImageScores
from mmmammo.apis.sliding_window import SlidingWindow

__all__ = [
    'ExamInferencer',
    'ExamResult',
    'ExamScores',
    'ImageResult',
    'ImageScores',
    'MalignancyClassifier',
    'ResultWriter',
    'ScoreInferencer',
    'ScoreWriter',
    'SlidingWindow',
    'load_config',
    'panel_of',
]

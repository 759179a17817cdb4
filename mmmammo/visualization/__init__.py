"""Pictures for people: marks on images, exam panels, curves, the HTML report. No torch."""

from mmmammo.visualization.curves import Band, draw_froc, draw_score_histogram
from mmmammo.visualization.exam_panel import PanelView, draw_exam_panel, save_exam_panel
from mmmammo.visualization.overlay import draw_overlay
from mmmammo.visualization.report import ReportSettings, build_report

__all__ = [
    'Band',
    'PanelView',
    'ReportSettings',
    'build_report',
    'draw_exam_panel',
    'draw_froc',
    'draw_overlay',
    'draw_score_histogram',
    'save_exam_panel',
]

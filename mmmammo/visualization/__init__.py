"""Pictures for people: marks on images, exam panels, curves, the HTML report. No torch."""

from mmmammo.visualization.comparison_report import write_comparison_report
from mmmammo.visualization.curves import Band, draw_froc, draw_score_histogram
from mmmammo.visualization.exam_panel import PanelView, draw_exam_panel, save_exam_panel
from mmmammo.visualization.gallery import GallerySettings
from mmmammo.visualization.heatmap_figure import draw_heatmaps
from mmmammo.visualization.overlay import draw_overlay
from mmmammo.visualization.region_map import region_map
from mmmammo.visualization.report import Written, write_detection_report, write_score_report

__all__ = [
    'Band',
    'GallerySettings',
    'PanelView',
    'Written',
    'draw_exam_panel',
    'draw_froc',
    'draw_heatmaps',
    'draw_overlay',
    'draw_score_histogram',
    'region_map',
    'save_exam_panel',
    'write_comparison_report',
    'write_detection_report',
    'write_score_report',
]

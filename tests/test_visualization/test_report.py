"""The report: its numbers, its privacy, and that it is one file."""

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from mmmammo.evaluation.functional import froc, match_images
from mmmammo.io import write_png16
from mmmammo.io.predictions import write_predictions
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.visualization import ReportSettings, build_report
from mmmammo.visualization.case_selection import choose_exams, summarise_exams
from mmmammo.visualization.curves import draw_froc

LESION = np.array([[20.0, 20, 40, 40]])
NOWHERE = np.array([[50.0, 60, 60, 80]])
FAST = ReportSettings(bootstrap=20, panel_side=300)


def image(image_id, exam, boxes=(), scores=(), lesions=(), side='L', view='CC'):
    boxes, lesions = np.reshape(boxes, (-1, 4)), np.reshape(lesions, (-1, 4))
    return ImagePrediction(
        image_id,
        f'{exam}/{side}{view}.png',
        80,
        100,
        f'EXAM-{exam}',
        f'PATIENT-{exam}',
        side,
        view,
        boxes,
        np.array(scores, dtype=float),
        np.zeros(len(boxes), int),
        lesions,
        np.zeros(len(lesions), int),
    )


def run_of_four():
    """A hit, a miss with a false positive, a false positive in a healthy exam, nothing at all."""
    return [
        image(1, 'hit', [LESION], [0.9], LESION),
        image(2, 'miss', [NOWHERE], [0.6], LESION),
        image(3, 'false', [NOWHERE], [0.8], side='R'),
        image(4, 'quiet', view='MLO'),
    ]


@pytest.fixture
def run(tmp_path):
    """A predictions file and its images."""
    images = run_of_four()
    for record in images:
        path = tmp_path / 'images' / record.file_name
        path.parent.mkdir(parents=True)
        write_png16(path, np.linspace(0, 1, 8000, dtype=np.float32).reshape(100, 80))
    write_predictions(tmp_path / 'predictions.json', images, ['mass'])
    return tmp_path


def build(run, settings=FAST, metrics=None, **info):
    path = build_report(
        run / 'predictions.json', metrics or {}, run / 'images', run / 'out', run=info, settings=settings
    )
    return path.read_text(encoding='utf-8')


def text_of(page):
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]+>', ' ', re.sub(r'<style>.*?</style>', '', page, flags=re.S)))


def test_headline_and_counts(run):
    text = text_of(build(run))
    assert 'At 1 false positive per image the model finds 50.0%' in text
    assert '4 images, 4 exams, 4 patients, 2 annotated lesions, 3 detections' in text
    assert 'not a medical device' in text


def test_one_file_that_loads_nothing(run):
    page = build(run)
    assert sorted(path.name for path in (run / 'out').iterdir()) == ['report.html']
    assert 'http' not in re.sub(r'http-equiv', '', page)
    sources = re.findall(r'(?:src|href)="([^"]*)"', page)
    assert len(sources) == 6 and all(source.startswith('data:') for source in sources)


def test_no_identity_on_the_page(run):
    page = build(run)
    assert 'PATIENT-' not in page and 'EXAM-' not in page and 'LCC.png' not in page
    assert 'Exam 1' in page


def test_exam_ids_of_a_phantom_may_be_shown(run):
    page = build(run, ReportSettings(bootstrap=0, panel_side=300, show_exam_ids=True))
    assert 'EXAM-hit' in page and 'PATIENT-' not in page


def test_what_was_run_is_shown_and_escaped(run):
    page = build(run, metrics={'froc/fauc': 0.25, 'ap/0.50': float('nan')}, Config='<b>a & b</b>')
    assert '&lt;b&gt;a &amp; b&lt;/b&gt;' in page
    assert 'froc/fauc 0.2500' in text_of(page) and 'ap/0.50 not defined' in text_of(page)


def test_tags_are_balanced(run):
    class Checker(HTMLParser):
        open_tags: list = []

        def handle_starttag(self, tag, attrs):
            if tag not in ('meta', 'link', 'img', 'input'):
                self.open_tags.append(tag)

        def handle_endtag(self, tag):
            assert self.open_tags.pop() == tag

    checker = Checker()
    checker.feed(build(run))
    assert checker.open_tags == []


def test_the_same_run_gives_the_same_page(run):
    assert build(run) == build(run)


def test_intervals_are_left_out_with_a_reason(run):
    text = text_of(build(run, ReportSettings(bootstrap=0, panel_side=300)))
    assert 'No intervals: no intervals were asked for.' in text


def test_run_without_lesions_says_so(run):
    write_predictions(run / 'predictions.json', run_of_four()[2:], ['mass'])
    text = text_of(build(run))
    assert 'No recall can be given: no lesion in the ground truth.' in text and 'not defined' in text


def test_empty_run_is_refused(run):
    write_predictions(run / 'predictions.json', [], ['mass'])
    with pytest.raises(MammoError, match='images: found none'):
        build(run)


def test_absent_image_is_named(run):
    (run / 'images' / 'miss' / 'LCC.png').unlink()
    with pytest.raises(MammoError, match=r'LCC\.png'):
        build(run)


def test_exams_are_chosen_by_the_rule():
    images = run_of_four()
    exams = summarise_exams(images, match_images(images), threshold=0.5)
    chosen = {name: [exam.exam_id for exam in group] for name, group in choose_exams(exams).items()}
    assert chosen == {
        'Missed lesions': ['EXAM-miss'],
        'Worst false positives': ['EXAM-false'],
        'Best hits': ['EXAM-hit'],
    }


def test_threshold_turns_a_hit_into_a_miss():
    images = run_of_four()
    exams = summarise_exams(images, match_images(images), threshold=0.95)
    assert [(exam.lesions, exam.found) for exam in exams] == [(1, 0), (1, 0), (0, 0), (0, 0)]


def test_views_of_an_exam_are_summed_and_images_without_exam_stand_alone():
    images = [image(1, 'a', [LESION], [0.9], LESION), image(2, 'a', [NOWHERE], [0.3], LESION, view='MLO')]
    images += [ImagePrediction(7), ImagePrediction(8)]
    exams = summarise_exams(images, match_images(images), threshold=0.1)
    assert [(exam.exam_id, exam.images) for exam in exams] == [
        ('EXAM-a', [0, 1]),
        ('image 7', [2]),
        ('image 8', [3]),
    ]
    assert (exams[0].lesions, exams[0].found, exams[0].best_hit, exams[0].worst_false_positive) == (2, 1, 0.9, 0.3)


def test_froc_figure_marks_the_readings_and_goes_on_flat():
    result = froc([(LESION, [0.9]), (NOWHERE, [0.5])], [LESION, LESION])
    (axes,) = draw_froc({'a': result}).axes
    curve, dots = axes.lines
    assert curve.get_xydata()[-1].tolist() == [4.0, 0.5]
    assert dots.get_xydata().tolist() == [[fps, recall] for fps, recall in result.recall_at.items()]


def test_flat_parts_of_the_curve_take_two_points():
    boxes = np.concatenate([LESION, np.repeat(NOWHERE, 1000, axis=0)])
    (axes,) = draw_froc({'a': froc([(boxes, np.linspace(1, 0, 1001))], [LESION])}).axes
    assert axes.lines[0].get_xydata().tolist() == [[0, 0], [0, 1], [1000, 1]]

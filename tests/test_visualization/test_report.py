"""The report of detections: its numbers, its privacy, and that it is one file."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from report_runs import LESION, NOWHERE, build, image, run_of_four, write_heatmap, write_run

from mmmammo.evaluation.functional import match_images
from mmmammo.evaluation.summary import DetectionSettings, summarise_detections
from mmmammo.io import write_heatmap as write_finding_maps
from mmmammo.io.detection_files import read_detection_set
from mmmammo.io.intake import file_sha256
from mmmammo.structures import Heatmap, ImagePrediction, MammoError
from mmmammo.visualization import GallerySettings
from mmmammo.visualization.case_selection import choose_exams, summarise_exams
from mmmammo.visualization.gallery import make_gallery
from mmmammo.visualization.page import interval, number

VOID = ('meta', 'link', 'img', 'input', 'rect', 'br', 'wbr')


@pytest.fixture(scope='module')
def standard(tmp_path_factory):
    """A run with its report, built once: (folder, what was written, page)."""
    folder = tmp_path_factory.mktemp('standard')
    write_run(folder)
    written = build(folder)
    return folder, written, written.page.read_text(encoding='utf-8')


@pytest.fixture
def run(tmp_path):
    """A run of its own."""
    write_run(tmp_path)
    return tmp_path


def page_of(folder, **options):
    return build(folder, **options).page.read_text(encoding='utf-8')


def text_of(page):
    page = re.sub(r'<(style|script)>.*?</\1>', '', page, flags=re.S)
    return re.sub(r'\s+', ' ', re.sub(r'<[^>]+>', ' ', page))


def test_headline_and_counts(standard):
    text = text_of(standard[2])
    assert 'At 1 false positive per image the model finds 50.0%' in text
    assert 'of 2 annotated lesions in 4 images of 4 patients' in text
    assert 'Of the 2 exams with a lesion, 50.0%' in text
    assert 'not a medical device' in text


def test_one_file_that_loads_nothing(standard):
    folder, _, page = standard
    assert sorted(path.name for path in (folder / 'out').iterdir()) == ['metrics.json', 'plots', 'report.html']
    assert 'http' not in re.sub(r'http-equiv', '', page)
    sources = re.findall(r'\b(?:src|href)="([^"]*)"', page)
    assert all(source.startswith(('data:', '#')) for source in sources)
    assert sum(source.startswith('data:image/svg+xml') for source in sources) == 6


def test_every_picture_says_what_it_shows(standard):
    alts = re.findall(r'<img src="[^"]*" alt="([^"]*)"', standard[2])
    assert len(alts) == 6 + 3 and all(alts)
    assert any('L CC: 1 hit; 1 lesion, found' in alt for alt in alts)
    assert any('1.00' not in alt and '0.500 at 1 FPI' in alt for alt in alts)


def test_only_the_script_of_the_page_may_run(standard):
    page = standard[2]
    assert len(re.findall('<script', page)) == 1
    assert "default-src 'none'" in page and re.search(r"script-src 'sha256-[^']{44}'", page)
    assert not re.search(r'\son\w+=', page)


def test_no_identity_on_the_page(standard):
    page = standard[2]
    assert 'PATIENT-' not in page and 'EXAM-' not in page and 'LCC.png' not in page
    assert 'Exam 1' in page


def test_exam_ids_of_a_phantom_may_be_shown(run):
    page = page_of(run, bootstrap=0, gallery=GallerySettings(run / 'images', show_exam_ids=True))
    assert 'EXAM-hit' in page and 'PATIENT-' not in page


def test_what_was_run_is_shown_and_escaped(run):
    logged = {'froc/fauc': 0.25, 'ap/0.50': None}
    page = page_of(run, logged=logged, run={'Config': '<b>a & b</b>'})
    assert '&lt;b&gt;a &amp; b&lt;/b&gt;' in page
    assert 'froc/fauc 0.2500' in text_of(page) and 'ap/0.50 not defined' in text_of(page)


def test_tags_are_balanced(standard):
    class Checker(HTMLParser):
        open_tags: list = []

        def handle_starttag(self, tag, attrs):
            if tag not in VOID:
                self.open_tags.append(tag)

        def handle_endtag(self, tag):
            if tag not in VOID:
                assert self.open_tags.pop() == tag

    checker = Checker()
    checker.feed(standard[2])
    assert checker.open_tags == []


def test_the_same_run_gives_the_same_bytes(standard):
    folder, written, _ = standard
    first = {path: path.read_bytes() for path in [*written.plots, written.page, written.document]}
    build(folder)
    assert all(path.read_bytes() == content for path, content in first.items())


def test_every_number_is_in_the_document_under_its_key(standard):
    folder, written, page = standard
    document = json.loads(written.document.read_text())
    keys = set(re.findall(r'<td><code>([^<]+/[^<]+)</code></td></tr>', page.replace('<wbr>', '')))
    assert len(keys) > 15 and keys <= set(document['numbers'])
    assert file_sha256(written.document) in page and file_sha256(folder / 'predictions.json') in page


def test_intervals_are_left_out_with_a_reason(run):
    text = text_of(page_of(run, bootstrap=0))
    assert 'No intervals: no interval was asked for.' in text


def test_run_without_lesions_says_so(run):
    write_run(run, run_of_four()[2:])
    text = text_of(page_of(run))
    assert 'No recall can be given: no lesion in the ground truth.' in text and 'not defined' in text


def test_page_without_images_says_so(run):
    assert 'No pictures: no folder of images was given (--images).' in text_of(page_of(run, gallery=GallerySettings()))


def test_absent_image_is_named(run):
    (run / 'images' / 'miss' / 'LCC.png').unlink()
    with pytest.raises(MammoError, match=r'LCC\.png'):
        build(run)


@pytest.mark.parametrize('name', ['../scan.png', '{folder}/scan.png'])
def test_no_picture_from_elsewhere_is_shown(run, name):
    name = name.format(folder=run)
    write_run(run, [replace(run_of_four()[0], file_name='../scan.png')])  # it is there
    assert (run / 'scan.png').is_file()
    document = json.loads((run / 'predictions.json').read_text())
    document['images'][0]['file_name'] = name
    (run / 'predictions.json').write_text(json.dumps(document))
    with pytest.raises(MammoError, match=r'image 1: file_name: found .*scan\.png'):
        build(run)
    assert not (run / 'out').exists()


def test_nor_for_images_of_another_reader(run):
    data = summarise_detections(read_detection_set(run / 'predictions.json'), DetectionSettings(bootstrap=0))
    images = [replace(image, file_name=f'../images/{image.file_name}') for image in data.data.images]
    with pytest.raises(MammoError, match=r'file_name: found .*a path below the folder of the images'):
        make_gallery(images, data.matches, 0.5, GallerySettings(run / 'images'))


def test_heatmaps_are_laid_over_the_views_that_have_one(run, standard):
    folder = write_heatmap(run, run_of_four()[0])
    page = page_of(run, gallery=GallerySettings(run / 'images', folder))
    assert page.count('<img class="heat"') == 1 and 'id="show-heatmaps"' in page
    assert 'id="show-heatmaps"' not in standard[2]


def test_high_risk_regions_are_a_layer_of_every_view(run):
    page = page_of(run, gallery=GallerySettings(run / 'images', regions=True))
    assert page.count('<img class="heat"') == page.count('class="canvas"') > 1
    assert 'for="show-heatmaps">high-risk regions<' in page


def test_given_heatmaps_win_over_regions(run):
    folder = write_heatmap(run, run_of_four()[0])
    page = page_of(run, gallery=GallerySettings(run / 'images', folder, regions=True))
    assert page.count('<img class="heat"') == 1 and 'for="show-heatmaps">heatmaps<' in page


def test_maps_of_findings_are_shown_in_colour_where_there_are_marks(run):
    folder = write_heatmap(run, run_of_four()[0])
    values = np.full((2, 4, 3), 0.1, dtype=np.float32)
    values[1, 1, 1] = 0.6
    for record in run_of_four():  # the last one has no mark
        heatmap = Heatmap(values, 32.0, (100, 80))
        write_finding_maps((folder / record.file_name).with_suffix('.npz'), heatmap, ('mass', 'calcification'))
    page = page_of(run, gallery=GallerySettings(run / 'images', folder))
    pictures = re.findall(
        r'<details><summary>(\w \w+): heatmaps of findings</summary><img src="([^"]*)" alt="(.*?)">', page
    )
    assert sorted(name for name, _, _ in pictures) == ['L CC', 'L CC', 'R CC']
    assert all(address.startswith('data:image/jpeg;base64,') and 'colour bar' in alt for _, address, alt in pictures)
    assert page_of(run, gallery=GallerySettings(run / 'images', folder)) == page
    assert 'heatmaps of findings' not in page_of(run, gallery=GallerySettings(run / 'images'))


def test_a_right_breast_is_hung_mirrored_with_its_marks(run):
    summary = summarise_detections(read_detection_set(run / 'predictions.json'), DetectionSettings(bootstrap=0))
    groups = make_gallery(summary.data.images, summary.matches, 0.5, GallerySettings(run / 'images'))
    ((view, none),) = groups['Worst false positives'][0].rows
    assert none is None and view.name == 'R CC'
    assert [(mark.kind, mark.x, mark.width, mark.score) for mark in view.marks] == [('false', 80 - 60, 10, 0.8)]


def test_marks_tell_hits_misses_and_false_positives_apart(run):
    summary = summarise_detections(read_detection_set(run / 'predictions.json'), DetectionSettings(bootstrap=0))
    groups = make_gallery(summary.data.images, summary.matches, 0.5, GallerySettings(run / 'images'))
    (missed,), (hit,) = groups['Missed lesions'], groups['Best hits']
    kinds = [[mark.kind for row in exam.rows for view in row if view for mark in view.marks] for exam in (missed, hit)]
    assert kinds == [['missed', 'false'], ['found', 'hit']]


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


def test_zero_has_no_sign():
    assert (number(-0.0002), interval(-0.0004, 0.1)) == ('0.000', '0.000 to 0.100')

from functools import cache

import cv2
import numpy as np
import pytest

from mmmammo.phantom import CATEGORIES, PhantomConfig, make_exam
from mmmammo.phantom.spectrum import measure_slope
from mmmammo.structures import Laterality, View

SMALL = {'height': 256}


@cache
def exam_of(category, index=0):
    config = PhantomConfig(height=384, prevalence=1.0, finding_mix={category: 1.0}, symmetric_decoys=2.0)
    return make_exam(config, seed=11, index=index)


@pytest.fixture(scope='module')
def healthy():
    config = PhantomConfig(height=512, prevalence=0.0, overlap_decoys=0.0, symmetric_decoys=0.0)
    return [make_exam(config, seed=2, index=i) for i in range(6)]


def box_centre(finding):
    x1, y1, x2, y2 = finding.bbox
    return np.array([(x1 + x2) / 2, (y1 + y2) / 2])


@pytest.mark.parametrize('category', CATEGORIES)
def test_projected_centre_is_the_centre_of_the_box_in_both_views(category):
    for index in range(3):
        exam = exam_of(category, index)
        for placed in exam.lesions:
            shown = 0
            for view in exam.views:
                for finding in (*view.findings, *view.decoys):
                    if finding.lesion_id == placed.lesion_id and view.laterality is placed.laterality:
                        shown += 1
                        x1, y1, x2, y2 = finding.bbox
                        offset = view.projection.project(placed.lesion.centre) - box_centre(finding)
                        assert (np.abs(offset) <= 0.25 * np.array([x2 - x1, y2 - y1]) + 1).all()
            assert shown == len(placed.views)


@pytest.mark.parametrize('category', CATEGORIES)
def test_only_true_findings_are_annotated_and_lie_in_the_breast(category):
    exam = exam_of(category)
    assert any(view.findings for view in exam.views)
    for view in exam.views:
        contour = view.landmarks.contour.astype(np.float32)
        for finding in view.findings:
            assert finding.category == category
            assert 'decoy' not in finding.attributes
            x1, y1, x2, y2 = finding.bbox
            assert 0 <= x1 < x2 <= view.image.shape[1] and 0 <= y1 < y2 <= view.image.shape[0]
            (polygon,) = finding.polygons
            np.testing.assert_allclose(np.r_[polygon.min(axis=0), polygon.max(axis=0)], finding.bbox)
            assert cv2.pointPolygonTest(contour, tuple(map(float, box_centre(finding))), False) > 0


def test_a_lesion_has_one_id_in_both_views_of_its_breast():
    exam = exam_of('mass')
    ids = [(view.laterality, finding.lesion_id) for view in exam.views for finding in view.findings]
    assert ids and all(ids.count(x) == 2 for x in ids)


def test_symmetric_decoys_show_in_all_views_and_overlaps_in_one():
    exams = [exam_of('mass', i) for i in range(3)]
    placed = [x for exam in exams for x in exam.lesions if x.decoy]
    assert {x.decoy for x in placed} == {'symmetric', 'overlap'}
    for exam in exams:
        for x in exam.lesions:
            shown = [v.name for v in exam.views for d in v.decoys if d.lesion_id == x.lesion_id]
            assert len(shown) == {'symmetric': 4, 'overlap': 1, None: 0}[x.decoy]


@pytest.mark.parametrize('category', CATEGORIES)
def test_a_lesion_brightens_its_box(category):
    """The same exam with and without its lesion differs inside the box, and hardly elsewhere."""
    from mmmammo.phantom import exam as module

    config = PhantomConfig(
        height=384,
        prevalence=1.0,
        finding_mix={category: 1.0},
        overlap_decoys=0,
        symmetric_decoys=0,
        contrast=(1.5, 1.5),
    )
    placed = make_exam(config, 4)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, 'place_lesions', lambda *_: ())
        empty = make_exam(config, 4)
    checked = 0
    for view, without in zip(placed.views, empty.views, strict=True):
        change = np.abs(view.image - without.image)
        outside = np.ones(change.shape, dtype=bool)
        for finding in view.findings:
            x1, y1, x2, y2 = (round(v) for v in finding.bbox)
            assert change[y1:y2, x1:x2].max() > 0.05
            margin = x2 - x1
            outside[max(y1 - margin, 0) : y2 + margin, max(x1 - margin, 0) : x2 + margin] = False
            checked += 1
        if category != 'asymmetry':  # it passes the texture filter, which is global
            assert change[outside].max(initial=0) < 0.05
    assert checked


def test_equal_arguments_give_equal_bytes_and_exams_differ():
    config = PhantomConfig(**SMALL)
    first, again, other = make_exam(config, 7, 3), make_exam(config, 7, 3), make_exam(config, 7, 4)
    for a, b in zip(first.views, again.views, strict=True):
        assert a.image.tobytes() == b.image.tobytes()
        assert a.findings == b.findings or a.findings[0].bbox == b.findings[0].bbox
    assert first.views[0].image.tobytes() != other.views[0].image.tobytes()


def test_geometry_does_not_depend_on_the_image_size():
    small, large = (make_exam(PhantomConfig(height=h, prevalence=1.0), 1) for h in (256, 512))
    for a, b in zip(small.views, large.views, strict=True):
        np.testing.assert_allclose(a.landmarks.nipple * 2, b.landmarks.nipple, rtol=0.01)
        for x, y in zip(a.findings, b.findings, strict=True):
            np.testing.assert_allclose(np.array(x.bbox) * 2, y.bbox, rtol=0.02)


def test_image_is_bright_inside_the_contour_and_zero_in_air():
    config = PhantomConfig(**SMALL, vendors=('PHANTOM-A',))
    for view in make_exam(config, 0).views:
        assert view.image.dtype == np.float32
        assert view.image.shape == (config.height, config.width)
        inside = np.zeros(view.image.shape, dtype=np.uint8)
        cv2.fillPoly(inside, [np.rint(view.landmarks.contour - 0.5).astype(np.int32)], 1)
        kernel = np.ones((5, 5), np.uint8)
        assert (view.image[cv2.erode(inside, kernel, borderValue=1) > 0] > 0.02).mean() > 0.999
        assert view.image[cv2.dilate(inside, kernel) == 0].max() == 0
        assert view.image.max() <= 1


def test_left_points_right_and_right_points_left():
    for view in make_exam(PhantomConfig(**SMALL, vendors=('PHANTOM-B',)), 0).views:
        columns = (view.image > 0).sum(axis=0)
        left_heavy = columns[: len(columns) // 2].sum() > columns[len(columns) // 2 :].sum()
        assert left_heavy == (view.laterality is Laterality.LEFT)


def test_the_muscle_is_behind_its_line():
    for view in make_exam(PhantomConfig(**SMALL, overlap_decoys=0, symmetric_decoys=0, prevalence=0), 5).views:
        if view.view is View.MLO:
            top = view.landmarks.pectoral_line[0]
            toward_chest = -1 if view.laterality is Laterality.LEFT else 1
            row = view.image[12]
            behind, before = (row[int(top[0] + s * toward_chest * 12)] for s in (1, -1))
            assert behind > before + 0.08


def test_gland_has_the_spectrum_of_a_mammogram(healthy):
    spacing = PhantomConfig(height=512).pixel_spacing_mm
    for name in (View.CC, View.MLO):
        views = [view for exam in healthy for view in exam.views if view.view is name]
        slope = measure_slope([v.image for v in views], [v.gland_region for v in views], spacing)
        assert slope.num_regions > 40
        assert 2.9 <= slope.beta <= 3.5


def test_the_two_breasts_of_a_woman_are_more_alike_than_those_of_two_women(healthy):
    def coarse(exam, side):
        view = next(v for v in exam.views if v.laterality is side and v.view is View.CC)
        image = view.image if side is Laterality.LEFT else view.image[:, ::-1]
        return cv2.resize(image, (32, 48), interpolation=cv2.INTER_AREA).ravel()

    left = [coarse(exam, Laterality.LEFT) for exam in healthy]
    right = [coarse(exam, Laterality.RIGHT) for exam in healthy]
    likeness = np.corrcoef(left, right)[: len(left), len(left) :]
    own = np.diag(likeness).mean()
    others = likeness[~np.eye(len(left), dtype=bool)].mean()
    assert own > others + 0.05


def test_denser_classes_are_brighter():
    def brightness(density):
        config = PhantomConfig(**SMALL, density_mix={density: 1}, vendors=('PHANTOM-A',), prevalence=0)
        views = [v for i in range(2) for v in make_exam(config, 0, i).views if v.view is View.CC]
        return np.mean([v.image[v.image > 0].mean() for v in views])

    values = [brightness(density) for density in 'ABCD']
    assert values == sorted(values)


def test_missing_views_leave_at_least_one():
    config = PhantomConfig(**SMALL, missing_views=1.0)
    assert [len(make_exam(config, 0, i).views) for i in range(3)] == [1, 1, 1]


def test_labels_follow_the_findings():
    exam = exam_of('mass')
    for side in Laterality.LEFT, Laterality.RIGHT:
        found = {f.pathology for v in exam.views if v.laterality is side for f in v.findings}
        assert exam.labels(side)['cancer'] == int('malignant' in found)
        assert exam.labels(side)['biopsy'] == int(bool(found))
        assert exam.labels(side)['density'] in 'ABCD'


@pytest.mark.slow
def test_full_size():
    exam = make_exam(PhantomConfig(height=3328), 0)
    assert {view.image.shape for view in exam.views} == {(3328, 2560)}

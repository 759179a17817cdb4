"""Paper 0's printed tables, recomputed through our averages: its one word "Avg" is two numbers."""

import numpy as np
import pytest

from mmmammo.evaluation.functional import AVG7_IOUS, AVG8_IOUS, average_over_ious, average_precision, paper_averages

WSOL = {
    'CAM ResNet50': ([58.29, 46.68, 37.91, 29.85, 21.09, 9.47, 1.65], 29.28),
    'CAM VGG16': ([54.97, 40.75, 29.62, 21.09, 11.84, 4.73, 1.42], 23.49),
    'CAM InceptionV3': ([48.10, 31.75, 19.66, 9.95, 5.21, 2.13, 0.23], 16.72),
    'HaS ResNet50': ([18.00, 10.66, 9.00, 6.39, 3.79, 1.18, 0.23], 7.03),
    'HaS VGG16': ([25.5, 15.43, 10.28, 5.65, 5.01, 2.82, 0.57], 9.32),
    'HaS InceptionV3': ([2.13, 0.94, 0.47, 0.23, 0.23, 0.23, 0.0], 0.61),
    'SPG ResNet50': ([28.87, 21.72, 14.25, 9.45, 5.40, 1.23, 0.0], 11.56),
    'SPG VGG16': ([48.58, 29.89, 20.00, 9.69, 3.15, 0.84, 0.0], 16.02),
    'SPG InceptionV3': ([30.42, 20.13, 9.67, 5.87, 2.14, 0.54, 0.0], 9.82),
    'ACoL ResNet50': ([31.56, 25.11, 19.43, 12.55, 8.53, 4.02, 0.94], 14.59),
    'ACoL VGG16': ([30.46, 20.68, 13.34, 10.04, 6.18, 2.13, 0.56], 11.90),
    'ACoL InceptionV3': ([4.97, 3.08, 1.89, 1.18, 0.71, 0.23, 0.23], 1.75),
    'ADL ResNet50': ([68.72, 55.45, 44.31, 33.64, 24.64, 14.45, 5.68], 35.27),
    'ADL VGG16': ([43.60, 24.17, 12.08, 5.92, 2.13, 0.94, 0.0], 12.70),
    'ADL InceptionV3': ([33.64, 16.82, 9.00, 3.31, 1.18, 2.23, 2.23], 9.77),
}
DINO = {  # row, printed mean, mean of the seven columns, what an eighth column must have been
    'ResNet50 4-scale': ([60.0, 58.7, 56.9, 54.8, 50.7, 37.0, 19.0], 42.55, 48.16, 3.3),
    'ResNet50 5-scale': ([58.3, 56.9, 55.5, 53.7, 49.5, 37.7, 21.9], 42.04, 47.64, 2.8),
    'Swin-L 4-scale': ([63.2, 62.4, 61.1, 59.5, 56.4, 46.3, 22.6], 46.96, 53.07, 4.2),
}
LESION = [0.0, 0.0, 30.0, 30.0]


@pytest.mark.parametrize('name', WSOL)
def test_weakly_supervised_rows_print_avg7(name):
    row, printed = WSOL[name]
    averages = paper_averages(dict(zip(AVG7_IOUS, row, strict=True)))
    assert averages['Avg7'] == pytest.approx(printed, abs=0.0135)  # ACoL VGG16 is 0.0129 off, the others within 0.01
    assert np.isnan(averages['Avg8']) and averages['Avg8'].reason == 'no AP at IoU 0.9'


@pytest.mark.parametrize('name', DINO)
def test_dino_rows_print_avg8_with_a_column_not_shown(name):
    row, printed, mean_of_seven, eighth = DINO[name]
    averages = paper_averages(dict(zip(AVG8_IOUS, [*row, eighth], strict=True)))
    assert averages['Avg7'] == pytest.approx(mean_of_seven, abs=0.005)
    assert averages['Avg8'] == pytest.approx(printed, abs=0.05)
    assert averages['Avg7'] - printed > 5  # so the two "Avg" must not share a name


def is_truncated_share(percent, n):
    """Whether a printed number is k / n in per cent, cut off after two decimals; in whole hundredths."""
    printed = round(100 * percent)
    hits = -(-printed * n // 10_000)  # the least k with 10,000 k / n >= printed
    return 10_000 * hits // n == printed


def cells(start=''):
    return [value for name, (row, _) in WSOL.items() if name.startswith(start) for value in row]


def test_cam_rows_fit_422_images_and_their_multiples_only():
    assert len(cells('CAM')) == 21
    fits = [n for n in range(50, 1300) if all(is_truncated_share(value, n) for value in cells('CAM'))]
    assert fits == [422, 844, 1266]


@pytest.mark.parametrize(('n', 'fitting'), [(422, 71), (1248, 12)])
def test_most_cells_fit_422_images_and_few_the_1248_of_the_text(n, fitting):
    assert len(cells()) == 105
    assert sum(is_truncated_share(value, n) for value in cells()) == fitting


def test_which_rows_fit_422_images():
    fit = {name for name, (row, _) in WSOL.items() if all(is_truncated_share(value, 422) for value in row)}
    assert fit == {
        *(f'CAM {backbone}' for backbone in ('ResNet50', 'VGG16', 'InceptionV3')),
        *('HaS ResNet50', 'HaS InceptionV3', 'ACoL InceptionV3', 'ADL ResNet50', 'ADL VGG16'),
    }
    assert [is_truncated_share(value, 422) for value in WSOL['ACoL ResNet50'][0]] == [False] + 6 * [True]


def test_seven_rows_fit_no_number_of_images():
    fits = {
        name: [n for n in range(50, 1300) if all(is_truncated_share(value, n) for value in row)]
        for name, (row, _) in WSOL.items()
    }
    assert not any(1248 in numbers for numbers in fits.values())
    assert {name for name, numbers in fits.items() if not numbers} == {
        *(f'SPG {backbone}' for backbone in ('ResNet50', 'VGG16', 'InceptionV3')),
        *('HaS VGG16', 'ACoL ResNet50', 'ACoL VGG16', 'ADL InceptionV3'),
    }


@pytest.mark.parametrize('delta', [0, 0.1, 1 / 3, 0.5])
def test_shifted_boxes_make_a_step(delta):
    # A box moved by delta of its width has IoU (1 - delta) / (1 + delta): AP is 1 up to there, and 0 beyond.
    shifted = [30 * delta, 0.0, 30 * (1 + delta), 30.0]
    ap = average_precision([([shifted], [0.9])] * 3, [[LESION]] * 3, AVG8_IOUS)
    iou = (1 - delta) / (1 + delta)
    assert ap == {iou_thr: float(iou_thr <= iou + 1e-12) for iou_thr in AVG8_IOUS}
    assert paper_averages(ap)['Avg7'] == pytest.approx(sum(iou_thr <= iou + 1e-12 for iou_thr in AVG7_IOUS) / 7)


def test_mirrored_images_have_the_same_ap():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 80, (20, 2))
    lesions = np.concatenate([corner, corner + rng.uniform(5, 20, (20, 2))], axis=1)
    found, scores = lesions + rng.uniform(-4, 4, (20, 4)), rng.random(20)

    def mirrored(boxes):
        return np.stack([100 - boxes[:, 2], boxes[:, 1], 100 - boxes[:, 0], boxes[:, 3]], axis=1)

    plain = average_precision([(found, scores)], [lesions], AVG7_IOUS)
    flipped = average_precision([(mirrored(found), scores)], [mirrored(lesions)], AVG7_IOUS)
    assert plain == flipped and 0 < plain[0.5] < 1


def test_a_mean_is_undefined_where_one_of_its_numbers_is():
    ap = average_precision([([LESION], [0.9])], [[]], AVG7_IOUS)
    assert list(ap) == list(AVG7_IOUS) and np.isnan(list(ap.values())).all()
    assert average_over_ious(ap, AVG7_IOUS).reason == 'no lesion in the ground truth'


def test_ious_from_linspace_are_found():
    ap = dict.fromkeys(np.linspace(0.2, 0.8, 7).tolist(), 0.5)
    assert paper_averages(ap)['Avg7'] == 0.5

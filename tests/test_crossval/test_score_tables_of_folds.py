"""Out-of-fold tables and means of models, and their numbers."""

import csv
import json
import math

import numpy as np
import pytest
from sklearn.metrics import f1_score, roc_auc_score

from mmmammo.crossval.numbers import out_of_fold_numbers, spread_over_folds
from mmmammo.crossval.report import gather_average
from mmmammo.crossval.tables import average_tables, merge_folds
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.io.score_tables import read_score_table
from mmmammo.structures import MammoError


def row(image, score, label=0, patient=None, side='L', **attributes):
    patient = patient or f'p{image}'
    return ScoreRow(str(image), f'e{patient}', patient, side, 'CC', 'test', (bool(label),), (score,), attributes)


@pytest.fixture
def write(tmp_path):
    """A function that writes a table of rows."""

    def _write(name, *rows, classes=('',)):
        write_scores(tmp_path / name, rows, classes)
        return tmp_path / name

    return _write


def lines(path):
    with path.open() as file:
        return list(csv.reader(file))


def test_folds_stand_below_each_other_in_the_order_of_their_images(write, tmp_path):
    parts = {
        1: write('1.csv', row(10, 0.25, 1, density='B'), row(9, 1 / 3)),
        0: write('0.csv', row(2, 0.5), row(100, 0.125, age=50)),
    }
    assert merge_folds(parts, tmp_path / 'all.csv') == 4
    head, *rows = lines(tmp_path / 'all.csv')
    ids = ['image_id', 'exam_id', 'patient_id', 'laterality', 'view', 'split']
    assert head == [*ids, 'fold', 'label', 'score', 'age', 'density']
    assert [r[0] for r in rows] == ['2', '9', '10', '100']
    assert rows[1][5:] == ['out-of-fold', '1', '0', '0.3333333333333333', '', '']
    assert [r[-2:] for r in rows] == [['', ''], ['', ''], ['', 'B'], ['50', '']]
    table = read_score_table(tmp_path / 'all.csv', strict=True)
    assert table.attributes['fold'] == ('0', '1', '1', '0') and table.split == 'out-of-fold'


@pytest.mark.parametrize(
    ('second', 'words'),
    [
        (row(1, 0.5, patient='q'), 'found image 1, also in fold 0'),
        (row(3, 0.5, patient='p1'), 'found patient p1, also in fold 0'),
    ],
)
def test_an_image_or_patient_in_two_folds_is_refused(write, tmp_path, second, words):
    with pytest.raises(MammoError, match=words):
        merge_folds({0: write('0.csv', row(1, 0.5)), 1: write('1.csv', second)}, tmp_path / 'all.csv')
    assert not (tmp_path / 'all.csv').exists()


def test_a_fold_without_scores_is_named(write, tmp_path):
    with pytest.raises(MammoError, match=r'fold1/scores\.csv: file: found nothing; expected scores of a fold'):
        merge_folds({0: write('0.csv', row(1, 0.5)), 1: tmp_path / 'fold1' / 'scores.csv'}, tmp_path / 'all.csv')


def test_a_score_that_is_none_stops(write, tmp_path):
    path = write('0.csv', row(1, 0.5))
    path.write_text(path.read_text().replace('0.5', 'nan'))
    with pytest.raises(MammoError, match=r"score: found 'nan'"):
        merge_folds({0: path}, tmp_path / 'all.csv')


def test_models_are_averaged_row_by_row_whatever_their_order(write, tmp_path):
    one = write('one.csv', row(1, 0.2), row(2, 0.6, 1, density='C'))
    two = write('two.csv', row(2, 0.9, 1), row(1, 0.3))
    average_tables([one, two], tmp_path / 'mean.csv')
    table = read_score_table(tmp_path / 'mean.csv')
    assert table.ids == ('1', '2') and table.attributes['density'] == ('', 'C')
    np.testing.assert_allclose(table.scores[:, 0], [0.25, 0.75])


def test_log_odds_are_averaged_as_paper_4_does(write, tmp_path):
    one, two = write('one.csv', row(1, 0.2)), write('two.csv', row(1, 0.9))
    average_tables([one, two], tmp_path / 'mean.csv', 'log_odds')
    risk = (math.log(0.2 / 0.8) + math.log(0.9 / 0.1)) / 2
    score = read_score_table(tmp_path / 'mean.csv').scores[0, 0]
    assert score == pytest.approx(1 / (1 + math.exp(-risk)))


def test_the_mean_of_one_model_is_that_model(write, tmp_path):
    path = write('one.csv', row(1, 0.2, density='A'), row(2, 1 / 3))
    average_tables([path, path], tmp_path / 'mean.csv')
    assert (tmp_path / 'mean.csv').read_bytes() == path.read_bytes()


def test_several_classes_are_averaged_each(write, tmp_path):
    def several(score):
        return ScoreRow('1', 'e', 'p', 'L', 'CC', 'test', (True, False), score)

    paths = [write(f'{n}.csv', several(s), classes=('mass', 'calc')) for n, s in enumerate([(0.2, 0.4), (0.4, 1.0)])]
    average_tables(paths, tmp_path / 'mean.csv')
    table = read_score_table(tmp_path / 'mean.csv')
    assert table.classes == ('mass', 'calc')
    np.testing.assert_allclose(table.scores, [[0.3, 0.7]])


@pytest.mark.parametrize(
    ('other', 'words'),
    [
        ([row(1, 0.5)], 'found 1 rows of .*, without 2'),
        ([row(1, 0.5), row(2, 0.5), row(3, 0.5)], 'found 3 rows'),
        ([row(1, 0.5), row(2, 0.5, 1)], 'labels: found others'),
    ],
)
def test_models_of_other_rows_are_not_averaged(write, tmp_path, other, words):
    with pytest.raises(MammoError, match=words):
        average_tables([write('a.csv', row(1, 0.1), row(2, 0.1)), write('b.csv', *other)], tmp_path / 'mean.csv')


def test_an_unknown_scale_is_refused(write, tmp_path):
    with pytest.raises(MammoError, match=r"average: found 'rank' of 1 models"):
        average_tables([write('a.csv', row(1, 0.1))], tmp_path / 'mean.csv', 'rank')


@pytest.fixture
def cohort(write, tmp_path):
    """Thirty women in three folds, two images a breast; ten have cancer in the left one."""
    generator = np.random.default_rng(0)
    parts = {0: [], 1: [], 2: []}
    for woman in range(30):
        for view, side in enumerate('LLRR'):
            label = int(woman % 3 == 0 and side == 'L')
            score = round(float(np.clip(0.35 * label + 0.7 * generator.random(), 0, 1)), 6)
            parts[woman % 4 % 3].append(row(4 * woman + view + 1, score, label, f'p{woman}', side))
    paths = {fold: write(f'{fold}.csv', *rows) for fold, rows in parts.items()}
    merge_folds(paths, tmp_path / 'all.csv')
    return read_score_table(tmp_path / 'all.csv', strict=True)


def test_three_readings_at_three_levels(cohort):
    table = cohort
    numbers = out_of_fold_numbers(table)
    labels, scores = table.labels[:, 0], table.scores[:, 0]
    thresholds = np.linspace(0, 1, 100)
    assert numbers['oof/image/auc'] == pytest.approx(roc_auc_score(labels, scores))
    precision, recall = scores[labels > 0].sum() / scores.sum(), scores[labels > 0].mean()
    assert numbers['oof/image/pf1'] == pytest.approx(2 * precision * recall / (precision + recall))
    best = max(f1_score(labels, scores > t) for t in thresholds)
    assert numbers['oof/image/binf1@best'] == pytest.approx(best)
    assert f1_score(labels, scores > numbers['oof/image/threshold@best']) == pytest.approx(best)
    assert numbers['oof/image/binf1@thr'] <= best
    breast = scores.reshape(30, 2, 2).mean(axis=2)
    truth = labels.reshape(30, 2, 2).max(axis=2)
    assert numbers['oof/breast/auc'] == pytest.approx(roc_auc_score(truth.ravel(), breast.ravel()))
    assert numbers['oof/exam/auc'] == pytest.approx(roc_auc_score(truth.max(axis=1), breast.max(axis=1)))
    assert len(numbers) == 15


def test_constant_predictions_have_defined_numbers(cohort, write, tmp_path):
    rows = [row(n, 0.4, n < 3) for n in range(1, 21)]
    paths = {fold: write(f'c{fold}.csv', *rows[fold::2]) for fold in range(2)}
    merge_folds(paths, tmp_path / 'c.csv')
    table = read_score_table(tmp_path / 'c.csv')
    numbers = out_of_fold_numbers(table)
    prevalence = 2 / 20
    assert numbers['oof/image/auc'] == 0.5
    assert numbers['oof/image/pf1'] == pytest.approx(2 * prevalence * 0.4 / (0.4 + prevalence))
    all_called = 2 * prevalence / (1 + prevalence)
    assert numbers['oof/image/binf1@best'] == numbers['oof/image/binf1@thr'] == pytest.approx(all_called)


def test_without_positives_all_but_the_count_is_undefined(write, tmp_path):
    merge_folds({n: write(f'{n}.csv', row(n, 0.4)) for n in (1, 2)}, tmp_path / 'all.csv')
    table = read_score_table(tmp_path / 'all.csv')
    numbers = out_of_fold_numbers(table)
    assert all(math.isnan(value) and 'no positive label' in value.reason for value in numbers.values())


def test_models_are_averaged_on_images_of_which_nobody_knows_a_cancer(write, tmp_path):
    parts = [tmp_path / name for name in ('one', 'two')]
    for part, score in zip(parts, (0.2, 0.6), strict=True):
        part.mkdir()
        write(f'{part.name}/scores.csv', *(row(image, score + image / 100) for image in range(1, 9)))
        measures = {'pf1/breast/pf1': {'statistic': 'pf1', 'level': 'breast'}}
        (part / 'metrics.json').write_text(json.dumps({'metrics': {'pf1/breast/pf1': None}, 'measures': measures}))
    document = gather_average(parts, tmp_path, {})
    assert document['metrics']['pf1/breast/pf1'] is None and document['metrics']['auc'] is None
    assert document['reasons'] == {'pf1/breast/pf1': 'no positive label'}
    assert read_score_table(tmp_path / 'scores.csv').scores[:, 0] == pytest.approx([0.4 + n / 100 for n in range(1, 9)])


def test_mean_and_spread_leave_out_what_is_undefined():
    spread = spread_over_folds([{'auc': 0.8, 'x': None}, {'auc': 0.6, 'x': 1.0}, {'auc': None, 'x': None}])
    assert spread['auc'] == {'value': pytest.approx(0.7), 'sd': pytest.approx(math.sqrt(0.02)), 'n': 2}
    assert spread['x'] == {'value': 1.0, 'sd': None, 'n': 1}
    assert list(spread_over_folds([{'auc': 0.5, 'auc_low': 0.1, 'auc_high': 0.9}])) == ['auc']
    assert spread_over_folds([{'y': None}]) == {'y': {'value': None, 'sd': None, 'n': 0}}

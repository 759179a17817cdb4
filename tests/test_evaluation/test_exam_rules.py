"""Each run is scored by its own rule, and parts of a run become one."""

from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation import functional as F
from mmmammo.evaluation.summary.cohort import cohort_document, cohort_table, read_cohort_exams
from mmmammo.evaluation.summary.exam_rows import exam_table
from mmmammo.evaluation.summary.exam_runs import read_run
from mmmammo.io.predictions import write_predictions
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.structures import ImagePrediction, MammoError

FOUR = [(side, view) for side in 'LR' for view in ('CC', 'MLO')]
TWO = [('L', 'CC'), ('R', 'CC')]


def exam_rows(exam, outcome, scores, **further):
    """Rows of an exam; scores: (side, view) -> score."""
    return [
        ScoreRow(
            f'{exam}{side}{view}',
            exam,
            f'woman {exam}',
            side,
            view,
            'test',
            (outcome != 'none',),
            (score,),
            {'exam_outcome': outcome, **further},
        )
        for (side, view), score in scores.items()
    ]


def repeated(scores):
    """Models with one score per exam; the two ill women have 2 and 4 images, as have the two healthy ones."""
    exams = [('a', 'screening', TWO), ('b', 'none', FOUR), ('c', 'none', TWO), ('d', 'screening', FOUR)]
    return [
        row
        for (exam, outcome, views), score in zip(exams, scores, strict=True)
        for row in exam_rows(exam, outcome, dict.fromkeys(views, score))
    ]


def test_one_score_per_exam_is_not_counted_once_per_image(tmp_path):
    write_scores(tmp_path / 'mil.csv', repeated((0.62, 0.60, 0.40, 0.65)))
    run = read_run(tmp_path / 'mil.csv', 'mil')
    assert run.scores == pytest.approx(
        np.log(np.array([0.62, 0.6, 0.4, 0.65]) / (1 - np.array([0.62, 0.6, 0.4, 0.65])))
    )
    assert F.auc(run.labels, run.scores) == 1
    assert str(run.rule) == 'one score per exam'
    summed = read_run(tmp_path / 'mil.csv', 'mil', 'sum')
    assert F.auc(summed.labels, summed.scores) == 0.75  # b, of four images, is above a, of two
    assert 'one score per exam, of which a breast is the sum' in str(summed.rule)


def test_one_score_per_breast_and_one_per_image_are_told_apart(tmp_path):
    of_breasts = [
        *exam_rows('a', 'screening', {('L', 'CC'): 0.9, ('L', 'MLO'): 0.9, ('R', 'CC'): 0.2}),
        *exam_rows('b', 'none', {('L', 'CC'): 0.3, ('R', 'CC'): 0.1, ('R', 'MLO'): 0.1}),
    ]
    write_scores(tmp_path / 'nyu.csv', of_breasts)
    run = read_run(tmp_path / 'nyu.csv', 'nyu')
    assert (run.rule.breast, run.rule.single) == ('max', 'breast')
    assert run.scores == pytest.approx(F.log_odds([0.9, 0.3]))
    write_scores(tmp_path / 'images.csv', [replace(of_breasts[0], scores=(0.8,)), *of_breasts[1:]])
    run = read_run(tmp_path / 'images.csv', 'images')
    assert (run.rule.breast, run.rule.single) == ('sum', '')
    assert run.scores == pytest.approx([F.log_odds([0.8, 0.9]).sum(), F.log_odds([0.3])[0]])
    write_scores(tmp_path / 'singles.csv', [row for row in of_breasts if row.view == 'CC'])
    assert read_run(tmp_path / 'singles.csv', 'singles').rule.breast == 'sum'  # of one image each: the same


def test_exams_of_four_images_have_the_auc_of_the_sum(tmp_path):
    rng = np.random.default_rng(0)
    rows = []
    for number in range(30):
        left, right = rng.random(2).tolist()
        scores = {place: left if place[0] == 'L' else right for place in FOUR}
        rows += exam_rows(f'e{number:02d}', 'screening' if number % 3 == 0 else 'none', scores)
    write_scores(tmp_path / 'scores.csv', rows)
    own, summed = (read_run(tmp_path / 'scores.csv', 'model', rule) for rule in (None, 'sum'))
    assert own.rule.breast == 'max' and summed.scores == pytest.approx(2 * own.scores)
    assert F.auc(own.labels, own.scores) == F.auc(summed.labels, summed.scores)


def test_both_tables_say_which_rule_each_run_has(tmp_path):
    write_scores(tmp_path / 'mil.csv', repeated((0.62, 0.60, 0.40, 0.65)))
    rows = [replace(row, scores=(0.1 + 0.01 * i,)) for i, row in enumerate(repeated((0, 0, 0, 0)))]
    write_scores(tmp_path / 'images.csv', rows)
    runs = {name: tmp_path / f'{name}.csv' for name in ('mil', 'images')}
    exams = read_cohort_exams(runs, exams='any')
    lines = cohort_table(exams, bootstrap=0)
    said = cohort_document(exams, lines, {})['rules']
    assert said['mil'] == 'one score per exam'
    assert said['images'] == "a breast is the sum of its images' log-odds; an exam is the max of its breasts"
    assert [str(row.rule) for row in exam_table([read_run(path, name) for name, path in runs.items()], 0)] == [
        *said.values()
    ]


def test_rows_that_are_exams_or_breasts_need_no_rule(tmp_path):
    exams = [replace(row, image_id='', laterality='', view='') for row in repeated((0.7, 0.1, 0.2, 0.6))[::2]]
    rows = list({row.exam_id: row for row in exams}.values())
    write_scores(tmp_path / 'exams.csv', rows)
    run = read_run(tmp_path / 'exams.csv', 'model', 'mean', 'mean')
    assert str(run.rule) == 'one score per exam' and run.scores == pytest.approx(F.log_odds([0.7, 0.1, 0.2, 0.6]))
    breasts = [replace(row, laterality=side) for row in rows for side in 'LR']
    write_scores(tmp_path / 'breasts.csv', breasts)
    assert str(read_run(tmp_path / 'breasts.csv', 'model').rule).startswith('one score per breast; ')


def part(path, exams, score=0.5, **further):
    write_scores(
        path, [row for exam in exams for row in exam_rows(exam, 'none', dict.fromkeys(FOUR, score), **further)]
    )
    return path


def test_parts_are_one_run(tmp_path):
    paths = [part(tmp_path / f'{name}.csv', name, 0.1 * (1 + i)) for i, name in enumerate(('ab', 'c', 'de'))]
    run = read_run(paths, 'pretrained')
    assert run.exams == ('a', 'b', 'c', 'd', 'e')
    assert run.scores == pytest.approx(F.log_odds([0.1, 0.1, 0.2, 0.3, 0.3]))
    assert run.patients[0] == 'woman a' and run.folds is None
    exams = read_cohort_exams({'pretrained': paths, 'whole': part(tmp_path / 'all.csv', 'abcde')})
    assert exams.ids == run.exams and exams.scores['pretrained'] == pytest.approx(run.scores)


def test_folds_are_known_only_if_all_parts_know_them(tmp_path):
    with_folds = [part(tmp_path / f'{name}.csv', name, fold=i) for i, name in enumerate('ab')]
    assert read_run(with_folds, 'model').folds == ('0', '1')
    assert read_run([*with_folds, part(tmp_path / 'c.csv', 'c')], 'model').folds is None


def test_parts_that_are_no_parts_of_one_run_are_refused(tmp_path):
    paths = [part(tmp_path / '1.csv', 'abc'), part(tmp_path / '2.csv', 'cbx')]
    with pytest.raises(
        MammoError, match=r'm, part .*2\.csv: exams: found 2 that .*1\.csv has too: b, c; .* each split once'
    ):
        read_run(paths, 'm')
    exams = [replace(row, image_id='', laterality='', view='') for row in exam_rows('z', 'none', {('L', 'CC'): 0.5})]
    write_scores(tmp_path / '3.csv', exams)
    with pytest.raises(MammoError, match=r'rows: found rows that are exams, .* expected images'):
        read_run([paths[0], tmp_path / '3.csv'], 'm')
    write_predictions(tmp_path / 'predictions.json', [ImagePrediction(1, exam_id='z', width=9, height=9)], ['mass'])
    with pytest.raises(MammoError, match='expected all scores, or all predictions'):
        read_run([paths[0], tmp_path / 'predictions.json'], 'm')

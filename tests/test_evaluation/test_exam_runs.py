"""Exams scored by classifiers and by detectors, and Table 1 from files."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.evaluation import functional as F
from mmmammo.evaluation.summary.cohort import cohort_document, cohort_table, read_cohort_exams
from mmmammo.evaluation.summary.exam_labels import labelled
from mmmammo.evaluation.summary.exam_rows import exam_table
from mmmammo.evaluation.summary.exam_runs import common_exams, read_run, same_exams
from mmmammo.io.predictions import write_predictions
from mmmammo.io.score_files import ScoreRow, write_scores
from mmmammo.structures import ImagePrediction, MammoError
from mmmammo.testing.cohort_set import make_cohort_set

OUTCOMES = ('screening', 'none', 'interval', 'none', 'screening', 'none', 'none', 'none')
FOUR = [(side, view) for side in 'LR' for view in ('CC', 'MLO')]


def score_rows(rng, outcomes=OUTCOMES, views=FOUR, readers=True):
    rows = []
    for exam, outcome in enumerate(outcomes):
        for side, view in views:
            ill = side == 'L' and outcome != 'none'
            said = {'reader1': 4 if ill else 1, 'reader2': 2 if ill and outcome == 'screening' else 1}
            rows.append(
                ScoreRow(
                    image_id=str(len(rows)),
                    exam_id=f'e{exam}',
                    patient_id=f'p{exam}',
                    laterality=side,
                    view=view,
                    split='test',
                    labels=(ill,),
                    scores=(float(rng.uniform(0.1, 0.7) + 0.2 * ill),),
                    attributes={'exam_outcome': outcome, 'fold': exam % 2} | (said if readers else {}),
                )
            )
    return rows


@pytest.fixture
def tables(tmp_path):
    paths = {}
    for seed, name in enumerate(('first', 'second')):
        paths[name] = tmp_path / name / 'scores.csv'
        write_scores(paths[name], score_rows(np.random.default_rng(seed)))
    return paths


def test_models_and_readers_side_by_side(tables):
    exams = read_cohort_exams(tables)
    assert exams.ids == tuple(f'e{i}' for i in range(8))
    assert exams.outcomes == tuple('normal' if word == 'none' else word for word in OUTCOMES)
    rows = score_rows(np.random.default_rng(0))
    risks = F.log_odds([row.scores[0] for row in rows])
    expected = F.exam_scores(risks, [row.exam_id for row in rows], [row.laterality for row in rows]).scores
    assert exams.scores['first'] == pytest.approx(expected)
    assert exams.scores['1 radiologist'].tolist() == [4, 1, 4, 1, 4, 1, 1, 1]
    assert exams.scores['1 radiologist (second)'].tolist() == [2, 1, 1, 1, 2, 1, 1, 1]
    assert exams.scores['2 radiologists'].tolist() == [6, 2, 5, 2, 6, 2, 2, 2]


def test_table_1_on_hand_made_readers(tables):
    exams = read_cohort_exams(tables)
    lines = {row.name: row for row in cohort_table(exams, bootstrap=50)}
    # the reader scores screening and interval cancers alike, above all others: 2 x (1/2 + 5) of 2 x 6 pairs
    assert lines['1 radiologist'].every['screening'].delong.auc == pytest.approx(11 / 12)
    assert lines['1 radiologist'].every['screening_interval'].delong.auc == 1
    assert lines['2 radiologists'].every['screening'].delong.auc == 1
    document = cohort_document(exams, list(lines.values()), {})
    assert document['n_folds'] == 2 and document['outcomes'] == {'interval': 1, 'normal': 5, 'screening': 2}
    assert json.loads(json.dumps(document, allow_nan=False)) == document


def test_missing_readings_leave_out_the_exam_and_say_so(tmp_path):
    rows = score_rows(np.random.default_rng(0))
    rows[0].attributes.pop('reader1')
    write_scores(tmp_path / 'scores.csv', rows)
    exams = read_cohort_exams({'model': tmp_path / 'scores.csv'})
    assert np.isnan(exams.scores['1 radiologist'][0]) and not np.isnan(exams.scores['1 radiologist (second)'][0])
    assert any('1 radiologist: 1 of 8 exams left out' in note for note in exams.notes)
    lines = {row.name: row for row in cohort_table(exams, bootstrap=0)}
    assert (lines['1 radiologist'].n_missing, lines['model'].n_missing) == (1, 0)
    write_scores(tmp_path / 'scores.csv', score_rows(np.random.default_rng(0), readers=False))
    assert list(read_cohort_exams({'model': tmp_path / 'scores.csv'}).scores) == ['model']


def test_exams_as_rows_have_scores_of_their_own_and_no_readers(tmp_path):
    rows = [
        ScoreRow(
            '', f'e{i}', f'p{i}', '', '', 'test', (word != 'none',), (0.1 * i,), {'exam_outcome': word, 'reader1': 2}
        )
        for i, word in enumerate(OUTCOMES)
    ]
    write_scores(tmp_path / 'scores.csv', rows)
    exams = read_cohort_exams({'model': tmp_path / 'scores.csv'})
    assert list(exams.scores) == ['model'] and 'readers left out' in exams.notes[0]
    assert exams.scores['model'] == pytest.approx(F.log_odds([row.scores[0] for row in rows]))


def test_exams_of_three_images_are_left_out_or_kept(tmp_path):
    rows = score_rows(np.random.default_rng(0))[:-1]
    write_scores(tmp_path / 'scores.csv', rows)
    exams = read_cohort_exams({'model': tmp_path / 'scores.csv'})
    assert 'e7' not in exams.ids and '1 of 8 exams left out' in exams.notes[0]
    assert 'e7' in read_cohort_exams({'model': tmp_path / 'scores.csv'}, exams='any').ids
    write_scores(tmp_path / 'scores.csv', score_rows(np.random.default_rng(0), views=FOUR[:3]))
    with pytest.raises(MammoError, match=r'none of 8 is of the four standard images.*--exams any'):
        read_cohort_exams({'model': tmp_path / 'scores.csv'})


def test_models_that_take_any_exam_are_compared_on_those_of_four_images(tmp_path):
    rows = score_rows(np.random.default_rng(0))
    write_scores(tmp_path / 'four.csv', rows[:-4])  # its data set left out the last exam, which has a fifth image
    write_scores(tmp_path / 'any.csv', [*rows, replace(rows[-1], image_id='fifth')])
    exams = read_cohort_exams({'four': tmp_path / 'four.csv', 'any': tmp_path / 'any.csv'})
    assert exams.ids == tuple(f'e{i}' for i in range(7))
    assert exams.scores['four'].tolist() == exams.scores['any'].tolist()
    assert exams.notes == ('1 of 8 exams left out: not of the four standard images',)
    with pytest.raises(MammoError, match=r'any: exams: found 1 exams that only it or four has: .*e7'):
        read_cohort_exams({'four': tmp_path / 'four.csv', 'any': tmp_path / 'any.csv'}, exams='any')


def test_unknown_outcomes_and_missing_ones_are_named(tmp_path):
    rows = score_rows(np.random.default_rng(0), outcomes=('screening', 'cancer'))
    write_scores(tmp_path / 'scores.csv', rows)
    with pytest.raises(MammoError, match=r'outcomes.*cancer'):
        read_cohort_exams({'model': tmp_path / 'scores.csv'})
    for row in rows:
        row.attributes.pop('exam_outcome')
    write_scores(tmp_path / 'scores.csv', rows)
    with pytest.raises(MammoError, match=r'exam_outcome.*--annotations'):
        read_cohort_exams({'model': tmp_path / 'scores.csv'})


def test_outcomes_and_labels_come_from_the_prepared_set(tmp_path):
    root = make_cohort_set(tmp_path / 'set', size=(32, 24))
    rng, index = np.random.default_rng(0), root / 'annotations/test.json'
    rows = [
        ScoreRow(str(9 + i), f'test_{i // 4:03d}', f'patient_test_{i // 4:03d}', side, view, 'test', (False,), (x,))
        for i, (x, (side, view)) in enumerate(zip(rng.random(16).tolist(), FOUR * 4, strict=True))
    ]
    write_scores(tmp_path / 'scores.csv', rows)
    exams = read_cohort_exams({'model': tmp_path / 'scores.csv'}, [index])
    assert exams.outcomes == ('screening', 'normal', 'interval', 'normal')
    assert exams.scores['2 radiologists'].tolist() == [5, 2, 2, 2]
    with pytest.raises(MammoError, match='exam_outcome: found none for 4 of 4 exams'):
        read_cohort_exams({'model': tmp_path / 'scores.csv'}, [root / 'annotations/train.json'])
    write_scores(tmp_path / 'more.csv', [*rows, replace(rows[0], image_id='x', exam_id='else')])
    with pytest.raises(MammoError, match=r'exam_outcome: found none for 1 of 5 exams \(else\)'):
        read_cohort_exams({'model': tmp_path / 'more.csv'}, [index])
    (run,), notes = labelled([read_run(tmp_path / 'scores.csv', 'model')], [index], 'cancer')
    assert run.labels.tolist() == [True, False, True, False] and notes == []
    with pytest.raises(MammoError, match='no label for test_000'):
        labelled([run], [root / 'annotations/train.json'], 'cancer')


def predictions(path, rng, outcomes=OUTCOMES):
    images = []
    for exam, outcome in enumerate(outcomes):
        for side, view in FOUR:
            ill = side == 'L' and outcome != 'none'
            n = int(rng.integers(0, 3))
            images.append(
                ImagePrediction(
                    image_id=len(images),
                    width=50,
                    height=50,
                    exam_id=f'e{exam}',
                    patient_id=f'p{exam}',
                    laterality=side,
                    view=view,
                    boxes=np.tile([1.0, 1, 9, 9], (n, 1)),
                    scores=rng.random(n),
                    labels=np.zeros(n, np.int64),
                    gt_boxes=np.array([[1.0, 1, 9, 9]] * ill).reshape(-1, 4),
                    gt_labels=np.zeros(int(ill), np.int64),
                )
            )
    write_predictions(path, images, ['mass'])
    return images


def test_a_detector_scores_as_its_best_box_per_image(tmp_path):
    images = predictions(tmp_path / 'predictions.json', np.random.default_rng(3))
    run = read_run(tmp_path, 'detector')
    best = [max(image.scores.tolist(), default=0.0) for image in images]
    for exam in range(8):
        left, right = best[4 * exam : 4 * exam + 2], best[4 * exam + 2 : 4 * exam + 4]
        assert run.scores[exam] == pytest.approx(max(sum(left), sum(right)))
    assert run.labels.tolist() == [word != 'none' for word in OUTCOMES]


def test_classifier_and_detector_meet_in_one_table(tmp_path, tables):
    predictions(tmp_path / 'predictions.json', np.random.default_rng(3))
    runs = [read_run(tables['first'].parent, 'holistic'), read_run(tmp_path / 'predictions.json', 'detector')]
    first, second = exam_table(runs, bootstrap=100)
    assert first.against_first is None and first.delong.auc == F.auc(runs[0].labels, runs[0].scores)
    expected = F.delong_test(runs[0].labels, runs[1].scores, runs[0].scores)
    assert second.against_first.difference == expected.difference
    assert float(second.paired.difference.estimate) == pytest.approx(float(expected.difference))
    assert 0 < float(second.paired.p_permutation) <= 1


def test_other_exams_are_refused_unless_the_common_ones_will_do(tmp_path, tables):
    write_scores(tmp_path / 'part' / 'scores.csv', score_rows(np.random.default_rng(1), OUTCOMES[:5]))
    runs = [read_run(tables['first'], 'a'), read_run(tmp_path / 'part', 'b')]
    with pytest.raises(MammoError, match='3 exams that only it or a has: e5, e6, e7'):
        same_exams(runs)
    assert [run.exams for run in common_exams(runs)] == [('e0', 'e1', 'e2', 'e3', 'e4')] * 2


def test_other_labels_and_empty_folders_are_named(tmp_path, tables):
    rows = [replace(row, labels=(not row.labels[0],)) for row in score_rows(np.random.default_rng(1))]
    write_scores(tmp_path / 'other.csv', rows)
    with pytest.raises(MammoError, match=r'b: labels: found others for e1, e3, .*--annotations .* one prepared set'):
        exam_table([read_run(tables['first'], 'a'), read_run(tmp_path / 'other.csv', 'b')], bootstrap=0)
    (tmp_path / 'empty').mkdir()
    with pytest.raises(MammoError, match=r'neither scores\.csv nor predictions\.json'):
        read_run(tmp_path / 'empty', 'x')

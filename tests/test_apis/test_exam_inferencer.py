import copy
import csv
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmdet.registry import MODELS
from mmdet.structures import DetDataSample
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData

from mmmammo.apis import ExamInferencer, ResultWriter, exam_inferencer
from mmmammo.apis.exam_files import panel_view
from mmmammo.apis.lesion_letters import letter, with_pairs
from mmmammo.apis.runs import for_testing, load_config
from mmmammo.evaluation.functional import CrossViewWeights
from mmmammo.phantom import PhantomConfig, make_exam
from mmmammo.structures import CrossViewEvidence, LesionPair, MammoError

CONFIG = Path(__file__).resolve().parents[2] / 'configs' / 'agrcnn_phantom.py'


def random_weights(config, folder):
    """A checkpoint of a config."""
    torch.manual_seed(0)
    cfg = for_testing(Config.fromfile(config))
    init_default_scope(cfg.default_scope)
    model = MODELS.build(copy.deepcopy(cfg.model))
    path = folder / 'epoch_1.pth'
    torch.save({'state_dict': model.state_dict(), 'meta': {'dataset_meta': {'classes': ('mass',)}}}, path)
    return path


@pytest.fixture(scope='module')
def checkpoint(tmp_path_factory):
    return random_weights(CONFIG, tmp_path_factory.mktemp('weights'))


@pytest.fixture(scope='module')
def exams(tmp_path_factory):
    """Two exams of PNGs, one of them incomplete and with files that are no mammograms."""
    root = tmp_path_factory.mktemp('exams')
    for index in range(2):
        for view in make_exam(PhantomConfig(height=256), seed=3, index=index).views:
            if index == 0 or view.name != 'L_MLO':
                path = root / f'exam{index}' / f'{view.name}.png'
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), (view.image * 65535).astype(np.uint16))
    (root / 'exam1' / 'L_MLO.dcm').write_bytes(b'\0' * 128 + b'DICM cut short')
    cv2.imwrite(str(root / 'exam1' / 'R_CC_mask.png'), np.full((256, 200), 255, np.uint8))
    return root


@pytest.fixture(scope='module')
def inferencer(checkpoint):
    return ExamInferencer(CONFIG, checkpoint, device='cpu', score_thr=0.0)


@pytest.fixture(scope='module')
def results(inferencer, exams):
    return inferencer(exams)


def test_views_are_grouped_and_bad_files_named(results):
    first, second = results
    assert [exam.exam_id for exam in results] == ['exam0', 'exam1']
    assert len(first.images) == 4 and first.missing_views == () and first.rejected == ()
    assert len(second.images) == 3 and second.missing_views == ('L MLO',)
    reasons = {row.path: row.reason for row in second.rejected}
    assert set(reasons) == {'exam1/L_MLO.dcm', 'exam1/R_CC_mask.png'}
    assert all('Remedy' in reason for reason in reasons.values())


def test_boxes_lie_in_the_source_and_are_sorted(results):
    for exam in results:
        for image in exam.images:
            quality = image.prepared.quality
            assert (image.boxes >= 0).all()
            assert (image.boxes[:, [0, 2]] <= quality.columns).all() and (image.boxes[:, [1, 3]] <= quality.rows).all()
            assert (np.diff(image.scores) <= 0).all()


def test_attention_starts_neutral_and_nodes_lie_on_the_image(results):
    for image in results[0].images:
        assert np.allclose(image.attention, 0.5)
        height, width = image.prepared.pixels.shape
        assert image.nodes.shape[0] == (22 if image.prepared.image.view == 'CC' else 26)
        assert (image.nodes >= -1).all() and (image.nodes <= (width + 1, height + 1)).all()


def test_a_detection_comes_back_to_the_pixels_of_the_file(inferencer, exams, monkeypatch):
    """A model that points at a known source box; right breasts are mirrored on the way."""
    wanted = np.array([40.0, 90.0, 70.0, 130.0])

    def points_there(batch):
        samples = []
        for sample in batch['data_samples']:
            box = sample.metainfo['affine'] @ np.array([wanted[[0, 2]], wanted[[1, 3]], [1, 1]])
            corners = [*box[:2].min(axis=1), *box[:2].max(axis=1)]
            found = InstanceData(
                bboxes=torch.tensor([corners], dtype=torch.float64), scores=torch.ones(1), labels=torch.zeros(1).long()
            )
            samples.append(DetDataSample(metainfo=sample.metainfo, pred_instances=found))
        return samples

    monkeypatch.setattr(inferencer, 'forward', points_there)
    exam = next(inferencer.stream(exams / 'exam0'))
    assert {image.prepared.image.affine.is_mirrored for image in exam.images} == {False, True}
    for image in exam.images:
        assert np.allclose(image.boxes, wanted, atol=1e-6)
    assert exam.score == 1.0


def test_files_say_the_same(results, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {'config': 'x'}) as writer:
        panels = [writer.add(exam) for exam in results]
    document = json.loads((tmp_path / 'detections.json').read_text())
    in_json = [
        (exam['exam_id'], image['file'], found['score'], *found['bbox'])
        for exam in document['exams']
        for image in exam['images']
        for found in image['detections']
    ]
    with (tmp_path / 'detections.csv').open() as file:
        in_csv = [
            (row['exam_id'], row['file'], float(row['score']), *(float(row[k]) for k in ('x1', 'y1', 'x2', 'y2')))
            for row in csv.DictReader(file)
        ]
    assert in_json == in_csv and in_json
    assert document['info']['classes'] == ['mass']
    assert all(cv2.imread(str(panel)) is not None for panel in panels)


def test_every_file_is_told_of_also_where_nothing_was_found(results, tmp_path):
    first, second = results
    nothing = replace(first.images[0], boxes=np.zeros((0, 4)), scores=np.zeros(0), labels=np.zeros(0, dtype=int))
    first = replace(first, images=(nothing, *first.images[1:]), pairs=())
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        for exam in (first, second):
            writer.add(exam)
    with (tmp_path / 'files.csv').open() as file:
        rows = list(csv.DictReader(file))
    path = nothing.prepared.quality.path
    [empty] = [row for row in rows if row['file'] == path]
    assert (empty['used'], empty['detections'], float(empty['score']), empty['reason']) == ('yes', '0', 0.0, '')
    told = {row['file']: row['reason'] for row in rows if row['used'] == 'no'}
    assert told == {row.path: row.reason for exam in results for row in exam.rejected} and told
    assert len(rows) == sum(len(exam.images) + len(exam.rejected) for exam in results)


def test_results_of_another_run_do_not_stay(results, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        writer.add(results[0])
    ResultWriter(tmp_path, ('mass',), {})  # as a run that is killed leaves it
    assert not (tmp_path / 'detections.json').exists()
    assert len((tmp_path / 'detections.csv').read_text().splitlines()) == 1


@pytest.mark.parametrize('err', [torch.OutOfMemoryError('CUDA'), RuntimeError("can't allocate memory"), MemoryError()])
def test_an_exam_too_large_for_the_memory_is_refused_and_the_next_is_read(inferencer, exams, monkeypatch, err):
    stock = inferencer.forward

    def forward(batch):
        if len(batch['inputs']) == 4:
            raise err
        return stock(batch)

    monkeypatch.setattr(inferencer, 'forward', forward)
    first, second = inferencer.stream(exams)
    assert first.images == () and len(first.rejected) == 4
    assert all('memory is too small' in row.reason for row in first.rejected)
    assert len(second.images) == 3


def test_other_errors_of_a_model_end_the_run(inferencer, exams, monkeypatch):
    def forward(batch):
        raise RuntimeError('shapes differ')

    monkeypatch.setattr(inferencer, 'forward', forward)
    with pytest.raises(RuntimeError, match='shapes differ'):
        next(inferencer.stream(exams))


def test_a_model_of_exams_gets_the_whole_exam(inferencer, exams, monkeypatch):
    monkeypatch.setattr(exam_inferencer, 'BATCH', 3)
    assert sizes_of_batches(inferencer, exams, monkeypatch) == [4]


def test_a_model_of_single_views_gets_few_at_a_time(exams, tmp_path, monkeypatch):
    monkeypatch.setattr(exam_inferencer, 'BATCH', 3)
    config = CONFIG.with_name('maskrcnn_phantom.py')
    single = ExamInferencer(config, random_weights(config, tmp_path), device='cpu')
    assert sizes_of_batches(single, exams, monkeypatch) == [3, 1]


def sizes_of_batches(inferencer, exams, monkeypatch):
    sizes, stock = [], inferencer.forward
    monkeypatch.setattr(inferencer, 'forward', lambda batch: sizes.append(len(batch['inputs'])) or stock(batch))
    assert len(next(inferencer.stream(exams)).images) == 4
    return sizes


def test_pairs_join_the_two_views_of_a_breast_and_are_written_out(results, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        for exam in results:
            writer.add(exam)
    document = json.loads((tmp_path / 'detections.json').read_text())
    pairs = [(exam, entry) for exam, entry in zip(results, document['exams'], strict=True) if exam.pairs]
    assert pairs
    for exam, entry in pairs:
        files = {image['file']: image for image in entry['images']}
        for pair, written in zip(exam.pairs, entry['pairs'], strict=True):
            cc, mlo = (exam.images[i].prepared.image for i in (pair.image_id, pair.other_image_id))
            assert (cc.laterality, cc.view, mlo.view) == (mlo.laterality, 'CC', 'MLO')
            letters = {files[end['file']]['detections'][end['index']]['lesion'] for end in written['detections']}
            assert letters == {written['lesion']}
    with (tmp_path / 'detections.csv').open() as file:
        assert any(row['lesion'] == 'A' and row['malignancy'] == '' for row in csv.DictReader(file))


def test_pairs_are_told_by_place_where_a_view_was_refused():
    """The first of three views was refused by the pipeline, so that the others are numbered 1 and 2."""
    samples = []
    for number, scores in ((1, [0.2, 0.9]), (2, [0.8])):
        sample = DetDataSample(metainfo={'img_id': number})
        sample.pred_instances = InstanceData(scores=torch.tensor(scores))
        sample.lesion_pairs = [LesionPair(1, 0, 2, 0, 0.9), LesionPair(1, 1, 2, 0, 0.7)] if number == 1 else []
        samples.append(sample)
    inferencer = ExamInferencer.__new__(ExamInferencer)
    inferencer.score_thr = 0.5
    assert inferencer._pairs(samples) == [LesionPair(0, 0, 1, 0, 0.7)]


def test_files_of_a_sliding_classifier_are_prepared_as_its_set_was(tmp_path):
    (tmp_path / 'prepare.json').write_text(json.dumps({'options': {'crop': False, 'height': 2048}}))
    cfg = load_config(CONFIG.parent / 'patch/patch_effnetv2s_phantom_sliding.py', {'data_root': str(tmp_path)})
    options = exam_inferencer._options(cfg, None)
    assert (options.crop, options.height) == (False, 2048)


def test_detections_are_scored_by_the_other_views_and_say_so(inferencer, exams, results, tmp_path, monkeypatch):
    weights = CrossViewWeights(0.5, 1.0, -0.5, -1.0, 0.3, 0.1)
    monkeypatch.setattr(inferencer, 'cross_view', weights)
    exam = next(inferencer.stream(exams / 'exam0'))
    for image, plain in zip(exam.images, results[0].images, strict=True):
        found = image.evidence
        assert np.allclose(image.scores, weights.apply(found), atol=1e-5) and (np.diff(image.scores) <= 0).all()
        assert np.allclose(np.sort(found.own), np.sort(plain.scores)) and plain.evidence is None
        assert np.isfinite(found.ipsilateral).all() and np.isfinite(found.contralateral).all()
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        panel = writer.add(exam)
        plain_panel = writer.add(results[1])
    assert all(cv2.imread(str(path)) is not None for path in (panel, plain_panel))
    with (tmp_path / 'detections.csv').open() as file:
        first, *_, last = list(csv.DictReader(file))
    assert float(first['ipsilateral']) == pytest.approx(exam.images[0].evidence.ipsilateral[0], abs=1e-4)
    assert (last['detector_score'], last['ipsilateral'], last['contralateral']) == ('', '', '')


def test_a_score_that_falls_below_the_threshold_takes_its_pair_along(inferencer, exams, monkeypatch):
    monkeypatch.setattr(inferencer, 'cross_view', CrossViewWeights(intercept=-20.0))
    monkeypatch.setattr(inferencer, 'score_thr', 0.5)
    exam = next(inferencer.stream(exams / 'exam0'))
    assert exam.pairs == () and all(len(image.scores) == 0 for image in exam.images)


def test_the_panel_names_what_the_other_views_show(results):
    image = replace(results[0].images[0], malignancy=None)
    count = len(image.scores)
    found = CrossViewEvidence(image.scores, np.full(count, 0.714), np.full(count, np.nan))
    assert panel_view(replace(image, evidence=found)).notes[0] == 'ipsi 0.71'
    assert panel_view(image).notes[0] == ''


def test_letters_follow_a_lesion_through_repeats(results):
    image = results[0].images[0]
    three = [replace(image, scores=np.ones(2), boxes=image.boxes[:2], lesions=()) for _ in range(3)]
    pairs = [LesionPair(0, 0, 1, 0, 0.9), LesionPair(0, 1, 1, 1, 0.6), LesionPair(2, 0, 1, 1, 0.8)]
    named, ordered = with_pairs(three, pairs)
    assert [one.lesions for one in named] == [('A', 'B'), ('A', 'B'), ('B', '')]
    assert [pair.score for pair in ordered] == [0.9, 0.8, 0.6]
    assert [letter(n) for n in (0, 25, 26, 53)] == ['A', 'Z', 'A1', 'B2']


def test_exams_whose_names_become_one_file_name_keep_a_panel_each(results, tmp_path):
    with ResultWriter(tmp_path, ('mass',), {}) as writer:
        panels = {writer.add(replace(results[0], exam_id=name)).name for name in ('a/1', 'a_1', 'A 1')}
    assert len(panels) == 3
    assert {path.name.lower() for path in (tmp_path / 'panels').iterdir()} == {name.lower() for name in panels}


@pytest.mark.parametrize('device', ['nonsense', 'cuda:99'])
def test_a_device_that_is_not_there_is_named(checkpoint, device):
    with pytest.raises(MammoError, match=rf'device: {device}: found .*Remedy'):
        ExamInferencer(CONFIG, checkpoint, device=device)


@pytest.mark.parametrize('content', [b'hello', b'\x89PNG\r\n\x1a\n', b'{"a": 1}', b'\x80\x02K\x01'])
def test_a_file_of_something_else_is_no_checkpoint(tmp_path, content):
    (tmp_path / 'x.pth').write_bytes(content)
    with pytest.raises(MammoError, match=r'x\.pth: checkpoint: found no file of torch;'):
        ExamInferencer(CONFIG, tmp_path / 'x.pth', device='cpu')


def test_checkpoint_of_another_model_is_refused(checkpoint, tmp_path):
    weights = torch.load(checkpoint, weights_only=True)
    weights['state_dict'].pop('neck.1.fusion.w_i', None)
    weights['state_dict']['extra'] = torch.zeros(1)
    torch.save(weights, tmp_path / 'other.pth')
    with pytest.raises(MammoError, match=r'other\.pth.*unknown \(e\.g\. extra\)'):
        ExamInferencer(CONFIG, tmp_path / 'other.pth', device='cpu')


def test_checkpoint_without_classes_is_refused(checkpoint, tmp_path):
    torch.save({'state_dict': torch.load(checkpoint, weights_only=True)['state_dict']}, tmp_path / 'bare.pth')
    with pytest.raises(MammoError, match=r'bare\.pth.*classes'):
        ExamInferencer(CONFIG, tmp_path / 'bare.pth', device='cpu')


def test_empty_folder_is_named(inferencer, tmp_path):
    with pytest.raises(MammoError, match=r'files: found no image.*Remedy'):
        inferencer(tmp_path)


def test_real_exam_is_grouped_by_view(inferencer, real_data):
    exam = next(inferencer.stream(real_data / 'exam_0'))
    assert len(exam.images) == 4 and exam.missing_views == ()
    assert {row.path for row in exam.rejected} == {
        '0_R-CC_benign_in_image_frame.png',
        '0_R-MLO_benign_in_image_frame.png',
    }

"""The doctor: each ailment gets its row and the line that mends it."""

import subprocess
import sys

import pytest
from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

from mmmammo.doctor import dicom, probes, stack
from mmmammo.doctor.__main__ import main, report
from mmmammo.doctor.packages import check_opencv, check_packages, check_rivals, read_pins
from mmmammo.doctor.result import Finding, Status

PINS = {'pydicom': '3.0.2', 'torch': '2.11.0', 'opencv-python': '4.12', 'opencv-python-headless': '4.12'}


def by_name(findings):
    return {finding.name: finding for finding in findings}


def test_missing_package_is_mended_at_its_pin():
    found = by_name(check_packages(PINS, lambda name: None if name == 'pydicom' else '2.11.0'))
    assert found['pydicom'].status is Status.FAIL
    assert found['pydicom'].remedy == f'{sys.executable} -m pip install --no-deps --force-reinstall pydicom==3.0.2'
    assert found['torch'] == Finding('torch', Status.OK, '2.11.0')


def test_missing_mmcv_is_left_to_setup():
    found = by_name(check_packages(PINS, lambda name: None))
    assert found['onedl-mmcv'].remedy == 'python3 tools/setup_env.py --fresh'


def test_other_version_is_a_warning_and_a_local_label_is_not():
    assert by_name(check_packages(PINS, lambda name: '2.6.0'))['torch'].status is Status.WARN
    assert by_name(check_packages(PINS, lambda name: '2.11.0+cpu'))['torch'].status is Status.OK


@pytest.mark.parametrize(
    ('versions', 'status'),
    [
        ({'opencv-python': '4.12', 'opencv-python-headless': '4.12'}, Status.OK),
        ({'opencv-python': '4.12'}, Status.OK),
        ({'opencv-python': '4.12', 'opencv-python-headless': '4.11'}, Status.FAIL),
    ],
    ids=['same', 'plain only', 'mixed'],
)
def test_two_opencvs_have_to_be_one_version(versions, status):
    (finding,) = check_opencv(PINS, versions.get)
    assert finding.status is status
    if status is Status.FAIL:
        assert finding.remedy.endswith('opencv-python==4.12 opencv-python-headless==4.12')


def test_original_mm_packages_are_rivals():
    assert check_rivals(lambda name: None) == []
    (finding,) = check_rivals({'mmcv': '2.2.0', 'mmdet': '3.3.0'}.get)
    assert finding.status is Status.FAIL
    assert '-m pip uninstall -y mmcv mmdet' in finding.remedy


def test_pins_without_a_repository_are_empty(tmp_path):
    assert read_pins(tmp_path / 'constraints.txt') == {}
    assert read_pins()['torch'] == '2.11.0'


def test_broken_extension_is_one_row_and_the_others_are_still_tried(monkeypatch):
    asked = []

    def ask(names):
        asked.append(list(names))
        done = names.index('operators') if 'operators' in names else len(names)
        trouble = "ModuleNotFoundError: No module named 'mmcv._ext'"
        return [[(name, 'ok', '1.0')] for name in names[:done]], trouble

    monkeypatch.setattr(probes, 'ask', ask)
    found = by_name(probes.run_group(('torch', 'operators', 'cuda', 'detection'), PINS))
    assert asked == [['torch', 'operators', 'cuda', 'detection'], ['cuda', 'detection']]
    assert found['mmcv operators'].detail.endswith("No module named 'mmcv._ext'")
    assert found['mmcv operators'].remedy == 'python3 tools/setup_env.py --rebuild-mmcv'
    assert found['detection'].status is Status.OK


def child(monkeypatch, code):
    """Let the children run this code instead of probes."""
    real = subprocess.Popen
    monkeypatch.setattr(
        probes.subprocess, 'Popen', lambda command, **options: real([sys.executable, '-c', code], **options)
    )


def test_child_that_crashes_is_named_by_its_signal(monkeypatch):
    child(monkeypatch, 'import os, signal; os.kill(os.getpid(), signal.SIGSEGV)')
    assert probes.ask(['torch']) == ([], 'crashed: SIGSEGV')


def test_child_that_raises_gives_the_last_line_of_its_traceback(monkeypatch):
    child(monkeypatch, f'print("chatter"); print("{probes.MARK}[[1, 2, 3]]", flush=True); import no_such_module')
    answers, trouble = probes.ask(['torch', 'operators'])
    assert answers == [[[1, 2, 3]]]
    assert trouble == "ModuleNotFoundError: No module named 'no_such_module'"


def test_child_that_hangs_is_ended(monkeypatch):
    monkeypatch.setattr(probes, 'TIMEOUT_S', 0.2)
    child(monkeypatch, 'import time; time.sleep(60)')
    assert probes.ask(['torch']) == ([], 'no answer after 0.2 s')


def test_operators_that_are_not_compiled_are_a_warning_with_the_line_that_compiles_them(monkeypatch):
    monkeypatch.setattr('mmmammo.ops.library.why_not_loaded', lambda: 'not compiled')
    (row,) = stack.probe_own_operators()
    finding = probes._finding('own_operators', row, PINS)
    assert finding.status is Status.WARN
    assert finding.detail.startswith('not compiled')
    assert finding.remedy == f'{sys.executable} -m mmmammo.ops.build --again'


def test_operators_that_miscompute_are_not_taken(monkeypatch):
    monkeypatch.setattr('mmmammo.ops.library.why_not_loaded', lambda: '')
    monkeypatch.setattr(
        'mmmammo.ops.deformable_attention', lambda value, shapes, at, weights: value.new_zeros(1, 3, 70)
    )
    with pytest.raises(RuntimeError, match='deformable attention is'):
        stack.probe_own_operators()


def test_every_transfer_syntax_decodes():
    titles = [*dicom.ENCODABLE, *dicom.DECODABLE, dicom.QUICK]
    assert {name: status for name, status, _ in dicom.probe_dicom()} == dict.fromkeys(titles, Status.OK)


def test_quick_decoders_that_are_missing_are_a_warning_with_the_line_that_installs_them(monkeypatch):
    assert by_name(check_packages({}, lambda name: None))['imagecodecs'].status is Status.WARN
    monkeypatch.setitem(sys.modules, 'imagecodecs', None)
    finding = probes._finding('dicom', dicom.probe_dicom()[-1], {'imagecodecs': '2026.3.6'})
    assert finding.status is Status.WARN
    assert 'five times the time' in finding.detail
    assert finding.remedy.endswith('imagecodecs==2026.3.6')


def test_quick_decoders_that_change_a_picture_are_not_sound(monkeypatch):
    monkeypatch.setattr('imagecodecs.jpeg8_decode', lambda data: 0)
    assert dicom.probe_dicom()[-1][1:] == (Status.FAIL, 'a picture came back changed')


def test_missing_decoder_names_what_would_do(monkeypatch):
    class Decoder:
        is_available = False
        missing_dependencies = ('pyjpegls - requires pyjpegls>=1.2',)

    monkeypatch.setattr('pydicom.pixels.get_decoder', lambda uid: Decoder)
    name, status, detail = dicom._round_trip('JPEGLSLossless')
    assert (name, status) == ('JPEGLSLossless', Status.FAIL)
    assert 'requires pyjpegls' in detail


def test_encoder_that_fails_is_a_row(monkeypatch):
    def fail(name):
        raise RuntimeError('opj_start_compress()')

    monkeypatch.setattr(dicom, '_worst_error', fail)
    assert dicom._round_trip('JPEG2000')[1] is Status.FAIL


def test_report_puts_the_line_that_mends_below_the_row():
    text = report({'Tried out': [Finding('a', Status.OK, 'fine'), Finding('bb', Status.FAIL, 'gone', 'make setup')]})
    assert text.splitlines() == [
        'Tried out',
        '  ok    a   fine',
        '  FAIL  bb  gone',
        '        mend it: make setup',
        '',
        '1 broken; run the lines above from the root of the repository',
    ]


@pytest.mark.parametrize(('status', 'code'), [(Status.OK, 0), (Status.WARN, 0), (Status.FAIL, 1)])
def test_exit_code_tells_whether_something_needed_is_broken(monkeypatch, capsys, status, code):
    monkeypatch.setattr('mmmammo.doctor.__main__.run_probes', lambda pins: [Finding('torch', status, 'x')])
    monkeypatch.setattr('mmmammo.doctor.__main__.check_packages', lambda pins: [])
    monkeypatch.setattr('mmmammo.doctor.__main__.check_opencv', lambda pins: [])
    assert main([]) == code
    assert f'{status}' in capsys.readouterr().out


def test_works_in_a_python_without_any_package():
    """-S -I leave the standard library only."""
    code = 'import sys; sys.path.insert(0, "."); from mmmammo.doctor.__main__ import PROBES; print(len(PROBES))'
    done = subprocess.run(
        [sys.executable, '-S', '-I', '-c', code], capture_output=True, text=True, check=True, cwd=probes.ROOT
    )
    assert int(done.stdout) == len(probes.PROBES)


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        main(['--help'])
    assert 'Example: .venv/bin/python -m mmmammo.doctor' in capsys.readouterr().out


def test_pooling_that_miscomputes_is_not_taken(monkeypatch):
    monkeypatch.setattr('mmmammo.ops.library.why_not_loaded', lambda: '')
    monkeypatch.setattr('mmmammo.ops.deformable_attention', multi_scale_deformable_attn_pytorch)
    monkeypatch.setattr('mmmammo.ops.roi_align', lambda maps, regions, size: maps.new_zeros(1, 2, 2, 2))
    with pytest.raises(RuntimeError, match='RoIAlign is'):
        stack.probe_own_operators()

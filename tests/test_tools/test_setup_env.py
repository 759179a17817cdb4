"""The bootstrap: which Python, which wheel, when it is done, and what it says when it cannot go on."""

import hashlib
import importlib
import importlib.util
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'
PINS = 'torch==2.11.0\nonedl-mmcv==2.3.6\nnvidia-cuda-runtime==13.0.96\n'
PYPROJECT = """
[build-system]
requires = ["setuptools>=80,<82"]
[project]
dependencies = ["onedl-mmcv>=2.3", "onedl-mmdetection", "torch>=2.6"]
[project.optional-dependencies]
dev = ["pytest"]
scale = ["Dask[distributed]"]
"""


@pytest.fixture(scope='module')
def launcher():
    spec = importlib.util.spec_from_file_location('setup_env', TOOLS / 'setup_env.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def bootstrap(monkeypatch):
    monkeypatch.syspath_prepend(str(TOOLS))
    return lambda name: importlib.import_module(f'bootstrap.{name}')


@pytest.fixture
def project(bootstrap, tmp_path):
    (tmp_path / 'constraints.txt').write_text(PINS)
    (tmp_path / 'pyproject.toml').write_text(PYPROJECT)
    python = tmp_path / '.venv' / 'bin' / 'python'
    python.parent.mkdir(parents=True)
    python.touch()
    return bootstrap('project').Project(tmp_path)


def executable(path, script):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/sh\n{script}\n')
    path.chmod(0o755)
    return path


class TestLauncher:
    def test_takes_the_first_python_that_really_runs(self, launcher, tmp_path):
        executable(tmp_path / 'shims' / 'python3.11', 'exit 127')
        executable(tmp_path / 'old' / 'python3.11', 'echo 3.9')
        good = executable(tmp_path / 'good' / 'python3.12', 'echo 3.12')
        found = launcher.candidates(os.pathsep.join(str(tmp_path / name) for name in ('shims', 'old', 'good')))
        assert next(python for python in found if launcher.is_usable(python)) == str(good)

    def test_prefers_the_version_the_pins_were_tried_on(self, launcher, tmp_path):
        for name in ('python3', 'python3.11', 'python3.12'):
            executable(tmp_path / name, 'true')
        assert [Path(python).name for python in launcher.candidates(str(tmp_path))] == [
            'python3.11',
            'python3.12',
            'python3',
        ]

    def test_wrong_python_is_told_what_to_install(self, launcher):
        message = launcher.complaint((3, 9, 2), has_apt=True)
        assert 'python3 is 3.9' in message
        assert 'sudo apt-get install python3.12 python3.12-venv python3.12-dev' in message

    def test_missing_venv_module_is_told_for_this_version(self, launcher):
        message = launcher.complaint((3, 11, 2), has_apt=True)
        assert 'venv module is missing' in message
        assert 'python3.11-venv' in message

    def test_is_read_by_any_python_3(self):
        source = (TOOLS / 'setup_env.py').read_text()
        compile(source, 'setup_env.py', 'exec', dont_inherit=True)
        assert 'annotations' not in source and ':=' not in source and '->' not in source

    def test_help_has_an_example(self):
        command = [sys.executable, TOOLS / 'setup_env.py', '--help']
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        assert 'Examples:' in done.stdout and 'MMMAMMO_CACHE' in done.stdout


class TestProject:
    def test_requirements_are_split_around_mmcv(self, project):
        assert 'torch>=2.6' in project.requirements_before_mmcv
        assert 'Dask[distributed]' in project.requirements_before_mmcv
        assert project.requirements_on_mmcv == ['onedl-mmcv>=2.3', 'onedl-mmdetection']

    def test_wheel_key_names_all_that_a_wheel_depends_on(self, project):
        key = project.wheel_key('cu130-sm90')
        python = f'cp{sys.version_info.major}{sys.version_info.minor}'
        assert key == f'{python}-{os.uname().machine}-torch2.11.0-cu130-sm90-mmcv2.3.6'

    def test_stamp_makes_the_next_run_needless(self, bootstrap, project):
        stamp = bootstrap('project').Stamp
        assert stamp.read(project) is None
        stamp.of(project, 'cpu').write(project)
        assert stamp.read(project).satisfies(stamp.of(project, 'cpu'))

    @pytest.mark.parametrize('name', ['constraints.txt', 'pyproject.toml'])
    def test_changed_requirements_ask_for_another_run(self, bootstrap, project, name):
        modules = bootstrap('project')
        modules.Stamp.of(project, 'cpu').write(project)
        path = project.root / name
        path.write_text(path.read_text().replace('torch', 'torch-nightly'))
        changed = modules.Project(project.root)
        assert not modules.Stamp.read(changed).satisfies(modules.Stamp.of(changed, 'cpu'))

    def test_changed_operators_ask_for_another_run(self, bootstrap, project):
        stamp = bootstrap('project').Stamp
        source = project.root / 'mmmammo' / 'ops' / 'operator.cpp'
        source.parent.mkdir(parents=True)
        source.write_text('// first')
        stamp.of(project, 'cpu').write(project)
        assert stamp.read(project).satisfies(stamp.of(project, 'cpu'))
        source.write_text('// second')
        assert not stamp.read(project).satisfies(stamp.of(project, 'cpu'))

    def test_a_line_of_pyproject_that_installs_nothing_does_not(self, bootstrap, project):
        modules = bootstrap('project')
        modules.Stamp.of(project, 'cpu').write(project)
        (project.root / 'pyproject.toml').write_text(PYPROJECT + '[tool.ruff]\nline-length = 100\n')
        changed = modules.Project(project.root)
        assert modules.Stamp.read(changed).satisfies(modules.Stamp.of(changed, 'cpu'))

    @pytest.mark.parametrize(
        ('has', 'wants', 'enough'),
        [
            ('cpu', 'cpu', True),
            ('cpu', 'cu130-sm90', False),
            ('cu130-sm90', 'cpu', True),
            ('cu130-sm80', 'cu130-sm90', False),
        ],
    )
    def test_cuda_operators_serve_a_machine_without_gpu_but_not_vice_versa(
        self, bootstrap, project, has, wants, enough
    ):
        stamp = bootstrap('project').Stamp
        assert stamp.of(project, has).satisfies(stamp.of(project, wants)) is enough

    def test_a_moved_clone_is_set_up_again(self, bootstrap, project):
        modules = bootstrap('project')
        modules.Stamp.of(project, 'cpu').write(project)
        moved = project.root.parent / 'moved'
        project.root.rename(moved)
        assert modules.Stamp.read(modules.Project(moved)) is None

    def test_a_torn_stamp_counts_as_none(self, bootstrap, project):
        (project.venv / 'mmmammo-setup.json').write_text('{"root": "/x"')
        assert bootstrap('project').Stamp.read(project) is None


class TestHost:
    def fake_tools(self, monkeypatch, tmp_path, gpu='9.0', nvcc='13.0'):
        """A path with nvidia-smi and a CUDA toolkit of these versions; empty means none."""
        executable(tmp_path / 'bin' / 'nvidia-smi', f'echo {gpu}' if gpu else 'exit 9')
        if nvcc:
            executable(tmp_path / 'cuda' / 'bin' / 'nvcc', f'echo "Cuda compilation tools, release {nvcc}, V1"')
            (tmp_path / 'cuda' / 'include').mkdir()
            (tmp_path / 'cuda' / 'include' / 'cuda_runtime.h').touch()
        monkeypatch.setenv('PATH', f'{tmp_path / "bin"}{os.pathsep}/usr/bin{os.pathsep}/bin')
        return {'CUDA_HOME': str(tmp_path / 'cuda')}

    def test_cuda_operators_for_a_gpu_with_a_fitting_toolkit(self, bootstrap, monkeypatch, tmp_path):
        environ = self.fake_tools(monkeypatch, tmp_path)
        backend = bootstrap('host').detect_backend('13.0', environ)
        assert backend.tag == 'cu130-sm90'
        assert backend.env['FORCE_CUDA'] == '1' and backend.env['TORCH_CUDA_ARCH_LIST'] == '9.0'
        assert backend.env['CUDA_HOME'] == environ['CUDA_HOME']

    @pytest.mark.parametrize(
        ('gpu', 'nvcc', 'cuda', 'reason'),
        [
            ('', '13.0', '13.0', 'no NVIDIA GPU'),
            ('9.0', '12.4', '13.0', 'nvcc 12.4'),
            ('9.0', '13.0', None, 'CUDA None'),
        ],
        ids=['no gpu', 'other toolkit', 'cpu torch'],
    )
    def test_cpu_operators_otherwise(self, bootstrap, monkeypatch, tmp_path, gpu, nvcc, cuda, reason):
        backend = bootstrap('host').detect_backend(cuda, self.fake_tools(monkeypatch, tmp_path, gpu, nvcc))
        assert backend.tag == 'cpu' and reason in backend.reason
        assert backend.env['FORCE_CUDA'] == '0' and backend.env['CUDA_VISIBLE_DEVICES'] == ''

    def test_cpu_operators_on_request(self, bootstrap, monkeypatch, tmp_path):
        environ = {**self.fake_tools(monkeypatch, tmp_path), 'MMMAMMO_OPS': 'cpu'}
        assert bootstrap('host').detect_backend('13.0', environ).tag == 'cpu'

    @pytest.mark.parametrize(('memory_gb', 'jobs'), [(1.0, 1), (4.5, 2), (64.0, 3)])
    def test_jobs_are_bounded_by_memory_and_cores(self, bootstrap, monkeypatch, memory_gb, jobs):
        host = bootstrap('host')
        monkeypatch.setattr(host, 'free_memory_gb', lambda: memory_gb)
        monkeypatch.setattr(host.os, 'sched_getaffinity', lambda pid: {0, 1, 2})
        assert host.max_jobs({}) == jobs
        assert host.max_jobs({'MAX_JOBS': '7'}) == 7

    def test_missing_compiler_ends_in_the_line_that_installs_it(self, bootstrap, monkeypatch, tmp_path):
        executable(tmp_path / 'apt-get', 'true')
        monkeypatch.setenv('PATH', str(tmp_path))
        with pytest.raises(bootstrap('errors').SetupError, match=r'no C\+\+ compiler \(g\+\+\)') as caught:
            bootstrap('host').check_compiler({})
        assert 'apt-get install build-essential' in caught.value.remedy

    def test_missing_headers_end_in_the_line_that_installs_them(self, bootstrap, monkeypatch, tmp_path):
        host = bootstrap('host')
        monkeypatch.setattr(host.shutil, 'which', lambda name: f'/usr/bin/{name}')
        monkeypatch.setattr(host.sysconfig, 'get_path', lambda name: str(tmp_path))
        with pytest.raises(bootstrap('errors').SetupError, match='no header files') as caught:
            host.check_compiler({})
        assert f'python3.{sys.version_info.minor}-dev' in caught.value.remedy

    def test_too_little_disk_is_told_with_what_is_needed(self, bootstrap, tmp_path):
        with pytest.raises(bootstrap('errors').SetupError, match='about 1000000000 GB are needed'):
            bootstrap('host').check_disk(tmp_path, needed_gb=1_000_000_000)


@pytest.fixture
def ctrl_c():
    """Python's usual answer to SIGINT, which a background job of a shell is started without."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class TestMessages:
    @pytest.mark.parametrize(
        ('output', 'what', 'remedy'),
        [
            (
                'ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device',
                'disk is full',
                '15 GB',
            ),
            ('ops.cpp:1:10: fatal error: Python.h: No such file', 'header files', '-dev'),
            ('c++: fatal error: Killed signal terminated program cc1plus', 'out of memory', 'MAX_JOBS=1'),
            ('Temporary failure in name resolution', 'download failed', 'network'),
            (
                'ERROR: No matching distribution found for torch',
                'not on the configured package index',
                'pip config list',
            ),
            ('gcc: error: unsupported GNU version!', 'nvcc', 'MMMAMMO_OPS=cpu'),
            ('noise\nerror: something new\n', 'error: something new', 'log'),
        ],
        ids=['disk', 'headers', 'memory', 'network', 'index', 'nvcc', 'unknown'],
    )
    def test_output_of_a_failure_is_read(self, bootstrap, monkeypatch, output, what, remedy):
        errors = bootstrap('errors')
        monkeypatch.setattr(errors.shutil, 'which', lambda name: name == 'apt-get')
        error = errors.diagnose('compile mmcv', output, Path('.setup/mmcv.log'))
        assert what in error.what and remedy in error.remedy
        assert str(error).splitlines()[0].startswith('setup stopped: compile mmcv')
        assert str(error).splitlines()[-1] == '  log: .setup/mmcv.log'

    def test_failing_command_is_logged_and_diagnosed(self, bootstrap, tmp_path, capsys):
        runner = bootstrap('runner')
        command = ['sh', '-c', 'echo No space left on device; exit 3']
        with pytest.raises(bootstrap('errors').SetupError, match='disk is full'):
            runner.run(command, tmp_path / 'a.log', runner.Meter('unpack'), env={'PATH': os.environ['PATH']})
        assert 'No space left' in (tmp_path / 'a.log').read_text()
        assert 'No space' not in capsys.readouterr().out

    def test_interruption_ends_the_command_and_its_children(self, bootstrap, tmp_path, ctrl_c):
        runner = bootstrap('runner')
        threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
        command = ['sh', '-c', f'sleep 60 & echo $! > {tmp_path / "pid"}; wait']
        with pytest.raises(KeyboardInterrupt):
            runner.run(command, tmp_path / 'a.log', runner.Meter('sleep'), env={'PATH': os.environ['PATH']})
        assert not is_alive(int((tmp_path / 'pid').read_text()))

    @pytest.mark.parametrize(('seconds', 'text'), [(2.44, '2.4 s'), (59.9, '59.9 s'), (504, '8 min 24 s')])
    def test_durations_are_for_people(self, bootstrap, seconds, text):
        assert bootstrap('runner').spoken(seconds) == text


def is_alive(pid, patience_s=5):
    """Whether the process runs on; one that has been told to end is given a moment."""
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        stat = Path(f'/proc/{pid}/stat')
        if not stat.exists() or stat.read_text().split()[2] == 'Z':
            return False
        time.sleep(0.05)
    return True


class FakePip:
    """Stands in for the commands of a build; notes them."""

    def __init__(self, fails=False):
        self.commands = []
        self.fails = fails

    def __call__(self, command, env=None, progress=None):
        command = [str(part) for part in command]
        self.commands.append((command[3], env))
        if command[3] == 'download':
            self.write_sdist(Path(command[command.index('-d') + 1]))
        elif self.fails:
            raise KeyboardInterrupt
        else:
            out = Path(command[command.index('-w') + 1])
            out.mkdir()
            (out / 'onedl_mmcv-2.3.6-cp311.whl').write_bytes(b'compiled')

    @staticmethod
    def write_sdist(folder):
        folder.mkdir(parents=True)
        with tarfile.open(folder / 'onedl_mmcv-2.3.6.tar.gz', 'w:gz') as archive:
            archive.addfile(tarfile.TarInfo('onedl_mmcv-2.3.6/setup.py'), io.BytesIO())


class TestWheelCache:
    def test_folder_follows_the_environment(self, bootstrap):
        folder = bootstrap('mmcv_wheel').cache_folder
        assert folder({'MMMAMMO_CACHE': '/c'}) == Path('/c')
        assert folder({'XDG_CACHE_HOME': '/x'}) == Path('/x/mmmammo')
        assert folder({}) == Path.home() / '.cache' / 'mmmammo'

    def test_second_clone_does_not_compile(self, bootstrap, project, tmp_path):
        mmcv_wheel, pip = bootstrap('mmcv_wheel'), FakePip()
        backend = bootstrap('host').cpu_backend('test')
        first = mmcv_wheel.build_wheel(project, tmp_path / 'cache', backend, pip)
        second = mmcv_wheel.build_wheel(project, tmp_path / 'cache', backend, pip)
        assert first == second and first.read_bytes() == b'compiled'
        assert [name for name, _ in pip.commands] == ['download', 'wheel']
        assert pip.commands[1][1]['MMCV_WITH_OPS'] == '1' and pip.commands[1][1]['FORCE_CUDA'] == '0'
        assert not (tmp_path / 'cache' / 'build' / first.parent.name).exists()

    def test_compiles_without_debug_information_after_the_flags_of_the_user(
        self, bootstrap, project, tmp_path, monkeypatch
    ):
        monkeypatch.setenv('CPPFLAGS', '-DMINE')
        mmcv_wheel, pip = bootstrap('mmcv_wheel'), FakePip()
        mmcv_wheel.build_wheel(project, tmp_path / 'cache', bootstrap('host').cpu_backend('test'), pip)
        assert pip.commands[1][1]['CPPFLAGS'] == '-DMINE -g0'

    def test_interrupted_build_leaves_no_wheel_and_keeps_its_object_files(self, bootstrap, project, tmp_path):
        mmcv_wheel, backend = bootstrap('mmcv_wheel'), bootstrap('host').cpu_backend('test')
        key = project.wheel_key('cpu')
        with pytest.raises(KeyboardInterrupt):
            mmcv_wheel.build_wheel(project, tmp_path / 'cache', backend, FakePip(fails=True))
        assert mmcv_wheel.cached_wheel(tmp_path / 'cache', key) is None
        objects = tmp_path / 'cache' / 'build' / key / 'source' / 'nms.o'
        objects.touch()
        pip = FakePip()
        seen = []
        mmcv_wheel.build_wheel(
            project, tmp_path / 'cache', backend, lambda *a, **k: (seen.append(objects.exists()), pip(*a, **k))
        )
        assert seen == [True] and [name for name, _ in pip.commands] == ['wheel']

    def test_another_wheel_of_the_same_version_is_not_taken_for_ours(self, bootstrap, project, tmp_path):
        mmcv_wheel = bootstrap('mmcv_wheel')
        wheel = tmp_path / 'onedl_mmcv.whl'
        wheel.write_bytes(b'compiled')
        record = (
            project.venv / 'lib' / 'python3.11' / 'site-packages' / 'onedl_mmcv-2.3.6.dist-info' / 'direct_url.json'
        )
        assert not mmcv_wheel.is_installed(project, wheel)
        record.parent.mkdir(parents=True)
        for content, same in ((b'compiled', True), (b'without operators', False)):
            digest = hashlib.sha256(content).hexdigest()
            record.write_text(json.dumps({'archive_info': {'hash': f'sha256={digest}'}}))
            assert mmcv_wheel.is_installed(project, wheel) is same

    def test_progress_is_the_last_count_of_ninja(self, bootstrap):
        progress = bootstrap('mmcv_wheel').compiled_files
        assert progress('  [1/107] c++ a\n  [2/107] c++ b\n') == '2 of 107 files'
        assert progress('Preparing') == ''


class TestSteps:
    def test_environment_of_pip_is_not_led_astray(self, bootstrap, project):
        environ = {'PIP_USER': '1', 'PYTHONPATH': '/other', 'PATH': '/bin', 'HTTPS_PROXY': 'proxy'}
        env = bootstrap('steps').clean_env(project, environ)
        assert 'PIP_USER' not in env and 'PYTHONPATH' not in env
        assert env['PATH'].split(os.pathsep)[0] == str(project.venv / 'bin')
        assert env['HTTPS_PROXY'] == 'proxy' and env['TMPDIR'].startswith(str(project.root))

    def test_venv_of_another_python_or_place_is_made_anew(self, bootstrap, project):
        steps = bootstrap('steps')
        config, pip = project.venv / 'pyvenv.cfg', project.venv / 'bin' / 'pip'
        assert not steps.venv_is_sound(project)
        config.write_text(f'version = {steps.VERSION}.7\n')
        pip.write_text(f'#!{project.python}\n')
        assert steps.venv_is_sound(project)
        pip.write_text('#!/elsewhere/.venv/bin/python\n')
        assert not steps.venv_is_sound(project)
        pip.write_text(f'#!{project.python}\n')
        config.write_text('version = 3.8.1\n')
        assert not steps.venv_is_sound(project)

    def test_operators_that_do_not_compile_are_left_out(self, bootstrap, project, tmp_path, capsys):
        executable(project.python, 'echo "compiler: found no program g++" >&2; exit 1')
        backend = bootstrap('host').cpu_backend('no NVIDIA GPU')
        bootstrap('steps').Setup(project, backend, tmp_path / 'cache').compile_operators()
        told = capsys.readouterr().out
        assert 'left out' in told and 'found no program g++' in told

"""The shell scripts that start processes, with a stand-in for what they start."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / 'tools'


def write_program(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'#!/bin/bash\n{text}\n')
    path.chmod(0o755)


@pytest.mark.parametrize('has_venv', [True, False])
@pytest.mark.parametrize(
    ('script', 'arguments'), [('slurm_train.sh', 'part job config.py out'), ('dist_train.sh', 'config.py 2')]
)
def test_the_python_of_make_setup_is_preferred(tmp_path, script, arguments, has_venv):
    shutil.copytree(TOOLS, tmp_path / 'tools', ignore=shutil.ignore_patterns('*.py', '__pycache__'))
    write_program(tmp_path / 'bin/python', 'echo "another python: $*"')
    write_program(tmp_path / 'bin/srun', 'while [[ $1 == --* ]]; do shift; done; exec "$@"')
    if has_venv:
        write_program(tmp_path / '.venv/bin/python', 'echo "own python: $*"')
    done = subprocess.run(
        ['bash', tmp_path / 'tools' / script, *arguments.split()],
        env={**os.environ, 'PATH': f'{tmp_path / "bin"}:{os.environ["PATH"]}'},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith('own python: ' if has_venv else 'another python: ')
    assert f'{tmp_path}/tools/train.py config.py' in done.stdout

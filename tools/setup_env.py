#!/usr/bin/env python3
"""Make .venv ready: pinned packages, mmcv with compiled operators, mmmammo itself, each checked.

This file only finds a Python of the right version, in syntax that any Python 3 reads, so that a wrong one gets a remedy
instead of a traceback; the work is in tools/bootstrap.
"""

import os
import subprocess
import sys
from importlib.util import find_spec

SUPPORTED = ((3, 11), (3, 12))
PROBE = 'import sys, ensurepip, venv; print("%d.%d" % sys.version_info[:2])'
NO_PYTHON = """
setup stopped: no usable Python 3.11 or 3.12 (python3 is {version}{details})
  remedy: {install} any Python 3.11 or 3.12 (with venv and header files; conda and pyenv have them) on the path;
          then run make again
"""


def is_usable(python):
    """Tell whether the interpreter really runs (a pyenv shim may not), has a supported version, and can make a venv."""
    try:
        output = subprocess.check_output([python, '-c', PROBE], stderr=subprocess.DEVNULL, universal_newlines=True)
    except (OSError, subprocess.CalledProcessError):
        return False
    return output.strip() in ['%d.%d' % version for version in SUPPORTED]  # noqa: UP031


def candidates(path):
    """List every python3.11, python3.12 and python3 on the search path."""
    names = ['python%d.%d' % version for version in SUPPORTED] + ['python3']  # noqa: UP031
    found = [os.path.join(folder, name) for name in names for folder in path.split(os.pathsep) if folder]
    return [python for python in found if os.access(python, os.X_OK)]


def complaint(version_info, has_apt):
    """Word the message for a machine without a usable Python."""
    version = '%d.%d' % version_info[:2]  # noqa: UP031
    details = '' if version_info[:2] not in SUPPORTED else ', but its venv module is missing'
    packages = 'python{0} python{0}-venv python{0}-dev'.format(version if details else '3.12')
    install = f'sudo apt-get install {packages}, or put' if has_apt else 'put'
    return NO_PYTHON.format(version=version, details=details, install=install)


def main():
    """Hand over to tools/bootstrap under the first usable Python."""
    if sys.version_info[:2] not in SUPPORTED or not all(map(find_spec, ('ensurepip', 'venv'))):
        usable = next((python for python in candidates(os.environ.get('PATH', '')) if is_usable(python)), None)
        if usable is None:
            sys.stderr.write(complaint(sys.version_info, os.access('/usr/bin/apt-get', os.X_OK)))
            return 1
        os.execv(usable, [usable, os.path.abspath(__file__), *sys.argv[1:]])
    from bootstrap.main import main as bootstrap

    return bootstrap()


if __name__ == '__main__':
    sys.exit(main())

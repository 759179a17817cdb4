"""Compiling the operators: once, whole or not at all, and every failure with its remedy."""

import pytest

from mmmammo.ops import build, library
from mmmammo.structures import MammoError

FAKE = """#!/bin/sh
echo "$@" >> {log}
while [ $# -gt 1 ]; do [ "$1" = -o ] && echo built > "$2"; shift; done
"""
FAILING = '#!/bin/sh\necho "{cause}" >&2\nexit 1\n'


@pytest.fixture
def prefix(monkeypatch, tmp_path):
    """An environment of its own."""
    monkeypatch.setattr(library.sys, 'prefix', str(tmp_path / 'env'))
    return tmp_path


@pytest.fixture
def compiler(monkeypatch, prefix):
    """Put a script in the place of g++."""

    def install(text):
        script = prefix / 'compiler'
        script.write_text(text.format(log=prefix / 'log', cause='x.cpp:1: fatal error: torch/library.h: No such file'))
        script.chmod(0o755)
        monkeypatch.setenv('CXX', f'{script} -m64')

    return install


def test_is_compiled_once(prefix, compiler, capsys):
    compiler(FAKE)
    assert build.main([]) == 0
    assert 'compiled in' in capsys.readouterr().out
    assert build.main([]) == 0
    assert 'compiled earlier' in capsys.readouterr().out
    lines = (prefix / 'log').read_text().splitlines()
    assert len(lines) == len(library.SOURCES) + 1, 'each compiled, then linked'
    assert lines[0].startswith('-m64 -std=c++17 -O3')
    assert build.main(['--again']) == 0
    assert len((prefix / 'log').read_text().splitlines()) == 2 * len(lines)


def test_failure_leaves_nothing_and_names_its_cause(prefix, compiler, capsys):
    compiler(FAILING)
    assert build.main([]) == 1
    assert 'torch/library.h: No such file' in capsys.readouterr().err
    assert list((prefix / 'env' / 'lib' / 'mmmammo').iterdir()) == []


@pytest.mark.parametrize('name', ['no-such-compiler', ''])
def test_missing_compiler_is_told_with_what_to_install(prefix, monkeypatch, name):
    monkeypatch.setenv('CXX', name)
    with pytest.raises(MammoError, match=r'install g\+\+') as caught:
        build.build()
    assert caught.value.field == 'compiler'


def test_environment_that_cannot_be_written_is_named(prefix, compiler):
    compiler(FAKE)
    (prefix / 'env').write_text('a file in the way')
    with pytest.raises(MammoError) as caught:
        build.build()
    assert caught.value.field == 'folder'


def test_another_source_or_torch_is_another_library(prefix, monkeypatch):
    here = library.library_path()
    with monkeypatch.context() as patch:
        patch.setattr(library.torch, '__version__', '2.6.0+cpu')
        assert library.library_path() != here
    changed = prefix / 'changed'
    changed.write_text('// nothing')
    for kind in ('SOURCES', 'HEADERS'):
        with monkeypatch.context() as patch:
            patch.setattr(library, kind, (changed, *getattr(library, kind)[1:]))
            assert library.library_path() != here, kind
    assert library.library_path() == here


def test_links_the_openmp_of_torch_only():
    *compiling, linking = build.commands(['g++'], build.Path('a'), build.Path('a.so'))
    bundled = sorted((build.TORCH / 'lib').glob('libgomp*.so*'))
    assert all('-fopenmp' in command for command in compiling)
    assert all(command[-1] in linking for command in compiling)
    assert ('-fopenmp' in linking) == (not bundled)
    assert all(str(path) in linking for path in bundled)


def test_torn_library_is_a_reason_and_no_crash(prefix):
    path = library.library_path()
    path.parent.mkdir(parents=True)
    path.write_bytes(b'\x7fELF torn')
    library.why_not_loaded.cache_clear()
    try:
        assert 'does not load' in library.why_not_loaded()
    finally:
        library.why_not_loaded.cache_clear()


def test_absent_library_is_a_reason(prefix):
    library.why_not_loaded.cache_clear()
    try:
        assert library.why_not_loaded() == 'not compiled'
    finally:
        library.why_not_loaded.cache_clear()


def test_help_has_an_example(capsys):
    with pytest.raises(SystemExit):
        build.main(['--help'])
    assert 'python -m mmmammo.ops.build' in capsys.readouterr().out

"""The snippets of docs/evaluation.md run as they stand."""

import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / 'docs' / 'evaluation.md'


@pytest.fixture(scope='module')
def names(tmp_path_factory):
    """What the snippets before "In a config" leave behind, run one after the other in an empty folder."""
    text = PAGE.read_text(encoding='utf-8').split('## In a config')[0]
    namespace = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp('snippets'))
        for code in re.findall(r'```python\n(.*?)```', text, re.DOTALL):
            exec(compile(code, str(PAGE), 'exec'), namespace)
    return namespace


def test_levels_differ_as_the_page_says(names):
    assert names['levels']['box'].recall[-1] == 0.5 and names['levels']['breast'].recall[-1] == 1.0


def test_the_better_model_of_the_page_is_better(names):
    assert (names['pair'].difference.low > 0).all() and (names['pair'].p_permutation < 0.05).all()


def test_the_subgroups_of_the_page_are_complete(names):
    assert [row.value for row in names['rows']] == [
        'all',
        '< 50',
        '50 to < 60',
        '>= 60',
        'unknown',
        '< 2 mm',
        '2 to < 5 mm',
        '>= 5 mm',
        'unknown',
    ]
    assert [row.reason for row in names['rows']][2] == 'no image'

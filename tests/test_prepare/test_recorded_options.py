"""Preparing further images as a set was prepared."""

import json

import pytest

from mmmammo.prepare import PrepareOptions, recorded_options
from mmmammo.structures import MammoError, Policy, Problem


def write(folder, options):
    path = folder / 'prepare.json'
    path.write_text(json.dumps({'source': 'folder', 'options': options}))
    return path


@pytest.mark.parametrize('whole', [True, False])
def test_what_the_set_says_is_what_is_done(tmp_path, whole):
    said = {'scale': 0.25, 'crop': False, 'bits': 8, 'policies': {'implant': 'quarantine'}, 'single_class': 'mass'}
    path = write(tmp_path, said)
    found = recorded_options(tmp_path if whole else path)
    policies = {Problem.IMPLANT: Policy.QUARANTINE}
    assert found == PrepareOptions(scale=0.25, crop=False, bits=8, policies=policies)


def test_the_truth_is_not_known_of_other_images(tmp_path):
    assert recorded_options(write(tmp_path, {'landmarks': 'truth'})).landmarks == 'detected'
    assert recorded_options(write(tmp_path, {'landmarks': 'paper'})).landmarks == 'paper'


def test_sets_of_earlier_versions_say_less(tmp_path):
    assert recorded_options(write(tmp_path, {'height': 512})) == PrepareOptions(height=512)


@pytest.mark.parametrize(
    ('text', 'found'),
    [
        (None, 'no such file'),
        ('{', 'cannot be read'),
        ('[]', 'cannot be read'),
        ('{}', 'None'),
        ('{"options": {"denoise": true}}', 'unknown denoise'),
        ('{"options": {"height": "512"}}', 'not supported'),
        ('{"options": {"policies": null}}', 'NoneType'),
        ('{"options": {"policies": {"implant": "x"}}}', 'implant=x'),
    ],
)
def test_a_file_that_does_not_say(tmp_path, text, found):
    if text is not None:
        (tmp_path / 'prepare.json').write_text(text)
    with pytest.raises(MammoError, match=rf'options: found .*{found}.*; expected .*--prepared-as'):
        recorded_options(tmp_path)

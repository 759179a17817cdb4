"""``manual_landmarks.json`` beside the images: whose it is, and what is wrong with one that is nobody's."""

import json

import numpy as np
import pytest

from mmmammo.prepare.hand_set import with_manual_landmarks
from mmmammo.prepare.journal import digest_of
from mmmammo.sources.folder import list_records
from mmmammo.structures import MammoError
from mmmammo.testing.raw_files import draw_breast, write_png


@pytest.fixture()
def raw(tmp_path):
    for name in ('e1/L_CC.png', 'e1/L_MLO.png'):
        write_png(tmp_path / 'raw' / name, draw_breast(size=(32, 24)))
    return tmp_path / 'raw'


def set_by_hand(raw, entries):
    (raw / 'manual_landmarks.json').write_text(json.dumps(entries))
    return {r.relative_path: r for r in with_manual_landmarks(list_records(raw), raw)}


def test_each_image_has_its_own_and_is_prepared_again(raw):
    before = {record.relative_path: record for record in with_manual_landmarks(list_records(raw), raw)}
    assert all(record.manual_landmarks is None for record in before.values())
    after = set_by_hand(raw, {'e1/L_CC.png': {'nipple': [20, 16]}})
    np.testing.assert_array_equal(after['e1/L_CC.png'].manual_landmarks['nipple'], [20, 16])
    assert after['e1/L_MLO.png'].manual_landmarks is None
    changed = [name for name in before if digest_of(before[name]) != digest_of(after[name])]
    assert changed == ['e1/L_CC.png']


def test_an_image_that_is_not_there_is_told(raw):
    with pytest.raises(MammoError, match=r'image: found 1 that are not there, such as e2/L_CC\.png'):
        set_by_hand(raw, {'e2/L_CC.png': {'nipple': [20, 16]}})


def test_a_file_of_another_folder_is_not_read(raw, tmp_path):
    (tmp_path / 'other.json').write_text('{}')
    (raw / 'manual_landmarks.json').symlink_to(tmp_path / 'other.json')
    with pytest.raises(MammoError, match='a link that leads out of the folder'):
        with_manual_landmarks(list_records(raw), raw)

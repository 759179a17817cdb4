import json
from dataclasses import replace

import numpy as np
import pytest

from mmmammo.anatomy import apply_manual, load_manual_landmarks
from mmmammo.structures import BreastLandmarks, MammoError


@pytest.fixture
def found():
    return BreastLandmarks(
        contour=[[0, 0], [9, 5], [0, 10]],
        nipple=(9, 5),
        pectoral_line=[[4, 0], [0, 6]],
        confidence=0.1,
        part_confidence={'contour': 0.9, 'nipple': 0.8, 'pectoral_line': 0.1},
        found_by={'contour': 'mask', 'nipple': 'protrusion', 'pectoral_line': 'fallback_60deg'},
    )


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def test_override_from_file_replaces_only_the_named_part(found, tmp_path):
    path = write(tmp_path / 'manual_landmarks.json', {'exam 7/L_MLO.dcm': {'pectoral_line': [[0, 8], [5, 0]]}})
    corrected = apply_manual(found, load_manual_landmarks(path)['exam 7/L_MLO.dcm'])
    np.testing.assert_array_equal(corrected.pectoral_line, [[5, 0], [0, 8]])
    np.testing.assert_array_equal(corrected.nipple, found.nipple)
    assert corrected.found_by == {'contour': 'mask', 'nipple': 'protrusion', 'pectoral_line': 'manual'}
    assert corrected.part_confidence['pectoral_line'] == 1.0
    assert corrected.confidence == 0.8


def test_edge_goes_with_the_line_it_belongs_to(found):
    bent = replace(found, pectoral_edge=[[4, 0], [3, 4], [0, 6]])
    assert apply_manual(bent, {'nipple': np.array([8, 5])}).pectoral_edge.tolist() == [[4, 0], [3, 4], [0, 6]]
    assert apply_manual(bent, {'pectoral_line': np.array([[5, 0], [0, 8]])}).pectoral_edge is None


def test_all_parts_by_hand_are_certain(found):
    override = {'contour': found.contour, 'nipple': found.nipple, 'pectoral_line': found.pectoral_line}
    assert apply_manual(found, override).confidence == 1.0


def test_empty_override_changes_nothing(found):
    assert apply_manual(found, {}).to_json() == found.to_json()


@pytest.mark.parametrize(
    'entry',
    [
        {},
        {'nippel': [1, 2]},
        {'nipple': [1, 2, 3]},
        {'nipple': [1, None]},
        {'nipple': 'left'},
        {'nipple': [1, float('nan')]},
        {'pectoral_line': [[1, 2]]},
        {'pectoral_line': [[1, 2], [1, 2]]},
        {'contour': [[1, 2], [3, 4]]},
        {'contour': [[1, 2], [3]]},
        {'nipple': [10**400, 1]},
        [1, 2],
    ],
)
def test_bad_entries_are_named(tmp_path, entry):
    path = write(tmp_path / 'manual.json', {'a/b.png': entry})
    with pytest.raises(MammoError, match=r'a/b\.png'):
        load_manual_landmarks(path)


@pytest.mark.parametrize(
    'text', ['', '[]', '{"a": 1}', '[' * 100_000, '{"a": {"nipple": [' + '1' * 5000 + ', 1]}}', '{"\\ud800": 1}']
)
def test_bad_files_are_named(tmp_path, text):
    (tmp_path / 'manual.json').write_text(text)
    with pytest.raises(MammoError, match=r'manual\.json'):
        load_manual_landmarks(tmp_path / 'manual.json')


def test_absent_file_is_named(tmp_path):
    with pytest.raises(MammoError, match=r'none\.json'):
        load_manual_landmarks(tmp_path / 'none.json')

import json

import pytest

from mmmammo.phantom import PhantomConfig
from mmmammo.structures import MammoError


def test_full_size_is_the_detector():
    config = PhantomConfig(height=3328)
    assert config.width == 2560
    assert config.pixel_spacing_mm == pytest.approx(0.07)


def test_json_round_trip():
    config = PhantomConfig(height=512, contrast=(0.5, 0.5), vendors=('PHANTOM-B',), finding_mix={'mass': 1.0})
    assert PhantomConfig.from_json(json.loads(json.dumps(config.to_json()))) == config


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('height', 255),
        ('height', 3329),
        ('height', 512.5),
        ('height', True),
        ('prevalence', 1.5),
        ('prevalence', float('nan')),
        ('missing_views', -0.1),
        ('contrast', (0.0, 1.0)),
        ('contrast', (2.0, 1.0)),
        ('contrast', (1.0,)),
        ('overlap_decoys', -1),
        ('lesion_counts', ()),
        ('finding_mix', {'cyst': 1.0}),
        ('finding_mix', {'mass': 0.0}),
        ('density_mix', {'A': -1.0}),
        ('density_mix', {'A': 'much'}),
        ('vendors', ('PHANTOM-Z',)),
        ('split', (0.5, 0.5)),
    ],
)
def test_bad_value_names_its_field(field, value):
    with pytest.raises(MammoError) as caught:
        PhantomConfig(**{field: value})
    assert caught.value.field.startswith(field)
    assert caught.value.remedy


def test_unknown_key_is_named():
    with pytest.raises(MammoError, match='heigth'):
        PhantomConfig.from_json({'heigth': 512})

"""Side and projection from names, by whole words."""

import pytest

from mmmammo.io import parse_view_name


@pytest.mark.parametrize(
    ('stem', 'expected'),
    [
        ('0_L-CC', 'L CC'),
        ('L_CC', 'L CC'),
        ('LCC', 'L CC'),
        ('R-MLO', 'R MLO'),
        ('123_RIGHT_MLO', 'R MLO'),
        ('LMLO', 'L MLO'),
        ('rmlo', 'R MLO'),
        ('LeftCC', 'L CC'),
        ('R_ML', 'R ML'),
        ('RML', 'R ML'),
        ('LLM', 'L LM'),
        ('LM', 'U LM'),
        ('R LMO', 'R LMO'),
        ('RXCCL', 'R XCCL'),
        ('LCC2', 'L CC'),
        ('R_CC_1', 'R CC'),
        ('B_3013_1.LEFT_MLO', 'L MLO'),
        ('20586908_6c613a14b80a8591_MG_R_ML_ANON', 'R ML'),
        ('0_R-CC_benign_in_image_frame', 'R CC'),
        ('P39_R_DM_CC', 'R CC'),
        ('CC_LCC', 'L CC'),
    ],
)
def test_names_that_say_it(stem, expected):
    assert ' '.join(parse_view_name(stem)) == f'{expected}'


@pytest.mark.parametrize(
    'stem',
    [
        '',
        'bright',
        'accession',
        'leftover',
        'LAT',
        'look_at_me',
        '6cc613a1',
        'unknown',
        'CRANIO',
        'mdb001',
        'LRCC',
        'R2',
    ],
)
def test_names_that_do_not(stem):
    assert ' '.join(parse_view_name(stem)) == 'U UNKNOWN'


def test_words_that_contradict_each_other_cancel():
    assert parse_view_name('L_R_CC') == ('U', 'CC')
    assert parse_view_name('L_CC_MLO') == ('L', 'UNKNOWN')

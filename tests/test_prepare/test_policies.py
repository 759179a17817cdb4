"""Which policies make sense, and how a wrong one is answered."""

import pytest

from mmmammo.prepare import PrepareOptions
from mmmammo.prepare.policies import POSSIBLE, completed, parse_policy
from mmmammo.structures import MammoError, Policy, Problem


def test_every_problem_has_a_default_and_can_be_quarantined():
    assert set(POSSIBLE) == set(Problem)
    for possible in POSSIBLE.values():
        assert Policy.QUARANTINE in possible and len(set(possible)) == len(possible)
    assert completed({}) == {problem: possible[0] for problem, possible in POSSIBLE.items()}


def test_a_choice_replaces_the_default_and_nothing_else():
    chosen = completed({'implant': 'quarantine'})
    assert chosen.pop(Problem.IMPLANT) is Policy.QUARANTINE
    assert chosen.items() < completed({}).items()


@pytest.mark.parametrize(
    ('text', 'message'),
    [
        ('implant', r'found implant; expected NAME=ACTION, e\.g\. magnification=accept'),
        ('implants=accept', 'found implants; expected a problem: one of unreadable, tables, for_processing'),
        ('implant=mend', 'found implant=mend; expected one of implant=accept, implant=quarantine'),
        ('implant=', 'found implant=; expected one of'),
        ('tomosynthesis=accept', r'expected tomosynthesis=quarantine \(nothing else can be done about it\)'),
        ('bit_depth=accept', 'expected one of bit_depth=mend, bit_depth=quarantine'),
        ('annotation=accept', 'expected one of annotation=mend, annotation=quarantine'),
    ],
)
def test_an_impossible_policy_is_answered_with_what_is_possible(text, message):
    with pytest.raises(MammoError, match=message):
        parse_policy(text)


def test_every_possible_policy_can_be_written():
    pairs = [(problem, policy) for problem, possible in POSSIBLE.items() for policy in possible]
    assert [parse_policy(f'{problem}={policy}') for problem, policy in pairs] == pairs


def test_policies_are_part_of_the_options_of_an_image():
    assert PrepareOptions(policies={'implant': 'accept'}) == PrepareOptions()
    assert PrepareOptions(policies={'implant': 'quarantine'}).digest() != PrepareOptions().digest()
    with pytest.raises(MammoError, match='black=mend'):
        PrepareOptions(policies={Problem.BLACK: Policy.MEND})

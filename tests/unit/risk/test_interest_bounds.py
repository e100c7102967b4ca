"""Bounds of what debt may cost."""

from __future__ import annotations

import pytest

WAD = 10**18


def word(text):
    return text.encode().ljust(32, b"\0")


@pytest.mark.parametrize(
    ("field", "least", "most", "others"),
    [
        ("kinkBps", 1_000, 9_900, {}),
        ("rateAtZero", 0, WAD // 100, {"rateAtKink": WAD // 100, "rateAtFull": WAD // 100}),
        ("rateAtKink", 7, WAD // 100, {"rateAtZero": 7, "rateAtFull": WAD // 100}),
        ("rateAtFull", 9, WAD // 100, {"rateAtKink": 9}),
        ("tier1Bps", 10_000, 50_000, dict.fromkeys(("tier2Bps", "tier3Bps", "tier4Bps"), 50_000)),
        ("tier2Bps", 12_345, 50_000, {"tier1Bps": 12_345, "tier3Bps": 50_000, "tier4Bps": 50_000}),
        ("tier3Bps", 15_001, 50_000, {"tier2Bps": 15_001, "tier4Bps": 50_000}),
        ("tier4Bps", 20_001, 50_000, {"tier3Bps": 20_001}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_set_interest__at_a_bound__accepted_and_beyond_refused(
    world, refuses, field, least, most, others
):
    for value in (least, most):
        world.set_interest(**others, **{field: value})
        assert getattr(world.risk.call("interestParameters"), field) == value
    for value in [most + 1] + ([least - 1] if least else []):
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, most):
            world.set_interest(**others, **{field: value})


def test_set_interest__any__is_announced(world):
    parameters = world.risk.call("interestParameters")._replace(rateAtFull=7)
    receipt = world.risk.transact("setInterest", parameters, sender=world.governor)
    [event] = world.risk.events(receipt)
    assert (event.name, event.args.parameters) == ("InterestConfigured", parameters)

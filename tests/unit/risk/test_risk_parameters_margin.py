"""How margin adapts: bounds, correlations and sources of depth, and what is announced."""

from __future__ import annotations

import pytest

from bulkhead.model import correlations

DAY = 86_400
BPS = 10_000
NOBODY = "0x" + "0" * 40


def word(text):
    return text.encode().ljust(32, b"\0")


@pytest.mark.parametrize(
    ("field", "least", "most"),
    [
        ("horizon", 3_600, 30 * DAY),
        ("grossFloor", BPS // 20, BPS // 2),
        ("maxRatioRise", 1, 100 * BPS),
        ("maxStressRise", 1, 100 * BPS),
        ("ratioTier1", BPS, 3 * BPS),
        ("ratioTier2", 10_500, 3 * BPS),
        ("ratioTier3", 11_000, 3 * BPS),
        ("ratioTier4", 12_000, 3 * BPS),
        ("stressTier0", 0, BPS),
        ("stressTier1", 1_000, BPS),
        ("stressTier2", 2_000, BPS),
        ("stressTier3", 3_000, BPS),
        ("stressTier4", 4_000, BPS),
    ],
)
def test_set_margin__at_a_bound__accepted_and_beyond_refused(world, refuses, field, least, most):
    family = field.rstrip("01234")
    base = {
        "ratioTier": {
            f"ratioTier{i}": v for i, v in enumerate((10_500, 11_000, 12_000, 13_000), 1)
        },
        "stressTier": {f"stressTier{i}": 1_000 * (i + 1) for i in range(5)},
    }.get(family, {})
    later = {f"{family}{i}": most for i in range(int(field[-1]) + 1, 5)} if base else {}
    for value in (least, most):
        world.set_margin(**base | later | {field: value})
        assert getattr(world.risk.call("marginParameters"), field) == value
    for value in [most + 1] + ([least - 1] if least else []):
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, most):
            world.set_margin(**base | later | {field: value})


def test_set_margin__any__is_announced(world):
    parameters = world.risk.call("marginParameters")._replace(horizon=7_200)
    receipt = world.risk.transact("setMargin", parameters, sender=world.governor)
    [event] = world.risk.events(receipt)
    assert (event.name, event.args.parameters) == ("MarginConfigured", parameters)
    assert world.risk.call("marginParameters") == parameters


# ---------------------------------------------------------------------- correlations


@pytest.fixture
def three(world):
    """A third market."""
    rules = world.risk.call("marketTrading", 0), world.risk.call("marketLiquidation", 0)
    world.risk.transact("setMarket", 2, *rules, sender=world.governor)
    return world


def rows(world, count=4):
    return list(world.risk.call("correlationRows", list(range(count))))


def set_correlations(world, lower):
    return world.risk.transact("setCorrelations", lower, sender=world.governor)


def test_set_correlations__of_the_first_markets__are_stored_in_both_rows(three):
    receipt = set_correlations(three, [7_000, 100, 6_000])
    expected = [correlations.row((7_000, 100, 6_000), 3, i) for i in range(3)]
    assert rows(three) == [*expected, 0]
    [event] = three.risk.events(receipt)
    assert (event.name, tuple(event.args.lower)) == ("CorrelationsConfigured", (7_000, 100, 6_000))


def test_set_correlations__of_fewer__forget_the_others(three):
    set_correlations(three, [7_000, 100, 6_000])
    set_correlations(three, [5_000])
    assert rows(three) == [5_001 << 16, 5_001, 0, 0]
    set_correlations(three, [])
    assert rows(three) == [0, 0, 0, 0]


@pytest.mark.parametrize("count", [2, 4, 5, 6, 10])
def test_set_correlations__not_the_pairs_of_listed_markets__refused(three, refuses, count):
    before = rows(three)
    with refuses("RiskParameters_PairCount", count, 3):
        set_correlations(three, [0] * count)
    assert rows(three) == before


def test_set_correlations__of_one__is_the_limit(three, refuses):
    set_correlations(three, [9_999, 0, 0])
    with refuses("RiskParameters_OutOfBounds", word("correlation"), 10_000, 0, 9_999):
        set_correlations(three, [10_000, 0, 0])


def test_set_correlations__that_cannot_be__refused(three, refuses):
    before = rows(three)
    # Pivot of the third: 1 − 0.81 − (0 − 0.81)² / 0.19 = −3.263…
    pivot = 10**18 - 81 * 10**16 - (81 * 10**16) ** 2 // (19 * 10**16)
    with refuses("Correlations_NotPositiveDefinite", 2, pivot, 10**14):
        set_correlations(three, [9_000, 9_000, 0])
    assert rows(three) == before


# ---------------------------------------------------------------------- depth sources


def test_set_depth_source__any__is_stored_and_announced(world):
    source = world.deploy("ScriptedDepth")
    for chosen in (source.address, NOBODY):
        receipt = world.risk.transact("setDepthSource", 2, chosen, sender=world.governor)
        assert world.risk.call("depthSource", 2) == chosen
        [event] = world.risk.events(receipt)
        assert (event.name, *event.args) == ("DepthSourceConfigured", 2, chosen)
    assert world.risk.call("depthSource", 1) == NOBODY


@pytest.mark.parametrize("collateral", [0, 4])
def test_set_depth_source__not_listed__refused(world, refuses, collateral):
    with refuses("RiskParameters_UnknownCollateral", collateral):
        world.risk.transact("setDepthSource", collateral, NOBODY, sender=world.governor)


def test_market_margin__listed__is_part_of_its_rules(world):
    t, m = world.risk.call("marketTrading", 1), world.risk.call("marketMargin", 1)
    assert tuple(m) == (
        t.initialMarginRatio,
        t.maintenanceMarginRatio,
        t.maxInitialMarginRatio,
        t.volatilityMultiplier,
    )

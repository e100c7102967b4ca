"""Bounds of the compartment's and the breaker's parameters, and who may set anything."""

from __future__ import annotations

import pytest
from eth_utils.crypto import keccak

WAD = 10**18
GOVERNOR = keccak(text="GOVERNOR")
MAX_AMOUNT = 10**36
MINUTE, DAY = 60, 86_400


def word(text):
    return text.encode().ljust(32, b"\0")


# ---------------------------------------------------------------------- compartment


@pytest.mark.parametrize(
    ("field", "least", "most", "others"),
    [
        ("vestingPeriod", 0, 30 * DAY, {}),
        ("maxUnrealizedAge", 1, DAY, {}),
        ("debtMaintenanceRatio", WAD // 100, WAD // 2, {"debtInitialRatio": WAD}),
        ("debtInitialRatio", WAD // 8, WAD, {}),
        ("targetHealth", WAD * 101 // 100, 2 * WAD, {}),
        ("insuranceFeeShare", 0, WAD, {"poolFeeShare": 0}),
        ("poolFeeShare", 0, WAD * 7 // 10, {}),
        ("auctionStartPremium", 0, WAD // 2, {}),
        ("auctionDuration", MINUTE, DAY, {}),
        ("dustUnits", 1, 1_000_000, {}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_set_compartment__at_a_bound__accepted_and_beyond_refused(
    world, refuses, field, least, most, others
):
    for value in (least, most):
        world.set_compartment(**others, **{field: value})
        assert getattr(world.risk.call("compartmentParameters"), field) == value
    for value in [most + 1] + ([least - 1] if least else []):
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, most):
            world.set_compartment(**others, **{field: value})


def test_set_compartment__any__is_announced(world):
    parameters = world.risk.call("compartmentParameters")._replace(vestingPeriod=7)
    receipt = world.risk.transact("setCompartment", parameters, sender=world.governor)
    [event] = world.risk.events(receipt)
    assert (event.name, event.args.parameters) == ("CompartmentConfigured", parameters)


# ---------------------------------------------------------------------- breaker


@pytest.fixture
def set_breaker(world):
    """Set the breaker's parameters with some replaced."""

    def _set_breaker(prices=(), pegs=(), **changes):
        timing = world.risk.call("breakerTiming")._asdict()
        thresholds = world.risk.call("breakerThresholds")[0]._asdict()
        for name, value in changes.items():
            (timing if name in timing else thresholds)[name] = value
        return world.risk.transact(
            "setBreaker", timing, thresholds, list(prices), list(pegs), sender=world.governor
        )

    return _set_breaker


@pytest.mark.parametrize(
    ("field", "most"),
    [("velocityWindow", DAY), ("volumeWindow", 7 * DAY), ("minDwell", DAY), ("maxHalt", 3 * DAY)],
)
def test_set_breaker__timing_at_a_bound__accepted_and_beyond_refused(
    world, set_breaker, refuses, field, most
):
    for value in (MINUTE, most):
        set_breaker(**{field: value})
        assert getattr(world.risk.call("breakerTiming"), field) == value
    for value in (MINUTE - 1, most + 1):
        with refuses("RiskParameters_OutOfBounds", word(field), value, MINUTE, most):
            set_breaker(**{field: value})


@pytest.mark.parametrize("field", ["priceMove", "discount", "liquidationVolume", "badDebt"])
def test_set_breaker__thresholds__must_rise_strictly_from_one(world, set_breaker, refuses, field):
    set_breaker(**{field: (1, 2, 3, 4)})
    assert getattr(world.risk.call("breakerThresholds")[0], field) == (1, 2, 3, 4)
    for thresholds, value, least in (
        ((0, 2, 3, 4), 0, 1),
        ((1, 1, 3, 4), 1, 2),
        ((1, 5, 5, 6), 5, 6),
        ((1, 2, 9, 9), 9, 10),
        ((4, 3, 2, 1), 3, 5),
    ):
        with refuses("RiskParameters_OutOfBounds", word(field), value, least, MAX_AMOUNT):
            set_breaker(**{field: thresholds})


@pytest.mark.parametrize("field", ["liquidationVolume", "badDebt"])
def test_set_breaker__threshold_beyond_the_largest_amount__refused(set_breaker, refuses, field):
    set_breaker(**{field: (1, 2, 3, MAX_AMOUNT)})
    with refuses("RiskParameters_OutOfBounds", word(field), MAX_AMOUNT + 1, 4, MAX_AMOUNT):
        set_breaker(**{field: (1, 2, 3, MAX_AMOUNT + 1)})


@pytest.mark.parametrize("field", ["watchedPrices", "watchedPegs"])
def test_set_breaker__watches__at_most_eight(world, set_breaker, refuses, field):
    key = "prices" if field == "watchedPrices" else "pegs"
    names = [word(f"A{i}") for i in range(9)]
    receipt = set_breaker(**{key: names[:8]})
    assert getattr(world.risk.call("breakerThresholds"), field) == tuple(names[:8])
    [event] = world.risk.events(receipt)
    assert (event.name, getattr(event.args, field)) == ("BreakerConfigured", tuple(names[:8]))
    with refuses("RiskParameters_OutOfBounds", word(field), 9, 0, 8):
        set_breaker(**{key: names})


# ---------------------------------------------------------------------- who may


@pytest.mark.parametrize("caller", ["guardian", "alice", "keeper"])
def test_set__not_the_governor__refused(world, refuses, caller):
    sender = world.address(caller)
    risk = world.risk
    arguments = {
        "setMarket": (0, risk.call("marketTrading", 0), risk.call("marketLiquidation", 0)),
        "setCollateral": (1, risk.call("collateralConfig", 1)),
        "setCompartment": (risk.call("compartmentParameters"),),
        "setInterest": (risk.call("interestParameters"),),
        "setMargin": (risk.call("marginParameters"),),
        "setCorrelations": ([0],),
        "setDepthSource": (1, risk.address),
        "setBreaker": (risk.call("breakerTiming"), *risk.call("breakerThresholds")),
    }
    for function, values in arguments.items():
        with refuses("RoleRegistry_MissingRole", sender, GOVERNOR):
            risk.call(function, *values, sender=sender)


def test_deploy__parameters_out_of_bounds__refused(world, refuses):
    risk = world.risk
    parameters = risk.call("compartmentParameters")._replace(auctionDuration=59)
    thresholds, prices, pegs = risk.call("breakerThresholds")
    with pytest.raises(Exception, match="RiskParameters_OutOfBounds"):
        world.deploy(
            "RiskParameters",
            world.book.wiring,
            parameters,
            risk.call("interestParameters"),
            risk.call("marginParameters"),
            risk.call("orderParameters"),
            risk.call("poolParameters"),
            risk.call("breakerTiming"),
            thresholds,
            list(prices),
            list(pegs),
        )

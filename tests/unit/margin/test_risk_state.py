"""What adapts: maintenance rates and stress that follow, and the depth of a collateral's market."""

from __future__ import annotations

import pytest

WAD = 10**18
HOUR, DAY = 3_600, 86_400
ETH, BTC = 0, 1
WETH = 3
UNBOUNDED = 2**256 - 1
DEPTH = 100 * WAD
REST = WAD * 4 // 100
SPEED = WAD * 12 // 100
STRESS_SPEED = WAD // 2


@pytest.fixture
def poke(world):
    """Poke a market after some seconds; return the events."""

    def _poke(seconds: int = 1, market: int = ETH):
        world.after(seconds)
        receipt = world.valuer.transact("poke", market, sender=world.address("bob"))
        return [(e.name, *e.args) for e in world.valuer.events(receipt)]

    return _poke


@pytest.fixture
def rough(world, poke):
    """Both markets poked at rest; then tier 3: 7.5 % at once, 5 % in time, and a stress of 0.75."""
    poke()
    poke(market=BTC)
    world.raise_tier(3)
    return world


def rates(world, market: int = ETH):
    return tuple(world.valuer.call("marginRates", market))


def stress(world):
    return tuple(world.valuer.call("stressLevels"))


# ---------------------------------------------------------------------- rates and stress


def test_rates__calm__are_those_of_the_market(world):
    assert rates(world) == rates(world, BTC) == (WAD * 6 // 100, REST)
    assert stress(world) == (0, 0)


def test_rates__tier_rose__initial_at_once_and_maintenance_by_its_speed(rough):
    assert rates(rough)[0] == WAD * 75 // 1_000
    assert stress(rough)[0] == WAD * 3 // 4
    moved = rough.valuer.call("followedRatio", ETH)
    assert moved.value == REST
    for seconds in (600, 1_200):
        rough.rpc.mine(moved.movedAt + seconds)
        assert rates(rough)[1] == REST + SPEED * seconds // DAY


def test_rates__nobody_pokes__rise_by_an_hour_at_most(rough, poke):
    rough.skip(2 * HOUR)
    assert rates(rough)[1] == REST + SPEED * HOUR // DAY
    assert stress(rough)[1] == STRESS_SPEED * HOUR // DAY
    rough.skip(DAY)
    assert rates(rough)[1] == REST + SPEED * HOUR // DAY
    events = poke()
    assert events == [
        ("MaintenanceRateMoved", ETH, REST + SPEED * HOUR // DAY),
        ("StressMoved", STRESS_SPEED * HOUR // DAY),
    ]
    assert rates(rough)[1] == REST + SPEED * HOUR // DAY


def test_poke__every_hour__arrives_and_stays(rough, poke):
    poke()
    start = rough.valuer.call("followedRatio", ETH)
    poke(HOUR)
    assert rough.valuer.call("followedRatio", ETH).value == start.value + SPEED * HOUR // DAY
    poke(HOUR)
    arrived = rough.valuer.call("followedRatio", ETH)
    assert arrived.value == rates(rough)[1] == WAD * 5 // 100
    # What has arrived is not written again, and saves up for the next rise.
    assert [e[0] for e in poke(60)] == ["StressMoved"]
    assert rough.valuer.call("followedRatio", ETH) == arrived


def test_poke__twice_in_a_second__moves_once(rough, poke):
    assert [e[0] for e in poke(600)] == ["MaintenanceRateMoved", "StressMoved"]
    rough.freeze()
    receipt = rough.valuer.transact("poke", ETH, sender=rough.address("bob"))
    assert rough.valuer.events(receipt) == []


def test_poke__target_fell__maintenance_falls_at_once(rough, poke):
    poke(HOUR)
    assert rates(rough)[1] > REST
    calm = {f"ratioTier{i}": 10_000 for i in (1, 2, 3)} | {f"stressTier{i}": 0 for i in (1, 2, 3)}
    rough.set_margin(**calm)
    assert rates(rough) == (WAD * 6 // 100, REST)
    assert stress(rough) == (0, 0)
    assert poke() == [("MaintenanceRateMoved", ETH, REST), ("StressMoved", 0)]


def test_poke__one_market__leaves_the_other(rough, poke):
    poke(600)
    assert rough.valuer.call("followedRatio", ETH).value > REST
    assert rough.valuer.call("followedRatio", BTC).value == REST


def test_rates__governor_raises_the_least__at_once(world):
    world.set_market(ETH, maintenanceMarginRatio=WAD * 45 // 1_000)
    assert rates(world)[1] == WAD * 45 // 1_000


def test_rates__volatile__are_standard_deviations_of_the_horizon(world):
    world.set_market(ETH, volatilityMultiplier=2 * WAD, maxInitialMarginRatio=WAD)
    world.publish("ETH", 3_300 * WAD)
    volatility = world.oracle.call("volatility", b"ETH".ljust(32, b"\0"))
    assert volatility > WAD * 3 // 100
    expected = -(-2 * WAD * volatility // WAD)
    assert rates(world)[0] == expected > WAD * 6 // 100
    assert rates(world, BTC)[0] == WAD * 6 // 100


@pytest.mark.parametrize("function", ["poke", "marginRates"])
def test_market__not_listed__refused(world, refuses, function):
    with refuses("RiskParameters_UnknownMarket", 2):
        world.valuer.call(function, 2)


def test_closing_terms__no_position__refused(world, refuses):
    world.deposit("alice", 10_000 * 10**6)
    world.trade("alice", WAD)
    account = world.account("alice")
    with refuses("RiskEngine_NoExposure", account, BTC):
        world.valuer.call("closingTerms", account, BTC)
    terms = world.valuer.call("closingTerms", account, ETH)
    assert (terms.rate, terms.grossFloor, terms.grossRest) == (REST, 2_000, 0)


def test_requirement__tier_rose__hedge_is_distrusted_at_once_for_those_who_open(world):
    world.deposit("alice", 200_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.trade("alice", -5 * WAD, BTC)
    world.raise_tier(3)
    v = world.valuation("alice")
    ether, bitcoin = 300_000 * WAD, 300_000 * WAD
    initial = (ether * 75 // 1_000) ** 2 + (bitcoin * 75 // 1_000) ** 2
    initial -= 2 * (ether * 75 // 1_000) * (bitcoin * 75 // 1_000) * 75 * 25 // 10**4
    assert (v.initialMargin - 2) ** 2 < initial <= v.initialMargin**2
    # Maintenance trusts it nearly as before: 0.75 · (1 − what little of the stress has come).
    _, kept = stress(world)
    assert kept == STRESS_SPEED // 24
    one, other = (rates(world, market)[1] for market in (ETH, BTC))
    a, b = -(-ether * one // WAD), -(-bitcoin * other // WAD)
    units = -(-kept // 10**10)
    weight = 7_500 * (10**8 - units)
    asked = a * a + b * b - 2 * a * b * weight // 10**12
    assert (v.maintenanceMargin - 2) ** 2 < asked <= v.maintenanceMargin**2


def test_requirement__one_market_grew_rough__initial_is_never_below_maintenance(world):
    world.set_market(ETH, initialMarginRatio=WAD * 5 // 100)
    world.risk.transact("setCorrelations", [9_000], sender=world.governor)
    world.deposit("alice", 200_000 * 10**6)
    world.trade("alice", 100 * WAD)
    world.trade("alice", -25 * WAD // 10, BTC)
    # Those who open are asked for 9 % of bitcoin; those who are open still for 4 %.
    world.set_market(BTC, initialMarginRatio=WAD * 9 // 100)
    v = world.valuation("alice")
    ether, bitcoin = 12_000, 6_000
    kept = (ether**2 + bitcoin**2 - 2 * ether * bitcoin * 9 // 10) * WAD**2
    ether, bitcoin = 15_000, 13_500
    opened = (ether**2 + bitcoin**2 - 2 * ether * bitcoin * 9 // 10) * WAD**2
    assert opened < kept
    assert (v.maintenanceMargin - 2) ** 2 < kept <= v.maintenanceMargin**2
    assert v.initialMargin == v.maintenanceMargin


# ---------------------------------------------------------------------- depth


@pytest.fixture
def source(world):
    """A depth source of ether, in which the governor believes up to 100."""
    source = world.deploy("ScriptedDepth")
    world.risk.transact("setDepthSource", WETH, source.address, sender=world.governor)
    world.set_collateral(WETH, depth=DEPTH)
    return source


@pytest.fixture
def measure(world, source):
    """Let the source answer, and measure after some seconds; return the event's figures."""

    def _measure(depth: int, fails: bool = False, seconds: int = 2):
        source.transact("set", depth, fails, sender=world.governor)
        world.after(seconds - 1)
        receipt = world.valuer.transact("measureDepth", WETH, sender=world.address("bob"))
        [event] = world.valuer.events(receipt)
        assert (event.name, event.args.collateral) == ("DepthMeasured", WETH)
        state = world.valuer.call("depthState", WETH)
        figures = event.args.measured, event.args.kept
        assert tuple(state) == (*figures, world.now)
        return figures

    return _measure


def depths(world):
    return tuple(world.valuer.call("depths", WETH))


def test_depths__not_bounded__do_not_matter(world):
    assert depths(world) == (UNBOUNDED, UNBOUNDED)


def test_depths__never_measured__are_what_the_governor_believes(world, source):
    assert depths(world) == (DEPTH, DEPTH)


def test_measure_depth__more_than_believed__is_what_is_believed(world, measure):
    assert measure(2**256 - 1) == (DEPTH, DEPTH)
    assert depths(world) == (DEPTH, DEPTH)


@pytest.mark.parametrize(("answer", "fails"), [(40 * WAD, False), (0, False), (50 * WAD, True)])
def test_measure_depth__first__falls_at_once_for_those_who_open_alone(
    world, measure, answer, fails
):
    measured = 0 if fails else answer
    assert measure(answer, fails) == (measured, DEPTH)
    assert depths(world) == (measured, DEPTH)


def test_measure_depth__again__kept_falls_by_half_a_day_and_an_hour_at_most(world, measure):
    measure(0)
    kept = DEPTH - DEPTH // 2 * 600 // DAY
    assert measure(0, seconds=600) == (0, kept)
    kept -= kept * (WAD // 2) * HOUR // (DAY * WAD)
    assert measure(0, seconds=5 * HOUR) == (0, kept)
    assert depths(world) == (0, kept)


def test_measure_depth__deeper__rises_at_once(world, measure):
    measure(0)
    measure(0, seconds=HOUR)
    assert measure(99 * WAD) == (99 * WAD, 99 * WAD)
    assert depths(world) == (99 * WAD, 99 * WAD)


def test_depths__governor_believes_less__is_less_at_once(world, measure):
    measure(80 * WAD)
    world.set_collateral(WETH, depth=30 * WAD)
    assert depths(world) == (30 * WAD, 30 * WAD)


def test_measure_depth__no_source_or_not_listed__refused(world, refuses):
    with refuses("RiskEngine_NoDepthSource", WETH):
        world.valuer.call("measureDepth", WETH)
    with refuses("RiskParameters_UnknownCollateral", 9):
        world.valuer.call("measureDepth", 9)


def test_valuation__deep_and_shallow__collateral_counts_as_sold(world, measure):
    measure(80 * WAD)
    world.deposit("alice", 10 * WAD, WETH)
    # 10 at 3,000 less 8 %, sold into 80 for those who open, and into what is kept for maintenance.
    worth = 10 * 2_760 * WAD
    v = world.valuation("alice")
    assert (v.equityInitial, v.equityMaintenance) == (
        worth * 80 // 90,
        worth * DEPTH // (DEPTH + 10 * WAD),
    )
    world.deposit("bob", 30 * WAD, WETH)
    after = world.valuation("alice")
    # Together they would meet the market; but nobody else lowers what she is kept open on.
    assert after.equityInitial == worth * 80 // 120
    assert after.equityMaintenance == v.equityMaintenance


def test_valuation__no_depth_at_all__collateral_opens_nothing(world, measure):
    measure(0)
    world.deposit("alice", 10 * WAD, WETH)
    v = world.valuation("alice")
    assert v.equityInitial == 0
    assert v.equityMaintenance == 10 * 2_760 * WAD * DEPTH // (DEPTH + 10 * WAD)

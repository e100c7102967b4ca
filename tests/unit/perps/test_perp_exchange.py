"""Trading: fill prices, costs, realised results and the sums over positions, to the wei."""

from __future__ import annotations

import pytest

WAD = 10**18
ETH, BTC = 0, 1
VALID = 3
ANY = 2**255


def ceil_div(n, d):
    return -(-n // d)


@pytest.mark.parametrize("size", [10 * WAD + 1, -10 * WAD - 1])
@pytest.mark.parametrize("market", [ETH, BTC])
def test_trade__opens__at_the_mean_of_the_curve(world, fund, curve, fee_of, size, market):
    fund("alice")
    c = curve(market)
    before = world.totals()
    receipt = world.perps.transact(
        "trade",
        world.account("alice"),
        market,
        size,
        ANY if size > 0 else 0,
        sender=world.address("alice"),
    )
    quote = c.cost(0, size)
    fee = fee_of(abs(quote), market)
    [event] = world.perps.events(receipt, "Traded")
    assert tuple(event.args) == (
        world.account("alice"),
        market,
        size,
        quote,
        0,
        0,
        fee,
        (size, quote, 0),
    )
    assert tuple(world.position("alice", market)) == (size, quote, 0)
    state = world.perps.call("marketState", market)
    assert (state.openInterestLong, state.openInterestShort) == (max(0, size), max(0, -size))
    assert (state.quote, state.fundingUpdatedAt) == (quote, world.now)
    assert world.perps.call("markPrice", market) == c.mark(size)
    assert world.ledger("alice").cash == 3_000_000 * WAD - fee
    p = world.risk.call("compartmentParameters")
    to_insurance, to_pool = fee * p.insuranceFeeShare // WAD, fee * p.poolFeeShare // WAD
    assert world.totals() == before._replace(
        principal=before.principal - fee,
        insuranceCash=before.insuranceCash + to_insurance,
        poolCash=before.poolCash + to_pool,
        feeReserve=before.feeReserve + fee - to_insurance - to_pool,
    )
    unrealized = world.margin.call("marketUnrealized", market)
    assert tuple(unrealized) == (c.close_out(size, quote), world.now)
    # Only the wei that rounding took: a fresh position is worth what it cost.
    assert -ceil_div(abs(size), WAD) - 1 <= unrealized.unrealized <= 0


def test_trade__by_call__returns_the_fill(world, fund, curve):
    fund("alice")
    size = 7 * WAD + 3
    fill = world.perps.call(
        "trade", world.account("alice"), ETH, size, ANY, sender=world.address("alice")
    )
    c = curve()
    assert tuple(fill) == (c.cost(0, size), c.price(0, size), 0, 0, c.cost(0, size))


def test_trade__on_a_skewed_market__starts_where_the_last_ended(world, fund, curve):
    fund("alice", "bob")
    c = curve()
    world.trade("alice", 1_000 * WAD)
    assert world.trade("bob", 500 * WAD).quoteDelta == c.cost(1_000 * WAD, 500 * WAD)
    assert world.trade("bob", -800 * WAD).quoteDelta == c.cost(1_500 * WAD, -800 * WAD)
    assert world.perps.call("markPrice", ETH) == c.mark(700 * WAD)


def test_trade__in_one_or_in_many__costs_the_same_within_a_wei_per_unit(world, fund):
    fund("alice", "bob")
    snapshot = world.rpc.snapshot()
    whole = world.trade("alice", 1_000 * WAD).quoteDelta
    world.rpc.revert(snapshot)
    parts = [1, 333 * WAD, 500 * WAD - 2, 167 * WAD + 1]
    in_parts = sum(world.trade("alice", part).quoteDelta for part in parts)
    assert abs(in_parts - whole) <= 1_000 + len(parts)
    position = world.position("alice")
    assert (position.size, position.quote) == (1_000 * WAD, in_parts)


def test_trade__grows_a_position__adds_up_its_quote(world, fund, curve):
    fund("alice")
    c = curve()
    first = world.trade("alice", -10 * WAD)
    second = world.trade("alice", -5 * WAD)
    assert second.realizedPnl == 0
    assert second.position.quote == c.cost(0, -10 * WAD) + c.cost(-10 * WAD, -5 * WAD)
    assert second.position.size == -15 * WAD
    assert first.quoteDelta < 0


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__partial_close__realises_its_share(world, fund, curve, sign):
    fund("alice")
    opened = world.trade("alice", sign * 7 * WAD).quoteDelta
    world.publish("ETH", 3_300 * WAD)
    c = curve()
    before = world.ledger("alice").cash
    args = world.trade("alice", -sign * 3 * WAD)

    cost = c.cost(sign * 7 * WAD, -sign * 3 * WAD)
    closed_quote = opened * 3 // 7
    pnl = -closed_quote - cost
    assert (args.quoteDelta, args.realizedPnl, args.fundingPaid) == (cost, pnl, 0)
    assert tuple(args.position) == (sign * 4 * WAD, opened - closed_quote, 0)
    assert (pnl > 0) == (sign > 0)
    entry = world.ledger("alice")
    if sign > 0:
        assert (entry.claim, entry.cash) == (pnl, before - args.fee)
    else:
        assert (entry.claim, entry.cash) == (0, before + pnl - args.fee)


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__full_close__leaves_nothing(world, fund, curve, sign):
    fund("alice")
    opened = world.trade("alice", sign * 7 * WAD).quoteDelta
    world.publish("ETH", 2_700 * WAD)
    c = curve()
    args = world.trade("alice", -sign * 7 * WAD)
    assert args.realizedPnl == -opened - c.cost(sign * 7 * WAD, -sign * 7 * WAD)
    assert tuple(world.position("alice")) == (0, 0, 0)
    state = world.perps.call("marketState", ETH)
    assert (state.openInterestLong, state.openInterestShort, state.quote) == (0, 0, 0)
    assert state.fundingEntryProduct == 0
    assert world.margin.call("marketUnrealized", ETH).unrealized == 0
    assert world.perps.call("exposuresOf", world.account("alice")) == ()


@pytest.mark.parametrize("sign", [1, -1])
def test_trade__flip_through_zero__closes_all_and_opens_the_rest(world, fund, curve, sign):
    fund("alice")
    held, traded = sign * (7 * WAD + 1), -sign * (10 * WAD + 6)
    opened = world.trade("alice", held).quoteDelta
    world.publish("ETH", 3_100 * WAD)
    c = curve()
    args = world.trade("alice", traded)

    cost = c.cost(held, traded)
    closing = ceil_div(cost * abs(held), abs(traded))
    assert cost * abs(held) % abs(traded)  # The split has a remainder, which is rounded up.
    assert args.quoteDelta == cost
    assert args.realizedPnl == -opened - closing
    left = held + traded
    assert tuple(args.position) == (left, cost - closing, 0)
    state = world.perps.call("marketState", ETH)
    assert (state.openInterestLong, state.openInterestShort) == (max(0, left), max(0, -left))
    assert state.quote == cost - closing


def test_trade__two_markets__are_kept_apart(world, fund, curve):
    fund("alice")
    eth, btc = curve(ETH), curve(BTC)
    world.trade("alice", 5 * WAD, ETH)
    world.trade("alice", -2 * WAD, BTC)
    world.trade("alice", 1 * WAD, ETH, sub=0)
    assert world.position("alice", ETH).quote == eth.cost(0, 5 * WAD) + eth.cost(5 * WAD, WAD)
    assert world.position("alice", BTC).quote == btc.cost(0, -2 * WAD)
    exposures = world.perps.call("exposuresOf", world.account("alice"))
    assert [e.market for e in exposures] == [ETH, BTC]


def test_exposures_of__position__at_index_and_mark(world, fund, curve):
    fund("alice", "bob")
    world.trade("bob", -700 * WAD)
    opened = world.trade("alice", 100 * WAD).quoteDelta
    world.publish("ETH", 3_100 * WAD + 7)
    c = curve()
    p = world.risk.call("marketTrading", ETH)
    skew = -600 * WAD
    notional = ceil_div(100 * WAD * c.index, WAD)
    # Funding accrued since the last trade, by hand: the premium's velocity over some seconds.
    [exposure] = world.perps.call("exposuresOf", world.account("alice"))
    state = world.perps.call("marketState", ETH)
    elapsed = world.now - state.fundingUpdatedAt
    premium = skew * WAD // c.scale
    speed = -(-premium * p.maxFundingVelocity // p.premiumScale)
    rate = -(-(speed * elapsed) // 86_400) + state.fundingRate
    doubled = (state.fundingRate + rate) * elapsed
    cumulative = state.cumulativeFundingPerUnit + doubled * c.index // (2 * 86_400 * WAD)
    entry = world.position("alice").fundingEntry
    pnl = 100 * WAD * (c.mark(skew) - cumulative + entry) // WAD - opened
    assert tuple(exposure) == (
        ETH,
        p.indexAsset,
        notional,
        pnl,
        100 * WAD * (c.index - cumulative + entry) // WAD - opened,
        ceil_div((100 * WAD) ** 2 * c.index, 2 * c.scale * WAD),
        VALID,
    )
    [short] = world.perps.call("exposuresOf", world.account("bob"))
    assert short.notional == -ceil_div(700 * WAD * c.index, WAD)


def test_preview_trade__any__equals_the_trade_in_the_same_second(world, fund):
    fund("alice", "bob")
    world.trade("bob", -700 * WAD)
    world.skip(100)
    for size in (50 * WAD, -20 * WAD - 1, -60 * WAD, 29 * WAD + 1):
        world.skip(1)
        fill, fee = world.perps.call("previewTrade", world.account("alice"), ETH, size)
        world.freeze()
        args = world.trade("alice", size)
        assert (fill.quoteDelta, fill.realizedPnl, fill.fundingPaid) == (
            args.quoteDelta,
            args.realizedPnl,
            args.fundingPaid,
        )
        assert (fee, fill.notional) == (args.fee, abs(args.quoteDelta))


@pytest.mark.parametrize("function", ["previewTrade", "trade"])
def test_trade__size_of_zero_or_too_large__refused(world, fund, refuses, function):
    fund("alice")
    rest = (ANY,) if function == "trade" else ()
    alice = world.address("alice")
    with refuses("PerpExchange_ZeroSize"):
        world.perps.call(function, world.account("alice"), ETH, 0, *rest, sender=alice)
    for size in (10**36 + 1, -(10**36) - 1):
        with refuses("PerpExchange_SizeTooLarge", size, 10**36):
            world.perps.call(function, world.account("alice"), ETH, size, *rest, sender=alice)


def test_trade__account_of_another__refused(world, fund, refuses):
    fund("alice")
    account, bob = world.account("alice"), world.address("bob")
    with refuses("AccountOperators_NotAuthorized", account, bob, 2):
        world.perps.call("trade", account, ETH, WAD, ANY, sender=bob)


def test_trade__unknown_market__refused(world, fund, refuses):
    fund("alice")
    with refuses("RiskParameters_UnknownMarket", 2):
        world.trade("alice", WAD, market=2)


@pytest.mark.parametrize("size", [10 * WAD, -10 * WAD])
def test_trade__limit__is_met_to_the_wei(world, fund, curve, refuses, size):
    fund("alice")
    account, alice = world.account("alice"), world.address("alice")
    price = curve().price(0, size)
    too_tight = price - 1 if size > 0 else price + 1
    with refuses("PerpExchange_PriceNotAcceptable", price, too_tight):
        world.perps.call("trade", account, ETH, size, too_tight, sender=alice)
    world.perps.call("trade", account, ETH, size, price, sender=alice)


def test_trade__initial_margin__is_needed_to_the_wei(world, curve, fee_of, refuses):
    size = 10 * WAD
    c = curve()
    quote = c.cost(0, size)
    notional = ceil_div(size * c.index, WAD)
    required = ceil_div(notional * world.risk.call("marketTrading", ETH).initialMarginRatio, WAD)
    loss = size * c.mark(size) // WAD - quote - ceil_div(size * size * c.index, 2 * c.scale * WAD)
    # Equity is cash less fee and the wei of rounding.
    needed = required + fee_of(quote) - min(0, loss)
    tokens = ceil_div(needed, 10**12)
    world.deposit("alice", tokens - 1)
    account, alice = world.account("alice"), world.address("alice")
    equity = (tokens - 1) * 10**12 - fee_of(quote) + min(0, loss)
    with refuses("MarginEngine_BelowInitialMargin", account, equity, required):
        world.perps.call("trade", account, ETH, size, ANY, sender=alice)
    world.deposit("alice", 1)
    world.trade("alice", size)


def test_trade__reduction__needs_no_margin(world, refuses):
    world.deposit("alice", 2_000 * 10**6)
    world.trade("alice", 10 * WAD)
    world.publish("ETH", 2_700 * WAD)
    assert world.valuation("alice").equityMaintenance < 0
    with refuses("MarginEngine_BelowInitialMargin"):
        world.trade("alice", 1)
    with refuses("MarginEngine_BelowInitialMargin"):
        world.trade("alice", -10 * WAD - 1)
    world.trade("alice", -4 * WAD)
    world.trade("alice", -6 * WAD)
    assert world.position("alice").size == 0
    assert world.ledger("alice").cash < 0

"""Keepers send what works and nothing else."""

from __future__ import annotations

from dataclasses import replace
from random import Random

from bulkhead.agents.keepers import (
    AuctionKeeper,
    FeedPublisher,
    LiquidationKeeper,
    OracleKeeper,
    OrderKeeper,
)
from bulkhead.agents.view import WAD, OutsidePrices, PendingOrder, PositionState, account_id

KEEPER, ALICE, BOB = ("0x" + f"{i:02x}" * 20 for i in (0xEE, 0xA1, 0xB0))
RNG = Random(0)


def with_accounts(view, *accounts, **changes):
    return replace(view, accounts={a.account: a for a in accounts}, **changes)


def test_publisher__first_time__publishes_every_feed_in_its_decimals(view) -> None:
    publisher = FeedPublisher(KEEPER, {"ETH": ("ETH-1", "ETH-2"), "LST/ETH": ("LST/ETH-1",)})
    sent = publisher.act(view, RNG)
    assert [(t.contract, t.args[0]) for t in sent] == [
        ("ETH-1", 3_000 * 10**8),
        ("ETH-2", 3_000 * 10**8),
        ("LST/ETH-1", 10**18),
    ]


def test_publisher__small_move__waits_for_the_heartbeat(view) -> None:
    publisher = FeedPublisher(KEEPER, {"ETH": ("ETH-1",)}, deviation=0.01, heartbeat_seconds=600)
    publisher.act(view, RNG)
    near = replace(view, outside=OutsidePrices(3_010.0, 60_000.0, 1.0))
    assert publisher.act(near, RNG) == []
    far = replace(view, outside=OutsidePrices(3_060.0, 60_000.0, 1.0))
    assert len(publisher.act(far, RNG)) == 1
    later = replace(far, timestamp=view.timestamp + 600)
    assert len(publisher.act(later, RNG)) == 1


def test_oracle_keeper__records_before_it_pokes(view) -> None:
    sent = OracleKeeper(KEEPER, [b"ETH"], [b"LST"], [0, 1]).act(view, RNG)
    assert [t.function for t in sent] == ["record", "poke", "poke", "poke"]
    assert [t.contract for t in sent[1:]] == ["PegMonitor", "PerpExchange", "PerpExchange"]


def unhealthy(account, owner: str, equity: int, **changes):
    positions = changes.pop("positions", (PositionState(0, WAD, 0, 0),))
    return account(
        owner,
        equity_maintenance=equity,
        maintenance_margin=100 * WAD,
        positions=positions,
        **changes,
    )


def test_liquidation_keeper__healthy_accounts__are_not_touched(view, account) -> None:
    fine = unhealthy(account, ALICE, 100 * WAD)
    assert LiquidationKeeper(KEEPER).act(with_accounts(view, fine), RNG) == []


def test_liquidation_keeper__worst_first_and_largest_position_only(view, account) -> None:
    small, large = PositionState(0, WAD, 0, 0), PositionState(1, -WAD, 0, 0)
    worse = unhealthy(account, ALICE, 10 * WAD, positions=(small, large))
    better = unhealthy(account, BOB, 50 * WAD)
    sent = LiquidationKeeper(KEEPER).act(with_accounts(view, better, worse), RNG)
    assert [t.args for t in sent] == [(worse.account, 1), (better.account, 0)]


def test_liquidation_keeper__bankrupt__closes_every_position(view, account) -> None:
    both = (PositionState(0, WAD, 0, 0), PositionState(1, WAD, 0, 0))
    gone = unhealthy(account, ALICE, -1, positions=both)
    sent = LiquidationKeeper(KEEPER).act(with_accounts(view, gone), RNG)
    assert [t.args[1] for t in sent] == [1, 0]


def test_liquidation_keeper__what_fails_in_simulation__is_not_sent(view, account) -> None:
    gone = unhealthy(account, ALICE, 0)
    seen = with_accounts(view, gone, simulate=lambda ts: ["LiquidationEngine_Healthy"] * len(ts))
    assert LiquidationKeeper(KEEPER).act(seen, RNG) == []


def indebted(account, **changes):
    return unhealthy(account, ALICE, 10 * WAD, cash=-500 * WAD, positions=(), **changes)


def test_auction_keeper__debt_and_collateral__starts_an_auction(view, account) -> None:
    state = indebted(account, collateral_tokens=(WAD, 0, 0), collateral_maintenance=2_850 * WAD)
    sent = AuctionKeeper(KEEPER, dust=WAD).act(with_accounts(view, state), RNG)
    assert [(t.function, t.args) for t in sent] == [("startAuction", (state.account, 1))]


def test_auction_keeper__running_auction__takes_the_largest_lot_that_pays(view, account) -> None:
    state = indebted(account, collateral_tokens=(100, 0, 0), collateral_maintenance=2_850 * WAD)

    def simulate(transactions):
        fits = {"take": lambda t: t.args[2] <= 50, "startAuction": lambda t: False}
        return [None if fits[t.function](t) else "Unprofitable" for t in transactions]

    seen = with_accounts(view, state, auctions={(state.account, 1): 1}, simulate=simulate)
    [sent] = AuctionKeeper(KEEPER, dust=WAD).act(seen, RNG)
    assert (sent.contract, sent.args[2]) == ("UniswapV3AuctionCallee", 50)
    tokens = [view.pools["LST/WETH"].base, view.pools["LST/WETH"].quote]
    assert sent.args[3].startswith(bytes.fromhex(tokens[0][2:]))
    assert bytes.fromhex(tokens[1][2:]) in sent.args[3]


def test_auction_keeper__token_without_a_pool__is_bought_with_her_own_cash(view, account) -> None:
    state = indebted(account, collateral_tokens=(0, 100, 0), collateral_maintenance=2_850 * WAD)
    seen = with_accounts(view, state, auctions={(state.account, 2): 1})
    takes = [
        t for t in AuctionKeeper(KEEPER, dust=WAD).act(seen, RNG) if t.purpose == "take auction"
    ]
    [sent] = takes
    assert (sent.contract, sent.function) == ("LiquidationEngine", "takeAuction")
    assert sent.args[3] < 60_000 * WAD, "never above the price outside"


def test_auction_keeper__nothing_left__writes_off(view, account) -> None:
    state = indebted(account)
    [sent] = AuctionKeeper(KEEPER, dust=WAD).act(with_accounts(view, state), RNG)
    assert (sent.function, sent.args) == ("writeOff", (state.account,))


def test_auction_keeper__debt_repaid__ends_the_auction(view, account) -> None:
    state = account(ALICE, collateral_tokens=(5, 0, 0))
    seen = with_accounts(view, state, auctions={(state.account, 1): 1})
    [sent] = AuctionKeeper(KEEPER, dust=WAD).act(seen, RNG)
    assert sent.function == "endAuction"


def test_liquidation_keeper__below_on_the_curve_alone__is_not_touched(account) -> None:
    pushed = unhealthy(account, "0x" + "11" * 20, 90 * WAD, buffer_at_index=1)
    assert not pushed.is_unhealthy


def test_order_keeper__settles_at_once_what_works_and_triggers_what_is_reached(view) -> None:
    now, mine = view.timestamp, account_id(ALICE)

    def order(number, settle_from, expires_at=now + 9, trigger=0, is_above=False):
        return PendingOrder(number, mine, 0, WAD, settle_from, expires_at, trigger, is_above)

    orders = (
        order(1, now),
        order(2, now + 1),
        order(3, now - 5),
        order(4, 0, now - 1, 3_000 * WAD),
        order(5, 0, trigger=3_000 * WAD),
        order(6, 0, trigger=3_000 * WAD - 1),
        order(7, 0, trigger=3_000 * WAD + 1, is_above=True),
        order(8, 0, trigger=3_000 * WAD, is_above=True),
    )

    def simulate(wanted):
        return ["DelayedOrders_TooEarly" if t.args[0] == 3 else None for t in wanted]

    sent = OrderKeeper(KEEPER).act(replace(view, orders=orders, simulate=simulate), RNG)
    assert [(t.function, t.args) for t in sent] == [
        ("trigger", (5,)),
        ("trigger", (8,)),
        ("settleMany", ([1, 4], account_id(KEEPER))),
    ]
    assert OrderKeeper(KEEPER).act(view, RNG) == []

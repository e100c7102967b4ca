"""Worlds of the model, and a driver that turns drawn numbers into plausible calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from bulkhead.model import invariants, presets
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import WAD
from bulkhead.model.types import (
    SETTLEMENT,
    AccountId,
    address,
    owner_of,
    pack,
)
from bulkhead.model.world import World

USDC = 10**6
TRADERS = tuple(address(number) for number in range(1, 4))
LP, STAKER, KEEPER = address(11), address(12), address(13)
STETH, CBTC = address(0xA1), address(0xA2)
ASSETS = ("ETH", "BTC")
CALLS = (
    *("deposit", "withdraw", "convert", "poke", "breaker", "write_off"),
    *("trade", "trade", "trade", "trade", "close", "close", "price", "price", "crash"),
    *("advance", "advance", "liquidate", "liquidate", "liquidate", "start_auction"),
    *("start_auction", "take_auction", "take_auction", "end_auction"),
    *("pool_deposit", "pool_request", "pool_redeem", "fund_deposit", "fund_redeem", "accrue"),
)


def build_world(depth: int = 1, **kwargs: object) -> World:
    """Two markets (2000, 40000), a pegged and an oracle-priced collateral, funded people.

    The markets' scales are 10 000 and 500 times ``depth``.
    """
    world = World(**kwargs)  # type: ignore[arg-type]
    world.oracle.set("ETH", 2_000 * WAD)
    world.oracle.set("BTC", 40_000 * WAD)
    world.oracle.set("CBTC", 40_000 * WAD)
    world.peg.set("STETH", 2_000 * WAD, haircut=WAD // 20)
    parameters, governor = world.risk_parameters, world.governor
    parameters.set_market(
        governor, 0, presets.market("ETH", 10_000 * depth * WAD), presets.LIQUIDATION
    )
    parameters.set_market(
        governor, 1, presets.market("BTC", 500 * depth * WAD), presets.LIQUIDATION
    )
    steth, cbtc = world.create_token(STETH, 18), world.create_token(CBTC, 8)
    parameters.set_collateral(governor, 1, presets.collateral(STETH, 18, "STETH", pegged=True))
    parameters.set_collateral(governor, 2, presets.collateral(CBTC, 8, "CBTC"))
    for holder in (*TRADERS, LP, STAKER, KEEPER):
        world.fund(holder, 10**8 * USDC)
        world.fund(holder, 10**5 * WAD, steth)
        world.fund(holder, 10**4 * 10**8, cbtc)
    return world


def seed_pools(world: World, pool: int = 10**6, fund: int = 10**5) -> World:
    """Deposit whole settlement tokens into the pool and the insurance fund."""
    world.liquidity_vault.deposit(LP, pool * USDC, LP)
    world.insurance_fund.deposit(STAKER, fund * USDC, STAKER)
    return world


@dataclass
class Driver:
    """Makes calls out of small numbers, and checks every invariant after each.

    A call is ``(name, who, what, amount)`` with an amount in [0, 10^6]: a fraction of whatever it
    is about. Reverts are part of the game; ``done`` counts what went through.
    """

    world: World
    done: dict[str, int] = field(default_factory=dict)
    violations: list[invariants.Violation] = field(default_factory=list)

    def open_positions(self) -> Driver:
        """Give two traders cash, one only collateral, and each a position at about 14x."""
        for who, what in ((0, 0), (1, 0), (2, 1)):
            self.run("deposit", who, what, 200_000)
            self.run("trade", who, 2 * who, 850_000)
        return self

    def run(self, name: str, who: int, what: int, amount: int) -> None:
        world = self.world
        if name == "liquidate":  # judge on figures of this moment, as the call itself does
            for market in (0, 1):
                world.perp_exchange.poke(KEEPER, market)
        before = invariants.snapshot(world)
        unhealthy = self._unhealthy()
        actor = (KEEPER, LP, STAKER)[who % 3]
        if name in ("deposit", "withdraw", "trade", "close", "convert"):
            actor = TRADERS[who % 3]
        account = pack(TRADERS[who % 3])
        world.events.clear()
        try:
            world.execute(lambda: self._call(name, actor, account, what, amount))
        except ModelRevert:
            self._add(*self._check_unchanged(before))
            return
        self.done[name] = self.done.get(name, 0) + 1
        after = invariants.snapshot(world)
        self._add(*invariants.check_state(after), invariants.vlt_1(world))
        self._add(invariants.led_1(before, after, actor, unhealthy))
        self._add(invariants.int_1_step(before, after))

    def _call(self, name: str, actor: str, account: AccountId, what: int, amount: int) -> None:
        world = self.world
        engine, exchange = world.margin_engine, world.perp_exchange
        liquidation = world.liquidation_engine
        market, collateral = what % 2, what % 3
        a = engine.account_ledger(account)
        if name == "deposit":
            most = (100_000 * USDC, 50 * WAD, 2 * 10**8)[collateral]
            engine.deposit(actor, account, collateral, 1 + most * amount // 10**6)
        elif name == "withdraw":
            held = engine.collateral_balance(account, collateral)
            if collateral == SETTLEMENT:
                held = max(a.cash, 0) // 10**12
            engine.withdraw(actor, account, collateral, 1 + held * amount // 10**7, actor)
        elif name == "trade":
            price, _ = exchange.index_price(market)
            v = engine.valuation(account)
            notional = max(v.equity_initial, 0) * 16 * amount // 10**6
            size = (1 + notional * WAD // price) * (1 if what % 4 < 2 else -1)
            exchange.trade(actor, account, market, size, 2**200 if size > 0 else 0)
            self._add(invariants.mar_1(engine.valuation(account)) if self._raised() else None)
        elif name == "close":
            size = -exchange.position(account, market).size * (amount + 1) // 10**6
            exchange.trade(actor, account, market, size, 2**200 if size > 0 else 0)
        elif name == "convert":
            exchange.poke(actor, 0)
            exchange.poke(actor, 1)
            before = invariants.snapshot(world)
            burned = 1 + engine.matured_claim(account) * amount // (10**6 + 1)
            paid = engine.convert(actor, account, burned)
            after = invariants.snapshot(world)
            self._add(invariants.led_3_conversion(before, after, burned, paid))
        elif name == "accrue":
            owed = -min(a.cash, 0)
            engine.accrue_interest(actor, account)
            assert engine.booked_debt(account)[0] == -min(engine.account_ledger(account).cash, 0)
            assert engine.booked_debt(account)[0] == owed
        elif name == "poke":
            before = invariants.snapshot(world)
            exchange.poke(actor, market)
            if market in before.markets:
                self._add(invariants.fun_1(before, invariants.snapshot(world), market))
        elif name in ("price", "crash"):
            price, _ = exchange.index_price(market)
            # Up to ±5 %, or ±25 %.
            span = 10 if name == "price" else 2
            moved = price * (10**6 - 500_000 // span + amount // span) // 10**6
            world.oracle.set(ASSETS[market], max(WAD, moved))
            price, _ = exchange.index_price(0)
            world.peg.set("STETH", price, haircut=WAD // 20)
            world.oracle.set("CBTC", exchange.index_price(1)[0])
        elif name == "advance":
            world.now += 1 + amount // 50
        elif name == "liquidate":
            self._liquidate(actor, account, market)
        elif name == "start_auction":
            liquidation.start_auction(actor, account, self._collateral(account, what))
        elif name == "take_auction":
            account, collateral = self._auction(account, what)
            equity = engine.valuation(account).equity_maintenance
            held = engine.collateral_balance(account, collateral)
            most = 1 + held * amount // 10**6
            liquidation.take_auction(actor, account, collateral, most, 2**127, actor)
            if engine.valuation(account).equity_maintenance < equity:
                self._add(invariants.Violation("LIQ-2", "an auction lowered equity"))
        elif name == "end_auction":
            account, collateral = self._auction(account, what)
            debt = max(-engine.account_ledger(account).cash, 0)
            if debt and amount % 2:
                engine.deposit(owner_of(account), account, SETTLEMENT, debt // 10**12 + 1)
            liquidation.end_auction(actor, account, collateral)
        elif name == "write_off":
            totals = engine.totals()
            receipt = liquidation.write_off(actor, account)
            self._add(invariants.ins_1(receipt, totals, engine.unrealized_totals()))
        elif name in ("pool_deposit", "fund_deposit"):
            vault = world.liquidity_vault if name == "pool_deposit" else world.insurance_fund
            assets = 1 + amount * USDC // 10
            shares = vault.preview_deposit(assets)
            if vault.deposit(actor, assets, actor) != shares:
                self._add(invariants.Violation("VLT-1", "preview_deposit is not exact"))
        elif name == "pool_request":
            held = world.liquidity_vault.balance_of(actor)
            world.liquidity_vault.request_redeem(actor, 1 + held * amount // (10**6 + 1))
        elif name in ("pool_redeem", "fund_redeem"):
            vault = world.liquidity_vault if name == "pool_redeem" else world.insurance_fund
            shares = 1 + vault.balance_of(actor) * amount // (10**6 + 1)
            assets = vault.preview_redeem(shares)
            if vault.redeem(actor, shares, actor, actor) != assets:
                self._add(invariants.Violation("VLT-1", "preview_redeem is not exact"))
        else:
            world.circuit_breaker.poke(actor)

    def _liquidate(self, actor: str, account: AccountId, market: int) -> None:
        world = self.world
        engine = world.margin_engine
        before = engine.valuation(account)
        ratio = engine.haircut_ratio()
        plan = world.liquidation_engine.preview_liquidate(account, market)
        held = world.perp_exchange.position(account, market).size
        size, _ = world.liquidation_engine.liquidate(actor, account, market)
        after = engine.valuation(account)
        if size != plan.size_delta:
            self._add(invariants.Violation("LIQ-2", f"planned {plan.size_delta}, did {size}"))
        # A profit may have been covered by losses that others have not realised: h itself falls.
        if engine.haircut_ratio() < ratio:
            return
        self._add(invariants.liq_2(before, after))
        if size != -held and before.equity_maintenance > 0:
            target = world.risk_parameters.compartment_parameters().target_health
            short = after.maintenance_margin * target // WAD - after.equity_maintenance
            # Mark and fill price are rounded by a wei per unit, requirement and penalty by a few.
            if short > 10 + 3 * abs(held) // WAD:
                self._add(invariants.Violation("LIQ-2", f"target health missed by {short}"))

    def _collateral(self, account: AccountId, what: int) -> int:
        """A collateral that the account holds, if any."""
        mask = self.world.margin_engine.account_ledger(account).collateral_mask
        held = [i for i in (1, 2) if mask >> i & 1]
        return held[what % len(held)] if held else 1

    def _auction(self, account: AccountId, what: int) -> tuple[AccountId, int]:
        """A running auction, if any."""
        started_at = self.world.liquidation_engine.auction_started_at
        running = [(pack(t), i) for t in TRADERS for i in (1, 2) if started_at(pack(t), i)]
        return running[what % len(running)] if running else (account, 1)

    def _raised(self) -> bool:
        (traded,) = [e for e in self.world.events if e.name == "Traded"]
        delta, position = traded.args["sizeDelta"], traded.args["position"]
        size = position.size - delta  # type: ignore[attr-defined, operator]
        return not (size * delta < 0 and abs(delta) <= abs(size))  # type: ignore[arg-type, operator]

    def _unhealthy(self) -> frozenset[AccountId]:
        engine = self.world.liquidation_engine
        accounts = map(pack, TRADERS)
        return frozenset(account for account in accounts if engine.is_liquidatable(account))

    def _check_unchanged(self, before: invariants.Snapshot) -> list[invariants.Violation]:
        if invariants.snapshot(self.world) == before and not self.world.events:
            return []
        return [invariants.Violation("ATOM", "a reverted call left something behind")]

    def _add(self, *found: invariants.Violation | None) -> None:
        self.violations += [violation for violation in found if violation is not None]


@pytest.fixture(scope="session")
def make_world() -> Callable[..., World]:
    """Builds a world without liquidity."""
    return build_world


@pytest.fixture(scope="session")
def make_seeded_world() -> Callable[..., World]:
    """Builds a world with a million in the pool and a hundred thousand in the insurance fund."""

    def build(pool: int = 10**6, fund: int = 10**5, **kwargs: object) -> World:
        return seed_pools(build_world(**kwargs), pool, fund)

    return build


@pytest.fixture(scope="session")
def make_driver() -> Callable[..., Driver]:
    """Builds a driver over a seeded world with three leveraged traders."""

    def build(pool: int = 10**6, fund: int = 10**5) -> Driver:
        return Driver(seed_pools(build_world(depth=10), pool, fund)).open_positions()

    return build

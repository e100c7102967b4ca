"""EXIT-1: once the world is calm, everybody can close, convert, withdraw and leave."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import BLOCK_SECONDS, Call, Operation, Step
from bulkhead.fuzz.suite.feed_operations import repairs
from bulkhead.fuzz.suite.fields import MARKETS
from bulkhead.fuzz.suite.token_operations import taming
from bulkhead.model import token_scale
from bulkhead.model.delayed_order_types import REDUCE_ONLY
from bulkhead.model.math import UINT256_MAX
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.policy import HALT
from bulkhead.model.reverts import LiquidationEngine_Offsetting
from bulkhead.model.types import SETTLEMENT, AccountId, Address, owner_of, pack

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.fuzz.suite.universe import Universe

EXIT = "EXIT-1"
MOST_CALLS = 250
"""Calls of a sequence at most: executors do not take many more."""
_SLACK = 300
"""Seconds for which prices are to stay good."""


@dataclass(frozen=True, slots=True)
class CalmDown(Operation):
    """Time passes, feeds report what makes sense, and the breaker takes one step towards calm."""

    weight = 5

    def resolve(self, u: Questions) -> Step | None:
        if is_calm(u):
            return None
        seconds = _patience(u)
        return Step(tuple(self._calls(u, u.now + seconds + _SLACK)), seconds)

    def _calls(self, u: Questions, at: int) -> Iterator[Call]:
        yield from taming(u)
        yield from repairs(u, at)
        fair, market = u.model.lst.rate(), u.answer(u.feeds_of("LST/ETH")[0])
        if market < fair:
            for name in u.feeds_of("LST/ETH"):
                yield u.report(name, fair)
            yield Call(u.keeper, "PegMonitor", "poke", ("LST",))
        yield Call(u.keeper, "CircuitBreaker", "poke")
        pool = u.model.liquidity_vault
        for holder in _holders(u):
            if shares := u.unrequested(pool, holder):
                yield Call(holder, "LiquidityVault", "requestRedeem", (shares,))


@dataclass(frozen=True, slots=True)
class EveryoneCloses(Operation):
    """In a calm world every position is closed, and debts are worked off as far as that goes."""

    weight = 1

    def resolve(self, u: Questions) -> Step | None:
        count = sum(len(u.markets_of(a)) + len(u.collaterals_of(a)) for a in u.accounts)
        # Two calls each, a write-off for each account, and the pokes.
        if u.played + 2 * count + len(u.accounts) + 2 > MOST_CALLS or not is_calm(u):
            return None
        return Step(self._calls(u), apart=0)

    def verdict(self, u: Universe, judged: Sequence[Judged]) -> Iterator[Violation]:  # noqa: ARG002
        stuck = judged[-1].after.snapshot.positions
        if stuck:
            yield Violation(EXIT, f"positions that could not be closed: {sorted(stuck)}")

    def _calls(self, u: Questions) -> Iterator[Call]:
        for market in range(MARKETS):
            yield Call(u.keeper, "PerpExchange", "poke", (market,))
        for account in u.accounts:
            for market in u.markets_of(account):
                if u.is_unhealthy(account) and not _offsets(u, account, market):
                    args = (account, market)
                    yield Call(u.keeper, "LiquidationEngine", "liquidate", args)
        for account in u.accounts:
            for market in u.markets_of(account):
                yield _close(u, account, market)
        for account in u.accounts:
            yield from _settle_debt(u, account)


def _offsets(u: Questions, account: AccountId, market: int) -> bool:
    """Return whether no part of a position may be liquidated, as it offsets the others."""
    try:
        u.model.liquidation_engine.preview_liquidate(account, market)
    except LiquidationEngine_Offsetting:
        return True
    return False


@dataclass(frozen=True, slots=True)
class EveryoneLeaves(Operation):
    """In a calm world without positions everybody takes out all that the ledger says is theirs."""

    weight = 1

    def resolve(self, u: Questions) -> Step | None:
        count = sum(len(u.collaterals_of(a)) for a in u.accounts)
        # Two calls to repay, a conversion and a withdrawal for each account, shares, and the pokes.
        if u.played + count + 4 * len(u.accounts) + 15 > MOST_CALLS or not is_calm(u):
            return None
        if any(map(u.markets_of, u.accounts)) or _orders_end(u) > u.now:
            return None
        return Step(self._calls(u), apart=0)

    def verdict(self, u: Universe, judged: Sequence[Judged]) -> Iterator[Violation]:  # noqa: ARG002
        end = judged[-1].after.snapshot
        for account, a in end.accounts.items():
            left = sum(n for (owner, _), n in end.collateral.items() if owner == account)
            # Whoever still owes could not pay; less than a token unit cannot be paid out.
            if a.cash >= 0 and (a.cash >= 10**12 or a.claim or left):
                message = f"{account:#066x} is left with {a.cash}, a claim {a.claim}, {left}"
                yield Violation(EXIT, message)

    def _calls(self, u: Questions) -> Iterator[Call]:
        for market in range(MARKETS):
            yield Call(u.keeper, "PerpExchange", "poke", (market,))
        ids = [i for i, o in u.model.delayed_orders.open_orders.items() if o.expires_at < u.now]
        if ids:
            yield Call(u.keeper, "DelayedOrders", "settleMany", (ids, pack(u.keeper, 0)))
        for account in u.accounts:
            yield from _repay(u, account)
        for account in u.accounts:
            claim = u.model.margin_engine.matured_claim(account)
            if claim:
                args: tuple[int, ...] = (account, claim)
                yield Call(owner_of(account), "MarginEngine", "convert", args)
        for account in u.accounts:
            yield from _withdraw_all(u, account)
        for index in (0, 1):
            yield from _redeem_all(u, index)


def is_calm(u: Questions) -> bool:
    """Return whether nothing stands in anybody's way: tiers, prices, tokens, vesting, requests."""
    breaker = u.model.circuit_breaker
    if breaker.breaker_state().tier or breaker.signal().target or not u.model.odd.is_tame:
        return False
    return _is_priced(u) and max(_vesting_ends(u), _requests_cool(u)) <= u.now and _all_asked(u)


def _is_priced(u: Questions) -> bool:
    """Return whether every price is good, and will be for a block."""
    if not all(u.is_good(name, at) for name in u.assets for at in (u.now, u.now + BLOCK_SECONDS)):
        return False
    value = u.model.risk_engine.collateral_valuation
    ids = range(1, u.collateral_count + 1)
    return all(value(i).status == PriceStatus.VALID for i in ids)


def _vesting_ends(u: Questions) -> int:
    """Return when the last claim has vested, Unix seconds."""
    ledgers = [u.model.margin_engine.account_ledger(account) for account in u.accounts]
    return max((a.vesting_ends_at for a in ledgers if a.claim), default=0)


def _holders(u: Questions) -> tuple[Address, ...]:
    return (*u.actors, u.keeper, u.staker)


def _all_asked(u: Questions) -> bool:
    """Return whether everybody has asked for all her shares of the pool."""
    return not any(u.unrequested(u.model.liquidity_vault, holder) for holder in _holders(u))


def _requests_cool(u: Questions) -> int:
    """Return when the last live request has cooled, Unix seconds."""
    requests = [u.model.liquidity_vault.exit_request(holder) for holder in _holders(u)]
    return max((r.unlocks_at for r in requests if r.shares and r.expires_at >= u.now), default=0)


def _orders_end(u: Questions) -> int:
    """Return the second after which no order holds any margin back, Unix seconds."""
    orders = u.model.delayed_orders.open_orders.values()
    return max((o.expires_at for o in orders if not o.flags & REDUCE_ONLY), default=0)


def _patience(u: Questions) -> int:
    """Return the seconds after which the breaker may take a step, and claims have vested."""
    breaker, now = u.model.circuit_breaker, u.now
    state, timing = breaker.breaker_state(), u.model.risk_parameters.breaker_timing()
    until = [now + BLOCK_SECONDS, _vesting_ends(u), _requests_cool(u), _orders_end(u) + 1]
    until.append(state.since + timing.min_dwell)
    if breaker.signal().target or not _is_priced(u):
        until += [now + timing.volume_window, now + 2 * timing.velocity_window + 1]
        until.append(state.guardian_until)
    if state.tier == HALT:
        until.append(state.halted_at + timing.max_halt)
    return max(until) - now


def _close(u: Questions, account: AccountId, market: int) -> Call:
    if u.model.perp_exchange.is_settled(market):
        return Call(u.keeper, "PerpExchange", "settlePosition", (account, market))
    size = u.model.perp_exchange.position(account, market).size
    args = (account, market, -size, UINT256_MAX if size < 0 else 0)
    return Call(owner_of(account), "PerpExchange", "trade", args)


def _settle_debt(u: Questions, account: AccountId) -> Iterator[Call]:
    """Yield what keepers do about an account's debt, where they may do anything."""
    for id_ in u.collaterals_of(account):
        if not u.debt(account) or not u.is_unhealthy(account):
            return
        if id_ not in u.running_auctions_of(account):
            yield Call(u.keeper, "LiquidationEngine", "startAuction", (account, id_))
        args = (account, id_, UINT256_MAX, UINT256_MAX, u.keeper, b"")
        yield Call(u.keeper, "LiquidationEngine", "takeAuction", args)
    if u.debt(account) and u.is_unhealthy(account):
        yield Call(u.keeper, "LiquidationEngine", "writeOff", (account,))


def _repay(u: Questions, account: AccountId) -> Iterator[Call]:
    """Yield the deposit that repays a debt, if the owner can pay it."""
    owner, token = owner_of(account), u.model.settlement
    due = token_scale.to_tokens_up(u.debt(account), token.decimals)
    if due and token.balance_of(owner) >= due:
        custody = u.model.addresses.collateral_vault
        if token.allowance(owner, custody) < due:
            yield Call(owner, u.settlement_symbol, "approve", (custody, UINT256_MAX))
        yield Call(owner, "MarginEngine", "deposit", (account, SETTLEMENT, due))


def _withdraw_all(u: Questions, account: AccountId) -> Iterator[Call]:
    owner = owner_of(account)
    if u.debt(account):
        return
    for id_ in (SETTLEMENT, *u.collaterals_of(account)):
        held = u.held(account, id_)
        if held:
            yield Call(owner, "MarginEngine", "withdraw", (account, id_, held, owner))


def _redeem_all(u: Questions, index: int) -> Iterator[Call]:
    """Yield everybody's redemption of all shares that are worth a token unit."""
    name, vault = u.vault(index)
    for holder in _holders(u):
        shares = vault.balance_of(holder)
        if shares and vault.preview_redeem(shares):
            yield Call(holder, name, "redeem", (shares, holder, holder))

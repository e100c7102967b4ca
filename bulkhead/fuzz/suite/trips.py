"""There and back in the same second: nobody may come home with more than she left with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from bulkhead.fuzz.judge import Judged, Violation
from bulkhead.fuzz.operation import Call, Index, Operation, Step, part
from bulkhead.fuzz.suite import refusals as may
from bulkhead.fuzz.suite.fields import COLLATERALS, MARKETS, Actor, Bps, gives_up
from bulkhead.model.errors import ModelRevert
from bulkhead.model.invariants import pnl_2
from bulkhead.model.math import UINT256_MAX, WAD, mul_down
from bulkhead.model.types import Action, owner_of

if TYPE_CHECKING:
    from bulkhead.fuzz.suite.questions import Questions
    from bulkhead.fuzz.suite.universe import Universe

_WETH, _LST = 3, 1


@dataclass(frozen=True, slots=True)
class RoundTrip(Operation):
    """PNL-2: the prober buys and sells the same in the same second, in one or two parts."""

    weight = 2
    refusals = (
        may.BLOCKED
        | may.ENDING
        | frozenset(
            {
                "MarginEngine_BelowInitialMargin",
                "PerpExchange_OpenInterestCap",
                "PerpExchange_PoolShare",
                "PerpExchange_PremiumCap",
                "ActionPolicy_PriceStatus",
                "SkewPricing_NonPositivePrice",
            }
        )
    )

    market: Annotated[int, Index(MARKETS)]
    sells: Annotated[int, Index(2)]
    near: Annotated[int, Index(6)]
    """What the size is near: margin, one wei, 1.0, the cap of a side, the premium's, no skew."""
    parts: Annotated[int, Index(2)]
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        if gives_up(u, Action.INCREASE_POSITION, 0):
            return None
        return Step(self._calls(u), apart=0)

    def verdict(self, u: Universe, judged: Sequence[Judged]) -> Iterator[Violation]:
        at = (u.prober, self.market)
        trip = list(judged)
        while trip and at in trip[0].before.snapshot.positions:
            trip.pop(0)
        whole = trip and at not in trip[-1].after.snapshot.positions
        if whole and all(j.accepted for j in trip):
            realized = sum(j.returned.realizedPnl for j in trip)
            # On the curve alone, and with what fees took and rebates gave back.
            gained = _worth(u, trip[-1].after) - _worth(u, trip[0].before)
            violation = pnl_2(realized) or pnl_2(gained)
            if violation is not None:
                yield violation

    def _calls(self, u: Questions) -> Iterator[Call]:
        left = self._held(u)
        if left:
            yield self._trade(u, -left)
        size = self._size(u)
        yield self._trade(u, -size if self.sells else size)
        held = self._held(u)
        if self.parts and abs(held) > 1:
            yield self._trade(u, -(held // 2))
        held = self._held(u)
        if held:
            yield self._trade(u, -held)

    def _held(self, u: Questions) -> int:
        return u.model.perp_exchange.position(u.prober, self.market).size

    def _trade(self, u: Questions, size: int) -> Call:
        limit = UINT256_MAX if size > 0 else 0
        return Call(
            owner_of(u.prober), "PerpExchange", "trade", (u.prober, self.market, size, limit)
        )

    def _size(self, u: Questions) -> int:
        m = u.model.perp_exchange.market_state(self.market)
        trading = u.model.risk_parameters.market_trading(self.market)
        mine, other = m.open_interest_long, m.open_interest_short
        if self.sells:
            mine, other = other, mine
        premium_room = mul_down(trading.skew_scale, trading.max_premium) + other - mine
        size = (
            u.affordable_size(u.prober, self.market) // 8,
            1,
            WAD,
            trading.max_open_interest - mine,
            premium_room,
            other - mine,
        )[self.near]
        affordable = 2 * u.affordable_size(u.prober, self.market)
        return max(1, min(part(max(size, 1), self.share), affordable))


@dataclass(frozen=True, slots=True)
class VaultRoundTrip(Operation):
    """VLT-1: who enters a vault, the staking token or an account leaves with no more at once."""

    weight = 2
    refusals = (
        may.BLOCKED
        | may.ORDERS
        | may.TOKEN
        | may.ODD
        | may.MARGIN
        | {
            "ERC4626ExceededMaxDeposit",
            "ERC4626ExceededMaxMint",
            "ERC4626ExceededMaxRedeem",
            "ERC4626ExceededMaxWithdraw",
            "LedgerVault_Coverage",
            "LedgerVault_ZeroAmount",
            "LiquidStakingToken_DepositTooSmall",
            "LiquidStakingToken_WipedOut",
            "LiquidStakingToken_WithdrawalTooSmall",
            "MarginEngine_CollateralCap",
            "LiquidityVault_Unpriced",
            "MarginEngine_ZeroAmount",
        }
    )

    where: Annotated[int, Index(4)]
    """0: pool; 1: insurance fund; 2: staking token; 3: margin."""
    exactly: Annotated[int, Index(4)]
    """Whether entering and leaving are asked for in shares (1, 2: one of them) or in assets."""
    collateral: Annotated[int, Index(COLLATERALS)]
    actor: Actor
    share: Bps

    def resolve(self, u: Questions) -> Step | None:
        acts = (Action.POOL_WITHDRAW, Action.FUND_WITHDRAW, Action.DEPOSIT, Action.WITHDRAW)
        if gives_up(u, acts[self.where], 0):
            return None
        calls = (self._vault, self._vault, self._staking, self._margin)[self.where]
        return Step(calls(u), apart=0)

    def verdict(self, u: Universe, judged: Sequence[Judged]) -> Iterator[Violation]:
        if len(judged) < 2 or not all(j.accepted for j in judged):
            return
        there, back = judged[0], judged[-1]
        if back.call.function == "requestRedeem":
            return  # It has to cool: she cannot leave at once.
        paid, got = _moved(u, there), _moved(u, back)
        if got > paid:
            name = f"{there.call.contract}.{there.call.function}"
            yield Violation("VLT-1", f"{name} took {paid}, {back.call.function} gave {got}")

    def _vault(self, u: Questions) -> Iterator[Call]:
        sender = u.actors[self.actor]
        name, vault = u.vault(self.where)
        assets = part(u.wallet(sender, 0) // 100, self.share)
        before = vault.balance_of(sender)
        try:
            shares = vault.preview_deposit(assets)
        except ModelRevert:
            return
        if self.exactly & 1:
            yield Call(sender, name, "mint", (shares, sender))
        else:
            yield Call(sender, name, "deposit", (assets, sender))
        shares = vault.balance_of(sender) - before
        if not shares:
            return
        if self.where == 0:
            yield Call(sender, name, "requestRedeem", (u.unrequested(vault, sender),))
            if vault.exit_request(sender).unlocks_at > u.now:
                return
        if self.exactly & 2:
            yield Call(sender, name, "withdraw", (vault.preview_redeem(shares), sender, sender))
        else:
            yield Call(sender, name, "redeem", (shares, sender, sender))

    def _staking(self, u: Questions) -> Iterator[Call]:
        sender, token = u.actors[self.actor], u.model.lst
        before = token.balance_of(sender)
        assets = part(u.wallet(sender, _WETH) // 100, self.share)
        yield Call(sender, "LST", "deposit", (assets, sender))
        shares = token.balance_of(sender) - before
        if shares:
            yield Call(sender, "LST", "requestWithdrawal", (shares, sender))

    def _margin(self, u: Questions) -> Iterator[Call]:
        sender = u.actors[self.actor]
        account, id_ = u.account(sender, 1), self.collateral
        before = u.held(account, id_)
        amount = part(u.wallet(sender, id_) // 100, self.share)
        yield Call(sender, "MarginEngine", "deposit", (account, id_, amount))
        arrived = u.held(account, id_) - before
        if arrived > 0:
            yield Call(sender, "MarginEngine", "withdraw", (account, id_, arrived, sender))


def _worth(u: Universe, seen: Any) -> int:
    """Return the prober's cash, or debt, and claim, by the chain's own word. WAD."""
    a = seen.snapshot.accounts.get(u.prober)
    return 0 if a is None else a.cash + a.claim


def _moved(u: Universe, j: Judged) -> int:
    """Return the assets that a call took or gave, by the chain's own word."""
    function, args = j.call.function, j.call.args
    if function in ("mint", "redeem"):
        return int(j.returned)
    if j.call.contract == "MarginEngine":
        return int(args[2])
    if function == "requestWithdrawal":
        decoded = map(u.contract("LST").decode_log, j.outcome.logs)
        asked: Any = next(e for e in decoded if e is not None and e.name == "WithdrawalRequested")
        return int(asked.args.assets)
    return int(args[0])

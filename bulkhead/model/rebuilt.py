"""The ledger as its events tell it, and nothing else (EVT-1).

``Rebuilt`` is given decoded events in their order, with the time of their block, and knows what the
compartment stores: accounts, totals, interest, positions, markets, orders, requests and shares. It
asks no contract and no twin; the formulas that it shares with them are those that turn two
snapshots in time into a third: how a claim vests, how debt grows and how a premium fades.

Amounts are WAD settlement units, sizes WAD base units, collateral raw token units, times Unix
seconds.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

from bulkhead.model import interest_curve, ledger
from bulkhead.model.delayed_order_types import REDUCE_ONLY, DelayedOrder, Fixing
from bulkhead.model.interest_curve import BorrowState
from bulkhead.model.math import div_trunc
from bulkhead.model.oracle import PriceStatus
from bulkhead.model.types import (
    SETTLEMENT,
    ZERO_ADDRESS,
    AccountId,
    AccountLedger,
    Address,
    LedgerTotals,
    Market,
    MarketPhase,
    MarketUnrealized,
    Position,
    Settlement,
    UnrealizedTotals,
)

EMITTERS = (
    *("MarginEngine", "PerpExchange", "DelayedOrders", "SignedOrders"),
    *("LiquidityVault", "InsuranceFund", "AccountOperators"),
)
"""Whose events are read."""


class Rebuilt:
    """What the events so far say is stored.

    Args:
        token_scale: WAD per raw unit of the settlement token.

    Attributes:
        totals, unrealized_totals, borrow, order_escrow: of the compartment.
        accounts: without what depends on collateral and orders, see ``mask`` and ``raising``.
        debt_index: RAY by account that owes.
        collateral: raw units by account and collateral; ``total_collateral`` of all accounts.
        positions: by account and market; ``markets`` and ``unrealized`` by market.
        orders: open delayed orders by id; ``order_count`` so many there ever were.
        fixings: all prices recorded for orders, by market.
        filled: of signed orders by digest, WAD; ``cancelled`` masks by account and word of nonces;
            ``least_nonces`` by account.
        requests: shares, first and last second by owner; what has lapsed is kept.
        shares: by vault and holder.
        grants: permissions and expiry by account and operator; ``used_nonces`` by owner and word.
    """

    def __init__(self, token_scale: int) -> None:
        self._scale = token_scale
        self.totals = LedgerTotals()
        self.unrealized_totals = UnrealizedTotals()
        self.borrow = BorrowState()
        self.order_escrow = 0
        self.accounts: dict[AccountId, AccountLedger] = {}
        self.debt_index: dict[AccountId, int] = {}
        self.collateral: dict[tuple[AccountId, int], int] = {}
        self.total_collateral: dict[int, int] = {}
        self.positions: dict[tuple[AccountId, int], Position] = {}
        self.markets: dict[int, Market] = {}
        self.settlements: dict[int, Settlement] = {}
        self.unrealized: dict[int, MarketUnrealized] = {}
        self.orders: dict[int, DelayedOrder] = {}
        self.order_count = 0
        self.fixings: dict[int, list[Fixing]] = {}
        self.filled: dict[bytes, int] = {}
        self.cancelled: dict[tuple[AccountId, int], int] = {}
        self.least_nonces: dict[AccountId, int] = {}
        self.requests: dict[Address, tuple[int, int, int]] = {}
        self.shares: dict[tuple[str, Address], int] = {}
        self.grants: dict[tuple[AccountId, Address], tuple[int, int]] = {}
        self.used_nonces: dict[tuple[Address, int], int] = {}

    def copy(self) -> Rebuilt:
        """Return another that goes on from here."""
        return deepcopy(self)

    def apply(self, contract: str, name: str, e: Any, now: int) -> None:
        """Take note of an event; one that moves nothing of this is passed over.

        Args:
            contract: of ``EMITTERS``, that logged it.
            name: Solidity's.
            e: its arguments, by Solidity's names and in order.
            now: time of the block.

        Raises:
            ValueError, KeyError, ModelRevert: it does not fit what was told before.
        """
        handler = getattr(self, f"_{contract}_{name}", None)
        if handler is not None:
            handler(e, now)
        elif name == "Transfer":
            self._move_shares(contract, *e)

    def account(self, account: AccountId) -> AccountLedger:
        """Return an account's entry, an empty one if it was never seen."""
        return self.accounts.get(account, AccountLedger())

    def mask(self, account: AccountId, collaterals: int) -> int:
        """Return the bits of the collaterals 1 … ``collaterals`` that an account holds."""
        held = range(1, collaterals + 1)
        return sum(1 << c for c in held if self.collateral.get((account, c)))

    def raising(self, account: AccountId) -> int:
        """Return how many open orders of an account may raise risk."""
        mine = (o for o in self.orders.values() if o.account == account)
        return sum(not o.flags & REDUCE_ONLY for o in mine)

    def supply(self, vault: str) -> int:
        """Return a vault's shares."""
        return sum(n for (where, _), n in self.shares.items() if where == vault)

    # ------------------------------------------------------------------------------- the ledger

    def _change(self, word: bytes, now: int, *, cash: int = 0, debt: int = 0) -> AccountLedger:
        """Move an account's cash, and the totals: ``debt`` of it moves D, the rest P.

        What it owes is scaled by the index of now, whatever moved.
        """
        account = _number(word)
        a = self.accounts.setdefault(account, AccountLedger())
        before = ledger.debt_of(a)
        a.cash += cash
        self.totals.debt += debt
        self.totals.principal += cash + debt
        owed = ledger.debt_of(a)
        if before or owed:
            index = interest_curve.current_index(self.borrow, now)
            b, was = self.borrow, interest_curve.scaled(before, self.debt_index.get(account, 0))
            moved = b.scaled_debt - was + interest_curve.scaled(owed, index)
            self.borrow = BorrowState(b.index, b.rate, b.updated_at, moved)
            self.debt_index[account] = index if owed else 0
        return a

    def _credit(self, word: bytes, now: int, amount: int, repaid: int) -> None:
        self._change(word, now, cash=amount, debt=-repaid)
        self.totals.pool_cash += repaid

    def _charge(self, e: Any, now: int) -> None:
        a = self._change(e.account, now, cash=-e.fromCash - e.toDebt, debt=e.toDebt)
        ledger.burn_claim(self.totals, a, e.fromClaim, now)

    def _hold(self, word: bytes, collateral: int, amount: int, *, total: bool = True) -> None:
        key = _number(word), collateral
        self.collateral[key] = self.collateral.get(key, 0) + amount
        if total:
            booked = self.total_collateral.get(collateral, 0)
            self.total_collateral[collateral] = booked + amount

    def _MarginEngine_Deposited(self, e: Any, now: int) -> None:  # noqa: N802
        if e.collateral == SETTLEMENT:
            self._credit(e.account, now, e.amountTokens * self._scale, e.debtRepaid)
        else:
            self._hold(e.account, e.collateral, e.amountTokens)

    def _MarginEngine_Withdrawn(self, e: Any, now: int) -> None:  # noqa: N802
        if e.collateral == SETTLEMENT:
            self._change(e.account, now, cash=-e.amountTokens * self._scale)
        else:
            self._hold(e.account, e.collateral, -e.amountTokens)

    def _MarginEngine_Transferred(self, e: Any, now: int) -> None:  # noqa: N802
        giver = e[0]
        if e.collateral == SETTLEMENT:
            amount = e.amountTokens * self._scale
            self._change(giver, now, cash=-amount)
            self._credit(e.to, now, amount, e.debtRepaid)
        else:
            self._hold(giver, e.collateral, -e.amountTokens, total=False)
            self._hold(e.to, e.collateral, e.amountTokens, total=False)

    def _MarginEngine_Converted(self, e: Any, now: int) -> None:  # noqa: N802
        a = self._change(e.account, now, cash=e.paid)
        ledger.burn_matured(self.totals, a, e.amount)
        self.totals.pool_cash -= e.paid

    def _MarginEngine_ProfitApplied(self, e: Any, now: int) -> None:  # noqa: N802
        a = self._change(e.account, now, cash=e.debtForgiven, debt=-e.debtForgiven)
        if e.claimed:
            a.unvested = ledger.unvested_of(a, now) + e.claimed
            a.vesting_updated_at, a.vesting_ends_at = now, e.vestingEndsAt
            a.claim += e.claimed
            self.totals.claims += e.claimed

    def _MarginEngine_LossApplied(self, e: Any, now: int) -> None:  # noqa: N802
        self._charge(e, now)
        self.totals.pool_cash += e.fromCash

    def _MarginEngine_FeeCharged(self, e: Any, now: int) -> None:  # noqa: N802
        self._charge(e, now)
        self.totals.insurance_cash += e.toInsurance
        self.totals.pool_cash += e.toPool
        self.totals.fee_reserve += e.fromCash - e.toInsurance - e.toPool

    def _MarginEngine_KeeperRewarded(self, e: Any, now: int) -> None:  # noqa: N802
        self.totals.fee_reserve -= e.amount
        self._credit(e.account, now, e.amount, e.debtRepaid)

    def _MarginEngine_RebatePaid(self, e: Any, now: int) -> None:  # noqa: N802
        self.totals.fee_reserve -= e.amount
        self._credit(e.account, now, e.amount, e.debtRepaid)

    def _MarginEngine_OrderFeeEscrowed(self, e: Any, now: int) -> None:  # noqa: N802
        self._change(e.account, now, cash=-e.fee)
        self.totals.fee_reserve += e.fee
        self.order_escrow += e.fee

    def _MarginEngine_InterestAccrued(self, e: Any, now: int) -> None:  # noqa: N802
        self._change(e.account, now, cash=-e.interest, debt=e.interest)

    def _MarginEngine_BorrowRateSet(self, e: Any, now: int) -> None:  # noqa: N802
        self.borrow = BorrowState(e.index, e.rate, now, self.borrow.scaled_debt)

    def _MarginEngine_PoolCashChanged(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.totals.pool_cash += e.delta

    def _MarginEngine_InsuranceCashChanged(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.totals.insurance_cash += e.delta

    def _MarginEngine_CollateralSeized(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self._hold(e.account, e.collateral, -e.amountTokens)

    def _MarginEngine_CollateralForfeited(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self._hold(e.account, e.collateral, -e.amountTokens)

    def _MarginEngine_AuctionProceedsCredited(self, e: Any, now: int) -> None:  # noqa: N802
        self._credit(e.account, now, e.amountTokens * self._scale, e.debtRepaid)

    def _MarginEngine_BadDebtWrittenOff(self, e: Any, now: int) -> None:  # noqa: N802
        r = e.receipt
        self._change(e.account, now, cash=r.debt, debt=-r.debt)
        self.totals.insurance_cash -= r.insurance
        self.totals.pool_cash += r.insurance

    # ------------------------------------------------------------------------------ the markets

    def _touched(self, market: int, now: int) -> Market:
        m = self.markets.setdefault(market, Market())
        # The clock of a settled market stands.
        if m.phase != MarketPhase.SETTLED:
            m.funding_updated_at = now
        return m

    def _MarginEngine_UnrealizedReported(self, e: Any, now: int) -> None:  # noqa: N802
        self._touched(e.market, now)
        self.unrealized[e.market] = MarketUnrealized(e.unrealized, now)
        self.unrealized_totals = UnrealizedTotals(e.positiveTotal, e.netTotal)

    def _PerpExchange_FundingAccrued(self, e: Any, now: int) -> None:  # noqa: N802
        m = self.markets.setdefault(e.market, Market())
        if m.matched_premium:
            left = m.matched_premium_ends_at - m.funding_updated_at
            rest = max(0, m.matched_premium_ends_at - now)
            m.matched_premium = div_trunc(m.matched_premium * rest, left)
            if not m.matched_premium:
                m.matched_premium_ends_at = 0
        m.funding_rate = e.fundingRate
        m.cumulative_funding_per_unit = e.cumulativeFundingPerUnit
        m.funding_updated_at = now

    def _PerpExchange_MatchedPremiumMoved(self, e: Any, now: int) -> None:  # noqa: N802
        m = self._touched(e.market, now)
        m.matched_premium, m.matched_premium_ends_at = e.premium, e.endsAt

    def _PerpExchange_FundingGainChanged(self, e: Any, now: int) -> None:  # noqa: N802
        self._touched(e.market, now).funding_gain = e.gainBps

    def _PerpExchange_WindDownStarted(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.markets.setdefault(e.market, Market()).phase = MarketPhase.WINDING_DOWN
        self.settlements[e.market] = Settlement(0, e.fixableAt)

    def _PerpExchange_SettlementFixed(self, e: Any, now: int) -> None:  # noqa: N802
        m = self._touched(e.market, now)
        m.phase, m.funding_rate = MarketPhase.SETTLED, 0
        m.matched_premium = m.matched_premium_ends_at = 0
        known = self.settlements.get(e.market, Settlement())
        self.settlements[e.market] = Settlement(e.price, known.fixable_at)

    def _PerpExchange_Traded(self, e: Any, now: int) -> None:  # noqa: N802
        m, key = self._touched(e.market, now), (_number(e.account), e.market)
        old = self.positions.get(key, Position())
        new = Position(e.position.size, e.position.quote, e.position.fundingEntry)
        m.open_interest_long += max(new.size, 0) - max(old.size, 0)
        m.open_interest_short += max(-new.size, 0) - max(-old.size, 0)
        m.quote += new.quote - old.quote
        m.funding_entry_product += new.size * new.funding_entry - old.size * old.funding_entry
        self.positions[key] = new

    # --------------------------------------------------------------------- orders, vaults, rights

    def _DelayedOrders_OrderCommitted(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        o = e.order
        self.order_count = max(self.order_count, e.orderId)
        self.orders[e.orderId] = DelayedOrder(
            _number(e.account),
            o.sizeDelta,
            o.acceptablePrice,
            o.executorFee,
            o.settleFrom,
            o.cancelFrom,
            o.expiresAt,
            e.market,
            o.flags,
            o.triggerPrice,
        )

    def _DelayedOrders_OrderTriggered(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        o = self.orders[e.orderId]
        self.orders[e.orderId] = DelayedOrder(
            *(o.account, o.size_delta, o.acceptable_price, o.executor_fee),
            *(e.settleFrom, e.cancelFrom, e.expiresAt, o.market, o.flags, o.trigger_price),
        )

    def _DelayedOrders_OrderClosed(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.orders.pop(e.orderId, None)
        self.order_escrow -= e.executorFee

    def _DelayedOrders_PriceFixed(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        f = e.fixing
        found = Fixing(f.price, f.publishedAt, f.recordedAt, PriceStatus(f.status))
        self.fixings.setdefault(e.market, []).append(found)

    def _SignedOrders_OrdersMatched(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        for digest, filled in ((e.takerHash, e.takerFilled), (e.makerHash, e.makerFilled)):
            self.filled[digest] = self.filled.get(digest, 0) + e.size
            if self.filled[digest] != filled:
                raise ValueError(f"{self.filled[digest]} of an order filled, not {filled}")

    def _SignedOrders_OrdersCancelled(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.cancelled[_number(e.account), e.word] = e.mask

    def _SignedOrders_OrdersCancelledBelow(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.least_nonces[_number(e.account)] = e.nonce

    def _LiquidityVault_RedeemRequested(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.requests[e.owner.lower()] = e.totalShares, e.unlocksAt, e.expiresAt

    def _LiquidityVault_RequestCancelled(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.requests.pop(e.owner.lower(), None)

    def _LiquidityVault_Withdraw(self, e: Any, now: int) -> None:  # noqa: N802
        owner = e.owner.lower()
        shares, unlocks_at, expires_at = self.requests.get(owner, (0, 0, 0))
        if shares > e.shares and now <= expires_at:
            self.requests[owner] = shares - e.shares, unlocks_at, expires_at
        elif shares and now <= expires_at:
            del self.requests[owner]

    def _move_shares(self, vault: str, sender: str, receiver: str, amount: int) -> None:
        for holder, delta in ((sender.lower(), -amount), (receiver.lower(), amount)):
            if holder != ZERO_ADDRESS:
                self.shares[vault, holder] = self.shares.get((vault, holder), 0) + delta

    def _AccountOperators_OperatorSet(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.grants[_number(e.account), e.operator.lower()] = e.permissions, e.expiresAt

    def _AccountOperators_NoncesUsed(self, e: Any, now: int) -> None:  # noqa: N802, ARG002
        self.used_nonces[e.owner.lower(), e.word] = e.mask


def _number(word: bytes) -> AccountId:
    return int.from_bytes(word, "big")

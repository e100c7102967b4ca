"""Twin of ``LiquidationEngine``. Values WAD unless a unit is given."""

from __future__ import annotations

from dataclasses import replace

from bulkhead.model import liquidation_math, partial_close, portfolio_margin, token_scale
from bulkhead.model.context import Contract, Table, external
from bulkhead.model.math import (
    WAD,
    checked_uint,
    mul_div_up,
    mul_down,
    mul_up,
    to_int,
)
from bulkhead.model.parts import Parts
from bulkhead.model.policy import require_status
from bulkhead.model.reverts import (
    CompartmentLock_Locked,
    EmptyRevert,
    LiquidationEngine_AssetsLeft,
    LiquidationEngine_AuctionRunning,
    LiquidationEngine_Healthy,
    LiquidationEngine_HealthyAtIndex,
    LiquidationEngine_NoAuction,
    LiquidationEngine_NoCollateral,
    LiquidationEngine_NoDebt,
    LiquidationEngine_NoPosition,
    LiquidationEngine_Offsetting,
    LiquidationEngine_PriceTooHigh,
    LiquidationEngine_ZeroAmount,
)
from bulkhead.model.types import (
    AccountId,
    AccountValuation,
    Action,
    Address,
    CompartmentParameters,
    LiquidationPlan,
    MarketLiquidation,
    WriteOffReceipt,
    pack,
)


class LiquidationEngine(Contract):
    """Brings accounts below their maintenance margin back above it, or closes them."""

    def __init__(self, parts: Parts) -> None:
        super().__init__(parts.context, parts.addresses.liquidation_engine)
        self._parts = parts
        self._settlement_decimals = parts.token(parts.addresses.settlement_token).decimals
        self._auctions: Table[tuple[AccountId, int], int] = Table(parts.context)

    # ------------------------------------------------------------------------------ positions

    @external
    def liquidate(self, sender: Address, account: AccountId, market: int) -> tuple[int, int]:
        """Close the least part of a position that restores the target health.

        Returns the signed size traded and the reward credited to the sender's sub-account 0.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            ActionPolicy_PriceStatus: a price of the account is too bad.
            LiquidationEngine_Healthy: the account meets its maintenance margin.
            RiskParameters_UnknownMarket: the market is not listed.
            LiquidationEngine_NoPosition: the account has none in the market.
        """
        self._lock()
        engine, breaker = self._parts.margin_engine, self._parts.circuit_breaker
        breaker.require_allowed(Action.LIQUIDATE)
        self._refresh_haircut()
        before = self._require_unhealthy(account, Action.LIQUIDATE)
        rules = self._parts.risk_parameters.market_liquidation(market)
        plan = self._plan(account, market, before, rules)
        fill = self._parts.perp_exchange.liquidate_position(
            self.address, account, market, plan.size_delta
        )
        afterwards = engine.valuation(account, caller=self.address)
        penalty = liquidation_math.bounded_penalty(
            plan.penalty,
            before.equity_maintenance,
            before.maintenance_margin,
            afterwards.equity_maintenance,
            afterwards.maintenance_margin,
            self._parts.risk_parameters.compartment_parameters().debt_maintenance_ratio,
        )
        rewarding = penalty if before.equity_maintenance > 0 else plan.penalty
        reward = engine.charge_penalty(
            self.address, account, penalty, pack(sender), mul_down(rewarding, rules.keeper_share)
        )
        breaker.record_liquidation(self.address, plan.notional)
        self._emit(
            "Liquidated",
            account=account,
            market=market,
            keeper=sender,
            sizeDelta=plan.size_delta,
            fillPrice=fill.fill_price,
            realizedPnl=fill.realized_pnl,
            penalty=penalty,
            reward=reward,
        )
        self._unlock()
        return plan.size_delta, reward

    def preview_liquidate(self, account: AccountId, market: int) -> LiquidationPlan:
        """Return what ``liquidate`` would close now.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
            Else as ``liquidate``, but for the breaker.
        """
        self._when_unlocked()
        v = self._require_unhealthy(account, Action.LIQUIDATE)
        rules = self._parts.risk_parameters.market_liquidation(market)
        return self._plan(account, market, v, rules)

    def is_liquidatable(self, account: AccountId) -> bool:
        """Return whether an account is below its maintenance margin.

        Raises:
            CompartmentLock_Locked: asked in the middle of a call.
        """
        self._when_unlocked()
        return _is_unhealthy(self._parts.margin_engine.valuation(account, caller=self.address))

    # ----------------------------------------------------------------------------- collateral

    @external
    def start_auction(self, sender: Address, account: AccountId, collateral: int) -> None:  # noqa: ARG002
        """Put collateral of an unhealthy account with debt up for auction.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            LiquidationEngine_AuctionRunning: one runs.
            ActionPolicy_PriceStatus, LiquidationEngine_Healthy: see ``liquidate``.
            LiquidationEngine_NoDebt, LiquidationEngine_NoCollateral: nothing to repay or sell.
        """
        self._lock()
        self._parts.circuit_breaker.require_allowed(Action.LIQUIDATE)
        started_at = self.auction_started_at(account, collateral)
        if started_at and not self._is_over(started_at):
            raise LiquidationEngine_AuctionRunning(account, collateral, started_at)
        self._refresh_haircut()
        self._require_unhealthy(account, Action.TAKE_AUCTION)
        if self._debt_of(account) == 0:
            raise LiquidationEngine_NoDebt(account)
        if self._balance_of(account, collateral) == 0:
            raise LiquidationEngine_NoCollateral(account, collateral)
        now = self._context.now
        self._auctions[account, collateral] = now
        self._emit("AuctionStarted", account=account, collateral=collateral, startedAt=now)
        self._unlock()

    @external
    def end_auction(self, sender: Address, account: AccountId, collateral: int) -> None:  # noqa: ARG002
        """End an auction of an account that is healthy again, owes nothing or holds nothing.

        Raises:
            CompartmentLock_Locked: called from within a call.
            LiquidationEngine_NoAuction: none runs.
            LiquidationEngine_AuctionRunning: it may still be taken from.
            ActionPolicy_PriceStatus: a price of the account is too bad to tell.
        """
        self._lock()
        started_at = self.auction_started_at(account, collateral)
        if not started_at:
            raise LiquidationEngine_NoAuction(account, collateral)
        held, debt = self._balance_of(account, collateral), self._debt_of(account)
        if held != 0 and debt != 0 and not self._is_over(started_at):
            self._refresh_haircut()
            v = self._parts.margin_engine.valuation(account, caller=self.address)
            if _is_unhealthy(v):
                raise LiquidationEngine_AuctionRunning(account, collateral, started_at)
            require_status(Action.TAKE_AUCTION, v.status)
        self._end_auction(account, collateral)
        self._unlock()

    @external
    def take_auction(
        self,
        sender: Address,
        account: AccountId,
        collateral: int,
        max_amount_tokens: int,
        max_price: int,
        receiver: Address,
        data: bytes = b"",
    ) -> tuple[int, int]:
        """Buy from a running auction, at most what repays the account's debt.

        Returns the collateral's token units bought and the settlement token units paid. With
        ``data``, the receiver's entry in ``World.callees`` is called before the payment is taken.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            ActionPolicy_PriceStatus, LiquidationEngine_Healthy: see ``liquidate``.
            LiquidationEngine_NoAuction: none runs.
            LiquidationEngine_PriceTooHigh: the price is above ``max_price``.
            LiquidationEngine_NoDebt, LiquidationEngine_ZeroAmount: nothing to buy.
            EmptyRevert: ``data`` is given and the receiver has no code.
        """
        self._lock()
        engine = self._parts.margin_engine
        self._parts.circuit_breaker.require_allowed(Action.TAKE_AUCTION)
        self._refresh_haircut()
        self._require_unhealthy(account, Action.TAKE_AUCTION)
        price = self.auction_price(account, collateral)
        if price > max_price:
            raise LiquidationEngine_PriceTooHigh(price, max_price)
        c = self._parts.risk_parameters.collateral_config(collateral)
        amount, payment = self._lot(account, collateral, max_amount_tokens, price, c.decimals)
        engine.seize_collateral(self.address, account, collateral, amount, receiver)
        if data:
            callee = self._context.callees.get(receiver)
            if callee is None:
                raise EmptyRevert()
            callee(c.token, amount, payment, data)
        engine.credit_auction_proceeds(self.address, account, sender, payment)
        self._emit(
            "AuctionTaken",
            account=account,
            collateral=collateral,
            buyer=sender,
            amountTokens=amount,
            paymentTokens=payment,
            auctionPrice=price,
        )
        if self._debt_of(account) == 0 or self._balance_of(account, collateral) == 0:
            self._end_auction(account, collateral)
        self._unlock()
        return amount, payment

    def auction_price(self, account: AccountId, collateral: int) -> int:
        """Return the price of a running auction, WAD settlement units per 1.0 of collateral.

        Raises:
            LiquidationEngine_NoAuction: none runs.
        """
        started_at = self.auction_started_at(account, collateral)
        if not started_at or self._is_over(started_at):
            raise LiquidationEngine_NoAuction(account, collateral)
        p = self._parts.risk_parameters.compartment_parameters()
        v = self._parts.risk_engine.collateral_valuation(collateral)
        require_status(Action.TAKE_AUCTION, v.status)
        top = max(v.market_price, v.maintenance_price)
        return liquidation_math.auction_price(
            checked_uint(top + mul_up(top, p.auction_start_premium)),
            v.maintenance_price,
            self._context.now - started_at,
            p.auction_duration,
        )

    def auction_started_at(self, account: AccountId, collateral: int) -> int:
        """Return when an auction started, 0 if none runs."""
        return self._auctions.get((account, collateral), 0)

    # ------------------------------------------------------------------------------ waterfall

    @external
    def write_off(self, sender: Address, account: AccountId) -> WriteOffReceipt:  # noqa: ARG002
        """Write off the debt of an account that has nothing left.

        Raises:
            CompartmentLock_Locked: called from within a call.
            CircuitBreaker_Blocked: the tier does not allow it.
            LiquidationEngine_NoDebt: it owes nothing.
            LiquidationEngine_AssetsLeft: it still has positions or collateral.
            LiquidationEngine_Healthy: it is not bankrupt.
        """
        self._lock()
        engine, breaker = self._parts.margin_engine, self._parts.circuit_breaker
        breaker.require_allowed(Action.WRITE_OFF)
        if self._debt_of(account) == 0:
            raise LiquidationEngine_NoDebt(account)
        self._parts.perp_exchange.refresh_all(self.address)
        count = len(self._parts.perp_exchange.exposures_of(account))
        v = engine.valuation(account, caller=self.address)
        left = checked_uint(v.collateral_maintenance + v.uncertain)
        dust = self._parts.risk_parameters.compartment_parameters().dust_units * WAD
        if count != 0 or left >= dust:
            raise LiquidationEngine_AssetsLeft(account, count, left)
        if v.equity_maintenance + to_int(v.uncertain) >= 0:
            raise LiquidationEngine_Healthy(account, v.equity_maintenance, v.maintenance_margin)
        receipt = engine.write_off(self.address, account)
        breaker.record_bad_debt(self.address, receipt.debt)
        self._unlock()
        return receipt

    # ------------------------------------------------------------------------------- internal

    def _lock(self) -> None:
        self._parts.margin_engine.enter(self.address)

    def _unlock(self) -> None:
        self._parts.margin_engine.exit(self.address)

    def _when_unlocked(self) -> None:
        if self._parts.margin_engine.is_locked():
            raise CompartmentLock_Locked()

    def _plan(
        self, account: AccountId, market: int, v: AccountValuation, rules: MarketLiquidation
    ) -> LiquidationPlan:
        exchange, parameters = self._parts.perp_exchange, self._parts.risk_parameters
        size = exchange.position(account, market).size
        if size == 0:
            raise LiquidationEngine_NoPosition(account, market)
        index, _ = exchange.index_price(market)
        held = abs(size)
        notional = mul_up(held, index)
        closed = held
        settled = exchange.is_settled(market)
        if v.equity_maintenance > 0 and not settled:
            p = parameters.compartment_parameters()
            wanted = self._notional_to_close(account, market, v, rules, p, notional)
            if wanted < notional:
                closed = mul_div_up(wanted, WAD, index)
        closed = min(closed, held)
        plan_notional = mul_up(closed, index)
        return LiquidationPlan(
            size_delta=-to_int(closed) if size > 0 else to_int(closed),
            notional=plan_notional,
            penalty=0 if settled else mul_up(plan_notional, rules.penalty),
        )

    def _notional_to_close(
        self,
        account: AccountId,
        market: int,
        v: AccountValuation,
        rules: MarketLiquidation,
        p: CompartmentParameters,
        notional: int,
    ) -> int:
        t = self._parts.risk_engine.closing_terms(account, market)
        problem = partial_close.Problem(
            v.equity_maintenance,
            max(0, v.maintenance_margin - portfolio_margin.of_terms(t, t.own)),
            notional,
            p.target_health,
            rules.penalty,
            p.debt_maintenance_ratio,
        )
        wanted = partial_close.least_notional(problem, t)
        if wanted == 0:
            problem = replace(problem, penalty_ratio=0)
            wanted = partial_close.least_notional(problem, t)
            if wanted == 0:
                raise LiquidationEngine_Offsetting(account, market)
        if checked_uint(wanted + rules.min_notional) < notional:
            return wanted
        helps = partial_close.surplus(problem, t, notional) > partial_close.surplus(problem, t, 0)
        return notional if helps else wanted

    def _lot(
        self, account: AccountId, collateral: int, max_amount: int, price: int, decimals: int
    ) -> tuple[int, int]:
        """Return the token units bought and the settlement token units due for them."""
        debt = self._debt_of(account)
        if debt == 0:
            raise LiquidationEngine_NoDebt(account)
        needed = token_scale.to_tokens_up(mul_div_up(debt, WAD, price), decimals)
        amount = min(max_amount, needed, self._balance_of(account, collateral))
        if amount == 0:
            raise LiquidationEngine_ZeroAmount()
        due = mul_up(token_scale.to_wad(amount, decimals), price)
        return amount, token_scale.to_tokens_up(due, self._settlement_decimals)

    def _end_auction(self, account: AccountId, collateral: int) -> None:
        del self._auctions[account, collateral]
        self._emit("AuctionEnded", account=account, collateral=collateral)

    def _require_unhealthy(self, account: AccountId, action: Action) -> AccountValuation:
        v = self._parts.margin_engine.valuation(account, caller=self.address)
        uncertain, margin = to_int(v.uncertain), to_int(v.maintenance_margin)
        if v.equity_maintenance + uncertain < margin and v.buffer_at_index + uncertain < 0:
            return v
        require_status(action, v.status)
        if v.equity_maintenance >= margin:
            raise LiquidationEngine_Healthy(account, v.equity_maintenance, v.maintenance_margin)
        if v.buffer_at_index >= 0:
            raise LiquidationEngine_HealthyAtIndex(account, v.buffer_at_index)
        return v

    def _refresh_haircut(self) -> None:
        if self._parts.margin_engine.haircut_ratio(caller=self.address) < WAD:
            self._parts.perp_exchange.refresh_all(self.address)

    def _is_over(self, started_at: int) -> bool:
        duration = self._parts.risk_parameters.compartment_parameters().auction_duration
        return self._context.now > started_at + 2 * duration

    def _debt_of(self, account: AccountId) -> int:
        cash = self._parts.margin_engine.account_ledger(account, caller=self.address).cash
        return max(-cash, 0)

    def _balance_of(self, account: AccountId, collateral: int) -> int:
        return self._parts.margin_engine.collateral_balance(
            account, collateral, caller=self.address
        )


def _is_unhealthy(v: AccountValuation) -> bool:
    return v.equity_maintenance < to_int(v.maintenance_margin) and v.buffer_at_index < 0

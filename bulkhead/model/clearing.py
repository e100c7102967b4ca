"""Twin of ``MarginEngine``, the part that exchange, vaults and liquidation call.

Amounts WAD unless named ``…_tokens``.
"""

from __future__ import annotations

from bulkhead.model import ledger, token_scale
from bulkhead.model.margin_orders import MarginOrders
from bulkhead.model.math import checked_int, checked_uint, to_int, to_uint
from bulkhead.model.reverts import (
    MarginEngine_InsufficientBalance,
    MarginEngine_InsufficientCash,
    MarginEngine_InvalidReceiver,
    MarginEngine_NotBankrupt,
)
from bulkhead.model.types import (
    ZERO_ADDRESS,
    AccountId,
    AccountLedger,
    Address,
    LedgerTotals,
    MarketUnrealized,
    UnrealizedTotals,
    WriteOffReceipt,
)

_NONE = MarketUnrealized()


class MarginClearing(MarginOrders):
    """Moves value as the other parts of the compartment ask."""

    # --------------------------------------------------------------------------- for exchange

    def settle(
        self,
        sender: Address,
        account: AccountId,
        market: int,
        pnl: int,
        fee: int,
        rebate: int,
        unrealized: int,
    ) -> int:
        """Apply a result, a fee and a rebate, and take note of U_m; return L after it.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the exchange.
        """
        self._only(sender, self._parts.addresses.perp_exchange)
        self._report_unrealized(market, unrealized)
        if pnl == 0 and fee == 0:
            return self._totals.value.pool_cash
        now = self._context.now
        t = self._totals.value.copy()
        a = self._load(account, t)
        if pnl > 0:
            period = self._parts.risk_engine.vesting_period(market)
            forgiven, claimed = ledger.apply_profit(t, a, pnl, period, now)
            self._emit(
                "ProfitApplied",
                account=account,
                market=market,
                profit=pnl,
                debtForgiven=forgiven,
                claimed=claimed,
                vestingEndsAt=a.vesting_ends_at,
            )
        elif pnl < 0:
            s = ledger.apply_loss(t, a, checked_int(-pnl), now)
            self._emit(
                "LossApplied",
                account=account,
                market=market,
                loss=-pnl,
                fromClaim=s.from_claim,
                fromCash=s.from_cash,
                toDebt=s.to_debt,
            )
        if fee:
            self._charge_fee(account, t, a, fee, 0)
        if rebate:
            self._pay_rebate(account, market, t, a, rebate)
        self._store(account, t, a)
        return t.pool_cash

    def report_unrealized(self, sender: Address, market: int, unrealized: int) -> None:
        """Take note of a market's U_m.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the exchange.
        """
        self._only(sender, self._parts.addresses.perp_exchange)
        self._report_unrealized(market, unrealized)

    # ----------------------------------------------------------------------------- for vaults

    def credit_pool(self, sender: Address, amount_tokens: int) -> None:
        """Book settlement tokens that arrived for the pool.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidity vault.
        """
        self._only(sender, self._parts.addresses.liquidity_vault)
        self._move_pool_cash(self._settlement_wad(amount_tokens))

    def debit_pool(self, sender: Address, amount_tokens: int, receiver: Address) -> None:
        """Pay settlement tokens out of the pool.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidity vault.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
            MarginEngine_InsufficientCash: the pool has less.
        """
        self._only(sender, self._parts.addresses.liquidity_vault)
        self._require_receiver(receiver)
        self._move_pool_cash(-self._settlement_wad(amount_tokens))
        self._push_settlement(receiver, amount_tokens)

    def credit_insurance(self, sender: Address, amount_tokens: int) -> None:
        """Book settlement tokens that arrived for the insurance fund.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the insurance fund.
        """
        self._only(sender, self._parts.addresses.insurance_fund)
        self._move_insurance_cash(self._settlement_wad(amount_tokens))

    def debit_insurance(self, sender: Address, amount_tokens: int, receiver: Address) -> None:
        """Pay settlement tokens out of the insurance fund.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the insurance fund.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
            MarginEngine_InsufficientCash: the fund has less.
        """
        self._only(sender, self._parts.addresses.insurance_fund)
        self._require_receiver(receiver)
        self._move_insurance_cash(-self._settlement_wad(amount_tokens))
        self._push_settlement(receiver, amount_tokens)

    # ------------------------------------------------------------------------ for liquidation

    def charge_penalty(
        self, sender: Address, account: AccountId, penalty: int, keeper: AccountId, reward: int
    ) -> int:
        """Charge a penalty and pay the keeper out of the fee reserve; return what was paid.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidation engine.
        """
        self._only(sender, self._parts.addresses.liquidation_engine)
        t = self._totals.value.copy()
        rewarded = min(reward, checked_uint(self._free_reserve(t) + penalty))
        if penalty:
            a = self._load(account, t)
            self._charge_fee(account, t, a, penalty, rewarded)
            self._save(account, a)
        rewarded = min(rewarded, self._free_reserve(t))
        if rewarded:
            self._pay_from_reserve(t, keeper, rewarded)
        self._save_totals(t)
        return rewarded

    def seize_collateral(
        self,
        sender: Address,
        account: AccountId,
        collateral: int,
        amount_tokens: int,
        receiver: Address,
    ) -> None:
        """Hand an account's collateral to an auction's buyer.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidation engine.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
            MarginEngine_InsufficientBalance: the account holds less.
        """
        self._only(sender, self._parts.addresses.liquidation_engine)
        self._require_receiver(receiver)
        token = self._parts.risk_parameters.collateral_config(collateral).token
        self._take_collateral(account, collateral, amount_tokens)
        self._emit(
            "CollateralSeized",
            account=account,
            collateral=collateral,
            amountTokens=amount_tokens,
            receiver=receiver,
        )
        self._parts.collateral_vault.push(self.address, token, receiver, amount_tokens)

    def credit_auction_proceeds(
        self, sender: Address, account: AccountId, payer: Address, amount_tokens: int
    ) -> int:
        """Take an auction's price from its buyer; return the debt that it repaid.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidation engine.
        """
        self._only(sender, self._parts.addresses.liquidation_engine)
        custody = self._parts.collateral_vault
        received = custody.pull(self.address, self._settlement_token, payer, amount_tokens)
        amount = token_scale.to_wad(received, self._settlement_decimals)
        debt_repaid = self._credit_account(account, amount)
        self._emit(
            "AuctionProceedsCredited",
            account=account,
            payer=payer,
            amountTokens=received,
            debtRepaid=debt_repaid,
        )
        return debt_repaid

    def write_off(self, sender: Address, account: AccountId) -> WriteOffReceipt:
        """Write off an account's debt and return the receipt.

        Raises:
            CompartmentLock_NotAuthorized: the sender is not the liquidation engine.
            MarginEngine_NotBankrupt: the account owes nothing.
        """
        self._only(sender, self._parts.addresses.liquidation_engine)
        t = self._totals.value.copy()
        a = self._load(account, t)
        if a.cash >= 0:
            raise MarginEngine_NotBankrupt(account)
        self._forfeit_collateral(account, a)
        receipt = ledger.write_off(t, a, self._unrealized_totals.value)
        self._store(account, t, a)
        self._emit("BadDebtWrittenOff", account=account, receipt=receipt)
        return receipt

    # ------------------------------------------------------------------------------- internal

    def _credit_account(self, account: AccountId, amount: int) -> int:
        t = self._totals.value.copy()
        a = self._load(account, t)
        debt_repaid = ledger.credit(t, a, amount)
        self._store(account, t, a)
        return debt_repaid

    def _charge_fee(
        self, account: AccountId, t: LedgerTotals, a: AccountLedger, fee: int, kept: int
    ) -> None:
        s = ledger.apply_fee(t, a, fee, self._context.now)
        to_insurance = to_pool = 0
        if s.from_cash > kept:
            p = self._parts.risk_parameters.compartment_parameters()
            to_insurance, to_pool = ledger.distribute(
                t, s.from_cash - kept, p.insurance_fee_share, p.pool_fee_share
            )
        self._emit(
            "FeeCharged",
            account=account,
            fee=fee,
            fromCash=s.from_cash,
            fromClaim=s.from_claim,
            toDebt=s.to_debt,
            toInsurance=to_insurance,
            toPool=to_pool,
        )

    def _take_collateral(self, account: AccountId, collateral: int, amount_tokens: int) -> None:
        self._remove_collateral(account, collateral, amount_tokens)
        total = self._total_collateral.get(collateral, 0)
        self._total_collateral[collateral] = checked_uint(total - amount_tokens)

    def _add_collateral(self, account: AccountId, collateral: int, amount_tokens: int) -> None:
        held = self._collateral.get((account, collateral), 0)
        self._collateral[account, collateral] = checked_uint(held + amount_tokens)
        if amount_tokens:
            a = self._account(account)
            a.collateral_mask |= 1 << collateral
            self._accounts[account] = a

    def _remove_collateral(self, account: AccountId, collateral: int, amount_tokens: int) -> None:
        held = self._collateral.get((account, collateral), 0)
        if amount_tokens > held:
            raise MarginEngine_InsufficientBalance(account, collateral, held, amount_tokens)
        self._collateral[account, collateral] = held - amount_tokens
        if held == amount_tokens:
            a = self._account(account)
            a.collateral_mask &= ~(1 << collateral)
            self._accounts[account] = a

    def _forfeit_collateral(self, account: AccountId, a: AccountLedger) -> None:
        """Take an account's dust: it stays in custody and belongs to no account."""
        for collateral in range(1, a.collateral_mask.bit_length()):
            if not a.collateral_mask >> collateral & 1:
                continue
            amount = self._collateral.get((account, collateral), 0)
            self._collateral[account, collateral] = 0
            left = self._total_collateral.get(collateral, 0) - amount
            self._total_collateral[collateral] = checked_uint(left)
            self._emit(
                "CollateralForfeited", account=account, collateral=collateral, amountTokens=amount
            )
        a.collateral_mask = 0

    def _report_unrealized(self, market: int, unrealized: int) -> None:
        previous = self._unrealized.get(market, _NONE).unrealized
        u = self._unrealized_totals.value
        net = to_int(checked_int(u.net - previous + unrealized), 128)
        positive = checked_uint(u.positive - max(previous, 0) + max(unrealized, 0))
        u = UnrealizedTotals(to_uint(positive, 128), net)
        self._unrealized_totals.set(u)
        self._unrealized[market] = MarketUnrealized(to_int(unrealized, 128), self._context.now)
        self._emit(
            "UnrealizedReported",
            market=market,
            unrealized=unrealized,
            positiveTotal=u.positive,
            netTotal=u.net,
        )

    def _settlement_wad(self, amount_tokens: int) -> int:
        return to_int(token_scale.to_wad(amount_tokens, self._settlement_decimals))

    def _move_pool_cash(self, delta: int) -> None:
        t = self._totals.value.copy()
        t.pool_cash = _shift(t.pool_cash, delta)
        self._totals.set(t)
        self._emit("PoolCashChanged", delta=delta, poolCash=t.pool_cash)
        if t.debt:
            self._set_rate(t.debt, t.pool_cash)

    def _move_insurance_cash(self, delta: int) -> None:
        t = self._totals.value.copy()
        t.insurance_cash = _shift(t.insurance_cash, delta)
        self._totals.set(t)
        self._emit("InsuranceCashChanged", delta=delta, insuranceCash=t.insurance_cash)

    def _push_settlement(self, receiver: Address, amount_tokens: int) -> None:
        custody = self._parts.collateral_vault
        custody.push(self.address, self._settlement_token, receiver, amount_tokens)

    def _require_receiver(self, receiver: Address) -> None:
        if receiver in (ZERO_ADDRESS, self._parts.addresses.collateral_vault):
            raise MarginEngine_InvalidReceiver(receiver)


def _shift(cash: int, delta: int) -> int:
    if delta < 0 and -delta > cash:
        raise MarginEngine_InsufficientCash(cash, -delta)
    return to_uint(checked_int(cash + delta), 128)

"""Twin of ``MarginEngine``: what users call. Amounts WAD unless named ``…_tokens``."""

from __future__ import annotations

from bulkhead.model import ledger, token_scale
from bulkhead.model.clearing import MarginClearing
from bulkhead.model.context import external
from bulkhead.model.math import checked_uint
from bulkhead.model.reverts import (
    MarginEngine_CollateralCap,
    MarginEngine_InsufficientBalance,
    MarginEngine_NotMatured,
    MarginEngine_NotOwner,
    MarginEngine_ZeroAmount,
)
from bulkhead.model.types import (
    SETTLEMENT,
    AccountId,
    Action,
    Address,
    owner_of,
)


class MarginEngine(MarginClearing):
    """The clearing house: moves value between accounts, pool, insurance and fee reserve."""

    # ------------------------------------------------------------------------------ for users

    @external
    def deposit(
        self, sender: Address, account: AccountId, collateral: int, amount_tokens: int
    ) -> None:
        """Add margin to one's own account.

        Raises:
            CompartmentLock_Locked: called from within a call.
            MarginEngine_NotOwner: the account is another's.
            MarginEngine_ZeroAmount: nothing is deposited.
            CircuitBreaker_Blocked: the tier does not allow it.
            RiskParameters_UnknownCollateral: the collateral is not listed.
            MarginEngine_CollateralCap: the compartment would hold too much of it.
        """
        self._enter()
        _only_owner(sender, account)
        if amount_tokens == 0:
            raise MarginEngine_ZeroAmount()
        self._parts.circuit_breaker.require_allowed(Action.DEPOSIT)
        custody = self._parts.collateral_vault
        debt_repaid = 0
        if collateral == SETTLEMENT:
            received = custody.pull(self.address, self._settlement_token, sender, amount_tokens)
            amount = token_scale.to_wad(received, self._settlement_decimals)
            debt_repaid = self._credit_account(account, amount)
        else:
            c = self._parts.risk_parameters.collateral_config(collateral)
            received = custody.pull(self.address, c.token, sender, amount_tokens)
            total = checked_uint(self._total_collateral.get(collateral, 0) + received)
            if total > c.cap:
                raise MarginEngine_CollateralCap(collateral, total, c.cap)
            self._total_collateral[collateral] = total
            held = self._collateral.get((account, collateral), 0)
            self._collateral[account, collateral] = held + received
            if received:
                a = self._account(account)
                a.collateral_mask |= 1 << collateral
                self._accounts[account] = a
        self._emit(
            "Deposited",
            account=account,
            collateral=collateral,
            amountTokens=received,
            debtRepaid=debt_repaid,
        )
        self._leave()

    @external
    def withdraw(
        self,
        sender: Address,
        account: AccountId,
        collateral: int,
        amount_tokens: int,
        receiver: Address,
    ) -> None:
        """Take margin out, as long as the account keeps its initial margin.

        Raises:
            CompartmentLock_Locked: called from within a call.
            MarginEngine_NotOwner: the account is another's.
            MarginEngine_ZeroAmount: nothing is withdrawn.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
            CircuitBreaker_Blocked: the tier does not allow it.
            MarginEngine_InsufficientBalance: the account holds less.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: see there.
        """
        self._enter()
        _only_owner(sender, account)
        if amount_tokens == 0:
            raise MarginEngine_ZeroAmount()
        self._require_receiver(receiver)
        self._parts.circuit_breaker.require_allowed(Action.WITHDRAW)
        if collateral == SETTLEMENT:
            token = self._settlement_token
            t, a = self._totals.value.copy(), self._account(account)
            amount = token_scale.to_wad(amount_tokens, self._settlement_decimals)
            held = ledger.principal_of(a)
            if amount > held:
                held_tokens = token_scale.to_tokens_down(held, self._settlement_decimals)
                raise MarginEngine_InsufficientBalance(
                    account, collateral, held_tokens, amount_tokens
                )
            ledger.debit(t, a, amount)
            self._store(account, t, a)
        else:
            token = self._parts.risk_parameters.collateral_config(collateral).token
            self._take_collateral(account, collateral, amount_tokens)
        self._require_initial_margin(account, Action.WITHDRAW)
        self._emit(
            "Withdrawn",
            account=account,
            collateral=collateral,
            amountTokens=amount_tokens,
            receiver=receiver,
        )
        self._parts.collateral_vault.push(self.address, token, receiver, amount_tokens)
        self._leave()

    @external
    def convert(self, sender: Address, account: AccountId, amount: int) -> int:
        """Turn matured claim into cash at the haircut ratio; return the cash paid.

        Raises:
            CompartmentLock_Locked: called from within a call.
            MarginEngine_NotOwner: the account is another's.
            MarginEngine_ZeroAmount: nothing is converted.
            CircuitBreaker_Blocked: the tier does not allow it.
            MarginEngine_StaleUnrealized: a market's figure is too old.
            MarginEngine_NotMatured: less has vested.
        """
        self._enter()
        _only_owner(sender, account)
        if amount == 0:
            raise MarginEngine_ZeroAmount()
        self._parts.circuit_breaker.require_allowed(Action.CONVERT)
        self.require_fresh_unrealized()
        a = self._account(account)
        matured = ledger.matured_of(a, self._context.now)
        if amount > matured:
            raise MarginEngine_NotMatured(account, matured, amount)
        t = self._totals.value.copy()
        paid = ledger.convert(t, a, self._unrealized_totals.value, amount)
        self._store(account, t, a)
        self._emit("Converted", account=account, amount=amount, paid=paid)
        self._leave()
        return paid


def _only_owner(sender: Address, account: AccountId) -> None:
    if owner_of(account) != sender:
        raise MarginEngine_NotOwner(account, sender)

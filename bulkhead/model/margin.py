"""Twin of ``MarginEngine``: what users call. Amounts WAD unless named ``…_tokens``."""

from __future__ import annotations

from contextlib import suppress

from bulkhead.model import ledger, token_scale
from bulkhead.model.clearing import MarginClearing
from bulkhead.model.context import external
from bulkhead.model.errors import ModelRevert
from bulkhead.model.math import checked_uint
from bulkhead.model.operators import CONVERT, DEPOSIT, WITHDRAW
from bulkhead.model.reverts import (
    MarginEngine_CollateralCap,
    MarginEngine_ForeignAccount,
    MarginEngine_InsufficientBalance,
    MarginEngine_NotMatured,
    MarginEngine_ReceiverNotOwner,
    MarginEngine_SameAccount,
    MarginEngine_ZeroAmount,
)
from bulkhead.model.types import (
    SETTLEMENT,
    AccountId,
    AccountLedger,
    Action,
    Address,
    LedgerTotals,
    owner_of,
)


class MarginEngine(MarginClearing):
    """The clearing house: moves value between accounts, pool, insurance and fee reserve."""

    # ------------------------------------------------------------------------------ for users

    @external
    def deposit(
        self, sender: Address, account: AccountId, collateral: int, amount_tokens: int
    ) -> None:
        """Add margin, of one's own tokens.

        Raises:
            CompartmentLock_Locked: called from within a call.
            AccountOperators_NotAuthorized: neither owner nor an operator with the permission.
            MarginEngine_ZeroAmount: nothing is deposited.
            CircuitBreaker_Blocked: the tier does not allow it.
            RiskParameters_UnknownCollateral: the collateral is not listed.
            MarginEngine_CollateralCap: the compartment would hold too much of it.
        """
        self._enter()
        self._require_authorized(sender, account, DEPOSIT)
        self._deposit(self._sender(sender), account, collateral, amount_tokens)
        self._leave()

    @external
    def deposit_with_permit(
        self,
        sender: Address,
        account: AccountId,
        collateral: int,
        amount_tokens: int,
        deadline: int,
        v: int,
        r: bytes,
        s: bytes,
    ) -> None:
        """Add margin after giving the allowance by a permit, which may fail.

        Raises:
            As ``deposit``; an unlisted collateral is found out first.
        """
        self._enter()
        self._require_authorized(sender, account, DEPOSIT)
        payer, custody = self._sender(sender), self._parts.collateral_vault.address
        token = self._parts.token(self._token_of(collateral))
        with suppress(ModelRevert):
            args = (self.address, payer, custody, amount_tokens, deadline, v, r, s)
            self._context.execute(lambda: token.permit(*args))
        self._deposit(payer, account, collateral, amount_tokens)
        self._leave()

    def _deposit(
        self, payer: Address, account: AccountId, collateral: int, amount_tokens: int
    ) -> None:
        if amount_tokens == 0:
            raise MarginEngine_ZeroAmount()
        self._parts.circuit_breaker.require_allowed(Action.DEPOSIT)
        custody = self._parts.collateral_vault
        debt_repaid = 0
        if collateral == SETTLEMENT:
            received = custody.pull(self.address, self._settlement_token, payer, amount_tokens)
            amount = token_scale.to_wad(received, self._settlement_decimals)
            debt_repaid = self._credit_account(account, amount)
        else:
            c = self._parts.risk_parameters.collateral_config(collateral)
            received = custody.pull(self.address, c.token, payer, amount_tokens)
            total = checked_uint(self._total_collateral.get(collateral, 0) + received)
            if total > c.cap:
                raise MarginEngine_CollateralCap(collateral, total, c.cap)
            self._total_collateral[collateral] = total
            self._add_collateral(account, collateral, received)
        self._emit(
            "Deposited",
            account=account,
            collateral=collateral,
            amountTokens=received,
            debtRepaid=debt_repaid,
        )

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
            AccountOperators_NotAuthorized: neither owner nor an operator with the permission.
            MarginEngine_ZeroAmount: nothing is withdrawn.
            MarginEngine_InvalidReceiver: to nobody, or back into custody.
            MarginEngine_ReceiverNotOwner: an operator would send it elsewhere than to the owner.
            CircuitBreaker_Blocked: the tier does not allow it.
            MarginEngine_OrdersOpen: an order of the account may raise its risk.
            MarginEngine_InsufficientBalance: the account holds less.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: see there.
        """
        self._enter()
        self._require_authorized(sender, account, WITHDRAW)
        if amount_tokens == 0:
            raise MarginEngine_ZeroAmount()
        self._require_receiver(receiver)
        owner = owner_of(account)
        if receiver != owner and self._sender(sender) != owner:
            raise MarginEngine_ReceiverNotOwner(account, receiver)
        self._parts.circuit_breaker.require_allowed(Action.WITHDRAW)
        self._require_no_orders(account)
        token = self._token_of(collateral)
        if collateral == SETTLEMENT:
            t = self._totals.value.copy()
            self._store(account, t, self._debited(account, t, amount_tokens))
        else:
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
    def transfer(
        self,
        sender: Address,
        from_: AccountId,
        to: AccountId,
        collateral: int,
        amount_tokens: int,
    ) -> None:
        """Move margin between two accounts of one owner.

        Raises:
            CompartmentLock_Locked: called from within a call.
            AccountOperators_NotAuthorized: neither owner nor an operator who may withdraw from the
                one and deposit to the other.
            MarginEngine_ForeignAccount: the accounts have different owners.
            MarginEngine_SameAccount: they are one.
            MarginEngine_ZeroAmount: nothing is moved.
            CircuitBreaker_Blocked: the tier does not allow it.
            RiskParameters_UnknownCollateral: the collateral is not listed.
            MarginEngine_OrdersOpen: an order of the first account may raise its risk.
            MarginEngine_InsufficientBalance: the first account holds less.
            ActionPolicy_PriceStatus, MarginEngine_BelowInitialMargin: see there.
        """
        self._enter()
        self._require_authorized(sender, from_, WITHDRAW)
        if owner_of(from_) != owner_of(to):
            raise MarginEngine_ForeignAccount(from_, to)
        self._require_authorized(sender, to, DEPOSIT)
        if from_ == to:
            raise MarginEngine_SameAccount(from_)
        if amount_tokens == 0:
            raise MarginEngine_ZeroAmount()
        self._parts.circuit_breaker.require_allowed(Action.TRANSFER)
        self._require_no_orders(from_)
        debt_repaid = 0
        if collateral == SETTLEMENT:
            t = self._totals.value.copy()
            self._accounts[from_] = self._debited(from_, t, amount_tokens)
            a = self._load(to, t)
            amount = token_scale.to_wad(amount_tokens, self._settlement_decimals)
            debt_repaid = ledger.credit(t, a, amount)
            self._save(to, a)
            self._save_totals(t)
        else:
            self._token_of(collateral)
            self._remove_collateral(from_, collateral, amount_tokens)
            self._add_collateral(to, collateral, amount_tokens)
        self._require_initial_margin(from_, Action.TRANSFER)
        self._emit(
            "Transferred",
            **{"from": from_},
            to=to,
            collateral=collateral,
            amountTokens=amount_tokens,
            debtRepaid=debt_repaid,
        )
        self._leave()

    @external
    def convert(self, sender: Address, account: AccountId, amount: int) -> int:
        """Turn matured claim into cash at the haircut ratio; return the cash paid.

        Raises:
            CompartmentLock_Locked: called from within a call.
            AccountOperators_NotAuthorized: neither owner nor an operator with the permission.
            MarginEngine_ZeroAmount: nothing is converted.
            CircuitBreaker_Blocked: the tier does not allow it.
            MarginEngine_StaleUnrealized: a market's figure is too old.
            MarginEngine_NotMatured: less has vested.
        """
        self._enter()
        self._require_authorized(sender, account, CONVERT)
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

    def _debited(self, account: AccountId, t: LedgerTotals, amount_tokens: int) -> AccountLedger:
        """Return an account's entry without so many settlement token units; changes ``t``, too."""
        a = self._account(account)
        amount = token_scale.to_wad(amount_tokens, self._settlement_decimals)
        held = ledger.principal_of(a)
        if amount > held:
            held_tokens = token_scale.to_tokens_down(held, self._settlement_decimals)
            raise MarginEngine_InsufficientBalance(account, SETTLEMENT, held_tokens, amount_tokens)
        ledger.debit(t, a, amount)
        return a

    def _token_of(self, collateral: int) -> Address:
        if collateral == SETTLEMENT:
            return self._settlement_token
        return self._parts.risk_parameters.collateral_config(collateral).token

"""One exception class per custom error of a compartment's contracts and of the libraries they use.

Docstrings name the arguments in order; enumerations compare equal to Solidity's numbers, accounts
are integers, asset, parameter and role names plain strings.
"""
# ruff: noqa: N801

from __future__ import annotations

from bulkhead.model.errors import ModelRevert


class EmptyRevert(ModelRevert):
    """A revert without data: a call to an address without code."""

    name = ""


class CompartmentLock_Locked(ModelRevert):
    """A call enters the compartment while another is still in it."""


class CompartmentLock_NotAuthorized(ModelRevert):
    """``(caller)``."""


class RoleRegistry_MissingRole(ModelRevert):
    """``(caller, role)``."""


class AccessControlUnauthorizedAccount(ModelRevert):
    """``(account, neededRole)``: OpenZeppelin's."""


class AccessControlBadConfirmation(ModelRevert):
    """A role is given up in another's name."""


class CollateralVault_NotMarginEngine(ModelRevert):
    """``(caller)``."""


# ---------------------------------------------------------------------------- account operators


class AccountOperators_NotOwner(ModelRevert):
    """``(account, caller)``."""


class AccountOperators_SignatureExpired(ModelRevert):
    """``(deadline, timestamp)`` in Unix seconds."""


class AccountOperators_NonceUsed(ModelRevert):
    """``(owner, nonce)``."""


class AccountOperators_InvalidSignature(ModelRevert):
    """``(owner)``."""


class AccountOperators_UnknownPermissions(ModelRevert):
    """``(given, known)`` as bits."""


class AccountOperators_ExpiryInPast(ModelRevert):
    """``(expiresAt, timestamp)`` in Unix seconds."""


class AccountOperators_InvalidOperator(ModelRevert):
    """``(operator)``."""


class AccountOperators_NoGrant(ModelRevert):
    """``(account, operator)``."""


class AccountOperators_NotAuthorized(ModelRevert):
    """``(account, caller, permission)``."""


# -------------------------------------------------------------------------------- margin engine


class MarginEngine_ZeroAmount(ModelRevert):
    """An amount is zero."""


class MarginEngine_InvalidReceiver(ModelRevert):
    """``(receiver)``."""


class MarginEngine_ReceiverNotOwner(ModelRevert):
    """``(account, receiver)``."""


class MarginEngine_ForeignAccount(ModelRevert):
    """``(from, to)``."""


class MarginEngine_SameAccount(ModelRevert):
    """``(account)``."""


class MarginEngine_NestedBatch(ModelRevert):
    """A batch within a batch."""


class MarginEngine_CallCount(ModelRevert):
    """``(count, maximum)``."""


class MarginEngine_AccountCount(ModelRevert):
    """``(count, maximum)``."""


class MarginEngine_InvalidActor(ModelRevert):
    """``(actor)``."""


class MarginEngine_Simulated(ModelRevert):
    """``(results, valuations)``: what a simulation has to say."""


class MarginEngine_InsufficientBalance(ModelRevert):
    """``(account, collateral, held, asked)`` in token units."""


class MarginEngine_CollateralCap(ModelRevert):
    """``(collateral, total, cap)`` in token units."""


class MarginEngine_OrdersOpen(ModelRevert):
    """``(account, count)``."""


class MarginEngine_NotMatured(ModelRevert):
    """``(account, matured, asked)``."""


class MarginEngine_StaleUnrealized(ModelRevert):
    """``(market, age, maxAge)`` in seconds."""


class MarginEngine_BelowInitialMargin(ModelRevert):
    """``(account, equity, required)``."""


class MarginEngine_InsufficientCash(ModelRevert):
    """``(held, asked)``."""


class MarginEngine_NotBankrupt(ModelRevert):
    """``(account)``."""


# ------------------------------------------------------------------------------------- exchange


class PerpExchange_NotLiquidationEngine(ModelRevert):
    """``(caller)``."""


class PerpExchange_NotAuthorized(ModelRevert):
    """``(caller)``."""


class PerpExchange_NotSignedOrders(ModelRevert):
    """``(caller)``."""


class PerpExchange_PriceOutOfBand(ModelRevert):
    """``(market, price, lowest, highest)``."""


class PerpExchange_ZeroSize(ModelRevert):
    """A size is zero."""


class PerpExchange_SizeTooLarge(ModelRevert):
    """``(size, maximum)``."""


class PerpExchange_PriceNotAcceptable(ModelRevert):
    """``(fillPrice, acceptablePrice)``."""


class PerpExchange_OpenInterestCap(ModelRevert):
    """``(market, openInterest, maximum)``."""


class PerpExchange_PremiumCap(ModelRevert):
    """``(market, premium, maximum)``."""


class PerpExchange_PoolShare(ModelRevert):
    """``(market, notional, maximum)``."""


class PerpExchange_NotReducing(ModelRevert):
    """``(account, market, size, sizeDelta)``."""


class PerpExchange_WindingDown(ModelRevert):
    """``(market)``."""


class PerpExchange_Settled(ModelRevert):
    """``(market)``."""


class PerpExchange_WrongPhase(ModelRevert):
    """``(market, phase, required)``."""


class PerpExchange_NoticeRunning(ModelRevert):
    """``(market, fixableAt)``."""


class PerpExchange_NoSettlementPrice(ModelRevert):
    """``(market, anyPriceFrom)``."""


class SkewPricing_NonPositivePrice(ModelRevert):
    """``(skew, skewScale)``."""


# ---------------------------------------------------------------------------------- liquidation


class LiquidationEngine_Healthy(ModelRevert):
    """``(account, equity, maintenanceMargin)``."""


class LiquidationEngine_HealthyAtIndex(ModelRevert):
    """``(account, buffer)``"""


class LiquidationEngine_NoPosition(ModelRevert):
    """``(account, market)``."""


class LiquidationEngine_NoDebt(ModelRevert):
    """``(account)``."""


class LiquidationEngine_NoCollateral(ModelRevert):
    """``(account, collateral)``."""


class LiquidationEngine_AuctionRunning(ModelRevert):
    """``(account, collateral, startedAt)``."""


class LiquidationEngine_NoAuction(ModelRevert):
    """``(account, collateral)``."""


class LiquidationEngine_PriceTooHigh(ModelRevert):
    """``(auctionPrice, maxPrice)``."""


class LiquidationEngine_ZeroAmount(ModelRevert):
    """A buyer asks for nothing."""


class LiquidationEngine_AssetsLeft(ModelRevert):
    """``(account, positions, collateralValue)``."""


# ------------------------------------------------------------------------- breaker and parameters


class CircuitBreaker_Blocked(ModelRevert):
    """``(action, tier, maxTier)``."""


class CircuitBreaker_NotLiquidationEngine(ModelRevert):
    """``(caller)``."""


class CircuitBreaker_Resting(ModelRevert):
    """``(until)`` in Unix seconds."""


class CircuitBreaker_OutOfBounds(ModelRevert):
    """``(parameter, value, minimum, maximum)``."""


class RiskParameters_OutOfBounds(ModelRevert):
    """``(parameter, value, minimum, maximum)``."""


class RiskParameters_UnknownMarket(ModelRevert):
    """``(market)``."""


class RiskParameters_UnknownCollateral(ModelRevert):
    """``(collateral)``."""


class RiskParameters_Immutable(ModelRevert):
    """``(parameter)``."""


class RiskParameters_PairCount(ModelRevert):
    """``(pairs, markets)``."""


class Correlations_NotPositiveDefinite(ModelRevert):
    """``(market, pivot, leastPivot)``."""


class TokenScreen_Rebasing(ModelRevert):
    """``(token, selector)``."""


class RiskEngine_NoDepthSource(ModelRevert):
    """``(collateral)``."""


class RiskEngine_NoExposure(ModelRevert):
    """``(account, market)``."""


class LiquidationEngine_Offsetting(ModelRevert):
    """``(account, market)``."""


class RiskParameters_TokenAlreadyListed(ModelRevert):
    """``(token)``."""


# ---------------------------------------------------------------------------- vaults and tokens


class LedgerVault_ZeroAmount(ModelRevert):
    """An amount is zero, or rounds to zero on the other side."""


class LedgerVault_TransferFee(ModelRevert):
    """``(received, sent)`` in token units."""


class LedgerVault_NoRequestNeeded(ModelRevert):
    """The vault lets its owners leave without a request."""


class LedgerVault_InsufficientShares(ModelRevert):
    """``(owner, free, shares)``: fewer shares are not requested yet."""


class LedgerVault_NotRequested(ModelRevert):
    """``(owner,)``: there is no request."""


class LedgerVault_Cooling(ModelRevert):
    """``(owner, timestamp, unlocksAt)``, Unix seconds."""


class LedgerVault_Lapsed(ModelRevert):
    """``(owner, timestamp, expiresAt)``, Unix seconds."""


class LedgerVault_Coverage(ModelRevert):
    """``(assets, limit)`` in token units: less would stay than has to."""


class LiquidityVault_Unpriced(ModelRevert):
    """``(market, status)``: a market with positions has no firm price."""


class ERC4626ExceededMaxDeposit(ModelRevert):
    """``(receiver, assets, max)``."""


class ERC4626ExceededMaxMint(ModelRevert):
    """``(receiver, shares, max)``."""


class ERC4626ExceededMaxWithdraw(ModelRevert):
    """``(owner, assets, max)``."""


class ERC4626ExceededMaxRedeem(ModelRevert):
    """``(owner, shares, max)``."""


class ERC20InsufficientBalance(ModelRevert):
    """``(sender, balance, needed)``."""


class ERC20InsufficientAllowance(ModelRevert):
    """``(spender, allowance, needed)``."""


class ERC20InvalidSender(ModelRevert):
    """``(sender)``."""


class ERC20InvalidReceiver(ModelRevert):
    """``(receiver)``."""


class ERC20InvalidApprover(ModelRevert):
    """``(approver)``."""


class ERC20InvalidSpender(ModelRevert):
    """``(spender)``."""

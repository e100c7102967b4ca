// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {LedgerVault} from "../margin/LedgerVault.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {PoolExposure} from "../types/Market.sol";
import {PoolParameters} from "../types/Parameters.sol";
import {isFirm} from "../types/Price.sol";

/// @notice Implements `ILiquidityVault`, where every function is documented.
/// @dev Values are reckoned from the markets as they are in this second and not from the figures that the ledger
/// keeps: previews are exact, and entering writes nothing but the deposit.
contract LiquidityVault is ILiquidityVault, LedgerVault {
    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;

    constructor(Compartment memory wiring)
        LedgerVault(wiring, "Bulkhead Liquidity", "bhLP", Action.PoolDeposit, Action.PoolWithdraw)
    {
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
    }

    /// @inheritdoc ILiquidityVault
    function netAssetValue() external view whenUnlocked returns (int256 toEnter, int256 toLeave) {
        (toEnter, toLeave) = _netAssetValue(_perpExchange.poolExposure());
    }

    /// @inheritdoc ILiquidityVault
    function coverage() external view whenUnlocked returns (uint256) {
        return _coverage(_perpExchange.poolExposure());
    }

    function _netAssetValue(PoolExposure memory e)
        internal
        view
        returns (int256 toEnter, int256 toLeave)
    {
        // Interest that nobody has booked yet is part of the debt: it is not for those who come now.
        (uint256 poolCash, uint256 claims, uint256 debt) = _marginEngine.poolLedger();
        int256 cashLessClaims = int256(poolCash) - int256(claims);
        // Leaving: debt counts nothing until it is repaid, traders' unrealised losses nothing until realised.
        toLeave = cashLessClaims - int256(e.positive);
        // Entering: both count in full. net ≤ positive, so no one enters below what she could leave at.
        toEnter = cashLessClaims + int256(debt) - e.net;
    }

    /// @dev Claims and U⁺ come before the providers and are gone from the value already; this comes on top, for
    /// what the positions may gain from here. The smaller side may leave first, so it covers nothing.
    function _coverage(PoolExposure memory e) internal view returns (uint256) {
        if (e.openInterest == 0) return 0;
        return WadMath.mulUp(e.openInterest, _riskParameters.poolParameters().coverageRatio);
    }

    function _exposure(bool isStrict) internal view returns (PoolExposure memory e, bool isPriced) {
        e = _perpExchange.poolExposure();
        isPriced = isFirm(e.status);
        if (isStrict && !isPriced) revert LiquidityVault_Unpriced(e.worst, e.status);
    }

    /// @dev While h < 1 the pool owes more than it has: a new share would be worth nothing to its buyer.
    function _enterValue(bool isStrict)
        internal
        view
        override
        returns (uint256 value, bool isOpen)
    {
        (PoolExposure memory e, bool isPriced) = _exposure(isStrict);
        (int256 toEnter, int256 toLeave) = _netAssetValue(e);
        isOpen = isPriced && toLeave >= 0;
        if (toEnter > 0) value = TokenScale.toTokensUp(uint256(toEnter), _assetDecimals);
    }

    function _leaveValue(bool isStrict)
        internal
        view
        override
        returns (uint256 value, uint256 free)
    {
        (PoolExposure memory e, bool isPriced) = _exposure(isStrict);
        (, int256 toLeave) = _netAssetValue(e);
        if (toLeave <= 0) return (0, 0);
        value = TokenScale.toTokensDown(uint256(toLeave), _assetDecimals);
        uint256 covered = _coverage(e);
        if (isPriced && uint256(toLeave) > covered) {
            free = TokenScale.toTokensDown(uint256(toLeave) - covered, _assetDecimals);
        }
    }

    function _exitTerms() internal view override returns (uint32 cooldown, uint32 window) {
        PoolParameters memory p = _riskParameters.poolParameters();
        (cooldown, window) = (p.cooldown, p.redeemWindow);
    }

    /// @dev h follows what the ledger keeps: it is not left at an older figure when the pool gets smaller.
    function _refresh() internal override {
        _perpExchange.refreshAll();
    }

    function _book(uint256 amountTokens) internal override {
        _marginEngine.creditPool(amountTokens);
    }

    function _pay(uint256 amountTokens, address receiver) internal override {
        _marginEngine.debitPool(amountTokens, receiver);
    }
}

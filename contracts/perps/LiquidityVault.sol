// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {InterestCurve} from "../margin/InterestCurve.sol";
import {LedgerVault} from "../margin/LedgerVault.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {MarketId} from "../types/Ids.sol";
import {BorrowState, LedgerTotals} from "../types/Ledger.sol";
import {Market} from "../types/Market.sol";
import {MarketTrading, PoolParameters} from "../types/Parameters.sol";
import {isFirm, PriceData} from "../types/Price.sol";
import {Funding} from "./Funding.sol";
import {PositionMath} from "./PositionMath.sol";

/// @notice Implements `ILiquidityVault`, where every function is documented.
/// @dev Values are reckoned from the markets as they are in this second, with the exchange's own arithmetic, and
/// not from the figures that the ledger keeps: previews are exact, and entering writes nothing but the deposit.
contract LiquidityVault is ILiquidityVault, LedgerVault {
    using Funding for Market;
    using PositionMath for Market;

    /// @dev What the open positions of all markets mean to the pool. WAD settlement units.
    /// @param positive U⁺.
    /// @param net ΣU.
    /// @param openInterest Σ over markets of the greater side at the index price, rounded up.
    /// @param isPriced Whether every market with positions has a firm price.
    struct Exposure {
        uint256 positive;
        int256 net;
        uint256 openInterest;
        bool isPriced;
    }

    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;
    IOracleAggregator internal immutable _oracle;

    constructor(Compartment memory wiring)
        LedgerVault(wiring, "Bulkhead Liquidity", "bhLP", Action.PoolDeposit, Action.PoolWithdraw)
    {
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _oracle = IOracleAggregator(wiring.oracle);
    }

    /// @inheritdoc ILiquidityVault
    function netAssetValue() external view whenUnlocked returns (int256 toEnter, int256 toLeave) {
        (toEnter, toLeave) = _netAssetValue(_exposure(false));
    }

    /// @inheritdoc ILiquidityVault
    function coverage() external view whenUnlocked returns (uint256) {
        return _coverage(_exposure(false));
    }

    function _netAssetValue(Exposure memory e)
        internal
        view
        returns (int256 toEnter, int256 toLeave)
    {
        LedgerTotals memory t = _marginEngine.totals();
        int256 cashLessClaims = int256(uint256(t.poolCash)) - int256(uint256(t.claims));
        // Leaving: debt counts nothing until it is repaid, traders' unrealised losses nothing until realised.
        toLeave = cashLessClaims - int256(e.positive);
        // Entering: both count in full. net ≤ positive, so no one enters below what she could leave at.
        toEnter = cashLessClaims + int256(_debt(t)) - e.net;
    }

    /// @dev With the interest that no account has booked yet: it is not for those who come now.
    function _debt(LedgerTotals memory t) internal view returns (uint256) {
        if (t.debt == 0) return 0;
        BorrowState memory b = _marginEngine.borrowState();
        return InterestCurve.total(b.scaledDebt, InterestCurve.currentIndex(b));
    }

    /// @dev Claims and U⁺ come before the providers and are gone from the value already; this comes on top, for
    /// what the positions may gain from here. The smaller side may leave first, so it covers nothing.
    function _coverage(Exposure memory e) internal view returns (uint256) {
        if (e.openInterest == 0) return 0;
        return WadMath.mulUp(e.openInterest, _riskParameters.poolParameters().coverageRatio);
    }

    /// @dev An empty market owes nothing and needs no price. Accrued to now as `PerpExchange` would.
    function _exposure(bool isStrict) internal view returns (Exposure memory e) {
        e.isPriced = true;
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            MarketId market = MarketId.wrap(i);
            Market memory m = _perpExchange.marketState(market);
            uint256 side = WadMath.max(m.openInterestLong, m.openInterestShort);
            if (side == 0) continue;
            MarketTrading memory p = _riskParameters.marketTrading(market);
            PriceData memory index = _oracle.latest(p.indexAsset);
            if (!isFirm(index.status)) {
                if (isStrict) revert LiquidityVault_Unpriced(market, index.status);
                e.isPriced = false;
            }
            m.accrue(p, index.price);
            int256 unrealized = m.closeOutTotal(index.price, p.skewScale);
            e.net += unrealized;
            if (unrealized > 0) e.positive += uint256(unrealized);
            e.openInterest += WadMath.mulUp(side, index.price);
        }
    }

    /// @dev While h < 1 the pool owes more than it has: a new share would be worth nothing to its buyer.
    function _enterValue(bool isStrict)
        internal
        view
        override
        returns (uint256 value, bool isOpen)
    {
        Exposure memory e = _exposure(isStrict);
        (int256 toEnter, int256 toLeave) = _netAssetValue(e);
        isOpen = e.isPriced && toLeave >= 0;
        if (toEnter > 0) value = TokenScale.toTokensUp(uint256(toEnter), _assetDecimals);
    }

    function _leaveValue(bool isStrict)
        internal
        view
        override
        returns (uint256 value, uint256 free)
    {
        Exposure memory e = _exposure(isStrict);
        (, int256 toLeave) = _netAssetValue(e);
        if (toLeave <= 0) return (0, 0);
        value = TokenScale.toTokensDown(uint256(toLeave), _assetDecimals);
        uint256 covered = _coverage(e);
        if (e.isPriced && uint256(toLeave) > covered) {
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

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILiquidityVault} from "../interfaces/ILiquidityVault.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {InterestCurve} from "../margin/InterestCurve.sol";
import {LedgerVault} from "../margin/LedgerVault.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {MarketId} from "../types/Ids.sol";
import {BorrowState, LedgerTotals, UnrealizedTotals} from "../types/Ledger.sol";
import {Market} from "../types/Market.sol";
import {isFirm, PriceStatus} from "../types/Price.sol";

/// @notice Implements `ILiquidityVault`, where every function is documented.
contract LiquidityVault is ILiquidityVault, LedgerVault {
    IPerpExchange internal immutable _perpExchange;
    IRiskParameters internal immutable _riskParameters;

    /// @dev Set while an entry point runs: the ledger's own figures are fresh then, and the exchange's live views
    /// are closed by the lock.
    bool private transient _refreshed;

    constructor(Compartment memory wiring)
        LedgerVault(wiring, "Bulkhead Liquidity", "bhLP", Action.PoolDeposit, Action.PoolWithdraw)
    {
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _riskParameters = IRiskParameters(wiring.riskParameters);
    }

    /// @inheritdoc ILiquidityVault
    function netAssetValue() external view whenUnlocked returns (int256 toEnter, int256 toLeave) {
        return _netAssetValue();
    }

    function _netAssetValue() internal view returns (int256 toEnter, int256 toLeave) {
        LedgerTotals memory t = _marginEngine.totals();
        UnrealizedTotals memory u =
            _refreshed ? _marginEngine.unrealizedTotals() : _liveUnrealized();
        int256 cashLessClaims = int256(uint256(t.poolCash)) - int256(uint256(t.claims));
        // Leaving: debt counts nothing until it is repaid, traders' unrealised losses nothing until realised.
        toLeave = cashLessClaims - int256(uint256(u.positive));
        // Entering: both count in full. net ≤ positive, so no one enters below what she could leave at.
        toEnter = cashLessClaims + int256(_debt(t)) - u.net;
    }

    /// @dev With the interest that no account has booked yet: it is not for those who come now.
    function _debt(LedgerTotals memory t) internal view returns (uint256) {
        if (t.debt == 0) return 0;
        BorrowState memory b = _marginEngine.borrowState();
        return InterestCurve.total(b.scaledDebt, InterestCurve.currentIndex(b));
    }

    function _liveUnrealized() internal view returns (UnrealizedTotals memory u) {
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            int256 unrealized = _perpExchange.closeOutPnl(MarketId.wrap(i));
            u.net += int128(unrealized);
            if (unrealized > 0) u.positive += uint128(uint256(unrealized));
        }
    }

    function _enterValue() internal view override returns (uint256) {
        (int256 toEnter,) = _netAssetValue();
        return toEnter > 0 ? TokenScale.toTokensUp(uint256(toEnter), _assetDecimals) : 0;
    }

    function _leaveValue() internal view override returns (uint256) {
        (, int256 toLeave) = _netAssetValue();
        return toLeave > 0 ? TokenScale.toTokensDown(uint256(toLeave), _assetDecimals) : 0;
    }

    /// @dev While h < 1 the pool owes more than it has: a new share would be worth nothing to its buyer.
    function _isOpen() internal view override returns (bool) {
        (, int256 toLeave) = _netAssetValue();
        return toLeave >= 0;
    }

    /// @dev A market with positions and a stale price keeps the whole from being worth anything definite.
    function _isPriced() internal view override returns (bool) {
        if (_refreshed) return true;
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            MarketId market = MarketId.wrap(i);
            (, PriceStatus status) = _perpExchange.indexPrice(market);
            if (isFirm(status)) continue;
            Market memory m = _perpExchange.marketState(market);
            if (m.openInterestLong != 0 || m.openInterestShort != 0) return false;
        }
        return true;
    }

    function _refresh() internal override {
        _perpExchange.refreshAll();
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            MarketId market = MarketId.wrap(i);
            uint256 age = block.timestamp - _marginEngine.marketUnrealized(market).updatedAt;
            if (age != 0) revert IMarginEngine.MarginEngine_StaleUnrealized(market, age, 0);
        }
        _refreshed = true;
    }

    function _book(uint256 amountTokens) internal override {
        _marginEngine.creditPool(amountTokens);
        _refreshed = false;
    }

    function _pay(uint256 amountTokens, address receiver) internal override {
        _refreshed = false;
        _marginEngine.debitPool(amountTokens, receiver);
    }
}

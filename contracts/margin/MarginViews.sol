// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals, MarketUnrealized, UnrealizedTotals} from "../types/Ledger.sol";
import {AccountStanding, AccountValuation, Holding} from "../types/Valuation.sol";
import {InterestCurve} from "./InterestCurve.sol";
import {Ledger} from "./Ledger.sol";
import {MarginInterest} from "./MarginInterest.sol";
import {LibBit} from "solady/utils/LibBit.sol";

/// @notice The views of the ledger, and what the risk engine has to know of an account.
abstract contract MarginViews is MarginInterest {
    using Ledger for AccountLedger;

    /// @inheritdoc IMarginEngine
    function valuation(AccountId account)
        external
        view
        consistent
        returns (AccountValuation memory)
    {
        return _riskEngine.valuation(account, _standing(account));
    }

    /// @inheritdoc IMarginEngine
    function standing(AccountId account) external view consistent returns (AccountStanding memory) {
        return _standing(account);
    }

    /// @inheritdoc IMarginEngine
    function accountLedger(AccountId account)
        external
        view
        consistent
        returns (AccountLedger memory)
    {
        return _accrued(account);
    }

    /// @inheritdoc IMarginEngine
    function maturedClaim(AccountId account) external view consistent returns (uint256) {
        return _accounts[account].maturedOf();
    }

    /// @inheritdoc IMarginEngine
    function collateralBalance(AccountId account, CollateralId collateral)
        external
        view
        consistent
        returns (uint256)
    {
        return _collateral[account][collateral];
    }

    /// @inheritdoc IMarginEngine
    function totalCollateral(CollateralId collateral) external view consistent returns (uint256) {
        return _totalCollateral[collateral];
    }

    /// @inheritdoc IMarginEngine
    function poolLedger()
        external
        view
        consistent
        returns (uint256 poolCash, uint256 claims, uint256 debt)
    {
        (poolCash, claims) = (_totals.poolCash, _totals.claims);
        if (_totals.debt != 0) {
            debt = InterestCurve.total(_borrow.scaledDebt, InterestCurve.currentIndex(_borrow));
        }
    }

    /// @inheritdoc IMarginEngine
    function totals() external view consistent returns (LedgerTotals memory) {
        return _totals;
    }

    /// @inheritdoc IMarginEngine
    function unrealizedTotals() external view consistent returns (UnrealizedTotals memory) {
        return _unrealizedTotals;
    }

    /// @inheritdoc IMarginEngine
    function marketUnrealized(MarketId market)
        external
        view
        consistent
        returns (MarketUnrealized memory)
    {
        return _unrealized[market];
    }

    /// @inheritdoc IMarginEngine
    function haircutRatio() external view consistent returns (uint256) {
        return Ledger.haircut(_totals, _unrealizedTotals, WadMath.WAD);
    }

    /// @inheritdoc IMarginEngine
    function requireFreshUnrealized() external view {
        _requireFreshUnrealized();
    }

    function _requireFreshUnrealized() internal view {
        uint256 maxAge = _riskParameters.maxUnrealizedAge();
        (MarketId oldest, uint256 age) = _oldestUnrealized();
        if (age > maxAge) revert MarginEngine_StaleUnrealized(oldest, age, maxAge);
    }

    /// @dev A market that was never touched has no positions and no age.
    function _oldestUnrealized() private view returns (MarketId oldest, uint256 age) {
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            uint256 updatedAt = _unrealized[MarketId.wrap(i)].updatedAt;
            if (updatedAt == 0 || block.timestamp - updatedAt <= age) continue;
            (oldest, age) = (MarketId.wrap(i), block.timestamp - updatedAt);
        }
    }

    function _standing(AccountId account) internal view returns (AccountStanding memory s) {
        AccountLedger memory a = _accrued(account);
        s.cash = a.cash;
        (s.poolCash, s.junior) = _backing();
        if (a.claim > 0) {
            s.claim = a.claim;
            s.matured = a.maturedOf();
            s.isHaircutFresh = _isHaircutFresh();
        }
        s.holdings = _holdings(account, a.collateralMask);
    }

    /// @dev What a claim counts for initial margin: its matured part times h, if that is known well enough.
    function _claimValue(AccountLedger memory a) internal view returns (uint256) {
        if (a.claim == 0 || !_isHaircutFresh()) return 0;
        (uint256 poolCash, uint256 junior) = _backing();
        return Ledger.shareOf(a.maturedOf(), poolCash, junior);
    }

    /// @dev L, and J + U⁺.
    function _backing() private view returns (uint256 poolCash, uint256 junior) {
        return (_totals.poolCash, uint256(_totals.claims) + _unrealizedTotals.positive);
    }

    function _isHaircutFresh() private view returns (bool) {
        (, uint256 age) = _oldestUnrealized();
        return age <= _riskParameters.maxUnrealizedAge();
    }

    function _holdings(AccountId account, uint256 mask)
        internal
        view
        returns (Holding[] memory holdings)
    {
        holdings = new Holding[](LibBit.popCount(mask));
        uint256 next;
        for (uint8 i = 1; mask >> i != 0; ++i) {
            if ((mask >> i) & 1 == 0) continue;
            CollateralId id = CollateralId.wrap(i);
            holdings[next++] = Holding(id, _collateral[account][id], _totalCollateral[id]);
        }
    }
}

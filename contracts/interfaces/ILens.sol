// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals, MarketUnrealized, UnrealizedTotals} from "../types/Ledger.sol";
import {Market, Position} from "../types/Market.sol";
import {PriceStatus} from "../types/Price.sol";
import {AccountValuation, CollateralValuation} from "../types/Valuation.sol";

/// @title Whole accounts and the whole compartment, one call each
/// @notice Reads only; nothing depends on it. Values are WAD settlement units unless a unit is given.
interface ILens {
    /// @param position Size, quote and funding entry.
    /// @param unrealizedPnl At mark, funding included, accrued to this second.
    struct PositionView {
        MarketId market;
        Position position;
        int256 unrealizedPnl;
    }

    /// @param ledger Debt with the interest owed up to now.
    /// @param bookedDebt WAD: debt without the interest since it was last booked, as it is part of D.
    /// @param maturedClaim Part of the claim that can be converted now.
    /// @param collateralTokens Token units by collateral id less one.
    /// @param isPriced Whether the valuation could be computed; if not, it is all zeros.
    struct AccountView {
        AccountId account;
        AccountLedger ledger;
        uint256 bookedDebt;
        uint256 maturedClaim;
        uint256[] collateralTokens;
        PositionView[] positions;
        AccountValuation valuation;
        bool isPriced;
    }

    /// @param indexPrice WAD settlement units per 1.0 of base.
    /// @param markPrice Same.
    /// @param fundingRate WAD per day.
    /// @param unrealizedPnl U_m, accrued to this second.
    /// @param reported U_m as the margin engine last heard of it.
    struct MarketView {
        MarketId market;
        Market state;
        uint256 indexPrice;
        PriceStatus status;
        uint256 markPrice;
        int256 fundingRate;
        int256 unrealizedPnl;
        MarketUnrealized reported;
    }

    /// @param custodyTokens Token units that the vault holds.
    /// @param bookedTokens Token units that accounts hold by the ledger.
    struct CollateralView {
        address token;
        uint256 custodyTokens;
        uint256 bookedTokens;
        CollateralValuation valuation;
    }

    /// @param totals D as booked.
    /// @param accruedDebt WAD that all accounts owe now, interest included.
    /// @param borrowRate WAD per day that debt costs since the last accrual; 0 while nobody owes.
    /// @param haircutRatio h, WAD.
    /// @param custodyTokens Settlement token units that the vault holds.
    /// @param custodySurplus WAD: custody less P + L + I + F; never below zero.
    /// @param poolShares Supply of the liquidity vault.
    /// @param poolToEnter NAV that entering shares are priced on.
    /// @param poolToLeave NAV that leaving shares are paid on.
    /// @param fundShares Supply of the insurance fund.
    struct CompartmentView {
        LedgerTotals totals;
        uint256 accruedDebt;
        uint256 borrowRate;
        UnrealizedTotals unrealized;
        uint256 haircutRatio;
        uint8 tier;
        uint256 custodyTokens;
        int256 custodySurplus;
        uint256 poolShares;
        int256 poolToEnter;
        int256 poolToLeave;
        uint256 fundShares;
        MarketView[] markets;
        CollateralView[] collaterals;
    }

    /// @notice Accounts in the order asked for; unknown ones come back empty.
    function accounts(AccountId[] calldata ids) external view returns (AccountView[] memory views);

    /// @notice The ledger, every market and every collateral.
    function compartment() external view returns (CompartmentView memory view_);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
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

    /// @param freeCollateral Initial equity less initial margin: what may be lost, withdrawn or opened on. < 0: lacking.
    /// @param healthRatio WAD: maintenance equity over maintenance margin; the maximum of uint256 if nothing is asked.
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
        int256 freeCollateral;
        uint256 healthRatio;
        bool isPriced;
    }

    /// @param indexPrice WAD settlement units per 1.0 of base.
    /// @param markPrice Same.
    /// @param fundingRate WAD per day.
    /// @param unrealizedPnl U_m, accrued to this second.
    /// @param initialRate WAD fraction of a position's notional.
    /// @param maintenanceRate Same.
    /// @param reported U_m as the margin engine last heard of it.
    struct MarketView {
        MarketId market;
        Market state;
        uint256 indexPrice;
        PriceStatus status;
        uint256 markPrice;
        int256 fundingRate;
        int256 unrealizedPnl;
        uint256 initialRate;
        uint256 maintenanceRate;
        MarketUnrealized reported;
    }

    /// @param below The highest such price below the present one, WAD; 0: none.
    /// @param above The lowest one above; the maximum of uint256: none up to 65,536 times the present one. Both are
    /// the present one if the account may be liquidated now.
    struct LiquidationPrices {
        uint256 below;
        uint256 above;
    }

    /// @param custodyTokens Token units that the vault holds.
    /// @param bookedTokens Token units that accounts hold by the ledger.
    /// @param initialDepth WAD units of the token; see `IRiskEngine.depths`.
    /// @param maintenanceDepth Same.
    struct CollateralView {
        address token;
        uint256 custodyTokens;
        uint256 bookedTokens;
        uint256 initialDepth;
        uint256 maintenanceDepth;
        CollateralValuation valuation;
    }

    /// @param totals D as booked.
    /// @param accruedDebt WAD that all accounts owe now, interest included.
    /// @param borrowRate WAD per day that debt costs since the last accrual; 0 while nobody owes.
    /// @param haircutRatio h, WAD.
    /// @param initialStress WAD: how much correlations are distrusted; see `IRiskEngine.stressLevels`.
    /// @param maintenanceStress Same.
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
        uint256 initialStress;
        uint256 maintenanceStress;
        uint256 custodyTokens;
        int256 custodySurplus;
        uint256 poolShares;
        int256 poolToEnter;
        int256 poolToLeave;
        uint256 fundShares;
        MarketView[] markets;
        CollateralView[] collaterals;
    }

    /// @notice Thrown when an account has no position in the market that is asked about.
    error Lens_NoPosition(AccountId account, MarketId market);

    /// @notice One account. Reverts where its positions cannot be read at all.
    function account(AccountId id) external view returns (AccountView memory);

    /// @notice Index prices of a market, all others being as they are, at which the account may be liquidated.
    function liquidationPrices(AccountId account, MarketId market)
        external
        view
        returns (LiquidationPrices memory prices);

    /// @notice The most that `withdraw` would let the account take now. Custody's own means are not looked at.
    /// @return amountTokens Token units.
    function maxWithdraw(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256 amountTokens);

    /// @notice Accounts in the order asked for; unknown ones come back empty.
    function accounts(AccountId[] calldata ids) external view returns (AccountView[] memory views);

    /// @notice The ledger, every market and every collateral.
    function compartment() external view returns (CompartmentView memory view_);
}

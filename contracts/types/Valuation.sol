// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "./AssetId.sol";
import {CollateralId, MarketId} from "./Ids.sol";
import {PriceStatus} from "./Price.sol";

/// @notice One collateral of an account.
/// @param amountTokens Token units that the account holds.
/// @param totalTokens Token units that the whole compartment holds.
struct Holding {
    CollateralId collateral;
    uint256 amountTokens;
    uint256 totalTokens;
}

/// @notice What the margin engine knows of an account. WAD of the settlement token.
/// @param cash As in the ledger: < 0: debt.
/// @param claim As in the ledger.
/// @param matured Part of the claim that may be converted now.
/// @param poolCash L, and …
/// @param junior … J + U⁺: together the haircut ratio.
/// @param isHaircutFresh Whether U⁺ is young enough to take value out on. Only looked at if there is a claim.
/// @param holdings Collaterals, at most 8.
struct AccountStanding {
    int256 cash;
    uint256 claim;
    uint256 matured;
    uint256 poolCash;
    uint256 junior;
    bool isHaircutFresh;
    Holding[] holdings;
}

/// @notice One position as the risk engine sees it.
/// @param market The market.
/// @param notional WAD, signed: size · index price, towards zero magnitude rounded up.
/// @param unrealizedPnl WAD: size · mark − quote − accrued funding, rounded down.
/// @param indexPnl WAD: the same at the index price instead of mark, rounded down.
/// @param closeOutCost WAD ≥ 0: what closing the whole position on the market's curve costs against mark.
/// @param indexAsset What the index price is of.
/// @param status Status of the index price.
struct MarketExposure {
    MarketId market;
    AssetId indexAsset;
    int256 notional;
    int256 unrealizedPnl;
    int256 indexPnl;
    uint256 closeOutCost;
    PriceStatus status;
}

/// @notice What one position has to do with an account's other ones, in the requirement of all of them. The
/// requirement if its |n|, the notional times its rate, were `own`: `PortfolioMargin.ofTerms`.
/// @param rate WAD: the position's margin rate.
/// @param grossFloor Basis points; see `MarginParameters`.
/// @param own WAD: |n|.
/// @param cross 1e12 WAD: Σ over the others of the pair's weight times their |n|, < 0: it offsets them.
/// @param rest 1e12 WAD²: the form of the others alone.
/// @param grossRest WAD: Σ|n| of the others.
/// @param shift Bits by which all amounts here are cut, rounded up; 0 unless they are huge.
struct PortfolioTerms {
    uint256 rate;
    uint256 grossFloor;
    uint256 own;
    int256 cross;
    uint256 rest;
    uint256 grossRest;
    uint256 shift;
}

/// @notice What an account is worth and what is asked of it. All WAD of the settlement token.
/// @param equityInitial For opening, withdrawing: unrealised profit counts zero, only matured claims count
/// (times h), collateral at its initial valuation.
/// @param equityMaintenance For liquidation: everything counts, claims times h, positions at close-out value.
/// @param initialMargin Requirement that `equityInitial` must meet after any act that raises risk.
/// @param maintenanceMargin Requirement below which the account may be liquidated.
/// @param collateralMaintenance Part of `equityMaintenance` that is collateral.
/// @param unrealizedPnl Net unrealised profit at close-out value.
/// @param bufferAtIndex Maintenance equity less requirement, were positions valued at the index price: no trade can
/// move it. An account is liquidated only if this is negative too.
/// @param uncertain What unconfirmed and stale prices could be hiding at most: collateral at its last market price, positions by
/// their notional. Zero if `status` is `Degraded` or `Valid`.
/// @param status Worst status of the prices used; `Valid` if none was needed.
struct AccountValuation {
    int256 equityInitial;
    int256 equityMaintenance;
    uint256 initialMargin;
    uint256 maintenanceMargin;
    uint256 collateralMaintenance;
    int256 unrealizedPnl;
    int256 bufferAtIndex;
    uint256 uncertain;
    PriceStatus status;
}

/// @notice What 1.0 of a collateral is worth. WAD settlement units.
/// @param initialPrice After haircut, for opening and withdrawing.
/// @param maintenancePrice After haircut, for liquidation; also the floor of its auction.
/// @param marketPrice Before haircut.
struct CollateralValuation {
    uint256 initialPrice;
    uint256 maintenancePrice;
    uint256 marketPrice;
    PriceStatus status;
}

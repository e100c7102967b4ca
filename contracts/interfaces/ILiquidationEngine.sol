// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../types/Action.sol";
import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {WriteOffReceipt} from "../types/Ledger.sol";

/// @title Brings accounts below their maintenance margin back above it, or closes them
/// @notice Positions are closed on the pool's curve by the least size that restores the target health; debt is
/// repaid by selling collateral in a Dutch auction; what is left is written off through the waterfall. Anyone
/// may call everything. Values are WAD settlement units unless a unit is given.
interface ILiquidationEngine {
    /// @notice What `liquidate` would close.
    /// @param sizeDelta Signed base units to trade; the whole position if the rest would be dust.
    /// @param notional |sizeDelta| at the index price.
    /// @param penalty Charged at most; the account's health ratio may allow less.
    struct LiquidationPlan {
        int256 sizeDelta;
        uint256 notional;
        uint256 penalty;
    }

    event Liquidated(
        AccountId indexed account,
        MarketId indexed market,
        address indexed keeper,
        int256 sizeDelta,
        uint256 fillPrice,
        int256 realizedPnl,
        uint256 penalty,
        uint256 reward
    );
    event AuctionStarted(
        AccountId indexed account, CollateralId indexed collateral, uint40 startedAt
    );
    event AuctionTaken(
        AccountId indexed account,
        CollateralId indexed collateral,
        address indexed buyer,
        uint256 amountTokens,
        uint256 paymentTokens,
        uint256 auctionPrice
    );
    event AuctionEnded(AccountId indexed account, CollateralId indexed collateral);

    /// @notice Thrown when closing any part of a position would raise the account's requirement: it offsets others,
    /// of which one has to be closed first.
    error LiquidationEngine_Offsetting(AccountId account, MarketId market);
    /// @notice Thrown when an account meets its maintenance margin or, for a write-off, is not bankrupt.
    error LiquidationEngine_Healthy(AccountId account, int256 equity, uint256 maintenanceMargin);
    /// @notice Thrown when an account is below its maintenance margin only because the premium has moved: at the
    /// index price it meets it, by `buffer`.
    error LiquidationEngine_HealthyAtIndex(AccountId account, int256 buffer);
    /// @notice Thrown when the account has no position in the market.
    error LiquidationEngine_NoPosition(AccountId account, MarketId market);
    /// @notice Thrown when the account owes nothing.
    error LiquidationEngine_NoDebt(AccountId account);
    /// @notice Thrown when the account does not hold the collateral.
    error LiquidationEngine_NoCollateral(AccountId account, CollateralId collateral);
    /// @notice Thrown when an auction runs already.
    error LiquidationEngine_AuctionRunning(
        AccountId account, CollateralId collateral, uint256 startedAt
    );
    /// @notice Thrown when no auction runs, or it was not taken in twice its duration and has to be started anew.
    error LiquidationEngine_NoAuction(AccountId account, CollateralId collateral);
    /// @notice Thrown when the auction's price is above what the buyer accepts.
    error LiquidationEngine_PriceTooHigh(uint256 auctionPrice, uint256 maxPrice);
    /// @notice Thrown when a buyer asks for nothing.
    error LiquidationEngine_ZeroAmount();
    /// @notice Thrown when an account that is to be written off still has positions or collateral.
    error LiquidationEngine_AssetsLeft(
        AccountId account, uint256 positions, uint256 collateralValue
    );

    /// @notice Closes the least part of a position that brings the account back to its target health.
    /// @return sizeDelta Signed base units traded.
    /// @return reward WAD credited to the keeper's account (sub-account 0 of the caller).
    function liquidate(AccountId account, MarketId market)
        external
        returns (int256 sizeDelta, uint256 reward);

    /// @notice Puts collateral of an unhealthy account with debt up for auction.
    function startAuction(AccountId account, CollateralId collateral) external;

    /// @notice Ends an auction that is over, or of an account that is healthy again, owes nothing or holds nothing
    /// of the collateral.
    function endAuction(AccountId account, CollateralId collateral) external;

    /// @notice Buys from a running auction, at most what repays the account's debt.
    /// @param maxAmountTokens Collateral token units wanted at most.
    /// @param maxPrice WAD settlement units per 1.0 of collateral accepted at most.
    /// @param receiver Gets the collateral; if it is a contract and `data` is not empty, its
    /// `IAuctionCallee.onAuctionTake` is called before the payment is taken from the caller.
    /// @return amountTokens Collateral token units bought.
    /// @return paymentTokens Settlement token units paid.
    function takeAuction(
        AccountId account,
        CollateralId collateral,
        uint256 maxAmountTokens,
        uint256 maxPrice,
        address receiver,
        bytes calldata data
    ) external returns (uint256 amountTokens, uint256 paymentTokens);

    /// @notice Writes off the debt of an account that has nothing left: insurance, then pool, then junior claims.
    function writeOff(AccountId account) external returns (WriteOffReceipt memory receipt);

    /// @notice What `liquidate` would close now; reverts as it would if the account is healthy.
    function previewLiquidate(AccountId account, MarketId market)
        external
        view
        returns (LiquidationPlan memory plan);

    /// @notice Whether an account is below its maintenance margin.
    function isLiquidatable(AccountId account) external view returns (bool);

    /// @notice Price of a running auction, WAD settlement units per 1.0 of collateral.
    function auctionPrice(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256);

    /// @notice Unix seconds at which an auction started, 0 if none runs.
    function auctionStartedAt(AccountId account, CollateralId collateral)
        external
        view
        returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {Roles} from "../libraries/Roles.sol";
import {TickPrice} from "../libraries/TickPrice.sol";
import {TokenScale} from "../libraries/TokenScale.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {LiquidationMath} from "../liquidation/LiquidationMath.sol";
import {InterestCurve} from "../margin/InterestCurve.sol";
import {Funding} from "../perps/Funding.sol";
import {PositionMath} from "../perps/PositionMath.sol";
import {SkewPricing} from "../perps/SkewPricing.sol";
import {Action} from "../types/Action.sol";
import {Fill, Market, Position} from "../types/Market.sol";
import {BorrowState} from "../types/Ledger.sol";
import {FundingRules, InterestParameters} from "../types/Parameters.sol";
import {PriceStatus} from "../types/Price.sol";

/// @title The pure libraries, callable from outside
/// @notice Devnet only: for tests that compare each formula with one written by hand.
contract LibraryHarness {
    using PositionMath for Market;

    // ------------------------------------------------------------------ WadMath

    function mulDivDown(uint256 x, uint256 y, uint256 d) external pure returns (uint256) {
        return WadMath.mulDivDown(x, y, d);
    }

    function mulDivUp(uint256 x, uint256 y, uint256 d) external pure returns (uint256) {
        return WadMath.mulDivUp(x, y, d);
    }

    function mulDown(uint256 x, uint256 y) external pure returns (uint256) {
        return WadMath.mulDown(x, y);
    }

    function mulUp(uint256 x, uint256 y) external pure returns (uint256) {
        return WadMath.mulUp(x, y);
    }

    function mulDivFloor(int256 x, uint256 y, uint256 d) external pure returns (int256) {
        return WadMath.mulDivFloor(x, y, d);
    }

    function mulDivCeil(int256 x, uint256 y, uint256 d) external pure returns (int256) {
        return WadMath.mulDivCeil(x, y, d);
    }

    function mulFloor(int256 x, uint256 y) external pure returns (int256) {
        return WadMath.mulFloor(x, y);
    }

    function divFloor(int256 n, uint256 d) external pure returns (int256) {
        return WadMath.divFloor(n, d);
    }

    function abs(int256 x) external pure returns (uint256) {
        return WadMath.abs(x);
    }

    function min(uint256 a, uint256 b) external pure returns (uint256) {
        return WadMath.min(a, b);
    }

    function max(uint256 a, uint256 b) external pure returns (uint256) {
        return WadMath.max(a, b);
    }

    // ------------------------------------------------------------------ TokenScale, TickPrice, tables

    function toWad(uint256 amountTokens, uint8 decimals) external pure returns (uint256) {
        return TokenScale.toWad(amountTokens, decimals);
    }

    function toTokensDown(uint256 amount, uint8 decimals) external pure returns (uint256) {
        return TokenScale.toTokensDown(amount, decimals);
    }

    function toTokensUp(uint256 amount, uint8 decimals) external pure returns (uint256) {
        return TokenScale.toTokensUp(amount, decimals);
    }

    function priceAtTick(int24 tick, bool baseIsToken0, uint256 multiplier)
        external
        pure
        returns (uint256)
    {
        return TickPrice.priceAtTick(tick, baseIsToken0, multiplier);
    }

    function maxTier(Action action) external pure returns (uint8) {
        return ActionPolicy.maxTier(action);
    }

    function requireStatus(Action action, PriceStatus status) external pure {
        ActionPolicy.requireStatus(action, status);
    }

    function minStatus(Action action) external pure returns (PriceStatus) {
        return ActionPolicy.minStatus(action);
    }

    function roles() external pure returns (bytes32 governor, bytes32 riskAdmin, bytes32 guardian) {
        return (Roles.GOVERNOR, Roles.RISK_ADMIN, Roles.GUARDIAN);
    }

    // ------------------------------------------------------------------ InterestCurve

    function utilisation(uint256 debt, uint256 poolCash) external pure returns (uint256) {
        return InterestCurve.utilisation(debt, poolCash);
    }

    function borrowRate(InterestParameters calldata p, uint256 utilised, uint8 tier)
        external
        pure
        returns (uint256)
    {
        return InterestCurve.rate(p, utilised, tier);
    }

    function currentIndex(BorrowState calldata b) external view returns (uint256) {
        return InterestCurve.currentIndex(b);
    }

    function grown(uint256 debt, uint256 fromIndex, uint256 toIndex)
        external
        pure
        returns (uint256)
    {
        return InterestCurve.grown(debt, fromIndex, toIndex);
    }

    function scaled(uint256 debt, uint256 index) external pure returns (uint256) {
        return InterestCurve.scaled(debt, index);
    }

    function totalOwed(uint256 scaledDebt, uint256 index) external pure returns (uint256) {
        return InterestCurve.total(scaledDebt, index);
    }

    // ------------------------------------------------------------------ LiquidationMath

    function notionalToClose(
        uint256 equity,
        uint256 maintenanceMargin,
        uint256 targetHealth,
        uint256 maintenanceMarginRatio,
        uint256 penaltyRatio,
        uint256 debtMaintenanceRatio
    ) external pure returns (uint256) {
        return LiquidationMath.notionalToClose(
            equity,
            maintenanceMargin,
            targetHealth,
            maintenanceMarginRatio,
            penaltyRatio,
            debtMaintenanceRatio
        );
    }

    function boundedPenalty(
        uint256 wanted,
        int256 equityBefore,
        uint256 marginBefore,
        int256 equityAfter,
        uint256 marginAfter,
        uint256 debtMaintenanceRatio
    ) external pure returns (uint256) {
        return LiquidationMath.boundedPenalty(
            wanted, equityBefore, marginBefore, equityAfter, marginAfter, debtMaintenanceRatio
        );
    }

    function auctionPrice(uint256 start, uint256 floor, uint256 elapsed, uint256 duration)
        external
        pure
        returns (uint256)
    {
        return LiquidationMath.auctionPrice(start, floor, elapsed, duration);
    }

    // ------------------------------------------------------------------ SkewPricing, Funding

    function premium(int256 skew, uint256 skewScale) external pure returns (int256) {
        return SkewPricing.premium(skew, skewScale);
    }

    function markPrice(uint256 indexPrice, int256 skew, uint256 skewScale)
        external
        pure
        returns (uint256)
    {
        return SkewPricing.markPrice(indexPrice, skew, skewScale);
    }

    function fillPrice(uint256 indexPrice, int256 skew, int256 sizeDelta, uint256 skewScale)
        external
        pure
        returns (uint256)
    {
        return SkewPricing.fillPrice(indexPrice, skew, sizeDelta, skewScale);
    }

    function fillCost(int256 sizeDelta, uint256 price) external pure returns (int256) {
        return SkewPricing.fillCost(sizeDelta, price);
    }

    function closeOutCost(uint256 indexPrice, int256 size, uint256 skewScale)
        external
        pure
        returns (uint256)
    {
        return SkewPricing.closeOutCost(indexPrice, size, skewScale);
    }

    function velocity(int256 premium_, uint256 gain, FundingRules memory p)
        external
        pure
        returns (int256)
    {
        return Funding.velocity(premium_, gain, p);
    }

    function accrue(
        int256 rate,
        int256 premium_,
        uint256 gain,
        uint256 elapsed,
        uint256 indexPrice,
        FundingRules memory p
    ) external pure returns (int256 newRate, int256 fundingPerUnit) {
        return Funding.accrue(rate, premium_, gain, elapsed, indexPrice, p);
    }

    // ------------------------------------------------------------------ PositionMath

    function isReduction(int256 size, int256 sizeDelta) external pure returns (bool) {
        return PositionMath.isReduction(size, sizeDelta);
    }

    function fundingOwed(Market memory m, Position memory p) external pure returns (int256) {
        return m.fundingOwed(p);
    }

    function unrealizedOf(Market memory m, Position memory p, uint256 mark)
        external
        pure
        returns (int256)
    {
        return m.unrealizedOf(p, mark);
    }

    function unrealizedTotal(Market memory m, uint256 mark) external pure returns (int256) {
        return m.unrealizedTotal(mark);
    }

    function closeOutTotal(Market memory m, uint256 indexPrice, uint256 skewScale)
        external
        pure
        returns (int256)
    {
        return m.closeOutTotal(indexPrice, skewScale);
    }

    /// @notice Quotes a fill and applies it.
    function fillPosition(
        Market memory m,
        Position memory p,
        int256 sizeDelta,
        uint256 indexPrice,
        uint256 skewScale
    ) external pure returns (Fill memory fill, Market memory market, Position memory position) {
        fill = m.quoteFill(p, sizeDelta, indexPrice, skewScale);
        m.applyFill(p, sizeDelta, fill);
        return (fill, m, p);
    }
}

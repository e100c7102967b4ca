// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {PartialClose} from "../liquidation/PartialClose.sol";
import {MarginRates} from "../margin/MarginRates.sol";
import {PortfolioMargin} from "../margin/PortfolioMargin.sol";
import {Correlations} from "../risk/Correlations.sol";
import {TokenScreen} from "../risk/TokenScreen.sol";
import {MarketId} from "../types/Ids.sol";
import {MarginParameters, MarketMargin} from "../types/Parameters.sol";
import {PortfolioTerms} from "../types/Valuation.sol";

/// @title The pure libraries of adaptive margin, callable from outside
/// @notice Devnet only: for tests that compare each formula with its twin and with one written by hand.
contract RiskHarness {
    // ------------------------------------------------------------------ MarginRates

    function initialRate(
        MarketMargin memory m,
        MarginParameters memory p,
        uint256 volatility,
        uint8 tier
    ) external pure returns (uint256) {
        return MarginRates.initialRate(m, p, volatility, tier);
    }

    function maintenanceTarget(MarketMargin memory m, uint256 initial)
        external
        pure
        returns (uint256)
    {
        return MarginRates.maintenanceTarget(m, initial);
    }

    function follow(uint256 from, uint256 elapsed, uint256 target, uint256 risePerDayBps)
        external
        pure
        returns (uint256)
    {
        return MarginRates.follow(from, elapsed, target, risePerDayBps);
    }

    function multiplier(MarginParameters memory p, uint8 tier) external pure returns (uint256) {
        return MarginRates.multiplier(p, tier);
    }

    function stress(MarginParameters memory p, uint8 tier) external pure returns (uint256) {
        return MarginRates.stress(p, tier);
    }

    function sqrtUp(uint256 x) external pure returns (uint256) {
        return MarginRates.sqrtUp(x);
    }

    // ------------------------------------------------------------------ PortfolioMargin

    function requirement(
        int256[] memory n,
        MarketId[] memory markets,
        uint256[] memory rows,
        uint256 stress_,
        uint256 floorBps
    ) external pure returns (uint256) {
        return PortfolioMargin.requirement(n, markets, rows, stress_, floorBps);
    }

    function terms(
        int256[] memory n,
        MarketId[] memory markets,
        uint256[] memory rows,
        uint256 stress_,
        uint256 k
    ) external pure returns (PortfolioTerms memory) {
        return PortfolioMargin.terms(n, markets, rows, stress_, k);
    }

    function ofTerms(PortfolioTerms memory t, uint256 own) external pure returns (uint256) {
        return PortfolioMargin.ofTerms(t, own);
    }

    // ------------------------------------------------------------------ Correlations, TokenScreen

    function requirePositiveDefinite(uint16[] memory lower, uint256 size) external pure {
        Correlations.requirePositiveDefinite(lower, size);
    }

    function correlationRow(uint16[] memory lower, uint256 size, uint256 i)
        external
        pure
        returns (uint256)
    {
        return Correlations.row(lower, size, i);
    }

    function requireConstantBalances(address token) external view {
        TokenScreen.requireConstantBalances(token);
    }

    // ------------------------------------------------------------------ PartialClose

    function leastNotional(PartialClose.Problem memory c, PortfolioTerms memory t)
        external
        pure
        returns (uint256)
    {
        return PartialClose.leastNotional(c, t);
    }

    function surplus(PartialClose.Problem memory c, PortfolioTerms memory t, uint256 closed)
        external
        pure
        returns (int256)
    {
        return PartialClose.surplus(c, t, closed);
    }
}

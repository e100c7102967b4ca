// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {MarketId} from "../types/Ids.sol";
import {PortfolioTerms} from "../types/Valuation.sol";
import {MarginRates} from "./MarginRates.sol";

/// @notice The requirement of several positions together: max(√(Σᵢⱼ ρᵢⱼ·nᵢ·nⱼ), floor · Σ|nᵢ|), where nᵢ is the signed
/// notional times its rate. Pure.
/// @dev Stress t distrusts hedges: a pair that adds up counts ρ + (1 − ρ)·t, one that offsets ρ·(1 − t). Both only
/// raise the form, so it stays non-negative for every t if it is at t = 0, which `RiskParameters` has checked.
/// A pair of unknown correlation adds up in full on either side: nothing is saved by what nobody knows.
library PortfolioMargin {
    uint256 private constant BPS = 1e4;
    /// @dev Stress is counted in these; a pair's weight in ρ's times these, 1e12.
    uint256 private constant STRESS_UNIT = 1e8;
    uint256 private constant WEIGHT_UNIT = BPS * STRESS_UNIT;
    uint256 private constant WEIGHT_ROOT = 1e6;
    /// @dev Amounts are cut to these many bits, rounded up: 2^100 WAD are 10^12 settlement units.
    /// (2^100)² · 1e12 · 16² is below 2^249.
    uint256 private constant MAX_BITS = 100;

    /// @param n WAD: signed notional times rate, of each position.
    /// @param markets Market ids of the positions.
    /// @param rows Correlation rows of these markets: 16 bits per other market, ρ in basis points plus one, 0: unknown.
    /// @param stress WAD in [0, 1].
    /// @param floorBps Basis points.
    /// @return WAD, rounded up.
    function requirement(
        int256[] memory n,
        MarketId[] memory markets,
        uint256[] memory rows,
        uint256 stress,
        uint256 floorBps
    ) internal pure returns (uint256) {
        if (n.length == 0) return 0;
        if (n.length == 1) return WadMath.abs(n[0]);
        PortfolioTerms memory t = terms(n, markets, rows, stress, 0);
        t.grossFloor = floorBps;
        return ofTerms(t, t.own);
    }

    /// @notice The terms of position `k`, but for its rate and the floor.
    function terms(
        int256[] memory n,
        MarketId[] memory markets,
        uint256[] memory rows,
        uint256 stress,
        uint256 k
    ) internal pure returns (PortfolioTerms memory t) {
        uint256 largest;
        for (uint256 i; i < n.length; ++i) {
            largest = WadMath.max(largest, WadMath.abs(n[i]));
        }
        while (largest >> t.shift >= 1 << MAX_BITS) ++t.shift;
        uint256 stressUnits = (stress + 1e10 - 1) / 1e10;
        int256 rest;
        for (uint256 i; i < n.length; ++i) {
            uint256 size = _cut(n[i], t.shift);
            if (i == k) {
                t.own = size;
                continue;
            }
            t.grossRest += size;
            rest += int256(size * size * WEIGHT_UNIT);
            for (uint256 j = i + 1; j < n.length; ++j) {
                if (j == k) continue;
                int256 w = weight(rows[i], markets[j], (n[i] >= 0) == (n[j] >= 0), stressUnits);
                rest += 2 * w * int256(size * _cut(n[j], t.shift));
            }
            bool sameSide = (n[i] >= 0) == (n[k] >= 0);
            t.cross += weight(rows[i], markets[k], sameSide, stressUnits) * int256(size);
        }
        t.rest = rest > 0 ? uint256(rest) : 0;
    }

    /// @notice The requirement if the position of these terms had |n| = `own` (cut as they are). WAD, rounded up.
    function ofTerms(PortfolioTerms memory t, uint256 own) internal pure returns (uint256) {
        int256 form = int256(t.rest) + 2 * t.cross * int256(own) + int256(own * own * WEIGHT_UNIT);
        uint256 root =
            form > 0 ? (MarginRates.sqrtUp(uint256(form)) + WEIGHT_ROOT - 1) / WEIGHT_ROOT : 0;
        uint256 least = WadMath.mulDivUp(t.grossRest + own, t.grossFloor, BPS);
        return WadMath.max(root, least) << t.shift;
    }

    /// @notice Signed weight of a pair, in WEIGHT_UNITs: > 0 if the two add up.
    function weight(uint256 row, MarketId market, bool sameSide, uint256 stressUnits)
        internal
        pure
        returns (int256)
    {
        uint256 entry = (row >> (16 * MarketId.unwrap(market))) & type(uint16).max;
        if (entry == 0) return int256(WEIGHT_UNIT);
        uint256 rho = entry - 1;
        return sameSide
            ? int256(rho * STRESS_UNIT + (BPS - rho) * stressUnits)
            : -int256(rho * (STRESS_UNIT - stressUnits));
    }

    function _cut(int256 n, uint256 shift) private pure returns (uint256) {
        uint256 size = WadMath.abs(n);
        return shift == 0 ? size : (size + (1 << shift) - 1) >> shift;
    }
}

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
    /// @dev Nothing here can overflow: cut amounts are below 2^101, weights at most 1e12, positions at most 16.
    function terms(
        int256[] memory n,
        MarketId[] memory markets,
        uint256[] memory rows,
        uint256 stress,
        uint256 k
    ) internal pure returns (PortfolioTerms memory t) {
        uint256[] memory sizes;
        (sizes, t.shift) = _cut(n);
        uint256 stressUnits = (stress + 1e10 - 1) / 1e10;
        int256 rest;
        unchecked {
            for (uint256 i; i < sizes.length; ++i) {
                if (i == k) continue;
                uint256 size = sizes[i];
                uint256 row = rows[i];
                bool isLong = n[i] >= 0;
                // Σ over j > i of weight · size, then one product for all of them.
                int256 others;
                for (uint256 j = i + 1; j < sizes.length; ++j) {
                    if (j == k) continue;
                    others += weight(row, markets[j], isLong == (n[j] >= 0), stressUnits)
                    * int256(sizes[j]);
                }
                rest += int256(size) * (int256(size * WEIGHT_UNIT) + 2 * others);
                t.grossRest += size;
                t.cross += weight(row, markets[k], isLong == (n[k] >= 0), stressUnits)
                * int256(size);
            }
        }
        t.own = sizes[k];
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

    /// @dev |n|, cut to `MAX_BITS` bits and rounded up; and by how many bits.
    function _cut(int256[] memory n) private pure returns (uint256[] memory sizes, uint256 shift) {
        sizes = new uint256[](n.length);
        uint256 largest;
        for (uint256 i; i < n.length; ++i) {
            sizes[i] = WadMath.abs(n[i]);
            largest = WadMath.max(largest, sizes[i]);
        }
        while (largest >> shift >= 1 << MAX_BITS) ++shift;
        if (shift == 0) return (sizes, 0);
        for (uint256 i; i < n.length; ++i) {
            sizes[i] = (sizes[i] + (1 << shift) - 1) >> shift;
        }
    }
}

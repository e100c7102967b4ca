// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {BorrowState} from "../types/Ledger.sol";
import {InterestParameters} from "../types/Parameters.sol";

/// @notice What debt costs, and what it has grown to. Everything is rounded against the debtor.
/// @dev The index is simple between two accruals: (1 + r·t), so that a gap costs no more however it is cut than
/// compounding without end would, e^{r·t}. `docs/spec/ledger.md` has the formulas.
library InterestCurve {
    uint256 internal constant WAD = 1e18;
    uint256 internal constant RAY = 1e27;
    uint256 internal constant BASIS_POINTS = 10_000;
    /// @dev Scaled debt has 18 digits more than debt at an index of 1, so that a whole sum of a billion accounts
    /// is off by less than a wei.
    uint256 internal constant SCALED_UNIT = 1e45;
    /// @dev Interest stops when a debt has grown 10^8 times: no debt below 10^30 can then leave its 128 bits, which
    /// would keep the account from ever being repaid or written off. At 5 % per day that takes a year.
    uint256 internal constant MAX_INDEX = 1e35;

    /// @notice u = D / (D + L), rounded up; 0 without debt.
    /// @return WAD fraction in [0, 1].
    function utilisation(uint256 debt, uint256 poolCash) internal pure returns (uint256) {
        return debt == 0 ? 0 : WadMath.mulDivUp(debt, WAD, debt + poolCash);
    }

    /// @notice The curve at a utilisation, times the tier's multiplier; each step rounded up.
    /// @param utilised WAD fraction in [0, 1].
    /// @param tier Of the circuit breaker, 0 … 4.
    /// @return WAD per day.
    function rate(InterestParameters memory p, uint256 utilised, uint8 tier)
        internal
        pure
        returns (uint256)
    {
        uint256 kink = uint256(p.kinkBps) * (WAD / BASIS_POINTS);
        uint256 perDay = utilised <= kink
            ? p.rateAtZero + WadMath.mulDivUp(p.rateAtKink - p.rateAtZero, utilised, kink)
            : p.rateAtKink
                + WadMath.mulDivUp(p.rateAtFull - p.rateAtKink, utilised - kink, WAD - kink);
        return WadMath.mulDivUp(perDay, multiplier(p, tier), BASIS_POINTS);
    }

    /// @notice The tier's multiplier, in basis points.
    function multiplier(InterestParameters memory p, uint8 tier) internal pure returns (uint256) {
        if (tier == 0) return BASIS_POINTS;
        if (tier == 1) return p.tier1Bps;
        if (tier == 2) return p.tier2Bps;
        return tier == 3 ? p.tier3Bps : p.tier4Bps;
    }

    /// @notice The index now: what it was, plus its interest at the rate that was set then, rounded up.
    /// @return RAY.
    function currentIndex(BorrowState memory b) internal view returns (uint256) {
        uint256 earned = uint256(b.rate) * (block.timestamp - b.updatedAt);
        return WadMath.min(b.index + WadMath.mulDivUp(b.index, earned, WAD * 1 days), MAX_INDEX);
    }

    /// @notice What a debt has grown to while the index went from one value to another, rounded up.
    /// @param debt WAD.
    function grown(uint256 debt, uint256 fromIndex, uint256 toIndex)
        internal
        pure
        returns (uint256)
    {
        return WadMath.mulDivUp(debt, toIndex, fromIndex);
    }

    /// @notice An account's part of the scaled sum, rounded up.
    /// @param debt WAD, as booked at `index`; 0 makes 0.
    function scaled(uint256 debt, uint256 index) internal pure returns (uint256) {
        return debt == 0 ? 0 : WadMath.mulDivUp(debt, SCALED_UNIT, index);
    }

    /// @notice What all accounts owe together at an index, rounded up.
    /// @return WAD; each account's own debt rounded up, their sum is at most one wei less, and less than one wei
    /// per account more.
    function total(uint256 scaledDebt, uint256 index) internal pure returns (uint256) {
        return WadMath.mulDivUp(scaledDebt, index, SCALED_UNIT);
    }
}

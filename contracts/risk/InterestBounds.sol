// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {InterestParameters} from "../types/Parameters.sol";
import {_bound} from "./Bounds.sol";

/// @notice Hard bounds of what debt may cost.
/// @dev Nothing falls as utilisation or the tier rises: a worse state never makes debt cheaper.
library InterestBounds {
    /// @dev WAD per day, before the tier's multiplier.
    uint256 internal constant MAX_RATE = 0.01e18;
    /// @dev Basis points. Times the largest rate it is 5 % per day.
    uint256 internal constant MAX_MULTIPLIER = 50_000;

    /// @notice Reverts with `RiskParameters_OutOfBounds` unless every parameter is within its bounds.
    function requireWithin(InterestParameters memory p) internal pure {
        _bound("kinkBps", p.kinkBps, 1_000, 9_900);
        _bound("rateAtZero", p.rateAtZero, 0, MAX_RATE);
        _bound("rateAtKink", p.rateAtKink, p.rateAtZero, MAX_RATE);
        _bound("rateAtFull", p.rateAtFull, p.rateAtKink, MAX_RATE);
        _bound("tier1Bps", p.tier1Bps, 10_000, MAX_MULTIPLIER);
        _bound("tier2Bps", p.tier2Bps, p.tier1Bps, MAX_MULTIPLIER);
        _bound("tier3Bps", p.tier3Bps, p.tier2Bps, MAX_MULTIPLIER);
        _bound("tier4Bps", p.tier4Bps, p.tier3Bps, MAX_MULTIPLIER);
    }
}

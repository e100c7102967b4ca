// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {MarketTrading} from "../types/Parameters.sol";

/// @notice What a fill that narrows the skew gets back of what such fills bring the pool: a premium that goes.
/// @dev `docs/spec/perps.md` argues why no circle of trades profits.
library Rebates {
    /// @notice ⌊n · rate⌋, where n is the notional of the part that narrows the skew, min(|sizeDelta|, |skew|), and rate
    /// is maxRebate · min(1, |premium| / premiumScale), at most 3/2 of the taker's fee. WAD.
    /// @param notional Of the whole fill, WAD settlement units.
    /// @param sizeDelta WAD base units, not 0.
    /// @param skew Before the fill, WAD base units.
    function rebateOf(uint256 notional, int256 sizeDelta, int256 skew, MarketTrading memory p)
        internal
        pure
        returns (uint256)
    {
        uint256 rate = p.maxRebate;
        if (rate == 0 || skew == 0 || (skew > 0) == (sizeDelta > 0)) return 0;
        uint256 size = WadMath.abs(sizeDelta);
        uint256 distance = WadMath.abs(skew);
        if (size > distance) notional = WadMath.mulDivDown(notional, distance, size);
        uint256 premium = WadMath.mulDivDown(distance, WadMath.WAD, p.skewScale);
        if (premium < p.premiumScale) rate = WadMath.mulDivDown(rate, premium, p.premiumScale);
        // The fee may have been lowered since the rebate was set.
        return WadMath.mulDown(notional, WadMath.min(rate, uint256(p.takerFee) * 3 / 2));
    }
}

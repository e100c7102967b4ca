// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @notice Whether a price may be acted on, or moved so far that it must be seen twice.
library MoveCheck {
    /// @param state Anchor (> 0) and candidate so far.
    /// @param price New aggregate.
    /// @param maxMove WAD fraction of anchor and candidate within which a price is near.
    /// @param delay Seconds that a candidate must have been known for.
    /// @return isAccepted Whether the price is near the anchor, or near a candidate that is old enough.
    /// @return next Anchor and candidate from now on.
    function judge(
        IOracleAggregator.Confirmation memory state,
        uint256 price,
        uint256 maxMove,
        uint256 delay
    ) internal view returns (bool isAccepted, IOracleAggregator.Confirmation memory next) {
        if (_isNear(price, state.anchor, maxMove)) {
            return (true, IOracleAggregator.Confirmation(state.anchor, 0, 0));
        }
        if (state.candidate == 0 || !_isNear(price, state.candidate, maxMove)) {
            return (
                false,
                IOracleAggregator.Confirmation(state.anchor, uint96(price), uint40(block.timestamp))
            );
        }
        if (block.timestamp < state.candidateAt + delay) return (false, state);
        return (true, IOracleAggregator.Confirmation(uint96(price), 0, 0));
    }

    /// @dev Distances are whole numbers: above the floor of the limit is above the limit.
    function _isNear(uint256 price, uint256 from, uint256 maxMove) private pure returns (bool) {
        uint256 distance = price > from ? price - from : from - price;
        return distance <= WadMath.mulDown(from, maxMove);
    }
}

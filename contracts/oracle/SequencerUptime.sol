// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";

/// @notice Whether a rollup's sequencer has been up for long enough that everybody could act on prices.
library SequencerUptime {
    uint256 internal constant MAX_GRACE_PERIOD = 1 days;

    /// @dev One slot.
    /// @param feed Answers 0 while the sequencer is up, 1 while it is down, since `startedAt`; zero address: none.
    /// @param gracePeriod Seconds for which it must have been up.
    struct Config {
        IAggregatorV3 feed;
        uint32 gracePeriod;
    }

    /// @dev True without a feed. A feed that fails, is empty or is from the future says nothing good.
    function isSettled(Config memory config) internal view returns (bool) {
        if (address(config.feed) == address(0)) return true;
        (bool ok, uint256[5] memory round) =
            BoundedCall.read(address(config.feed), IAggregatorV3.latestRoundData.selector, 5);
        (uint256 answer, uint256 startedAt) = (round[1], round[2]);
        if (!ok || answer != 0 || startedAt == 0 || startedAt > block.timestamp) return false;
        return block.timestamp - startedAt >= config.gracePeriod;
    }
}

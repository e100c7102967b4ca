// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "./IAggregatorV3.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title A Chainlink feed as a price source
/// @notice Answers at the feed's update time; staleness is the aggregator's to judge. Confidence is unknown (0).
interface IChainlinkAdapter is IPriceSource {
    /// @notice Thrown when the feed has no code.
    error ChainlinkAdapter_NotAContract(address feed);
    /// @notice Thrown when the feed answers with more than 18 decimals.
    error ChainlinkAdapter_UnsupportedDecimals(uint256 decimals, uint256 maximum);
    /// @notice Thrown when the answer is zero or negative.
    error ChainlinkAdapter_NonPositiveAnswer(int256 answer);
    /// @notice Thrown when the round has no answer yet, or repeats that of an earlier round.
    error ChainlinkAdapter_IncompleteRound(
        uint80 roundId, uint80 answeredInRound, uint256 updatedAt
    );

    /// @return The feed that is read.
    function feed() external view returns (IAggregatorV3);
}

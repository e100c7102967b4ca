// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "./IAggregatorV3.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title A Chainlink feed as a price source
/// @notice Answers at the feed's update time, with unknown confidence (0). Three things make an answer no price:
/// a round that is not complete, an answer at or beyond a bound, and silence longer than the heartbeat.
/// @dev A feed clamps its answer to the bounds of its aggregator: at the floor the asset may be worth anything
/// below. So the adapter's bounds are to be set at the feed's own or inside of them, and an answer *on* a bound
/// is refused like one beyond it. An answer from the future is passed on: the aggregator leaves it out.
interface IChainlinkAdapter is IPriceSource {
    /// @notice Thrown when the feed has no code.
    error ChainlinkAdapter_NotAContract(address feed);
    /// @notice Thrown when the feed answers with more than 18 decimals.
    error ChainlinkAdapter_UnsupportedDecimals(uint256 decimals, uint256 maximum);
    /// @notice Thrown when the bounds are negative, above what a feed can answer, or leave no answer between them.
    error ChainlinkAdapter_AnswerBounds(int256 minAnswer, int256 maxAnswer, int256 maximum);
    /// @notice Thrown when the heartbeat lies outside of its bounds.
    error ChainlinkAdapter_Heartbeat(uint256 heartbeat, uint256 minimum, uint256 maximum);
    /// @notice Thrown when the answer is zero or negative.
    error ChainlinkAdapter_NonPositiveAnswer(int256 answer);
    /// @notice Thrown when the answer is at or beyond a bound: answers count strictly between them.
    error ChainlinkAdapter_AnswerOutOfRange(int256 answer, int256 minAnswer, int256 maxAnswer);
    /// @notice Thrown when the answer is more seconds old than the heartbeat.
    error ChainlinkAdapter_MissedHeartbeat(uint256 age, uint256 heartbeat);
    /// @notice Thrown when the round has no answer yet, or repeats that of an earlier round.
    error ChainlinkAdapter_IncompleteRound(
        uint80 roundId, uint80 answeredInRound, uint256 updatedAt
    );

    /// @return The feed that is read.
    function feed() external view returns (IAggregatorV3);

    /// @return Answers at or below it are no prices; at the feed's decimals, ≥ 0.
    function minAnswer() external view returns (int256);

    /// @return Answers at or above it are no prices; at the feed's decimals.
    function maxAnswer() external view returns (int256);

    /// @return Seconds after its update for which an answer counts.
    function heartbeat() external view returns (uint32);
}

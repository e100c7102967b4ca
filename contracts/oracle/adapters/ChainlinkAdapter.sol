// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../../interfaces/IAggregatorV3.sol";
import {IChainlinkAdapter} from "../../interfaces/IChainlinkAdapter.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";

/// @title A Chainlink feed as a price source
contract ChainlinkAdapter is IChainlinkAdapter {
    uint256 private constant WAD_DECIMALS = 18;
    uint256 private constant MAX_HEARTBEAT = 7 days;
    /// @dev Feeds report 192 bits; scaled to WAD, that fits 256.
    int256 private constant LARGEST_ANSWER = type(int192).max;

    /// @inheritdoc IChainlinkAdapter
    IAggregatorV3 public immutable feed;
    /// @inheritdoc IChainlinkAdapter
    int256 public immutable minAnswer;
    /// @inheritdoc IChainlinkAdapter
    int256 public immutable maxAnswer;
    /// @inheritdoc IChainlinkAdapter
    uint32 public immutable heartbeat;

    /// @dev 10^(18 − decimals): feeds do not change their decimals, and a proxy that did must not be followed.
    uint256 private immutable _scale;

    /// @param feed_ Feed of quote units per 1.0 of base, at most 18 decimals.
    /// @param minAnswer_ Answers at or below are refused; the feed's decimals, ≥ 0.
    /// @param maxAnswer_ Answers at or above are refused; at least `minAnswer_` + 2, below 2^191.
    /// @param heartbeat_ Seconds within which the feed updates at the latest, in [1, 7 days].
    constructor(IAggregatorV3 feed_, int256 minAnswer_, int256 maxAnswer_, uint32 heartbeat_) {
        if (address(feed_).code.length == 0) revert ChainlinkAdapter_NotAContract(address(feed_));
        uint256 decimals = feed_.decimals();
        if (decimals > WAD_DECIMALS) {
            revert ChainlinkAdapter_UnsupportedDecimals(decimals, WAD_DECIMALS);
        }
        // In this order, so that the difference does not overflow.
        if (
            minAnswer_ < 0 || maxAnswer_ > LARGEST_ANSWER || maxAnswer_ < minAnswer_
                || maxAnswer_ - minAnswer_ < 2
        ) {
            revert ChainlinkAdapter_AnswerBounds(minAnswer_, maxAnswer_, LARGEST_ANSWER);
        }
        if (heartbeat_ == 0 || heartbeat_ > MAX_HEARTBEAT) {
            revert ChainlinkAdapter_Heartbeat(heartbeat_, 1, MAX_HEARTBEAT);
        }
        feed = feed_;
        minAnswer = minAnswer_;
        maxAnswer = maxAnswer_;
        heartbeat = heartbeat_;
        _scale = 10 ** (WAD_DECIMALS - decimals);
    }

    /// @inheritdoc IPriceSource
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt)
    {
        (uint80 roundId, int256 answer,, uint256 updatedAt, uint80 answeredInRound) =
            feed.latestRoundData();
        if (updatedAt == 0 || answeredInRound < roundId) {
            revert ChainlinkAdapter_IncompleteRound(roundId, answeredInRound, updatedAt);
        }
        if (answer <= 0) revert ChainlinkAdapter_NonPositiveAnswer(answer);
        if (answer <= minAnswer || answer >= maxAnswer) {
            revert ChainlinkAdapter_AnswerOutOfRange(answer, minAnswer, maxAnswer);
        }
        if (updatedAt < block.timestamp && block.timestamp - updatedAt > heartbeat) {
            revert ChainlinkAdapter_MissedHeartbeat(block.timestamp - updatedAt, heartbeat);
        }
        return (uint256(answer) * _scale, 0, updatedAt);
    }
}

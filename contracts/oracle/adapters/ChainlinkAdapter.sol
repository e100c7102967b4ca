// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAggregatorV3} from "../../interfaces/IAggregatorV3.sol";
import {IChainlinkAdapter} from "../../interfaces/IChainlinkAdapter.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";

/// @title A Chainlink feed as a price source
contract ChainlinkAdapter is IChainlinkAdapter {
    uint256 private constant WAD_DECIMALS = 18;

    /// @inheritdoc IChainlinkAdapter
    IAggregatorV3 public immutable feed;

    /// @dev 10^(18 − decimals): feeds do not change their decimals, and a proxy that did must not be followed.
    uint256 private immutable _scale;

    /// @param feed_ Feed of quote units per 1.0 of base, at most 18 decimals.
    constructor(IAggregatorV3 feed_) {
        if (address(feed_).code.length == 0) revert ChainlinkAdapter_NotAContract(address(feed_));
        uint256 decimals = feed_.decimals();
        if (decimals > WAD_DECIMALS) {
            revert ChainlinkAdapter_UnsupportedDecimals(decimals, WAD_DECIMALS);
        }
        feed = feed_;
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
        return (uint256(answer) * _scale, 0, updatedAt);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {isFirm, PriceData, PriceStatus} from "../types/Price.sol";
import {AggregateRules} from "./AggregateRules.sol";

/// @notice The last aggregate of an asset with its expiry; exactly one slot, so that a fresh price costs one read.
library PriceCache {
    /// @param price WAD.
    /// @param confidence Billionths of the price.
    /// @param publishedAt Unix seconds.
    /// @param recordedAt Unix seconds of the last aggregate with a quorum.
    /// @param freshUntil Unix seconds until which it may be answered without asking the sources.
    /// @param status As of now; the last one but for `Stale`, which comes later.
    struct State {
        uint96 price;
        uint32 confidence;
        uint40 publishedAt;
        uint40 recordedAt;
        uint40 freshUntil;
        PriceStatus status;
    }

    /// @dev The cached aggregate, and whether it may be answered without asking the sources.
    function read(State storage s) internal view returns (bool isFresh, PriceData memory data) {
        State memory cache = s;
        data = toData(cache);
        isFresh = isFirm(cache.status) && block.timestamp <= cache.freshUntil;
    }

    /// @dev What is known without a quorum: the last price that was accepted. One that was never confirmed does not
    /// become known by being forgotten: `anchor` stands for it, of unknown confidence.
    function readStale(State storage s, uint256 anchor) internal view returns (State memory cache) {
        cache = s;
        if (s.status == PriceStatus.Unconfirmed) {
            (cache.price, cache.confidence) = (uint96(anchor), 0);
        }
        cache.status = PriceStatus.Stale;
    }

    function toData(State memory cache) internal pure returns (PriceData memory) {
        return PriceData(
            cache.price,
            uint128(AggregateRules.widthOf(cache.price, cache.confidence)),
            cache.publishedAt,
            cache.recordedAt,
            cache.status
        );
    }

    /// @dev Keeps an aggregate. It ends with its age limit or with its oldest member's, whichever comes first: caching
    /// must not let a price live longer than `maxStaleness`. Both sums fit 40 bits, of a clock and at most 7 days.
    function write(
        State storage s,
        AggregateRules.Rules memory rules,
        AggregateRules.Formed memory formed
    ) internal {
        uint256 freshUntil = WadMath.min(
            block.timestamp + rules.maxCacheAge, formed.publishedAt + rules.maxStaleness
        );
        s.price = uint96(formed.price);
        s.confidence = uint32(formed.confidence);
        s.publishedAt = uint40(formed.publishedAt);
        s.recordedAt = uint40(block.timestamp);
        s.freshUntil = uint40(freshUntil);
        s.status = formed.status;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPriceSource} from "../interfaces/IPriceSource.sol";
import {BoundedCall} from "../libraries/BoundedCall.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {MAX_SAMPLES, Sample, toSample, WeightedMedian} from "./WeightedMedian.sol";

/// @notice The sources of one asset: their shares, which only ever move slowly, and their repute.
/// @dev All weights are whole numbers, so that nothing is lost however often they are asked for. A share in force
/// is from·(S − e) + to·e of 10,000·UNIT·S, `e` seconds after the last change of at most S = `seasoning`. A reputation
/// is (R + credit) / 2R with R = `RECOVERY_PERIOD`; a vote weighs share · (R + credit), below 2^78.
library SourceSet {
    using WeightedMedian for Sample[MAX_SAMPLES];

    uint256 internal constant TOTAL_SHARE = 10_000;
    /// @dev Parts of a basis point in which the shares at a change are kept.
    uint256 internal constant UNIT = 2 ** 24;
    /// @dev Seconds as a counted member that lift a reputation from its floor to one.
    uint256 internal constant RECOVERY_PERIOD = 1 days;
    /// @dev How much faster it falls than it rises.
    uint256 internal constant FALL_FACTOR = 24;
    /// @dev Largest price that counts: the cache keeps 96 bits.
    uint256 internal constant MAX_PRICE = type(uint96).max;

    /// @dev One slot.
    /// @param from Basis points · UNIT at the last change.
    /// @param to Basis points that it moves to.
    /// @param credit Seconds in [0, RECOVERY_PERIOD].
    /// @param isCounted Whether it was a counted member at the last judgement.
    struct Source {
        address adapter;
        uint40 from;
        uint16 to;
        uint24 credit;
        bool isCounted;
    }

    /// @dev A slot and the list.
    /// @param quorumFrom Basis points · UNIT at the last change.
    /// @param quorumTo Basis points that it moves to.
    /// @param changedAt Unix seconds of the last change.
    /// @param count Number of sources, with those that are leaving; 0 if the asset has none.
    struct State {
        uint40 quorumFrom;
        uint16 quorumTo;
        uint40 changedAt;
        uint8 count;
        Source[7] list; // MAX_SAMPLES; the static analysis reads no constant here.
    }

    /// @dev What the sources said, in memory.
    /// @param samples Votes in ascending order of price.
    /// @param count Number of votes.
    /// @param weight Their total weight.
    /// @param quorum Least share that must be counted.
    /// @param shares Share in force by index of the source.
    /// @param confidences WAD by index of the source.
    /// @param list The sources.
    /// @param listed Their number.
    struct Votes {
        Sample[7] samples;
        uint256 count;
        uint256 weight;
        uint256 quorum;
        uint256[7] shares;
        uint256[7] confidences;
        Source[7] list;
        uint256 listed;
    }

    /// @dev Asks every source and keeps the answers that may vote.
    /// @param maxStaleness Seconds.
    /// @param maxDeviation WAD fraction of a source's price that its confidence may reach.
    function collect(State storage s, uint256 seasoning, uint256 maxStaleness, uint256 maxDeviation)
        internal
        view
        returns (Votes memory v)
    {
        uint256 elapsed = WadMath.min(block.timestamp - s.changedAt, seasoning);
        v.quorum = _between(s.quorumFrom, s.quorumTo, elapsed, seasoning);
        v.listed = s.count;
        for (uint256 i; i < v.listed; ++i) {
            Source memory source = s.list[i];
            v.list[i] = source;
            uint256 share = _between(source.from, source.to, elapsed, seasoning);
            if (share == 0) continue;
            v.shares[i] = share;
            (bool ok, uint256[5] memory answer) =
                BoundedCall.read(source.adapter, IPriceSource.latest.selector, 3);
            (uint256 price, uint256 confidence, uint256 publishedAt) =
                (answer[0], answer[1], answer[2]);
            if (!ok || price == 0 || price > MAX_PRICE) continue;
            if (publishedAt > block.timestamp) continue;
            if (block.timestamp - publishedAt > maxStaleness) continue;
            if (confidence > WadMath.mulDown(price, maxDeviation)) continue;
            uint256 weight = share * (RECOVERY_PERIOD + source.credit);
            v.samples.insert(v.count++, toSample(price, publishedAt, weight, i));
            v.confidences[i] = confidence;
            v.weight += weight;
        }
    }

    /// @dev Credits or debits every source with the time since the last judgement.
    /// @param counted Bit i: source i is a counted member now.
    /// @param elapsed Seconds since the last judgement that count.
    function judge(State storage s, AssetId asset, Votes memory v, uint256 counted, uint256 elapsed)
        internal
    {
        for (uint256 i; i < v.listed; ++i) {
            Source memory source = v.list[i];
            bool isCounted = (counted >> i) & 1 == 1;
            uint256 credit = source.credit;
            if (isCounted && source.isCounted) {
                credit = WadMath.min(RECOVERY_PERIOD, credit + elapsed);
            } else if (!isCounted && !source.isCounted) {
                credit -= WadMath.min(credit, elapsed * FALL_FACTOR);
            }
            if (credit == source.credit && isCounted == source.isCounted) continue;
            (s.list[i].credit, s.list[i].isCounted) = (uint24(credit), isCounted);
            emit IOracleAggregator.ReputationChanged(
                asset, source.adapter, _reputation(credit), isCounted
            );
        }
    }

    /// @dev Lets the shares move to those of a checked list; of the first list they are there at once.
    function change(
        State storage s,
        uint256 seasoning,
        uint256 quorum,
        IOracleAggregator.SourceConfig[] calldata sources
    ) internal {
        uint256 oldCount = s.count;
        bool isFirst = oldCount == 0;
        uint256 elapsed = WadMath.min(block.timestamp - s.changedAt, seasoning);
        Source[MAX_SAMPLES] memory old = s.list;
        Source[2 * MAX_SAMPLES] memory next;
        uint256 count = sources.length;
        for (uint256 i; i < count; ++i) {
            uint16 share = sources[i].share;
            next[i] = isFirst
                ? Source(
                    sources[i].adapter, uint40(share * UNIT), share, uint24(RECOVERY_PERIOD), true
                )
                : Source(sources[i].adapter, 0, share, 0, false);
        }
        for (uint256 j; j < oldCount; ++j) {
            Source memory source = old[j];
            // Down, so that a share never grows by being changed.
            uint256 share = _between(source.from, source.to, elapsed, seasoning) / seasoning;
            (source.from, source.to) = (uint40(share), 0);
            uint256 i;
            while (i < sources.length && next[i].adapter != source.adapter) ++i;
            if (i < sources.length) source.to = next[i].to;
            else if (share == 0) continue;
            else i = count++;
            next[i] = source;
        }
        if (count > MAX_SAMPLES) {
            revert IOracleAggregator.OracleAggregator_SourceCount(count, MAX_SAMPLES);
        }
        for (uint256 i; i < MAX_SAMPLES; ++i) {
            s.list[i] = next[i];
        }
        if (isFirst) {
            s.quorumFrom = uint40(quorum * UNIT);
        } else {
            // Rounding takes less than a unit from each share: what was a quorum stays one. Suspended shares stay
            // in the denominator: dropping them would let the rest decide at once.
            uint256 quorumNow =
                _between(s.quorumFrom, s.quorumTo, elapsed, seasoning) / seasoning - MAX_SAMPLES;
            s.quorumFrom = uint40(WadMath.max(quorumNow, TOTAL_SHARE * UNIT / 2 + 1));
        }
        s.quorumTo = uint16(quorum);
        s.changedAt = uint40(block.timestamp);
        s.count = uint8(count);
    }

    /// @dev Takes a source's share, now and in future. False if there is no such source.
    function suspend(State storage s, address adapter) internal returns (bool) {
        uint256 count = s.count;
        for (uint256 i; i < count; ++i) {
            Source storage source = s.list[i];
            if (source.adapter != adapter) continue;
            (source.from, source.to) = (0, 0);
            return true;
        }
        return false;
    }

    /// @dev What `IOracleAggregator.sources` returns.
    function states(State storage s, uint256 seasoning)
        internal
        view
        returns (IOracleAggregator.SourceState[] memory list)
    {
        uint256 elapsed = WadMath.min(block.timestamp - s.changedAt, seasoning);
        list = new IOracleAggregator.SourceState[](s.count);
        for (uint256 i; i < list.length; ++i) {
            Source memory source = s.list[i];
            uint256 share = _between(source.from, source.to, elapsed, seasoning);
            list[i] = IOracleAggregator.SourceState({
                adapter: source.adapter,
                share: uint64(
                    WadMath.mulDivDown(share, WadMath.WAD, TOTAL_SHARE * UNIT * seasoning)
                ),
                targetShare: source.to,
                reputation: uint64(_reputation(source.credit)),
                isCounted: source.isCounted
            });
        }
    }

    /// @dev The list that the shares move to.
    function targets(State storage s)
        internal
        view
        returns (IOracleAggregator.SourceConfig[] memory list)
    {
        uint256 length;
        for (uint256 i; i < s.count; ++i) {
            if (s.list[i].to != 0) ++length;
        }
        list = new IOracleAggregator.SourceConfig[](length);
        for (uint256 i = s.count; i > 0;) {
            Source memory source = s.list[--i];
            if (source.to == 0) continue;
            list[--length] = IOracleAggregator.SourceConfig(source.adapter, source.to);
        }
    }

    /// @dev Basis points · UNIT · seconds, of basis points · UNIT and basis points.
    function _between(uint256 from, uint256 to, uint256 elapsed, uint256 seasoning)
        private
        pure
        returns (uint256)
    {
        return from * (seasoning - elapsed) + to * UNIT * elapsed;
    }

    /// @dev WAD, rounded down.
    function _reputation(uint256 credit) private pure returns (uint256) {
        return WadMath.mulDivDown(RECOVERY_PERIOD + credit, WadMath.WAD, 2 * RECOVERY_PERIOD);
    }
}

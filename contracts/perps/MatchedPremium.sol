// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {Market} from "../types/Market.sol";
import {MarketPricing, MarketTrading} from "../types/Parameters.sol";
import {Funding} from "./Funding.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice How far from the curve's mark signed pairs trade: a weighted mean that fades linearly to zero.
/// @dev It fades along a straight line whose end is stored, so that touching a market more often only rounds more
/// often. Funding takes its mean over the time since the last touch; `docs/spec/orders.md` bounds what that changes.
library MatchedPremium {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @notice What funding and `markPrice` go by: the skew's premium and that of pairs. The latter never carries the sum
    /// beyond `maxPremium`.
    /// @param skewPremium WAD: skew / skewScale.
    /// @param matched WAD.
    /// @return WAD.
    function total(int256 skewPremium, int256 matched, uint256 maxPremium)
        internal
        pure
        returns (int256)
    {
        if (matched == 0) return skewPremium;
        // Where the bound was lowered below what the skew says, the skew's word stands.
        int256 bound = WadMath.max(maxPremium, WadMath.abs(skewPremium)).toInt256();
        int256 sum = skewPremium + matched;
        return sum > bound ? bound : sum < -bound ? -bound : sum;
    }

    /// @notice Accrues funding and fades the premium for the seconds in which there is one, `elapsed` at most.
    /// @return rest Seconds of `elapsed` that are left: the premium is zero in them.
    function accrue(
        Market memory m,
        int256 skewPremium,
        uint256 elapsed,
        uint256 indexPrice,
        MarketPricing memory p
    ) internal pure returns (uint256 rest) {
        uint256 remaining = m.matchedPremiumEndsAt - m.fundingUpdatedAt;
        int256 before = m.matchedPremium;
        int256 after_;
        if (elapsed < remaining) {
            // Towards zero; remaining is below 2^40.
            after_ = before * int256(remaining - elapsed) / int256(remaining);
        } else {
            rest = elapsed - remaining;
            elapsed = remaining;
        }
        int256 mean = (before + after_) / 2;
        Funding.accrueMarket(
            m, total(skewPremium, mean, p.maxPremium), elapsed, indexPrice, p.funding
        );
        m.matchedPremium = int64(after_);
        if (after_ == 0) m.matchedPremiumEndsAt = 0;
    }

    /// @notice Takes note of pairs at `price`, on a market that is accrued to now.
    /// @dev The weight is size / (size + priceBand · skewScale): little is moved as far as by the same size bought from
    /// the pool, if it is traded at the edge of the band; nothing moves the mean beyond the band.
    /// @param mark WAD: the curve's.
    /// @param price WAD: the mean of what was paid.
    /// @param size WAD base units that changed hands, above zero.
    function blend(
        Market memory m,
        uint256 indexPrice,
        uint256 mark,
        uint256 price,
        uint256 size,
        MarketTrading memory p
    ) internal pure {
        int256 band = int256(uint256(p.priceBand));
        int256 sample =
            (price.toInt256() - mark.toInt256()) * int256(WadMath.WAD) / indexPrice.toInt256();
        sample = sample > band ? band : sample < -band ? -band : sample;
        uint256 depth = WadMath.mulDown(p.skewScale, p.priceBand);
        uint256 remaining = m.matchedPremium == 0 ? 0 : m.matchedPremiumEndsAt - m.fundingUpdatedAt;
        // Sizes and depth are below 2^128, premiums below 2^60.
        int256 moved =
            (m.matchedPremium * int256(depth) + sample * int256(size)) / int256(depth + size);
        m.matchedPremium = moved.toInt64();
        // Rounded up: a premium has a second at least to fade in.
        uint256 left =
            WadMath.mulDivUp(remaining * depth + uint256(p.premiumPeriod) * size, 1, depth + size);
        m.matchedPremiumEndsAt = moved == 0 ? 0 : uint40(m.fundingUpdatedAt + left);
    }
}

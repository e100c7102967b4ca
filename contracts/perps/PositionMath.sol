// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {Fill, Market, MarketPhase, Position} from "../types/Market.sol";
import {SkewPricing} from "./SkewPricing.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Positions and the exact sums over them.
/// @dev The sums are moved by the very differences that the position is moved by, so `U_m` from the sums and
/// Σ over accounts differ by the one rounding per account alone.
library PositionMath {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @notice Longs less shorts.
    function skew(Market memory m) internal pure returns (int256) {
        return int256(uint256(m.openInterestLong)) - int256(uint256(m.openInterestShort));
    }

    /// @notice WAD: mark on the curve; once a market is settled there is no curve, and the price that was fixed is all.
    function markPrice(Market memory m, uint256 indexPrice, uint256 skewScale)
        internal
        pure
        returns (uint256)
    {
        if (m.phase == MarketPhase.Settled) return indexPrice;
        return SkewPricing.markPrice(indexPrice, skew(m), skewScale);
    }

    /// @notice Whether a trade brings a position towards zero without crossing it.
    function isReduction(int256 size, int256 sizeDelta) internal pure returns (bool) {
        return
            size != 0 && (size > 0) != (sizeDelta > 0)
                && WadMath.abs(sizeDelta) <= WadMath.abs(size);
    }

    /// @notice Funding that a position owes (> 0), rounded up.
    function fundingOwed(Market memory m, Position memory p) internal pure returns (int256) {
        int256 product = int256(p.size) * (int256(m.cumulativeFundingPerUnit) - p.fundingEntry);
        return -WadMath.divFloor(-product, WadMath.WAD);
    }

    /// @notice Unrealised profit of a position at `mark`, funding included: ⌊size · (mark − funding) / 1e18⌋ − quote.
    function unrealizedOf(Market memory m, Position memory p, uint256 mark)
        internal
        pure
        returns (int256)
    {
        int256 perUnit = mark.toInt256() - (int256(m.cumulativeFundingPerUnit) - p.fundingEntry);
        return WadMath.divFloor(int256(p.size) * perUnit, WadMath.WAD) - p.quote;
    }

    /// @notice The same for all positions of the market together, from the sums alone.
    function unrealizedTotal(Market memory m, uint256 mark) internal pure returns (int256) {
        int256 total =
            skew(m) * (mark.toInt256() - m.cumulativeFundingPerUnit) + m.fundingEntryProduct;
        return WadMath.divFloor(total, WadMath.WAD) - m.quote;
    }

    /// @notice U_m: what closing every position on the curve would pay the traders, funding included; rounded up.
    /// ⌈skew · index · (1 + skew / (2 · skewScale))⌉ − ⌊funding owed⌋ − quote.
    /// Of a settled market: what closing every position at its last price would pay.
    /// @dev Fills are path-independent, so a trade changes this only by its own rounding: nobody can move the
    /// pool's value or h with a trade that is undone afterwards, as the value at mark could be.
    /// Sizes and scales are below 2^120, so skew · (2k + skew) is below 2^243.
    function closeOutTotal(Market memory m, uint256 indexPrice, uint256 skewScale)
        internal
        pure
        returns (int256)
    {
        if (m.phase == MarketPhase.Settled) return unrealizedTotal(m, indexPrice);
        int256 skew_ = skew(m);
        int256 curve = skew_ * (2 * skewScale.toInt256() + skew_);
        int256 value = WadMath.mulDivCeil(curve, indexPrice, 2 * skewScale * WadMath.WAD);
        int256 funding = WadMath.divFloor(
            skew_ * m.cumulativeFundingPerUnit - m.fundingEntryProduct, WadMath.WAD
        );
        return value - funding - m.quote;
    }

    /// @notice What a fill of `sizeDelta` costs and realises: on the curve, or at a settled market's last price.
    /// Changes nothing.
    function quoteFill(
        Market memory m,
        Position memory p,
        int256 sizeDelta,
        uint256 indexPrice,
        uint256 skewScale
    ) internal pure returns (Fill memory fill) {
        uint256 price = m.phase == MarketPhase.Settled
            ? indexPrice
            : SkewPricing.fillPrice(indexPrice, skew(m), sizeDelta, skewScale);
        return quoteAt(m, p, sizeDelta, price, SkewPricing.fillCost(sizeDelta, price));
    }

    /// @notice What a fill of `sizeDelta` that costs `cost` realises. Changes nothing.
    function quoteAt(
        Market memory m,
        Position memory p,
        int256 sizeDelta,
        uint256 price,
        int256 cost
    ) internal pure returns (Fill memory fill) {
        fill.fillPrice = price;
        fill.quoteDelta = cost;
        fill.notional = WadMath.abs(cost);
        fill.fundingPaid = fundingOwed(m, p);
        fill.realizedPnl = -fill.fundingPaid;
        if (p.size != 0 && (p.size > 0) != (sizeDelta > 0)) {
            (int256 closedQuote, int256 closingCost) = _closedParts(p, sizeDelta, cost);
            fill.realizedPnl -= closedQuote + closingCost;
        }
    }

    /// @notice Moves position and sums by a fill that was quoted on the same state.
    function applyFill(Market memory m, Position memory p, int256 sizeDelta, Fill memory fill)
        internal
        pure
    {
        int256 size = p.size;
        int256 newSize = size + sizeDelta;
        int256 newQuote = int256(p.quote) + fill.quoteDelta;
        if (size != 0 && (size > 0) != (sizeDelta > 0)) {
            (int256 closedQuote, int256 closingCost) = _closedParts(p, sizeDelta, fill.quoteDelta);
            newQuote -= closedQuote + closingCost;
        }
        m.openInterestLong = (m.openInterestLong + _positive(newSize) - _positive(size)).toUint128();
        m.openInterestShort =
            (m.openInterestShort + _positive(-newSize) - _positive(-size)).toUint128();
        m.quote = (int256(m.quote) + newQuote - p.quote).toInt128();
        m.fundingEntryProduct += newSize * m.cumulativeFundingPerUnit - size * p.fundingEntry;
        p.size = newSize.toInt128();
        p.quote = newQuote.toInt128();
        p.fundingEntry = newSize == 0 ? int128(0) : m.cumulativeFundingPerUnit;
    }

    /// @dev The position's quote that the closing part takes along, and the fill's cost of the closing part.
    /// A rounded division only decides between realised now and realised later; nothing is lost to either side.
    function _closedParts(Position memory p, int256 sizeDelta, int256 quoteDelta)
        private
        pure
        returns (int256 closedQuote, int256 closingCost)
    {
        uint256 held = WadMath.abs(p.size);
        uint256 traded = WadMath.abs(sizeDelta);
        if (traded <= held) {
            return (WadMath.mulDivFloor(p.quote, traded, held), quoteDelta);
        }
        return (p.quote, WadMath.mulDivCeil(quoteDelta, held, traded));
    }

    function _positive(int256 x) private pure returns (uint256) {
        return x > 0 ? uint256(x) : 0;
    }
}

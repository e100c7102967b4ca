// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, Position} from "../types/Market.sol";
import {MatchMaker, MatchTaker} from "../types/Order.sol";
import {MarketTrading} from "../types/Parameters.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {MarketStorage} from "./MarketStorage.sol";
import {MatchedPremium} from "./MatchedPremium.sol";
import {PerpViews} from "./PerpViews.sol";
import {PositionMath} from "./PositionMath.sol";
import {SkewPricing} from "./SkewPricing.sol";

/// @notice Fills between accounts, at prices that their owners agreed on. The pool takes no part in them: the skew stays
/// as it is, and what one side pays more than the other gets is a rounding.
/// @dev Who increases a position meets initial margin afterwards. So does who reduces one at a price worse than the
/// pool would give: nobody can lose to a friend what belongs to those who lent her the leverage. At the pool's price or
/// better no reduction lowers an account's value at close-out prices, so it is as free as one against the pool.
abstract contract PerpMatching is PerpViews {
    using MarketStorage for Market;
    using PositionMath for Market;

    /// @dev What all sides of a match have in common. `seen` has the bits of the actions found allowed.
    struct Match {
        MarketId market;
        uint256 index;
        PriceStatus status;
        int256 skew;
        uint256 seen;
    }

    /// @dev One side, moved and not booked yet.
    struct Side {
        AccountId account;
        int256 sizeDelta;
        Fill fill;
        uint256 fee;
        Position position;
        Action action;
        bool mustMeetMargin;
    }

    /// @inheritdoc IPerpExchange
    function matchTrade(MarketId market, MatchTaker calldata taker, MatchMaker[] calldata makers)
        external
        locked
        returns (Fill memory taken)
    {
        if (msg.sender != _signedOrders) revert PerpExchange_NotSignedOrders(msg.sender);
        MarketTrading memory p = _trading(market);
        PriceData memory index = _oracle.fetch(p.indexAsset);
        Market memory m = _accrued(market, _pricingOf(p), index.price);
        // There is no mark any more that a price could be near to.
        _requirePhase(market, m.phase, true);
        Match memory x = Match(market, index.price, index.status, m.skew(), 0);
        uint256 openLong = m.openInterestLong;
        uint256 openShort = m.openInterestShort;

        Side[] memory sides = _matched(x, m, p, taker, makers);
        // Every size was bought by one side and sold by another.
        assert(m.skew() == x.skew);
        _requireOpenInterest(market, m.openInterestLong, openLong, p.maxOpenInterest);
        _requireOpenInterest(market, m.openInterestShort, openShort, p.maxOpenInterest);
        _markets[market].save(m);
        emit MatchedPremiumMoved(market, m.matchedPremium, m.matchedPremiumEndsAt);

        int256 unrealized = m.closeOutTotal(index.price, p.skewScale);
        uint256 poolCash;
        for (uint256 i; i < sides.length; ++i) {
            Side memory s = sides[i];
            poolCash =
                _book(s.account, market, s.position, s.sizeDelta, s.fill, s.fee, 0, unrealized);
        }
        // As the skew stays, so does what one side is larger by: the greater grew as the other did.
        if (m.openInterestLong > openLong) {
            uint256 side = WadMath.max(m.openInterestLong, m.openInterestShort);
            _requirePoolShare(market, side, index.price, poolCash, p.maxPoolShareBps);
        }
        // Only now: an account may be on more than one side.
        for (uint256 i; i < sides.length; ++i) {
            if (sides[i].mustMeetMargin) {
                _marginEngine.requireInitialMargin(sides[i].account, sides[i].action);
            }
        }
        return sides[0].fill;
    }

    /// @dev Moves all positions, and in memory the market with its premium.
    function _matched(
        Match memory x,
        Market memory m,
        MarketTrading memory p,
        MatchTaker calldata taker,
        MatchMaker[] calldata makers
    ) private returns (Side[] memory sides) {
        uint256 mark = SkewPricing.markPrice(x.index, x.skew, p.skewScale);
        uint256 size;
        int256 cost;
        for (uint256 i; i < makers.length; ++i) {
            _requireBand(x.market, makers[i].price, mark, p.priceBand);
            size += makers[i].size;
            cost += SkewPricing.fillCost(_signed(makers[i].size, taker.buys), makers[i].price);
        }
        // So is every part of it.
        _requireSize(int256(size));
        uint256 paid = WadMath.abs(cost);
        uint256 price = taker.buys
            ? WadMath.mulDivUp(paid, WadMath.WAD, size)
            : WadMath.mulDivDown(paid, WadMath.WAD, size);
        MatchedPremium.blend(m, x.index, mark, price, size, p);

        sides = new Side[](makers.length + 1);
        sides[0].account = taker.account;
        sides[0].sizeDelta = _signed(size, taker.buys);
        sides[0].fee = WadMath.mulUp(paid, p.takerFee);
        _moveSide(x, m, p, sides[0], price, cost, taker.reduceOnly);
        for (uint256 i; i < makers.length; ++i) {
            Side memory s = sides[i + 1];
            price = makers[i].price;
            s.account = makers[i].account;
            s.sizeDelta = _signed(makers[i].size, !taker.buys);
            cost = SkewPricing.fillCost(s.sizeDelta, price);
            s.fee = WadMath.mulUp(WadMath.abs(cost), p.makerFee);
            _moveSide(x, m, p, s, price, cost, makers[i].reduceOnly);
        }
    }

    function _moveSide(
        Match memory x,
        Market memory m,
        MarketTrading memory p,
        Side memory s,
        uint256 price,
        int256 cost,
        bool reduceOnly
    ) private {
        Position memory held = _positions[s.account][x.market];
        bool reduces = PositionMath.isReduction(held.size, s.sizeDelta);
        if (reduceOnly && !reduces) {
            revert PerpExchange_NotReducing(s.account, x.market, held.size, s.sizeDelta);
        }
        _requirePhase(x.market, m.phase, reduces);
        s.action = reduces ? Action.ReducePosition : Action.IncreasePosition;
        uint256 bit = 1 << uint8(s.action);
        if (x.seen & bit == 0) {
            _requireAllowed(s.action);
            ActionPolicy.requireStatus(s.action, x.status);
            x.seen |= bit;
        }
        s.mustMeetMargin = !reduces || cost > _poolCost(x, s.sizeDelta, p.skewScale);
        s.fill = m.quoteAt(held, s.sizeDelta, price, cost);
        _move(s.account, x.market, m, held, s.sizeDelta, s.fill);
        s.position = held;
    }

    /// @dev What the same trade against the pool would cost instead of the match.
    function _poolCost(Match memory x, int256 sizeDelta, uint256 skewScale)
        private
        pure
        returns (int256)
    {
        uint256 price = SkewPricing.fillPrice(x.index, x.skew, sizeDelta, skewScale);
        return SkewPricing.fillCost(sizeDelta, price);
    }

    /// @dev The curve's mark, which no match moves: a premium of pairs cannot carry the band along.
    function _requireBand(MarketId market, uint256 price, uint256 mark, uint256 band) private pure {
        uint256 width = WadMath.mulDown(mark, band);
        if (price < mark - width || price > mark + width) {
            revert PerpExchange_PriceOutOfBand(market, price, mark - width, mark + width);
        }
    }

    /// @dev A side that did not grow is let be, even where its cap was lowered below it.
    function _requireOpenInterest(MarketId market, uint256 now_, uint256 before, uint256 maximum)
        private
        pure
    {
        if (now_ > before && now_ > maximum) {
            revert PerpExchange_OpenInterestCap(market, now_, maximum);
        }
    }

    function _signed(uint256 size, bool buys) private pure returns (int256) {
        return buys ? int256(size) : -int256(size);
    }
}

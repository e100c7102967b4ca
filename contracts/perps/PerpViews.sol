// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExposureSource} from "../interfaces/IExposureSource.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AssetId} from "../types/AssetId.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, MarketPhase, PoolExposure, Position} from "../types/Market.sol";
import {MarketPricing, MarketTrading} from "../types/Parameters.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {MarketExposure} from "../types/Valuation.sol";
import {MatchedPremium} from "./MatchedPremium.sol";
import {PositionMath} from "./PositionMath.sol";
import {SkewPricing} from "./SkewPricing.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {WindingDown} from "./WindingDown.sol";

/// @notice What the exchange answers. It implements `IPerpExchange`, where every function is documented.
abstract contract PerpViews is WindingDown {
    using PositionMath for Market;
    using SafeCastLib for uint256;

    /// @inheritdoc IExposureSource
    function exposuresOf(AccountId account)
        external
        view
        returns (MarketExposure[] memory exposures)
    {
        uint256 mask = _marketMask[account];
        uint256 count;
        for (uint256 rest = mask; rest != 0; rest &= rest - 1) {
            ++count;
        }
        exposures = new MarketExposure[](count);
        uint256 next;
        for (uint8 i; mask >> i != 0; ++i) {
            if ((mask >> i) & 1 == 1) exposures[next++] = _exposure(account, MarketId.wrap(i));
        }
    }

    /// @inheritdoc IExposureSource
    function hasExposure(AccountId account) external view returns (bool) {
        return _marketMask[account] != 0;
    }

    /// @inheritdoc IPerpExchange
    function exposureAt(AccountId account, MarketId market, uint256 assumedPrice)
        external
        view
        whenUnlocked
        returns (MarketExposure memory)
    {
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        if (m.phase != MarketPhase.Settled) index.price = assumedPrice.toUint128();
        return _exposureOf(account, market, m, p, index);
    }

    /// @inheritdoc IPerpExchange
    function previewTrade(AccountId account, MarketId market, int256 sizeDelta)
        external
        view
        whenUnlocked
        returns (Fill memory fill, uint256 fee)
    {
        _requireSize(sizeDelta);
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        if (m.phase == MarketPhase.Settled) revert PerpExchange_Settled(market);
        Position memory held = _positions[account][market];
        fill = m.quoteFill(held, sizeDelta, index.price, p.skewScale);
        MarketTrading memory t = _trading(market);
        uint256 spread = PositionMath.isReduction(held.size, sizeDelta) ? 0 : t.instantSpread;
        fee = WadMath.mulUp(fill.notional, t.takerFee + spread);
    }

    /// @inheritdoc IPerpExchange
    function position(AccountId account, MarketId market) external view returns (Position memory) {
        return _positions[account][market];
    }

    /// @inheritdoc IPerpExchange
    function marketState(MarketId market) external view returns (Market memory) {
        return _markets[market];
    }

    /// @inheritdoc IPerpExchange
    function indexPrice(MarketId market) external view returns (uint256 price, PriceStatus status) {
        AssetId asset = _pricing(market).indexAsset;
        PriceData memory data = _indexOf(market, _markets[market].phase, asset);
        return (data.price, data.status);
    }

    /// @inheritdoc IPerpExchange
    function markPrice(MarketId market) external view whenUnlocked returns (uint256) {
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        if (m.matchedPremium == 0) {
            return m.markPrice(index.price, p.skewScale);
        }
        int256 premium = SkewPricing.premium(m.skew(), p.skewScale);
        premium = MatchedPremium.total(premium, m.matchedPremium, p.maxPremium);
        return WadMath.mulDown(index.price, uint256(int256(WadMath.WAD) + premium));
    }

    /// @inheritdoc IPerpExchange
    function fundingRate(MarketId market) external view returns (int256) {
        (Market memory m,,) = _current(market);
        return m.fundingRate;
    }

    /// @inheritdoc IPerpExchange
    function closeOutPnl(MarketId market) external view whenUnlocked returns (int256) {
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        return m.closeOutTotal(index.price, p.skewScale);
    }

    /// @inheritdoc IPerpExchange
    function poolExposure() external view returns (PoolExposure memory e) {
        if (msg.sender != _liquidityVault) _requireUnlocked();
        e.status = PriceStatus.Valid;
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            MarketId market = MarketId.wrap(i);
            uint256 side =
                WadMath.max(_markets[market].openInterestLong, _markets[market].openInterestShort);
            if (side == 0) continue;
            (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
            int256 unrealized = m.closeOutTotal(index.price, p.skewScale);
            e.net += unrealized;
            if (unrealized > 0) e.positive += uint256(unrealized);
            // What cannot move any more needs no cover beyond its value.
            if (m.phase != MarketPhase.Settled) e.openInterest += WadMath.mulUp(side, index.price);
            if (index.status < e.status) (e.worst, e.status) = (market, index.status);
        }
    }

    /// @inheritdoc IPerpExchange
    function unrealizedPnl(MarketId market) external view whenUnlocked returns (int256) {
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        return m.unrealizedTotal(m.markPrice(index.price, p.skewScale));
    }

    /// @inheritdoc IPerpExchange
    function unrealizedPnlOf(AccountId account, MarketId market)
        external
        view
        whenUnlocked
        returns (int256)
    {
        (Market memory m, MarketPricing memory p, PriceData memory index) = _current(market);
        return m.unrealizedOf(_positions[account][market], m.markPrice(index.price, p.skewScale));
    }

    function _exposure(AccountId account, MarketId market)
        private
        view
        returns (MarketExposure memory)
    {
        MarketPricing memory p = _pricing(market);
        Market memory m = _ratesOf(market);
        PriceData memory index = _indexOf(market, m.phase, p.indexAsset);
        _accrue(m, p, index.price);
        return _exposureOf(account, market, m, p, index);
    }

    function _exposureOf(
        AccountId account,
        MarketId market,
        Market memory m,
        MarketPricing memory p,
        PriceData memory index
    ) private view returns (MarketExposure memory e) {
        Position memory position_ = _positions[account][market];
        e.market = market;
        e.indexAsset = p.indexAsset;
        e.unrealizedPnl = m.unrealizedOf(position_, m.markPrice(index.price, p.skewScale));
        e.indexPnl = m.unrealizedOf(position_, index.price);
        e.status = index.status;
        // Nothing is asked for what cannot move any more, nor does it offset what can.
        if (m.phase == MarketPhase.Settled) return e;
        uint256 notional = WadMath.mulUp(WadMath.abs(position_.size), index.price);
        e.notional = position_.size >= 0 ? notional.toInt256() : -notional.toInt256();
        e.closeOutCost = SkewPricing.closeOutCost(index.price, position_.size, p.skewScale);
    }

    /// @dev A market without the sums that only its total needs: three of its slots.
    function _ratesOf(MarketId market) private view returns (Market memory m) {
        Market storage stored = _markets[market];
        m.openInterestLong = stored.openInterestLong;
        m.openInterestShort = stored.openInterestShort;
        m.fundingRate = stored.fundingRate;
        m.fundingUpdatedAt = stored.fundingUpdatedAt;
        m.fundingGain = stored.fundingGain;
        m.phase = stored.phase;
        m.cumulativeFundingPerUnit = stored.cumulativeFundingPerUnit;
        m.matchedPremium = stored.matchedPremium;
        m.matchedPremiumEndsAt = stored.matchedPremiumEndsAt;
    }
}

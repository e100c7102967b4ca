// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IExposureSource} from "../interfaces/IExposureSource.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, Position} from "../types/Market.sol";
import {MarketTrading} from "../types/Parameters.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {MarketExposure} from "../types/Valuation.sol";
import {MatchedPremium} from "./MatchedPremium.sol";
import {PositionMath} from "./PositionMath.sol";
import {SkewPricing} from "./SkewPricing.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";
import {PerpMarkets} from "./PerpMarkets.sol";

/// @notice What the exchange answers. It implements `IPerpExchange`, where every function is documented.
abstract contract PerpViews is PerpMarkets {
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
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        index.price = assumedPrice.toUint128();
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
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        fill = m.quoteFill(_positions[account][market], sizeDelta, index.price, p.skewScale);
        fee = WadMath.mulUp(fill.notional, p.takerFee);
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
        PriceData memory data = _oracle.latest(_riskParameters.marketTrading(market).indexAsset);
        return (data.price, data.status);
    }

    /// @inheritdoc IPerpExchange
    function markPrice(MarketId market) external view whenUnlocked returns (uint256) {
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        if (m.matchedPremium == 0) {
            return SkewPricing.markPrice(index.price, m.skew(), p.skewScale);
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
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        return m.closeOutTotal(index.price, p.skewScale);
    }

    /// @inheritdoc IPerpExchange
    function unrealizedPnl(MarketId market) external view whenUnlocked returns (int256) {
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        return m.unrealizedTotal(SkewPricing.markPrice(index.price, m.skew(), p.skewScale));
    }

    /// @inheritdoc IPerpExchange
    function unrealizedPnlOf(AccountId account, MarketId market)
        external
        view
        whenUnlocked
        returns (int256)
    {
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        return m.unrealizedOf(
            _positions[account][market], SkewPricing.markPrice(index.price, m.skew(), p.skewScale)
        );
    }
}

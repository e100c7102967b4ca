// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, Position} from "../types/Market.sol";
import {MarketTrading} from "../types/Parameters.sol";
import {PriceData} from "../types/Price.sol";
import {PositionMath} from "./PositionMath.sol";
import {PerpMarkets} from "./PerpMarkets.sol";
import {PerpMatching} from "./PerpMatching.sol";
import {Rebates} from "./Rebates.sol";

/// @notice Implements `IPerpExchange`, where every function is documented.
contract PerpExchange is PerpMatching {
    using PositionMath for Market;

    constructor(Compartment memory wiring) PerpMarkets(wiring) {}

    /// @inheritdoc IPerpExchange
    function trade(AccountId account, MarketId market, int256 sizeDelta, uint256 acceptablePrice)
        external
        locked
        returns (Fill memory fill)
    {
        _requireAuthorized(account);
        _requireSize(sizeDelta);
        fill = _fill(account, market, sizeDelta, acceptablePrice, 0);
    }

    /// @inheritdoc IPerpExchange
    function fillOrder(
        AccountId account,
        MarketId market,
        int256 sizeDelta,
        uint256 acceptablePrice,
        uint256 fixedPrice,
        bool reduceOnly
    ) external returns (Fill memory fill) {
        if (msg.sender != _delayedOrders) {
            revert PerpExchange_NotAuthorized(msg.sender);
        }
        if (reduceOnly) {
            int256 size = _positions[account][market].size;
            if (WadMath.abs(sizeDelta) > WadMath.abs(size) && (size > 0) != (sizeDelta > 0)) {
                sizeDelta = -size;
            }
            if (!PositionMath.isReduction(size, sizeDelta)) {
                revert PerpExchange_NotReducing(account, market, size, sizeDelta);
            }
        }
        fill = _fill(account, market, sizeDelta, acceptablePrice, fixedPrice);
    }

    /// @inheritdoc IPerpExchange
    function poke(MarketId market) external locked {
        _poke(market);
    }

    /// @inheritdoc IPerpExchange
    function refreshAll() external {
        if (msg.sender != _liquidityVault && msg.sender != _liquidationEngine) {
            revert PerpExchange_NotAuthorized(msg.sender);
        }
        uint256 count = _riskParameters.marketCount();
        for (uint8 i; i < count; ++i) {
            _poke(MarketId.wrap(i));
        }
    }

    /// @inheritdoc IPerpExchange
    function liquidatePosition(AccountId account, MarketId market, int256 sizeDelta)
        external
        returns (Fill memory fill)
    {
        if (msg.sender != _liquidationEngine) {
            revert PerpExchange_NotLiquidationEngine(msg.sender);
        }
        Position memory held = _positions[account][market];
        if (!PositionMath.isReduction(held.size, sizeDelta)) {
            revert PerpExchange_NotReducing(account, market, held.size, sizeDelta);
        }
        fill = _close(account, market, held, sizeDelta);
    }

    /// @param fixedPrice WAD index price of the fill; 0: that of now, at which everything else is reckoned.
    /// That was known before: who raises a position at it pays the spread.
    function _fill(
        AccountId account,
        MarketId market,
        int256 sizeDelta,
        uint256 acceptablePrice,
        uint256 fixedPrice
    ) internal returns (Fill memory fill) {
        Position memory held = _positions[account][market];
        bool reduces = PositionMath.isReduction(held.size, sizeDelta);
        Action action = reduces ? Action.ReducePosition : Action.IncreasePosition;
        _requireAllowed(action);
        _requirePhase(market, _markets[market].phase, reduces);

        MarketTrading memory p = _trading(market);
        PriceData memory index = _oracle.fetch(p.indexAsset);
        ActionPolicy.requireStatus(action, index.status);
        Market memory m = _accrued(market, _pricingOf(p), index.price);
        uint256 price = fixedPrice == 0 ? index.price : fixedPrice;

        fill = m.quoteFill(held, sizeDelta, price, p.skewScale);
        if (sizeDelta > 0 ? fill.fillPrice > acceptablePrice : fill.fillPrice < acceptablePrice) {
            revert PerpExchange_PriceNotAcceptable(fill.fillPrice, acceptablePrice);
        }
        uint256 spread = reduces || fixedPrice != 0 ? 0 : p.instantSpread;
        uint256 fee = WadMath.mulUp(fill.notional, p.takerFee + spread);
        int256 skewBefore = m.skew();
        uint256 rebate = Rebates.rebateOf(fill.notional, sizeDelta, skewBefore, p);
        uint256 poolCash = _apply(
            account, market, m, held, sizeDelta, fill, fee, rebate, index.price, p.skewScale
        );
        if (!reduces) {
            _requireCaps(market, m, skewBefore, sizeDelta, p);
            uint256 side = sizeDelta > 0 ? m.openInterestLong : m.openInterestShort;
            _requirePoolShare(market, side, index.price, poolCash, p.maxPoolShareBps);
            _marginEngine.requireInitialMargin(account, action);
        }
    }
}

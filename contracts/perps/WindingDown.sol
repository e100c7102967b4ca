// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {Roles} from "../libraries/Roles.sol";
import {Action} from "../types/Action.sol";
import {AssetId} from "../types/AssetId.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, MarketPhase, Position, Settlement} from "../types/Market.sol";
import {MarketPricing} from "../types/Parameters.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {MarketStorage} from "./MarketStorage.sol";
import {PerpMarkets} from "./PerpMarkets.sol";
import {PositionMath} from "./PositionMath.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice How a market ends. It implements `IPerpExchange`, where every function is documented.
abstract contract WindingDown is PerpMarkets {
    using MarketStorage for Market;
    using PositionMath for Market;
    using SafeCastLib for uint256;

    /// @dev Traders have so long to close on the curve; and a price so long to come back, if there is none.
    uint256 internal constant WIND_DOWN_NOTICE = 1 days;
    /// @dev No trade at the end of the notice moves what an hour says by much.
    uint256 internal constant SETTLEMENT_WINDOW = 1 hours;

    /// @inheritdoc IPerpExchange
    function windDown(MarketId market) external locked {
        _roles.requireRole(Roles.GOVERNOR, msg.sender);
        // Only a listed market ends.
        _pricing(market);
        _requireIn(market, MarketPhase.Open);
        _markets[market].phase = MarketPhase.WindingDown;
        uint256 fixableAt = block.timestamp + WIND_DOWN_NOTICE;
        _settlements[market].fixableAt = uint40(fixableAt);
        emit WindDownStarted(market, fixableAt);
    }

    /// @inheritdoc IPerpExchange
    function fixSettlement(MarketId market) external locked {
        _requireIn(market, MarketPhase.WindingDown);
        Settlement memory s = _settlements[market];
        if (block.timestamp < s.fixableAt) {
            revert PerpExchange_NoticeRunning(market, s.fixableAt);
        }
        MarketPricing memory p = _pricing(market);
        uint256 price = _finalPrice(market, p.indexAsset, s.fixableAt);
        Market memory m = _accrued(market, p, price);
        m.phase = MarketPhase.Settled;
        m.fundingRate = 0;
        (m.matchedPremium, m.matchedPremiumEndsAt) = (0, 0);
        _markets[market].save(m);
        _settlements[market].price = price.toUint128();
        emit SettlementFixed(market, price);
        _marginEngine.reportUnrealized(market, m.closeOutTotal(price, p.skewScale));
    }

    /// @inheritdoc IPerpExchange
    function settlePosition(AccountId account, MarketId market)
        external
        locked
        returns (Fill memory)
    {
        _requireIn(market, MarketPhase.Settled);
        _requireAllowed(Action.ReducePosition);
        Position memory held = _positions[account][market];
        if (held.size == 0) revert PerpExchange_ZeroSize();
        return _close(account, market, held, -held.size);
    }

    /// @inheritdoc IPerpExchange
    function settlement(MarketId market) external view returns (Settlement memory) {
        return _settlements[market];
    }

    /// @inheritdoc IPerpExchange
    function isSettled(MarketId market) external view returns (bool) {
        return _markets[market].phase == MarketPhase.Settled;
    }

    /// @dev An hour's mean, or, after as much time again, the last price that was confirmed: a market whose feed is gone
    /// is not locked for ever. Who sends so little gas that only the mean fails cannot pay for the rest either.
    function _finalPrice(MarketId market, AssetId asset, uint256 fixableAt)
        internal
        view
        returns (uint256)
    {
        try _oracle.twap(asset, SETTLEMENT_WINDOW) returns (uint256 mean) {
            if (mean != 0) return mean;
        } catch {}
        if (block.timestamp >= fixableAt + WIND_DOWN_NOTICE) {
            PriceData memory index = _oracle.latest(asset);
            if (index.status != PriceStatus.Unconfirmed && index.price != 0) return index.price;
        }
        revert PerpExchange_NoSettlementPrice(market, fixableAt + WIND_DOWN_NOTICE);
    }

    function _requireIn(MarketId market, MarketPhase phase) internal view {
        MarketPhase now_ = _markets[market].phase;
        if (now_ != phase) revert PerpExchange_WrongPhase(market, now_, phase);
    }
}

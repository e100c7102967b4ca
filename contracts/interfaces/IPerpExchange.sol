// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, MarketPhase, PoolExposure, Position, Settlement} from "../types/Market.sol";
import {MatchMaker, MatchTaker} from "../types/Order.sol";
import {PriceStatus} from "../types/Price.sol";
import {MarketExposure} from "../types/Valuation.sol";
import {IExposureSource} from "./IExposureSource.sol";

/// @title All perpetual markets of a compartment
/// @notice Fills are made by the pool at a price that depends on the skew. Sizes are WAD base units, prices and
/// values WAD settlement units.
interface IPerpExchange is IExposureSource {
    event Traded(
        AccountId indexed account,
        MarketId indexed market,
        int256 sizeDelta,
        int256 quoteDelta,
        int256 realizedPnl,
        int256 fundingPaid,
        uint256 fee,
        Position position
    );
    event FundingAccrued(
        MarketId indexed market,
        int256 fundingRate,
        int256 cumulativeFundingPerUnit,
        uint256 indexPrice
    );
    /// @param gainBps Basis points that the velocity of funding is multiplied by from now on.
    event FundingGainChanged(MarketId indexed market, uint256 gainBps);
    /// @param premium WAD: how far above the curve's mark pairs trade; it fades linearly …
    /// @param endsAt … until these Unix seconds; 0: there is none.
    event MatchedPremiumMoved(MarketId indexed market, int256 premium, uint256 endsAt);

    /// @param fixableAt Unix seconds from which on the price of the end may be fixed.
    event WindDownStarted(MarketId indexed market, uint256 fixableAt);
    /// @param price WAD at which every position is closed.
    event SettlementFixed(MarketId indexed market, uint256 price);

    /// @notice Thrown when the caller is not the liquidation engine.
    error PerpExchange_NotLiquidationEngine(address caller);
    /// @notice Thrown when the caller is not the part of the compartment that may call.
    error PerpExchange_NotAuthorized(address caller);
    /// @notice Thrown when the caller is not the contract of signed orders.
    error PerpExchange_NotSignedOrders(address caller);
    /// @notice Thrown when a pair is to be settled too far from the curve's mark price.
    error PerpExchange_PriceOutOfBand(
        MarketId market, uint256 price, uint256 lowest, uint256 highest
    );
    /// @notice Thrown when a size is zero.
    error PerpExchange_ZeroSize();
    /// @notice Thrown when a size would not fit a position.
    error PerpExchange_SizeTooLarge(int256 size, uint256 maximum);
    /// @notice Thrown when the fill price is worse than the trader accepts.
    error PerpExchange_PriceNotAcceptable(uint256 fillPrice, uint256 acceptablePrice);
    /// @notice Thrown when a side's open interest would exceed its cap.
    error PerpExchange_OpenInterestCap(MarketId market, uint256 openInterest, uint256 maximum);
    /// @notice Thrown when a trade would raise the premium, or turn its sign, and leave it above its bound.
    error PerpExchange_PremiumCap(MarketId market, uint256 premium, uint256 maximum);
    /// @notice Thrown when a side that a trade raises would be worth more than the pool's cash allows; WAD settlement
    /// units at the index price.
    error PerpExchange_PoolShare(MarketId market, uint256 notional, uint256 maximum);
    /// @notice Thrown when a position is to be raised in a market that is being wound down.
    error PerpExchange_WindingDown(MarketId market);
    /// @notice Thrown when somebody would trade in a market whose last price is fixed.
    error PerpExchange_Settled(MarketId market);
    /// @notice Thrown when a market is not in the phase that a step of its end begins from.
    error PerpExchange_WrongPhase(MarketId market, MarketPhase phase, MarketPhase required);
    /// @notice Thrown when traders have not had their time to close yet.
    /// @param fixableAt Unix seconds.
    error PerpExchange_NoticeRunning(MarketId market, uint256 fixableAt);
    /// @notice Thrown when there is no mean price of an hour, and it is too soon for the last confirmed one, or the
    /// price of now is not confirmed yet.
    /// @param anyPriceFrom Unix seconds.
    error PerpExchange_NoSettlementPrice(MarketId market, uint256 anyPriceFrom);
    /// @notice Thrown when a position is to be reduced by more than its size, or in its own direction.
    error PerpExchange_NotReducing(
        AccountId account, MarketId market, int256 size, int256 sizeDelta
    );

    /// @notice Trades against the pool at once. Owner, or operator with `TRADE`.
    /// @dev Who does not merely reduce pays `instantSpread` on top of the fee: the price was known before. A fill that
    /// narrows the skew is paid a rebate after its fee, as far as the fee reserve goes.
    /// @param sizeDelta > 0 buys, < 0 sells.
    /// @param acceptablePrice Highest price for a buy, lowest for a sale.
    /// @return fill What the trade did.
    function trade(AccountId account, MarketId market, int256 sizeDelta, uint256 acceptablePrice)
        external
        returns (Fill memory fill);

    /// @notice Accrues a market's funding, renews its gain and refreshes its unrealised total. Anyone may call it.
    function poke(MarketId market) external;

    /// @notice Lets a market end: from now on positions are only reduced. Only the governor; there is no way back.
    function windDown(MarketId market) external;

    /// @notice Fixes the price at which every position of a market is closed, a day after `windDown` or later: the mean
    /// of an hour; without one, after another day, the last price that was confirmed. Funding accrues a last time, at
    /// that price. Anyone, in any tier.
    function fixSettlement(MarketId market) external;

    /// @notice Closes anybody's position at the price that was fixed, without a fee. Anyone, below a halt.
    /// @return fill What that realised.
    function settlePosition(AccountId account, MarketId market) external returns (Fill memory fill);

    /// @notice Trades accounts against each other at the makers' prices. Only the contract of signed orders, which has
    /// checked who agreed to what.
    /// @dev The skew stays as it is. Who increases a position, or reduces it at a price worse than the pool's, has to
    /// meet initial margin.
    /// @param makers Each takes the other side of a part; with one account more than once, one after the other.
    /// @return taken What the taker's trade did: one fill at the mean price.
    function matchTrade(MarketId market, MatchTaker calldata taker, MatchMaker[] calldata makers)
        external
        returns (Fill memory taken);

    /// @notice `poke` for every market. Only the liquidity vault and the liquidation engine, which hold the lock.
    function refreshAll() external;

    /// @notice Closes a part of a position on the pool's curve. Only the liquidation engine; no fee.
    /// @param sizeDelta Against the position's direction, at most its size.
    function liquidatePosition(AccountId account, MarketId market, int256 sizeDelta)
        external
        returns (Fill memory fill);

    /// @notice Trades against the pool at an index price that was recorded before. Only `DelayedOrders`, which holds the
    /// lock and has asked the trader. Funding, caps and margin are those of now; there is no instant spread.
    /// @param sizeDelta > 0 buys, < 0 sells; if `reduceOnly`, what exceeds the position is cut off.
    /// @param acceptablePrice Highest fill price for a buy, lowest for a sale.
    /// @param fixedPrice WAD index price, > 0.
    function fillOrder(
        AccountId account,
        MarketId market,
        int256 sizeDelta,
        uint256 acceptablePrice,
        uint256 fixedPrice,
        bool reduceOnly
    ) external returns (Fill memory fill);

    /// @notice An account's position in a market as if the index price were another, WAD; all zero without one.
    function exposureAt(AccountId account, MarketId market, uint256 indexPrice)
        external
        view
        returns (MarketExposure memory);

    /// @notice What `trade` would do now. Does not check margin, caps or the breaker.
    /// @return fill What it would do.
    /// @return fee WAD, with the instant spread, before any rebate.
    function previewTrade(AccountId account, MarketId market, int256 sizeDelta)
        external
        view
        returns (Fill memory fill, uint256 fee);

    /// @notice An account's position.
    function position(AccountId account, MarketId market) external view returns (Position memory);

    /// @notice A market's state as of its last touch.
    function marketState(MarketId market) external view returns (Market memory);

    /// @notice When a market's last price may be fixed, and what it is.
    function settlement(MarketId market) external view returns (Settlement memory);

    /// @notice Whether a market's last price is fixed.
    function isSettled(MarketId market) external view returns (bool);

    /// @notice Index price and its status; of a settled market the price that was fixed.
    function indexPrice(MarketId market) external view returns (uint256 price, PriceStatus status);

    /// @notice index · (1 + premium), rounded down: that of the skew, and that of pairs as far as `maxPremium`.
    function markPrice(MarketId market) external view returns (uint256);

    /// @notice Funding rate per day now, accrued to this second.
    function fundingRate(MarketId market) external view returns (int256);

    /// @notice U_m: what closing every position of a market would pay its traders, accrued to this second.
    function closeOutPnl(MarketId market) external view returns (int256);

    /// @notice What all positions together mean to the pool, accrued to this second. Empty markets owe nothing and
    /// need no price. Only the liquidity vault is answered in the middle of a call, which it has begun itself.
    function poolExposure() external view returns (PoolExposure memory);

    /// @notice Sum of all positions' unrealised profit at mark, accrued to this second.
    function unrealizedPnl(MarketId market) external view returns (int256);

    /// @notice Unrealised profit of one position at mark, funding included.
    function unrealizedPnlOf(AccountId account, MarketId market) external view returns (int256);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DelayedOrder, Fixing, OrderOutcome} from "../types/DelayedOrder.sol";
import {AccountId, MarketId} from "../types/Ids.sol";

/// @title Orders that are committed now and settled at a later price
/// @notice Nobody knows an order's price when it is committed: it is the first one published `minDelay` after the
/// commitment that anybody records here, and from then on it does not change, whoever settles the order and when.
/// Prices are WAD settlement units, sizes WAD base units, times Unix seconds.
interface IDelayedOrders {
    event OrderCommitted(
        uint256 indexed orderId,
        AccountId indexed account,
        MarketId indexed market,
        DelayedOrder order
    );
    event OrderTriggered(
        uint256 indexed orderId,
        AccountId indexed account,
        uint256 indexPrice,
        uint40 settleFrom,
        uint40 cancelFrom,
        uint40 expiresAt
    );
    /// @param payee Whose account got `executorFee`: the keeper's, or the order's own if it was cancelled.
    /// @param indexPrice WAD: the price that it was settled at; 0 if it did not come to that.
    event OrderClosed(
        uint256 indexed orderId,
        AccountId indexed account,
        OrderOutcome outcome,
        AccountId indexed payee,
        uint256 executorFee,
        uint256 indexPrice
    );
    event PriceFixed(MarketId indexed market, Fixing fixing);

    /// @notice Thrown when there is no such order, or no longer.
    error DelayedOrders_UnknownOrder(uint256 orderId);
    /// @notice Thrown when a size is zero.
    error DelayedOrders_ZeroSize();
    /// @notice Thrown when a size would not fit a position.
    error DelayedOrders_SizeTooLarge(int256 size, uint256 maximum);
    /// @notice Thrown when flags are unknown, or speak of a trigger that there is not.
    error DelayedOrders_UnknownFlags(uint256 flags, uint256 known);
    /// @notice Thrown when an order with a trigger may raise risk.
    error DelayedOrders_TriggerMustReduce(uint256 flags);
    /// @notice Thrown when an order would expire before a price may settle it.
    error DelayedOrders_ExpiresTooSoon(uint256 expiresAt, uint256 earliest);
    /// @notice Thrown when no price was published late enough yet.
    error DelayedOrders_TooEarly(uint256 publishedAt, uint256 from);
    /// @notice Thrown when an order that waits for its trigger is to be settled.
    error DelayedOrders_NotTriggered(uint256 orderId);
    /// @notice Thrown when an order is to be triggered that is binding already.
    error DelayedOrders_AlreadyBinding(uint256 orderId, uint256 settleFrom);
    /// @notice Thrown when the index price has not reached the trigger.
    error DelayedOrders_NotReached(uint256 indexPrice, uint256 triggerPrice);
    /// @notice Thrown when an order is to be triggered after its time.
    error DelayedOrders_Expired(uint256 expiresAt, uint256 timestamp);
    /// @notice Thrown when an order is to be taken back while it is binding.
    error DelayedOrders_Binding(uint256 timestamp, uint256 cancelFrom);
    /// @notice Thrown when an order is to be taken back whose price is known.
    error DelayedOrders_Pinned(uint256 publishedAt, uint256 from);

    /// @notice Commits to a trade. Owner, or operator with `TRADE`. Takes the executor fee from the account's cash into
    /// escrow; the account has to meet its initial margin then. While an order is open that may raise risk, margin
    /// cannot leave the account.
    /// @param sizeDelta > 0 buys, < 0 sells; at most 1e36 either way.
    /// @param acceptablePrice Highest fill price for a buy, lowest for a sale.
    /// @param triggerPrice Index price at which it becomes binding (stop-loss, take-profit); 0: at once.
    /// @param expiresAt Last second in which it can be settled, no later than `maxDelay` after it became binding.
    /// @param flags Bits of `OrderFlags`; with a trigger `REDUCE_ONLY` is among them.
    function commit(
        AccountId account,
        MarketId market,
        int128 sizeDelta,
        uint128 acceptablePrice,
        uint128 triggerPrice,
        uint40 expiresAt,
        uint8 flags
    ) external returns (uint256 orderId);

    /// @notice Makes an order with a trigger binding, if the index price has reached it. Anyone; nothing is paid for it
    /// but what settling pays. It is settled at a later price than the one that triggered it.
    function trigger(uint256 orderId) external;

    /// @notice Settles an order at its price, or drops it for good: it is filled if it can be at that price, and closed
    /// if not, or if it has expired. Anyone. Reverts where it cannot be told yet: no late enough price, an index that
    /// is not confirmed, a halt, a trigger that was not met.
    /// @param keeper Account that gets the executor fee, filled or not.
    function settle(uint256 orderId, AccountId keeper) external returns (OrderOutcome outcome);

    /// @notice `settle` for several orders; passes over those that revert.
    /// @return settled How many were settled or dropped.
    function settleMany(uint256[] calldata orderIds, AccountId keeper)
        external
        returns (uint256 settled);

    /// @notice Takes an order back and its fee. Owner, or operator with `MANAGE_ORDERS`. An order that waits for its
    /// trigger at any time; a binding one from `cancelFrom` on, unless a price that settles it was published.
    function cancel(uint256 orderId) external;

    /// @notice Records the index price now, if it was published later than the last one recorded. Anyone.
    function fix(MarketId market) external;

    /// @notice An order; all zero if it is none, or no longer.
    function order(uint256 orderId) external view returns (DelayedOrder memory);

    /// @notice How many orders were ever committed: the last one's id; the first has id 1.
    function orderCount() external view returns (uint256);

    /// @notice The last 16 recorded prices of a market: number n, from 0, lies at place n % 16.
    /// @return ring The places.
    /// @return count How many were ever recorded.
    function fixings(MarketId market) external view returns (Fixing[16] memory ring, uint256 count);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "./Ids.sol";
import {PriceStatus} from "./Price.sol";

/// @notice An order that is settled at a price published after it was committed. Three slots, four with a trigger.
/// @param account Who trades; zero: there is no such order.
/// @param sizeDelta WAD base units, > 0: buys.
/// @param acceptablePrice WAD: highest fill price of a buy, lowest of a sale.
/// @param executorFee WAD settlement units in escrow for whoever settles it.
/// @param settleFrom Unix seconds: a price published then or later settles it. 0: it waits for its trigger.
/// @param cancelFrom Unix seconds from which its owner may take it back; 0 while it waits for its trigger.
/// @param expiresAt Unix seconds: the last second in which it can be settled, or triggered.
/// @param market Where.
/// @param flags Bits of `OrderFlags`.
/// @param triggerPrice WAD index price at which it becomes binding; 0: it is from the start.
struct DelayedOrder {
    AccountId account;
    int128 sizeDelta;
    uint128 acceptablePrice;
    uint96 executorFee;
    uint40 settleFrom;
    uint40 cancelFrom;
    uint40 expiresAt;
    MarketId market;
    uint8 flags;
    uint128 triggerPrice;
}

/// @notice An index price that somebody recorded for orders to be settled at. One slot.
/// @param price WAD.
/// @param publishedAt Unix seconds, as the oracle said: later in each than in the one before.
/// @param recordedAt Unix seconds of the record.
/// @param status `Degraded` or `Valid`.
struct Fixing {
    uint128 price;
    uint40 publishedAt;
    uint40 recordedAt;
    PriceStatus status;
}

/// @notice What became of an order. All but the first leave positions as they were.
enum OrderOutcome {
    Filled,
    /// Its owner took it back.
    Cancelled,
    /// Nobody settled it in time.
    Expired,
    /// Its price was recorded too long ago.
    Late,
    /// Its price was not `Valid`, and it may raise risk.
    Uncertain,
    /// The fill price was worse than it accepts.
    Price,
    /// Open interest or premium would exceed their caps, or the size what fits a position.
    Cap,
    /// There was nothing to reduce.
    Nothing,
    /// The breaker's tier does not let it raise risk.
    Blocked,
    /// The account would not meet its initial margin.
    Margin
}

/// @notice The bits of an order's flags.
library OrderFlags {
    /// @dev Never opens or turns a position; what exceeds the position is cut off.
    uint8 internal constant REDUCE_ONLY = 1;
    /// @dev The trigger is met at or above its price; without this bit at or below.
    uint8 internal constant TRIGGER_ABOVE = 2;
    uint8 internal constant ALL = 3;
}

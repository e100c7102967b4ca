// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "./Ids.sol";

/// @notice What a trader signs (EIP-712): up to so much, at no worse a price, until then.
/// @param account Whose position it changes.
/// @param signer Owner of the account, or an operator with `TRADE` when the order is filled.
/// @param market Where.
/// @param size WAD base units, > 0: buys.
/// @param limitPrice WAD settlement units per 1.0 of base: highest for a buy, lowest for a sale.
/// @param expiresAt Unix seconds from which it is void.
/// @param nonce By which it is cancelled; of the account, in any order. Orders may share one.
/// @param flags Bits of `OrderFlags`.
struct SignedOrder {
    AccountId account;
    address signer;
    MarketId market;
    int128 size;
    uint128 limitPrice;
    uint40 expiresAt;
    uint256 nonce;
    uint8 flags;
}

/// @notice The bits of `SignedOrder.flags`; append only.
library OrderFlags {
    /// @dev Rests only: it is never the taking side.
    uint8 internal constant POST_ONLY = 1;
    /// @dev Brings a position towards zero, never across.
    uint8 internal constant REDUCE_ONLY = 2;
    /// @dev All of them.
    uint8 internal constant ALL = 3;
}

/// @notice An order on the resting side, and what the taker gets of it.
/// @param order Whose limit price is the price.
/// @param signature Of `order.signer`: ECDSA, or whatever its contract takes (ERC-1271).
/// @param size WAD base units to fill.
struct MakerFill {
    SignedOrder order;
    bytes signature;
    uint128 size;
}

/// @notice The taking side of a match.
/// @param account Whose position it changes.
/// @param buys Whether it buys; the makers do the opposite.
/// @param reduceOnly Whether its position may only come closer to zero.
struct MatchTaker {
    AccountId account;
    bool buys;
    bool reduceOnly;
}

/// @notice One resting side of a match.
/// @param account Whose position it changes.
/// @param size WAD base units.
/// @param price WAD settlement units per 1.0 of base.
/// @param reduceOnly Whether its position may only come closer to zero.
struct MatchMaker {
    AccountId account;
    uint128 size;
    uint128 price;
    bool reduceOnly;
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill} from "../types/Market.sol";
import {MakerFill, SignedOrder} from "../types/Order.sol";

/// @title Orders that are signed off chain, matched by anyone, and settled between the accounts
/// @notice Holds no tokens: it remembers how much of each order was filled and which are cancelled. Sizes are WAD base
/// units, prices WAD settlement units per 1.0 of base. Hashes are EIP-712 digests: bound to this contract and chain.
interface ISignedOrders {
    /// @param takerHash Of the order that takes …
    /// @param makerHash … from this one, at its limit price.
    /// @param takerFilled All that was filled of the taker's order so far.
    /// @param makerFilled The same of the maker's.
    event OrdersMatched(
        bytes32 indexed takerHash,
        bytes32 indexed makerHash,
        MarketId indexed market,
        uint256 size,
        uint256 price,
        uint256 takerFilled,
        uint256 makerFilled
    );
    /// @param mask Bits that are cancelled now, those that were before among them.
    /// @param by Who cancelled: the owner or an operator.
    event OrdersCancelled(AccountId indexed account, uint256 word, uint256 mask, address by);
    /// @param nonce Least one that is not cancelled by this.
    event OrdersCancelledBelow(AccountId indexed account, uint256 nonce, address by);

    /// @notice Thrown when there is nobody to take from.
    error SignedOrders_NoMakers();
    /// @notice Thrown when an order has flags that mean nothing.
    error SignedOrders_UnknownFlags(bytes32 hash, uint8 given, uint8 known);
    /// @notice Thrown when an order, or what is to be filled of it, has no size.
    error SignedOrders_ZeroSize(bytes32 hash);
    /// @notice Thrown when an order's time is over.
    error SignedOrders_Expired(bytes32 hash, uint40 expiresAt, uint256 timestamp);
    /// @notice Thrown when an order's nonce is cancelled.
    error SignedOrders_Cancelled(AccountId account, uint256 nonce);
    /// @notice Thrown when the signer did not sign this.
    error SignedOrders_InvalidSignature(bytes32 hash, address signer);
    /// @notice Thrown when an order that only rests is to take.
    error SignedOrders_PostOnly(bytes32 hash);
    /// @notice Thrown when two orders are of different markets.
    error SignedOrders_OtherMarket(MarketId takerMarket, MarketId makerMarket);
    /// @notice Thrown when both orders buy or both sell.
    error SignedOrders_SameSide(int128 takerSize, int128 makerSize);
    /// @notice Thrown when one side asks for more than the other pays.
    error SignedOrders_NotCrossing(uint256 buyLimit, uint256 sellLimit);
    /// @notice Thrown when both accounts have one owner.
    error SignedOrders_SelfTrade(AccountId taker, AccountId maker);
    /// @notice Thrown when an order would be filled by more than its size.
    error SignedOrders_Overfill(bytes32 hash, uint256 filled, uint256 size, uint256 orderSize);
    /// @notice Thrown when the nonces below were cancelled already.
    error SignedOrders_NonceNotHigher(AccountId account, uint256 nonce, uint256 least);

    // ------------------------------------------------------------------ state-changing

    /// @notice Fills one order against others, each at the other's limit price. Anyone may call it; all or nothing.
    /// @dev Also reverts with `AccountOperators_NotAuthorized` where a signer may not trade (any more), and as
    /// `IPerpExchange.matchTrade`.
    /// @param taker Pays the taker's fee; not `POST_ONLY`.
    /// @param makers Pay the makers' fee. One order may come more than once.
    /// @return fill What the taker's trade did: one fill at the mean price.
    function matchOrders(
        SignedOrder calldata taker,
        bytes calldata takerSignature,
        MakerFill[] calldata makers
    ) external returns (Fill memory fill);

    /// @notice Cancels orders of an account: those with nonces from `256 · word` on whose bits are set. Owner, or
    /// operator with `MANAGE_ORDERS`.
    /// @dev Bits that are set already stay so; no mask is refused.
    function cancelOrders(AccountId account, uint256 word, uint256 mask) external;

    /// @notice Cancels all orders of an account with nonces below one. Owner, or operator with `MANAGE_ORDERS`.
    /// @param nonce Higher than before.
    function cancelOrdersBelow(AccountId account, uint256 nonce) external;

    // ------------------------------------------------------------------ views

    /// @notice What a signer signs: the EIP-712 digest, by which an order is known here.
    function hashOrder(SignedOrder calldata order) external view returns (bytes32);

    /// @notice How much of an order was filled. WAD base units.
    function filled(bytes32 hash) external view returns (uint256);

    /// @notice Whether a nonce of an account is cancelled.
    function isCancelled(AccountId account, uint256 nonce) external view returns (bool);

    /// @notice 256 nonces at once, without those that are below the least: bit i stands for `256 · word + i`.
    function cancelledNonces(AccountId account, uint256 word) external view returns (uint256);

    /// @notice Least nonce that `cancelOrdersBelow` left.
    function leastNonce(AccountId account) external view returns (uint256);

    /// @notice The EIP-712 domain separator.
    function domainSeparator() external view returns (bytes32);
}

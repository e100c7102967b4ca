// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {ISignedOrders} from "../interfaces/ISignedOrders.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId} from "../types/Ids.sol";
import {Fill} from "../types/Market.sol";
import {MakerFill, MatchMaker, MatchTaker, OrderFlags, SignedOrder} from "../types/Order.sol";
import {Permissions} from "../types/Permissions.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

/// @notice Implements `ISignedOrders`, where every function is documented.
/// @dev Nonces belong to accounts, as grants do: who may manage the orders of one account has no say over another's.
contract SignedOrders is ISignedOrders, EIP712 {
    bytes32 internal constant ORDER_TYPEHASH = keccak256(
        "SignedOrder(bytes32 account,address signer,uint8 market,int128 size,uint128 limitPrice,uint40 expiresAt,uint256 nonce,uint8 flags)"
    );

    IMarginEngine internal immutable _marginEngine;
    IPerpExchange internal immutable _perpExchange;
    IAccountOperators internal immutable _accountOperators;

    mapping(bytes32 hash => uint256) internal _filled;
    /// @dev Bit `nonce % 256` of word `nonce / 256`.
    mapping(AccountId account => mapping(uint256 word => uint256)) internal _cancelled;
    mapping(AccountId account => uint256) internal _leastNonce;

    constructor(Compartment memory wiring) EIP712("Bulkhead SignedOrders", "1") {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _accountOperators = IAccountOperators(wiring.accountOperators);
    }

    // ------------------------------------------------------------------ state-changing

    /// @inheritdoc ISignedOrders
    /// @dev Signers' contracts are asked by static calls and before anything is written. What was filled is written
    /// before the exchange is called, which holds the compartment's lock from there on.
    function matchOrders(
        SignedOrder calldata taker,
        bytes calldata takerSignature,
        MakerFill[] calldata makers
    ) external returns (Fill memory fill) {
        if (makers.length == 0) revert SignedOrders_NoMakers();
        bytes32 takerHash = _requireValid(taker, takerSignature);
        if (taker.flags & OrderFlags.POST_ONLY != 0) revert SignedOrders_PostOnly(takerHash);
        bytes32[] memory hashes = new bytes32[](makers.length);
        for (uint256 i; i < makers.length; ++i) {
            hashes[i] = _requireValid(makers[i].order, makers[i].signature);
            _requirePair(taker, makers[i].order);
        }
        return _perpExchange.matchTrade(
            taker.market,
            MatchTaker(taker.account, taker.size > 0, taker.flags & OrderFlags.REDUCE_ONLY != 0),
            _fill(taker, takerHash, makers, hashes)
        );
    }

    /// @inheritdoc ISignedOrders
    function cancelOrders(AccountId account, uint256 word, uint256 mask) external {
        address by = _requireManager(account);
        mask |= _cancelled[account][word];
        _cancelled[account][word] = mask;
        emit OrdersCancelled(account, word, mask, by);
    }

    /// @inheritdoc ISignedOrders
    function cancelOrdersBelow(AccountId account, uint256 nonce) external {
        address by = _requireManager(account);
        uint256 least = _leastNonce[account];
        if (nonce <= least) revert SignedOrders_NonceNotHigher(account, nonce, least);
        _leastNonce[account] = nonce;
        emit OrdersCancelledBelow(account, nonce, by);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc ISignedOrders
    function hashOrder(SignedOrder calldata order) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(ORDER_TYPEHASH, order)));
    }

    /// @inheritdoc ISignedOrders
    function filled(bytes32 hash) external view returns (uint256) {
        return _filled[hash];
    }

    /// @inheritdoc ISignedOrders
    function isCancelled(AccountId account, uint256 nonce) public view returns (bool) {
        return nonce < _leastNonce[account]
            || (_cancelled[account][nonce >> 8] >> (nonce & 0xff)) & 1 == 1;
    }

    /// @inheritdoc ISignedOrders
    function cancelledNonces(AccountId account, uint256 word) external view returns (uint256) {
        return _cancelled[account][word];
    }

    /// @inheritdoc ISignedOrders
    function leastNonce(AccountId account) external view returns (uint256) {
        return _leastNonce[account];
    }

    /// @inheritdoc ISignedOrders
    function domainSeparator() external view returns (bytes32) {
        return _domainSeparatorV4();
    }

    // ------------------------------------------------------------------ internal

    /// @dev Adds what is filled to what was, order by order.
    function _fill(
        SignedOrder calldata taker,
        bytes32 takerHash,
        MakerFill[] calldata makers,
        bytes32[] memory hashes
    ) internal returns (MatchMaker[] memory matched) {
        matched = new MatchMaker[](makers.length);
        uint256 takerFilled = _filled[takerHash];
        for (uint256 i; i < makers.length; ++i) {
            SignedOrder calldata order = makers[i].order;
            uint128 size = makers[i].size;
            bytes32 hash = hashes[i];
            if (size == 0) revert SignedOrders_ZeroSize(hash);
            takerFilled = _raised(takerHash, takerFilled, size, taker.size);
            uint256 makerFilled = _raised(hash, _filled[hash], size, order.size);
            _filled[hash] = makerFilled;
            matched[i] = MatchMaker(
                order.account, size, order.limitPrice, order.flags & OrderFlags.REDUCE_ONLY != 0
            );
            emit OrdersMatched(
                takerHash, hash, order.market, size, order.limitPrice, takerFilled, makerFilled
            );
        }
        _filled[takerHash] = takerFilled;
    }

    /// @dev What every order has to be by itself. The signer's code is asked last.
    function _requireValid(SignedOrder calldata order, bytes calldata signature)
        internal
        view
        returns (bytes32 hash)
    {
        hash = hashOrder(order);
        if (order.flags > OrderFlags.ALL) {
            revert SignedOrders_UnknownFlags(hash, order.flags, OrderFlags.ALL);
        }
        if (order.size == 0) revert SignedOrders_ZeroSize(hash);
        if (block.timestamp >= order.expiresAt) {
            revert SignedOrders_Expired(hash, order.expiresAt, block.timestamp);
        }
        if (isCancelled(order.account, order.nonce)) {
            revert SignedOrders_Cancelled(order.account, order.nonce);
        }
        if (order.account.owner() != order.signer) {
            _accountOperators.requireAuthorized(order.account, order.signer, Permissions.TRADE);
        }
        if (!SignatureChecker.isValidSignatureNowCalldata(order.signer, hash, signature)) {
            revert SignedOrders_InvalidSignature(hash, order.signer);
        }
    }

    function _requirePair(SignedOrder calldata taker, SignedOrder calldata maker) internal pure {
        if (!(taker.market == maker.market)) {
            revert SignedOrders_OtherMarket(taker.market, maker.market);
        }
        if ((taker.size > 0) == (maker.size > 0)) {
            revert SignedOrders_SameSide(taker.size, maker.size);
        }
        (uint256 buyLimit, uint256 sellLimit) = taker.size > 0
            ? (taker.limitPrice, maker.limitPrice)
            : (maker.limitPrice, taker.limitPrice);
        if (buyLimit < sellLimit) revert SignedOrders_NotCrossing(buyLimit, sellLimit);
        if (taker.account.owner() == maker.account.owner()) {
            revert SignedOrders_SelfTrade(taker.account, maker.account);
        }
    }

    function _raised(bytes32 hash, uint256 filled_, uint256 size, int256 orderSize)
        internal
        pure
        returns (uint256)
    {
        uint256 whole = WadMath.abs(orderSize);
        if (filled_ + size > whole) revert SignedOrders_Overfill(hash, filled_, size, whole);
        return filled_ + size;
    }

    /// @dev In a batch the margin engine calls, and says whose act it is.
    function _requireManager(AccountId account) internal view returns (address caller) {
        caller = msg.sender == address(_marginEngine) ? _marginEngine.actor() : msg.sender;
        if (account.owner() != caller) {
            _accountOperators.requireAuthorized(account, caller, Permissions.MANAGE_ORDERS);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IDelayedOrders} from "../interfaces/IDelayedOrders.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {CompartmentLocked} from "../margin/CompartmentLocked.sol";
import {Action} from "../types/Action.sol";
import {AssetId} from "../types/AssetId.sol";
import {Compartment} from "../types/Compartment.sol";
import {DelayedOrder, Fixing, OrderFlags, OrderOutcome} from "../types/DelayedOrder.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {OrderParameters} from "../types/Parameters.sol";
import {Permissions} from "../types/Permissions.sol";
import {isFirm, PriceData, PriceStatus} from "../types/Price.sol";
import {SkewPricing} from "./SkewPricing.sol";

/// @notice Implements `IDelayedOrders`, where every function is documented.
contract DelayedOrders is IDelayedOrders, CompartmentLocked {
    /// @notice Recorded prices that are kept per market.
    uint256 public constant FIXINGS = 16;
    /// @notice Seconds after its record for which a price settles orders. Until then whoever may settle may also wait
    /// and see, if nobody else settles.
    uint256 public constant MAX_FIXING_AGE = 60;
    /// @dev As in `PerpMarkets`.
    uint256 internal constant MAX_SIZE = 1e36;

    IMarginEngine internal immutable _marginEngine;
    IPerpExchange internal immutable _perpExchange;
    IOracleAggregator internal immutable _oracle;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    IAccountOperators internal immutable _accountOperators;

    /// @dev The id of the last order.
    uint256 internal _count;
    mapping(uint256 orderId => DelayedOrder) internal _orders;
    mapping(MarketId market => Fixing[FIXINGS]) internal _fixings;
    mapping(MarketId market => uint256) internal _fixingCount;

    constructor(Compartment memory wiring) CompartmentLocked(wiring.marginEngine) {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _perpExchange = IPerpExchange(wiring.perpExchange);
        _oracle = IOracleAggregator(wiring.oracle);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _accountOperators = IAccountOperators(wiring.accountOperators);
    }

    // ------------------------------------------------------------------ for traders

    /// @inheritdoc IDelayedOrders
    function commit(
        AccountId account,
        MarketId market,
        int128 sizeDelta,
        uint128 acceptablePrice,
        uint128 triggerPrice,
        uint40 expiresAt,
        uint8 flags
    ) external locked returns (uint256 orderId) {
        _requireAuthorized(account, Permissions.TRADE);
        _requireTerms(sizeDelta, triggerPrice, flags);
        OrderParameters memory p = _riskParameters.orderParameters();
        if (expiresAt < block.timestamp + p.minDelay) {
            revert DelayedOrders_ExpiresTooSoon(expiresAt, block.timestamp + p.minDelay);
        }
        Action action = _actionOf(flags);
        _circuitBreaker.requireAllowed(action);
        // Reverts for a market that is not listed.
        _riskParameters.marketMargin(market);

        DelayedOrder memory o = DelayedOrder({
            account: account,
            sizeDelta: sizeDelta,
            acceptablePrice: acceptablePrice,
            executorFee: p.executorFee,
            settleFrom: 0,
            cancelFrom: 0,
            expiresAt: expiresAt,
            market: market,
            flags: flags,
            triggerPrice: triggerPrice
        });
        if (triggerPrice == 0) _bind(o, p);
        orderId = ++_count;
        _orders[orderId] = o;
        emit OrderCommitted(orderId, account, market, o);
        _marginEngine.openOrder(account, p.executorFee, action);
    }

    /// @inheritdoc IDelayedOrders
    /// @dev Who may take an order back must not know its price. An unconfirmed one counts as known: it was published.
    function cancel(uint256 orderId) external locked {
        DelayedOrder memory o = _requireOrder(orderId);
        _requireAuthorized(o.account, Permissions.MANAGE_ORDERS);
        if (o.settleFrom != 0) {
            if (block.timestamp < o.cancelFrom) {
                revert DelayedOrders_Binding(block.timestamp, o.cancelFrom);
            }
            PriceData memory index = _update(o.market, o.settleFrom);
            uint256 known = WadMath.max(index.publishedAt, _newest(o.market).publishedAt);
            if (known >= o.settleFrom) revert DelayedOrders_Pinned(known, o.settleFrom);
        }
        _close(orderId, o, OrderOutcome.Cancelled, o.account, 0);
    }

    // ------------------------------------------------------------------ for keepers

    /// @inheritdoc IDelayedOrders
    function trigger(uint256 orderId) external locked {
        DelayedOrder memory o = _requireOrder(orderId);
        if (o.settleFrom != 0) revert DelayedOrders_AlreadyBinding(orderId, o.settleFrom);
        if (block.timestamp > o.expiresAt) {
            revert DelayedOrders_Expired(o.expiresAt, block.timestamp);
        }
        _circuitBreaker.requireAllowed(Action.ReducePosition);
        PriceData memory index = _oracle.fetch(_indexAsset(o.market));
        ActionPolicy.requireStatus(Action.ReducePosition, index.status);
        bool isReached = o.flags & OrderFlags.TRIGGER_ABOVE != 0
            ? index.price >= o.triggerPrice
            : index.price <= o.triggerPrice;
        if (!isReached) revert DelayedOrders_NotReached(index.price, o.triggerPrice);
        _bind(o, _riskParameters.orderParameters());
        _orders[orderId] = o;
        emit OrderTriggered(
            orderId, o.account, index.price, o.settleFrom, o.cancelFrom, o.expiresAt
        );
    }

    /// @inheritdoc IDelayedOrders
    function settle(uint256 orderId, AccountId keeper)
        external
        locked
        returns (OrderOutcome outcome)
    {
        DelayedOrder memory o = _requireOrder(orderId);
        uint256 price;
        (outcome, price) = _settled(orderId, o);
        _close(orderId, o, outcome, keeper, price);
    }

    /// @inheritdoc IDelayedOrders
    /// @dev A call of its own for each, so that what one of them reverts with undoes nothing of the others'. One that
    /// is given too little gas is passed over, too, and stays as it is.
    function settleMany(uint256[] calldata orderIds, AccountId keeper)
        external
        returns (uint256 settled)
    {
        for (uint256 i; i < orderIds.length; ++i) {
            try this.settle(orderIds[i], keeper) returns (OrderOutcome) {
                ++settled;
            } catch {}
        }
    }

    /// @inheritdoc IDelayedOrders
    function fix(MarketId market) external locked {
        _update(market, type(uint256).max);
    }

    // ------------------------------------------------------------------ views

    /// @inheritdoc IDelayedOrders
    function order(uint256 orderId) external view returns (DelayedOrder memory) {
        return _orders[orderId];
    }

    /// @inheritdoc IDelayedOrders
    function orderCount() external view returns (uint256) {
        return _count;
    }

    /// @inheritdoc IDelayedOrders
    function fixings(MarketId market)
        external
        view
        returns (Fixing[FIXINGS] memory ring, uint256 count)
    {
        return (_fixings[market], _fixingCount[market]);
    }

    // ------------------------------------------------------------------ internal

    /// @dev Fills an order, or says why it is dropped; reverts where that cannot be told yet. Whatever is not on the
    /// list of reasons comes through: running out of gas above all, or a keeper could drop orders by sending little.
    function _settled(uint256 orderId, DelayedOrder memory o)
        internal
        returns (OrderOutcome, uint256)
    {
        if (block.timestamp > o.expiresAt) return (OrderOutcome.Expired, 0);
        if (o.settleFrom == 0) revert DelayedOrders_NotTriggered(orderId);
        _circuitBreaker.requireAllowed(Action.ReducePosition);
        PriceData memory index = _update(o.market, o.settleFrom);
        (bool isPinned, Fixing memory f) = _pinned(o.market, o.settleFrom);
        if (isPinned && block.timestamp > uint256(f.recordedAt) + MAX_FIXING_AGE) {
            return (OrderOutcome.Late, f.price);
        }
        // Funding accrues and margin is reckoned at the index of now.
        ActionPolicy.requireStatus(Action.ReducePosition, index.status);
        if (!isPinned) revert DelayedOrders_TooEarly(index.publishedAt, o.settleFrom);
        bool reduceOnly = _reducesOnly(o.flags);
        if (!reduceOnly && f.status != PriceStatus.Valid) return (OrderOutcome.Uncertain, f.price);
        try _perpExchange.fillOrder(
            o.account, o.market, o.sizeDelta, o.acceptablePrice, f.price, reduceOnly
        ) {
            return (OrderOutcome.Filled, f.price);
        } catch (bytes memory reason) {
            return (_outcomeOf(reason), f.price);
        }
    }

    /// @dev From now on the order is settled at the next price.
    function _bind(DelayedOrder memory o, OrderParameters memory p) internal view {
        o.settleFrom = uint40(block.timestamp + p.minDelay);
        o.cancelFrom = uint40(block.timestamp + p.cancelDelay);
        o.expiresAt = uint40(WadMath.min(o.expiresAt, block.timestamp + p.maxDelay));
    }

    function _close(
        uint256 orderId,
        DelayedOrder memory o,
        OrderOutcome outcome,
        AccountId payee,
        uint256 price
    ) internal {
        delete _orders[orderId];
        _marginEngine.closeOrder(o.account, o.executorFee, _actionOf(o.flags), payee);
        emit OrderClosed(orderId, o.account, outcome, payee, o.executorFee, price);
    }

    /// @dev The index price, asked of the sources if the cached one was published before `from`; recorded if it may
    /// be traded on and was published later than the last one that was.
    function _update(MarketId market, uint256 from) internal returns (PriceData memory index) {
        AssetId asset = _indexAsset(market);
        index = _oracle.fetch(asset);
        if (index.publishedAt < from) index = _oracle.record(asset);
        if (!isFirm(index.status) || index.publishedAt <= _newest(market).publishedAt) {
            return index;
        }
        Fixing memory f =
            Fixing(index.price, index.publishedAt, uint40(block.timestamp), index.status);
        _fixings[market][_fixingCount[market]++ % FIXINGS] = f;
        emit PriceFixed(market, f);
    }

    /// @dev The first price published at `from` or later. If that may have been overwritten, an empty one, which is
    /// too old for anything.
    function _pinned(MarketId market, uint256 from)
        internal
        view
        returns (bool isPinned, Fixing memory first)
    {
        uint256 count = _fixingCount[market];
        uint256 oldest = count > FIXINGS ? count - FIXINGS : 0;
        for (uint256 i = count; i > oldest; --i) {
            Fixing memory f = _fixings[market][(i - 1) % FIXINGS];
            if (f.publishedAt < from) return (isPinned, first);
            (isPinned, first) = (true, f);
        }
        if (oldest != 0) delete first;
    }

    function _newest(MarketId market) internal view returns (Fixing memory f) {
        uint256 count = _fixingCount[market];
        if (count != 0) f = _fixings[market][(count - 1) % FIXINGS];
    }

    function _indexAsset(MarketId market) internal view returns (AssetId) {
        return _riskParameters.marketTrading(market).indexAsset;
    }

    function _requireOrder(uint256 orderId) internal view returns (DelayedOrder memory o) {
        o = _orders[orderId];
        if (AccountId.unwrap(o.account) == 0) revert DelayedOrders_UnknownOrder(orderId);
    }

    function _requireAuthorized(AccountId account, uint8 permission) internal view {
        if (account.owner() != msg.sender) {
            _accountOperators.requireAuthorized(account, msg.sender, permission);
        }
    }

    function _requireTerms(int256 sizeDelta, uint256 triggerPrice, uint8 flags) internal pure {
        if (sizeDelta == 0) revert DelayedOrders_ZeroSize();
        if (WadMath.abs(sizeDelta) > MAX_SIZE) {
            revert DelayedOrders_SizeTooLarge(sizeDelta, MAX_SIZE);
        }
        uint8 known = triggerPrice == 0 ? OrderFlags.REDUCE_ONLY : OrderFlags.ALL;
        if (flags > known) revert DelayedOrders_UnknownFlags(flags, known);
        if (triggerPrice != 0 && !_reducesOnly(flags)) {
            revert DelayedOrders_TriggerMustReduce(flags);
        }
    }

    function _actionOf(uint8 flags) internal pure returns (Action) {
        return _reducesOnly(flags) ? Action.ReducePosition : Action.IncreasePosition;
    }

    function _reducesOnly(uint8 flags) internal pure returns (bool) {
        return flags & OrderFlags.REDUCE_ONLY != 0;
    }

    /// @dev Why an order is dropped that the exchange refused; any other refusal is passed on.
    function _outcomeOf(bytes memory reason) internal pure returns (OrderOutcome) {
        bytes4 selector = bytes4(reason);
        if (selector == IPerpExchange.PerpExchange_PriceNotAcceptable.selector) {
            return OrderOutcome.Price;
        }
        if (
            selector == IPerpExchange.PerpExchange_OpenInterestCap.selector
                || selector == IPerpExchange.PerpExchange_PremiumCap.selector
                || selector == IPerpExchange.PerpExchange_PoolShare.selector
                || selector == IPerpExchange.PerpExchange_SizeTooLarge.selector
                || selector == SkewPricing.SkewPricing_NonPositivePrice.selector
        ) return OrderOutcome.Cap;
        if (selector == IPerpExchange.PerpExchange_NotReducing.selector) {
            return OrderOutcome.Nothing;
        }
        if (
            selector == ICircuitBreaker.CircuitBreaker_Blocked.selector
                || selector == IPerpExchange.PerpExchange_WindingDown.selector
                || selector == IPerpExchange.PerpExchange_Settled.selector
        ) return OrderOutcome.Blocked;
        if (selector == IMarginEngine.MarginEngine_BelowInitialMargin.selector) {
            return OrderOutcome.Margin;
        }
        assembly ("memory-safe") {
            revert(add(reason, 0x20), mload(reason))
        }
    }
}

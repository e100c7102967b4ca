// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IExposureSource} from "../interfaces/IExposureSource.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {CompartmentLocked} from "../margin/CompartmentLocked.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {Fill, Market, Position} from "../types/Market.sol";
import {MarketTrading} from "../types/Parameters.sol";
import {Permissions} from "../types/Permissions.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {MarketExposure} from "../types/Valuation.sol";
import {Funding} from "./Funding.sol";
import {PositionMath} from "./PositionMath.sol";
import {SkewPricing} from "./SkewPricing.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Implements `IPerpExchange`, where every function is documented.
contract PerpExchange is IPerpExchange, CompartmentLocked {
    using Funding for Market;
    using PositionMath for Market;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @dev Keeps sizes and their products with prices inside of the packed types.
    uint256 internal constant MAX_SIZE = 1e36;

    IMarginEngine internal immutable _marginEngine;
    IOracleAggregator internal immutable _oracle;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    IAccountOperators internal immutable _accountOperators;
    address internal immutable _liquidationEngine;
    address internal immutable _liquidityVault;

    mapping(MarketId market => Market) internal _markets;
    mapping(AccountId account => mapping(MarketId market => Position)) internal _positions;
    /// @dev Bit m is set while the account has a position in market m.
    mapping(AccountId account => uint256) internal _marketMask;

    constructor(Compartment memory wiring) CompartmentLocked(wiring.marginEngine) {
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _oracle = IOracleAggregator(wiring.oracle);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _accountOperators = IAccountOperators(wiring.accountOperators);
        _liquidationEngine = wiring.liquidationEngine;
        _liquidityVault = wiring.liquidityVault;
    }

    // ------------------------------------------------------------------ state-changing

    /// @inheritdoc IPerpExchange
    function trade(AccountId account, MarketId market, int256 sizeDelta, uint256 acceptablePrice)
        external
        locked
        returns (Fill memory fill)
    {
        _requireAuthorized(account);
        _requireSize(sizeDelta);

        bool reduces = PositionMath.isReduction(_positions[account][market].size, sizeDelta);
        Action action = reduces ? Action.ReducePosition : Action.IncreasePosition;
        _circuitBreaker.requireAllowed(action);

        MarketTrading memory p = _riskParameters.marketTrading(market);
        PriceData memory index = _oracle.fetch(p.indexAsset);
        ActionPolicy.requireStatus(action, index.status);
        Market memory m = _accrued(market, p, index.price);

        fill = m.quoteFill(_positions[account][market], sizeDelta, index.price, p.skewScale);
        if (sizeDelta > 0 ? fill.fillPrice > acceptablePrice : fill.fillPrice < acceptablePrice) {
            revert PerpExchange_PriceNotAcceptable(fill.fillPrice, acceptablePrice);
        }
        uint256 fee = WadMath.mulUp(fill.notional, p.takerFee);
        int256 skewBefore = m.skew();
        _apply(account, market, m, sizeDelta, fill, fee, index.price, p);
        if (!reduces) {
            _requireCaps(market, m, skewBefore, sizeDelta, p);
            _marginEngine.requireInitialMargin(account, action);
        }
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
        int256 size = _positions[account][market].size;
        if (!PositionMath.isReduction(size, sizeDelta)) {
            revert PerpExchange_NotReducing(account, market, size, sizeDelta);
        }
        MarketTrading memory p = _riskParameters.marketTrading(market);
        PriceData memory index = _oracle.fetch(p.indexAsset);
        ActionPolicy.requireStatus(Action.Liquidate, index.status);
        Market memory m = _accrued(market, p, index.price);
        fill = m.quoteFill(_positions[account][market], sizeDelta, index.price, p.skewScale);
        _apply(account, market, m, sizeDelta, fill, 0, index.price, p);
    }

    // ------------------------------------------------------------------ views

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
        return SkewPricing.markPrice(index.price, m.skew(), p.skewScale);
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

    // ------------------------------------------------------------------ internal

    function _poke(MarketId market) internal {
        MarketTrading memory p = _riskParameters.marketTrading(market);
        PriceData memory index = _oracle.fetch(p.indexAsset);
        // A stale index is the last known one: funding for the outage is charged at it, and the unrealised total
        // keeps its age, so that nobody converts or leaves the pool on it. An unconfirmed one may be gone in a
        // moment: funding waits for what it is confirmed as. An empty market needs no price.
        Market memory m = _markets[market];
        bool isEmpty = m.openInterestLong == 0 && m.openInterestShort == 0;
        if (!isEmpty && index.status == PriceStatus.Unconfirmed) return;
        m = _accrued(market, p, index.price);
        _markets[market] = m;
        if (isEmpty || index.status != PriceStatus.Stale) {
            _marginEngine.reportUnrealized(market, m.closeOutTotal(index.price, p.skewScale));
        }
    }

    /// @dev Writes position, market and ledger of a fill that has been quoted on `m`.
    function _apply(
        AccountId account,
        MarketId market,
        Market memory m,
        int256 sizeDelta,
        Fill memory fill,
        uint256 fee,
        uint256 index,
        MarketTrading memory p
    ) internal {
        Position memory position_ = _positions[account][market];
        m.applyFill(position_, sizeDelta, fill);
        if (WadMath.abs(position_.size) > MAX_SIZE) {
            revert PerpExchange_SizeTooLarge(position_.size, MAX_SIZE);
        }
        _positions[account][market] = position_;
        _markets[market] = m;
        uint256 bit = 1 << MarketId.unwrap(market);
        uint256 mask = _marketMask[account];
        uint256 newMask = position_.size == 0 ? mask & ~bit : mask | bit;
        if (newMask != mask) _marketMask[account] = newMask;

        int256 unrealized = m.closeOutTotal(index, p.skewScale);
        emit Traded(
            account,
            market,
            sizeDelta,
            fill.quoteDelta,
            fill.realizedPnl,
            fill.fundingPaid,
            fee,
            position_
        );
        _marginEngine.settle(account, market, fill.realizedPnl, fee, unrealized);
    }

    /// @dev The market with funding accrued to now, in memory; emits if time has passed.
    function _accrued(MarketId market, MarketTrading memory p, uint256 index)
        internal
        returns (Market memory m)
    {
        m = _markets[market];
        bool moved = m.accrue(p, index);
        if (moved) emit FundingAccrued(market, m.fundingRate, m.cumulativeFundingPerUnit, index);
    }

    function _current(MarketId market)
        internal
        view
        returns (Market memory m, MarketTrading memory p, PriceData memory index)
    {
        p = _riskParameters.marketTrading(market);
        index = _oracle.latest(p.indexAsset);
        m = _markets[market];
        m.accrue(p, index.price);
    }

    function _exposure(AccountId account, MarketId market)
        internal
        view
        returns (MarketExposure memory e)
    {
        (Market memory m, MarketTrading memory p, PriceData memory index) = _current(market);
        return _exposureOf(account, market, m, p, index);
    }

    function _exposureOf(
        AccountId account,
        MarketId market,
        Market memory m,
        MarketTrading memory p,
        PriceData memory index
    ) internal view returns (MarketExposure memory e) {
        Position memory position_ = _positions[account][market];
        uint256 notional = WadMath.mulUp(WadMath.abs(position_.size), index.price);
        e.market = market;
        e.indexAsset = p.indexAsset;
        e.notional = position_.size >= 0 ? notional.toInt256() : -notional.toInt256();
        e.unrealizedPnl =
            m.unrealizedOf(position_, SkewPricing.markPrice(index.price, m.skew(), p.skewScale));
        e.indexPnl = m.unrealizedOf(position_, index.price);
        e.closeOutCost = SkewPricing.closeOutCost(index.price, position_.size, p.skewScale);
        e.status = index.status;
    }

    function _requireCaps(
        MarketId market,
        Market memory m,
        int256 skewBefore,
        int256 sizeDelta,
        MarketTrading memory p
    ) internal pure {
        uint256 openInterest = sizeDelta > 0 ? m.openInterestLong : m.openInterestShort;
        if (openInterest > p.maxOpenInterest) {
            revert PerpExchange_OpenInterestCap(market, openInterest, p.maxOpenInterest);
        }
        int256 skewNow = m.skew();
        // A trade that only brings the skew towards zero helps, however far out it still is.
        bool widens = WadMath.abs(skewNow) > WadMath.abs(skewBefore)
            || (skewNow != 0 && (skewNow > 0) != (skewBefore > 0));
        if (widens) {
            uint256 premium = WadMath.mulDivUp(WadMath.abs(skewNow), WadMath.WAD, p.skewScale);
            if (premium > p.maxPremium) {
                revert PerpExchange_PremiumCap(market, premium, p.maxPremium);
            }
        }
    }

    /// @dev In a batch the margin engine calls, and says whose act it is. The owner passes without another call.
    function _requireAuthorized(AccountId account) internal view {
        address caller = msg.sender == address(_marginEngine) ? _marginEngine.actor() : msg.sender;
        if (account.owner() != caller) {
            _accountOperators.requireAuthorized(account, caller, Permissions.TRADE);
        }
    }

    function _requireSize(int256 sizeDelta) internal pure {
        if (sizeDelta == 0) revert PerpExchange_ZeroSize();
        if (WadMath.abs(sizeDelta) > MAX_SIZE) {
            revert PerpExchange_SizeTooLarge(sizeDelta, MAX_SIZE);
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPerpExchange} from "../interfaces/IPerpExchange.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {CompartmentLocked} from "../margin/CompartmentLocked.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, MarketId} from "../types/Ids.sol";
import {AssetId} from "../types/AssetId.sol";
import {Fill, Market, MarketPhase, Position, Settlement} from "../types/Market.sol";
import {FundingRules, MarketPricing, MarketTrading} from "../types/Parameters.sol";
import {Permissions} from "../types/Permissions.sol";
import {PriceData, PriceStatus} from "../types/Price.sol";
import {Funding} from "./Funding.sol";
import {MarketStorage} from "./MarketStorage.sol";
import {MatchedPremium} from "./MatchedPremium.sol";
import {PositionMath} from "./PositionMath.sol";
import {SkewPricing} from "./SkewPricing.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice What every change of a market has in common: wiring, storage, funding, booking, caps.
abstract contract PerpMarkets is IPerpExchange, CompartmentLocked {
    using MarketStorage for Market;
    using PositionMath for Market;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @dev Keeps sizes and their products with prices inside of the packed types.
    uint256 internal constant MAX_SIZE = 1e36;
    uint256 private constant BPS = 10_000;

    IRoleRegistry internal immutable _roles;
    IMarginEngine internal immutable _marginEngine;
    IOracleAggregator internal immutable _oracle;
    IRiskParameters internal immutable _riskParameters;
    ICircuitBreaker internal immutable _circuitBreaker;
    IAccountOperators internal immutable _accountOperators;
    address internal immutable _liquidationEngine;
    address internal immutable _liquidityVault;
    address internal immutable _signedOrders;
    address internal immutable _delayedOrders;

    mapping(MarketId market => Market) internal _markets;
    mapping(AccountId account => mapping(MarketId market => Position)) internal _positions;
    /// @dev Read only where the market says that it is being wound down or settled.
    mapping(MarketId market => Settlement) internal _settlements;
    /// @dev Bit m is set while the account has a position in market m.
    mapping(AccountId account => uint256) internal _marketMask;

    constructor(Compartment memory wiring) CompartmentLocked(wiring.marginEngine) {
        _roles = IRoleRegistry(wiring.roles);
        _marginEngine = IMarginEngine(wiring.marginEngine);
        _oracle = IOracleAggregator(wiring.oracle);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _circuitBreaker = ICircuitBreaker(wiring.circuitBreaker);
        _accountOperators = IAccountOperators(wiring.accountOperators);
        _liquidationEngine = wiring.liquidationEngine;
        _liquidityVault = wiring.liquidityVault;
        _signedOrders = wiring.signedOrders;
        _delayedOrders = wiring.delayedOrders;
    }

    function _poke(MarketId market) internal {
        MarketPricing memory p = _pricing(market);
        PriceData memory index = _fetched(market, p.indexAsset);
        // A stale index is the last known one: funding for the outage is charged at it, and the unrealised total
        // keeps its age, so that nobody converts or leaves the pool on it. An unconfirmed one may be gone in a
        // moment: funding waits for what it is confirmed as. An empty market needs no price.
        Market memory m = _markets[market].load();
        bool isEmpty = m.openInterestLong == 0 && m.openInterestShort == 0;
        if (!isEmpty && index.status == PriceStatus.Unconfirmed) return;
        m = _accrued(market, p, index.price);
        _markets[market].save(m);
        if (isEmpty || index.status != PriceStatus.Stale) {
            _marginEngine.reportUnrealized(market, m.closeOutTotal(index.price, p.skewScale));
        }
    }

    /// @dev Closes a part of a position without a fee, on the curve or at a settled market's last price.
    /// @param sizeDelta Against the position's direction, at most its size.
    function _close(AccountId account, MarketId market, Position memory held, int256 sizeDelta)
        internal
        returns (Fill memory fill)
    {
        MarketPricing memory p = _pricing(market);
        PriceData memory index = _fetched(market, p.indexAsset);
        ActionPolicy.requireStatus(Action.Liquidate, index.status);
        Market memory m = _accrued(market, p, index.price);
        fill = m.quoteFill(held, sizeDelta, index.price, p.skewScale);
        _apply(account, market, m, held, sizeDelta, fill, 0, 0, index.price, p.skewScale);
    }

    /// @dev Whether a market's phase lets an account trade in it.
    function _requirePhase(MarketId market, MarketPhase phase, bool reduces) internal pure {
        if (phase == MarketPhase.Open) return;
        if (phase == MarketPhase.Settled) revert PerpExchange_Settled(market);
        if (!reduces) revert PerpExchange_WindingDown(market);
    }

    /// @dev Writes position, market and ledger of a fill that has been quoted on `m`. Returns L after it, WAD.
    function _apply(
        AccountId account,
        MarketId market,
        Market memory m,
        Position memory held,
        int256 sizeDelta,
        Fill memory fill,
        uint256 fee,
        uint256 rebate,
        uint256 index,
        uint256 skewScale
    ) internal returns (uint256 poolCash) {
        _move(account, market, m, held, sizeDelta, fill);
        _markets[market].save(m);
        int256 unrealized = m.closeOutTotal(index, skewScale);
        poolCash = _book(account, market, held, sizeDelta, fill, fee, rebate, unrealized);
    }

    /// @dev Moves a position that was read from storage, the account's mask, and the market's sums in memory.
    function _move(
        AccountId account,
        MarketId market,
        Market memory m,
        Position memory held,
        int256 sizeDelta,
        Fill memory fill
    ) internal {
        m.applyFill(held, sizeDelta, fill);
        if (WadMath.abs(held.size) > MAX_SIZE) {
            revert PerpExchange_SizeTooLarge(held.size, MAX_SIZE);
        }
        _positions[account][market] = held;
        uint256 bit = 1 << MarketId.unwrap(market);
        uint256 mask = _marketMask[account];
        uint256 newMask = held.size == 0 ? mask & ~bit : mask | bit;
        if (newMask != mask) _marketMask[account] = newMask;
    }

    /// @dev Tells the world and the ledger what a fill was.
    /// @param position_ As it is after the fill.
    /// @param unrealized U_m after the fill, or after all that belong together.
    /// @return poolCash L after the fill, WAD.
    function _book(
        AccountId account,
        MarketId market,
        Position memory position_,
        int256 sizeDelta,
        Fill memory fill,
        uint256 fee,
        uint256 rebate,
        int256 unrealized
    ) internal returns (uint256 poolCash) {
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
        poolCash = _marginEngine.settle(account, market, fill.realizedPnl, fee, rebate, unrealized);
    }

    /// @dev The market with funding accrued to now and the gain of the tier, in memory; emits what moved.
    function _accrued(MarketId market, MarketPricing memory p, uint256 index)
        internal
        returns (Market memory m)
    {
        m = _markets[market].load();
        if (m.phase == MarketPhase.Settled) return m;
        if (_accrue(m, p, index)) {
            emit FundingAccrued(market, m.fundingRate, m.cumulativeFundingPerUnit, index);
        }
        // For the time from now on: that until now has been charged with the gain that was announced for it.
        uint16 gain = _gain(market);
        if (gain != (m.fundingGain == 0 ? Funding.BPS : m.fundingGain)) {
            m.fundingGain = gain;
            emit FundingGainChanged(market, gain);
        }
    }

    /// @dev Basis points by which the breaker's tier multiplies the velocity of funding.
    function _gain(MarketId market) internal view returns (uint16) {
        uint8 tier = _circuitBreaker.tier();
        // Calm markets do not pay for the look at the rules.
        return tier == 0 ? uint16(Funding.BPS) : _riskParameters.fundingGain(market, tier);
    }

    /// @dev Accrues funding in memory.
    function _accrue(Market memory m, MarketPricing memory p, uint256 index)
        internal
        view
        returns (bool moved)
    {
        if (m.phase == MarketPhase.Settled) return false;
        uint256 elapsed = block.timestamp - m.fundingUpdatedAt;
        // An empty market starts its clock with its first touch; two touches in one second accrue once.
        moved = elapsed != 0 && m.fundingUpdatedAt != 0;
        if (moved) {
            int256 premium = SkewPricing.premium(m.skew(), p.skewScale);
            if (m.matchedPremium != 0) {
                elapsed = MatchedPremium.accrue(m, premium, elapsed, index, p);
            }
            if (elapsed != 0) Funding.accrueMarket(m, premium, elapsed, index, p.funding);
        }
        m.fundingUpdatedAt = uint40(block.timestamp);
    }

    function _current(MarketId market)
        internal
        view
        returns (Market memory m, MarketPricing memory p, PriceData memory index)
    {
        p = _pricing(market);
        m = _markets[market].load();
        index = _indexOf(market, m.phase, p.indexAsset);
        _accrue(m, p, index.price);
    }

    /// @dev The oracle's word, or the one that was fixed for good.
    function _indexOf(MarketId market, MarketPhase phase, AssetId asset)
        internal
        view
        returns (PriceData memory index)
    {
        if (phase != MarketPhase.Settled) return _oracle.latest(asset);
        (index.price, index.status) = (_settlements[market].price, PriceStatus.Valid);
    }

    /// @dev The same, recorded where the oracle had to form it.
    function _fetched(MarketId market, AssetId asset) internal returns (PriceData memory) {
        MarketPhase phase = _markets[market].phase;
        if (phase == MarketPhase.Settled) return _indexOf(market, phase, asset);
        return _oracle.fetch(asset);
    }

    function _pricing(MarketId market) internal view returns (MarketPricing memory) {
        return _riskParameters.marketPricing(market);
    }

    function _trading(MarketId market) internal view returns (MarketTrading memory) {
        return _riskParameters.marketTrading(market);
    }

    function _requireAllowed(Action action) internal view {
        _circuitBreaker.requireAllowed(action);
    }

    /// @dev The part of a market's rules that pricing needs.
    function _pricingOf(MarketTrading memory t) internal pure returns (MarketPricing memory p) {
        p.indexAsset = t.indexAsset;
        p.skewScale = t.skewScale;
        p.maxPremium = t.maxPremium;
        p.funding =
            FundingRules(t.maxFundingRate, t.maxFundingVelocity, t.premiumScale, t.fundingDeadband);
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

    /// @dev A side that outgrows what the pool can lose on it is not made larger, whoever takes the other side.
    /// @param side WAD base units, after the trade.
    /// @param poolCash L after the trade, WAD.
    function _requirePoolShare(
        MarketId market,
        uint256 side,
        uint256 index,
        uint256 poolCash,
        uint256 maxShareBps
    ) internal pure {
        uint256 notional = WadMath.mulUp(side, index);
        uint256 maximum = WadMath.mulDivDown(poolCash, maxShareBps, BPS);
        if (notional > maximum) revert PerpExchange_PoolShare(market, notional, maximum);
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

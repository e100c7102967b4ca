// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICircuitBreaker} from "../interfaces/ICircuitBreaker.sol";
import {IOracleAggregator} from "../interfaces/IOracleAggregator.sol";
import {IPegMonitor} from "../interfaces/IPegMonitor.sol";
import {IRiskParameters} from "../interfaces/IRiskParameters.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {ActionPolicy} from "../libraries/ActionPolicy.sol";
import {Roles} from "../libraries/Roles.sol";
import {WadMath} from "../libraries/WadMath.sol";
import {Action} from "../types/Action.sol";
import {AssetId} from "../types/AssetId.sol";
import {Compartment} from "../types/Compartment.sol";
import {BreakerThresholds, BreakerTiming} from "../types/Parameters.sol";
import {isFirm, PriceData, PriceStatus} from "../types/Price.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Implements `ICircuitBreaker`, where every function is documented.
contract CircuitBreaker is ICircuitBreaker {
    using SafeCastLib for uint256;

    IRoleRegistry internal immutable _roles;
    IOracleAggregator internal immutable _oracle;
    IPegMonitor internal immutable _pegMonitor;
    IRiskParameters internal immutable _riskParameters;
    address internal immutable _liquidationEngine;

    BreakerState internal _state;
    Bucket internal _liquidations;
    Bucket internal _badDebt;
    mapping(AssetId asset => PriceReference) internal _references;

    modifier onlyLiquidationEngine() {
        if (msg.sender != _liquidationEngine) {
            revert CircuitBreaker_NotLiquidationEngine(msg.sender);
        }
        _;
    }

    constructor(Compartment memory wiring) {
        _roles = IRoleRegistry(wiring.roles);
        _oracle = IOracleAggregator(wiring.oracle);
        _pegMonitor = IPegMonitor(wiring.pegMonitor);
        _riskParameters = IRiskParameters(wiring.riskParameters);
        _liquidationEngine = wiring.liquidationEngine;
        _state.since = uint40(block.timestamp);
    }

    /// @inheritdoc ICircuitBreaker
    function poke() external returns (uint8 newTier) {
        BreakerTiming memory p = _riskParameters.breakerTiming();
        (uint8 target, Cause cause, uint256 value) = signal();
        _renewReferences(p);

        BreakerState memory s = _state;
        newTier = s.tier;
        if (s.tier != ActionPolicy.HALT && target == ActionPolicy.HALT && _isResting(s, p)) {
            target = ActionPolicy.HALT - 1;
        }
        if (s.tier == ActionPolicy.HALT && block.timestamp >= uint256(s.haltedAt) + p.maxHalt) {
            // Nothing outlasts the maximum, not even the signal that began it: users get their exits back.
            newTier = ActionPolicy.HALT - 1;
            (cause, value) = (Cause.HaltExpired, 0);
        } else if (target > s.tier) {
            newTier = target;
        } else if (target < s.tier && block.timestamp >= uint256(s.since) + p.minDwell) {
            newTier = s.tier - 1;
            (cause, value) = (Cause.Calm, 0);
        }
        if (newTier != s.tier) _setTier(s, newTier, cause, value);
    }

    /// @inheritdoc ICircuitBreaker
    function raise(uint8 tier_, uint40 duration) external {
        _roles.requireRole(Roles.GUARDIAN, msg.sender);
        BreakerTiming memory p = _riskParameters.breakerTiming();
        BreakerState memory s = _state;
        if (tier_ <= s.tier || tier_ > ActionPolicy.HALT) {
            revert CircuitBreaker_OutOfBounds("tier", tier_, uint256(s.tier) + 1, ActionPolicy.HALT);
        }
        if (tier_ == ActionPolicy.HALT && _isResting(s, p)) {
            revert CircuitBreaker_Resting(uint256(s.haltedAt) + 2 * uint256(p.maxHalt));
        }
        if (duration == 0 || duration > p.maxHalt) {
            revert CircuitBreaker_OutOfBounds("duration", duration, 1, p.maxHalt);
        }
        s.guardianTier = tier_;
        // An earlier order that lasts longer is not cut short by a stronger one.
        uint40 until = uint40(block.timestamp) + duration;
        if (until > s.guardianUntil) s.guardianUntil = until;
        emit GuardianRaised(msg.sender, tier_, s.guardianUntil);
        _setTier(s, tier_, Cause.Guardian, 0);
    }

    /// @inheritdoc ICircuitBreaker
    function recordLiquidation(uint256 notional) external onlyLiquidationEngine {
        emit LiquidationVolumeRecorded(notional, _fill(_liquidations, notional));
    }

    /// @inheritdoc ICircuitBreaker
    function recordBadDebt(uint256 amount) external onlyLiquidationEngine {
        emit BadDebtRecorded(amount, _fill(_badDebt, amount));
    }

    /// @inheritdoc ICircuitBreaker
    function requireAllowed(Action action) external view {
        uint8 current = tier();
        uint8 highest = ActionPolicy.maxTier(action);
        if (current > highest) revert CircuitBreaker_Blocked(action, current, highest);
    }

    /// @inheritdoc ICircuitBreaker
    function isAllowed(Action action) external view returns (bool) {
        return tier() <= ActionPolicy.maxTier(action);
    }

    /// @inheritdoc ICircuitBreaker
    function breakerState() external view returns (BreakerState memory) {
        return _state;
    }

    /// @inheritdoc ICircuitBreaker
    function priceReference(AssetId asset) external view returns (PriceReference memory) {
        return _references[asset];
    }

    /// @inheritdoc ICircuitBreaker
    function tier() public view returns (uint8 current) {
        current = _state.tier;
        // Only a halt pays for the second read: below it the answer is one slot.
        if (current == ActionPolicy.HALT) {
            BreakerTiming memory p = _riskParameters.breakerTiming();
            if (block.timestamp >= uint256(_state.haltedAt) + p.maxHalt) {
                current = ActionPolicy.HALT - 1;
            }
        }
    }

    /// @inheritdoc ICircuitBreaker
    function signal() public view returns (uint8 target, Cause cause, uint256 value) {
        (BreakerThresholds memory p, AssetId[] memory prices, AssetId[] memory pegs) =
            _riskParameters.breakerThresholds();
        uint256 volumeWindow = _riskParameters.breakerTiming().volumeWindow;
        for (uint256 i; i < prices.length; ++i) {
            PriceData memory data = _oracle.latest(prices[i]);
            if (data.status == PriceStatus.Stale) {
                (target, cause, value) = _stronger(target, cause, value, 3, Cause.PriceStale, 0);
                continue;
            }
            // A move is a signal once it is confirmed; until then its own status stops what could be taken.
            if (data.status == PriceStatus.Unconfirmed) continue;
            uint256 move = _move(prices[i], data.price);
            (target, cause, value) =
                _stronger(target, cause, value, _grade64(move, p.priceMove), Cause.PriceMove, move);
        }
        for (uint256 i; i < pegs.length; ++i) {
            uint256 discount = _pegMonitor.valuation(pegs[i]).discount;
            (target, cause, value) = _stronger(
                target, cause, value, _grade64(discount, p.discount), Cause.PegDiscount, discount
            );
        }
        uint256 volume = _level(_liquidations, volumeWindow);
        (target, cause, value) = _stronger(
            target,
            cause,
            value,
            _grade128(volume, p.liquidationVolume),
            Cause.LiquidationVolume,
            volume
        );
        uint256 lost = _level(_badDebt, volumeWindow);
        (target, cause, value) =
            _stronger(target, cause, value, _grade128(lost, p.badDebt), Cause.BadDebt, lost);
        if (block.timestamp < _state.guardianUntil) {
            (target, cause, value) =
                _stronger(target, cause, value, _state.guardianTier, Cause.Guardian, 0);
        }
    }

    function _setTier(BreakerState memory s, uint8 to, Cause cause, uint256 value) internal {
        emit TierChanged(s.tier, to, cause, value);
        if (to == ActionPolicy.HALT) s.haltedAt = uint40(block.timestamp);
        s.tier = to;
        s.since = uint40(block.timestamp);
        _state = s;
    }

    /// @dev After a halt the compartment stays open for as long as the halt may last, or two halts in a row
    /// would outlast the maximum.
    function _isResting(BreakerState memory s, BreakerTiming memory p)
        internal
        view
        returns (bool)
    {
        return s.haltedAt != 0 && block.timestamp < uint256(s.haltedAt) + 2 * uint256(p.maxHalt);
    }

    function _renewReferences(BreakerTiming memory p) internal {
        (, AssetId[] memory prices,) = _riskParameters.breakerThresholds();
        for (uint256 i; i < prices.length; ++i) {
            PriceReference storage r = _references[prices[i]];
            if (r.takenAt != 0 && block.timestamp < uint256(r.takenAt) + p.velocityWindow) {
                continue;
            }
            PriceData memory data = _oracle.latest(prices[i]);
            if (!isFirm(data.status)) continue;
            (r.previousPrice, r.previousTakenAt) = (r.price, r.takenAt);
            (r.price, r.takenAt) = (data.price, uint40(block.timestamp));
        }
    }

    function _fill(Bucket storage bucket, uint256 amount) internal returns (uint256 level) {
        level = _level(bucket, _riskParameters.breakerTiming().volumeWindow) + amount;
        bucket.level = level.toUint128();
        bucket.updatedAt = uint40(block.timestamp);
    }

    /// @dev Linear leak from the last fill; rounded up, so that a bucket is never emptier than it is.
    function _level(Bucket storage bucket, uint256 window) internal view returns (uint256) {
        uint256 elapsed = block.timestamp - bucket.updatedAt;
        return elapsed >= window ? 0 : WadMath.mulDivUp(bucket.level, window - elapsed, window);
    }

    /// @dev Largest move against the references. One that nobody renewed for two windows says nothing of speed.
    function _move(AssetId asset, uint256 price) internal view returns (uint256) {
        PriceReference memory r = _references[asset];
        uint256 maxAge = 2 * uint256(_riskParameters.breakerTiming().velocityWindow);
        uint256 move = block.timestamp - r.takenAt > maxAge ? 0 : _distance(price, r.price);
        return block.timestamp - r.previousTakenAt > maxAge
            ? move
            : WadMath.max(move, _distance(price, r.previousPrice));
    }

    function _distance(uint256 price, uint256 from) internal pure returns (uint256) {
        return WadMath.mulDivDown(price > from ? price - from : from - price, WadMath.WAD, from);
    }

    function _stronger(uint8 t, Cause c, uint256 v, uint8 t2, Cause c2, uint256 v2)
        internal
        pure
        returns (uint8, Cause, uint256)
    {
        return t2 > t ? (t2, c2, v2) : (t, c, v);
    }

    function _grade64(uint256 value, uint64[4] memory thresholds)
        internal
        pure
        returns (uint8 grade)
    {
        while (grade < 4 && value >= thresholds[grade]) ++grade;
    }

    function _grade128(uint256 value, uint128[4] memory thresholds)
        internal
        pure
        returns (uint8 grade)
    {
        while (grade < 4 && value >= thresholds[grade]) ++grade;
    }
}

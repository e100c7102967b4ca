// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Action} from "../types/Action.sol";
import {AssetId} from "../types/AssetId.sol";

/// @title Tiers 0 … 4 of a compartment, and what is still allowed in each
/// @notice A signal raises the tier at once; it falls one step at a time, after a minimum dwell; a halt
/// (tier 4) ends by itself. Anyone may `poke`.
interface ICircuitBreaker {
    /// @notice Why a tier changed.
    enum Cause {
        Calm,
        PriceMove,
        PriceStale,
        PegDiscount,
        LiquidationVolume,
        BadDebt,
        Guardian,
        HaltExpired
    }

    /// @param tier Current tier.
    /// @param since Unix seconds of the last change.
    /// @param haltedAt Unix seconds at which the last halt began; 0 if there was none.
    /// @param guardianTier Least tier asked for by the guardian …
    /// @param guardianUntil … until these Unix seconds.
    struct BreakerState {
        uint8 tier;
        uint40 since;
        uint40 haltedAt;
        uint8 guardianTier;
        uint40 guardianUntil;
    }

    /// @notice Prices against which a move is measured: the one of this window and the one before, so that a move
    /// across the turn of a window is seen whole.
    /// @param price WAD settlement units.
    /// @param takenAt Unix seconds.
    struct PriceReference {
        uint128 price;
        uint40 takenAt;
        uint128 previousPrice;
        uint40 previousTakenAt;
    }

    /// @param level WAD of the bucket at `updatedAt`; it leaks to zero in `volumeWindow`.
    struct Bucket {
        uint128 level;
        uint40 updatedAt;
    }

    /// @param value WAD that the signal measured (a fraction, or settlement units), 0 where there is none.
    event TierChanged(uint8 indexed from, uint8 indexed to, Cause indexed cause, uint256 value);
    event GuardianRaised(address indexed guardian, uint8 tier, uint40 until);
    event LiquidationVolumeRecorded(uint256 notional, uint256 level);
    event BadDebtRecorded(uint256 amount, uint256 level);

    /// @notice Thrown when the current tier does not allow an action.
    error CircuitBreaker_Blocked(Action action, uint8 tier, uint8 maxTier);
    /// @notice Thrown when the caller is not the compartment's liquidation engine.
    error CircuitBreaker_NotLiquidationEngine(address caller);
    /// @notice Thrown when the guardian asks for a halt too soon after the last one.
    /// @param until Unix seconds from which the compartment may be halted again.
    error CircuitBreaker_Resting(uint256 until);
    /// @notice Thrown when the guardian asks for a tier or duration out of bounds.
    error CircuitBreaker_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );

    /// @notice Evaluates all signals and moves the tier. Anyone may call it.
    /// @return newTier The tier after the call.
    function poke() external returns (uint8 newTier);

    /// @notice Raises the tier to at least `tier_` for `duration` seconds, or for as long as an earlier order still
    /// lasts. Only the guardian.
    /// @param duration Seconds, at most `maxHalt`.
    function raise(uint8 tier_, uint40 duration) external;

    /// @notice Adds liquidated notional (WAD) to its bucket. Only the liquidation engine.
    function recordLiquidation(uint256 notional) external;

    /// @notice Adds written-off debt (WAD) to its bucket. Only the liquidation engine.
    function recordBadDebt(uint256 amount) external;

    /// @notice Current tier; an expired halt counts as tier 3 before anyone pokes.
    function tier() external view returns (uint8);

    /// @notice Whether the current tier allows an action.
    function isAllowed(Action action) external view returns (bool);

    /// @notice Reverts unless the current tier allows an action.
    function requireAllowed(Action action) external view;

    /// @notice Tier, and since when.
    function breakerState() external view returns (BreakerState memory);

    /// @notice What moves of an asset's price are measured against.
    function priceReference(AssetId asset) external view returns (PriceReference memory);

    /// @notice The strongest signal right now.
    /// @return target Tier that it asks for.
    /// @return cause What it is.
    /// @return value What it measured.
    function signal() external view returns (uint8 target, Cause cause, uint256 value);
}

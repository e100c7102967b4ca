// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {PriceStatus} from "../types/Price.sol";

/// @notice How a peg holds. Ordered: a greater value is worse.
enum PegCondition {
    /// Nothing to see.
    Sound,
    /// A discount above the dead-band, some stress, a shortfall, or slow redemptions.
    Watch,
    /// A discount that lasted.
    Stressed,
    /// The rate fell, reserves are short, or stress went beyond its limit. Stays until the governor clears it.
    Broken
}

/// @title Watches pegged assets and says what they are worth as collateral
/// @notice Fair value is what redemption pays (rate × underlying), market value what real pools pay. The discount
/// between them, its integral over time (stress), the shortfall of reserves and the delay of redemptions set
/// continuous haircuts and two valuations. `docs/spec/peg.md` derives every formula.
/// @dev *Stress.* Between two observations, with discounts d₀ (the recorded one) and d₁ (now), `dt` seconds apart:
///
/// * the first min(dt, maxAge) seconds count with d₀, the rest with min(d₀, d₁);
/// * in either part, stress gains `stressPerDay · (d − deadband)` per day above the dead-band, up to 1.0, and
///   decays by 1.0 per `decayPeriod` at or below it.
///
/// At a constant discount it does not matter how often anyone pokes. Who pokes within a wick charges it for
/// `maxAge` at most, because silence after that needs the discount at both ends to count; who pokes at the end
/// of a long silence cannot charge the silence to the instant she chose. While the market is unknown (never
/// priced) stress stands still. A market price that is not confirmed yet is not looked at: the last look stays the
/// last one, with its time. While it is stale, the last known one stands in for it: in a lasting depeg liquidity leaves
/// the pools, and that must not stop the clock.
///
/// *Recognition* w = max(0, s − graceStress) / (1 − graceStress) of stress s. `graceStress` is at least twice what one
/// observation alone can build, so that from `Sound` a single wick moves no maintenance valuation at all.
///
/// *Haircuts*, capped at `maxHaircut`, of discount d, backing b and redemption delay q:
///
/// * intrinsic: base + backingSlope·(1 − b) + delaySlope·max(0, q − freeDelay) / day;
/// * initial: intrinsic + discountSlope·d + stressSlope·w;
/// * maintenance: intrinsic + discountSlope·d·w + stressSlope·w.
///
/// *Valuations* of 1.0 token, with fair rate f, market rate m and the underlying's price p:
///
/// * initial: min(f, m)·(1 − initial haircut)·p; nothing while `Broken`;
/// * maintenance: (f·(1 − w) + min(f, m)·w)·(1 − maintenance haircut)·p, never below the initial one.
///
/// A source that does not answer (revert, gas, garbage) leaves what it said last, and a status that says so: `Stale`
/// for the rate, at best `Degraded` for backing and queue. Rounding is against the token's value: discount, stress,
/// recognition and haircuts up, valuations down.
interface IPegMonitor {
    /// @param underlying Asset whose price times the rate is the fair value (`"ETH"`); zero: the settlement unit.
    /// @param maxAge Seconds after which the recorded state is too old and views compute from live prices; also
    /// the longest that one observation alone may build stress. In [1, 1 day].
    /// @param decayPeriod Seconds in which full stress (1.0) decays linearly to zero, in [1 hour, 365 days].
    /// @param deadband WAD discount at or below which no stress builds up, < 1.
    /// @param stressPerDay WAD stress gained in one day per 1.0 of discount above the dead-band, ≤ 10.
    /// @param graceStress WAD stress that is not recognised, < 1; at least twice
    /// stressPerDay · (1 − deadband) · maxAge / day.
    /// @param discountSlope WAD haircut added per 1.0 of discount, ≤ 10.
    /// @param stressSlope WAD haircut added per 1.0 of recognised stress, ≤ 10.
    /// @param maxHaircut WAD cap of the haircuts, < 1.
    /// @param brokenAt WAD stress from which the peg is `Broken`, in [`stressedAt`, 1].
    /// @param marketRatio Asset that prices the token in units of the underlying (`"LST/ETH"`).
    /// @param rateSource `IRateSource`: WAD underlying per 1.0 token; zero address: 1.0.
    /// @param freeDelay Seconds of redemption delay that cost nothing.
    /// @param maxRateFall WAD fraction of its highest rate that the rate may be below before the peg is `Broken`, < 1.
    /// @param backingSource `IBackingSource`; zero address: fully backed.
    /// @param backingSlope WAD haircut added per 1.0 of shortfall, ≤ 10.
    /// @param queue `IRedemptionQueue`; zero address: no delay.
    /// @param delaySlope WAD haircut added per day of delay beyond `freeDelay`, ≤ 10.
    /// @param baseHaircut WAD haircut at peg, ≤ `maxHaircut`.
    /// @param stressedAt WAD stress from which the peg is `Stressed`, in (`graceStress`, 1].
    /// @param maxShortfall WAD shortfall of reserves above which the peg is `Broken`, < 1.
    struct PegConfig {
        AssetId underlying;
        uint32 maxAge;
        uint32 decayPeriod;
        uint64 deadband;
        uint64 stressPerDay;
        uint64 graceStress;
        uint64 discountSlope;
        uint64 stressSlope;
        uint64 maxHaircut;
        uint64 brokenAt;
        AssetId marketRatio;
        address rateSource;
        uint32 freeDelay;
        uint64 maxRateFall;
        address backingSource;
        uint64 backingSlope;
        address queue;
        uint64 delaySlope;
        uint64 baseHaircut;
        uint64 stressedAt;
        uint64 maxShortfall;
    }

    /// @notice Recorded state of a pegged asset; two slots.
    /// @param fairRate WAD underlying per 1.0 token by redemption; 0: nothing is left to redeem.
    /// @param marketRate WAD underlying per 1.0 token by the market; 0 if never known. Saturates at 2^64 − 1,
    /// which is above any fair rate, so no valuation depends on the excess.
    /// @param stress WAD in [0, 1]: integral of the discount above the dead-band, less decay.
    /// @param pokedAt Unix seconds of the last look at the market.
    /// @param status Worst of the market ratio's status and what the other sources leave, at `pokedAt`.
    /// @param condition See `PegCondition`.
    /// @param highestRate WAD highest fair rate since the peg was configured or cleared.
    /// @param backing WAD in [0, 1].
    /// @param redemptionDelay Seconds; saturates at 2^32 − 1.
    /// @param intrinsicHaircut WAD part of the haircuts that does not depend on the market.
    struct PegState {
        uint64 fairRate;
        uint64 marketRate;
        uint64 stress;
        uint40 pokedAt;
        PriceStatus status;
        PegCondition condition;
        uint64 highestRate;
        uint64 backing;
        uint32 redemptionDelay;
        uint64 intrinsicHaircut;
    }

    /// @notice What one token is worth as collateral.
    /// @param initialPrice WAD settlement units, for opening, borrowing and withdrawing.
    /// @param maintenancePrice WAD settlement units, for staying open.
    /// @param marketPrice WAD settlement units per 1.0 token on the market, no haircut.
    /// @param haircut WAD fraction that the initial valuation was reduced by.
    /// @param maintenanceHaircut WAD fraction that the maintenance valuation was reduced by.
    /// @param discount WAD fraction: 1 − market/fair, 0 if the market is above fair, 1 if it was never known.
    /// @param stress WAD in [0, 1], carried forward to now.
    /// @param condition As of the last poke, or worse: by what is seen now if the state is not used, and `Broken` once
    /// stress has reached its limit.
    /// @param status The worst status of everything used.
    struct PegValuation {
        uint256 initialPrice;
        uint256 maintenancePrice;
        uint256 marketPrice;
        uint256 haircut;
        uint256 maintenanceHaircut;
        uint256 discount;
        uint256 stress;
        PegCondition condition;
        PriceStatus status;
    }

    event PegConfigured(AssetId indexed asset, PegConfig config);
    event PegPoked(AssetId indexed asset, PegState state, uint256 discount, uint256 haircut);
    event PegConditionChanged(AssetId indexed asset, PegCondition from, PegCondition to);
    event PegCleared(AssetId indexed asset);

    /// @notice Thrown when an asset has no peg configuration.
    error PegMonitor_UnknownAsset(AssetId asset);
    /// @notice Thrown when a parameter lies outside of its bounds.
    error PegMonitor_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when a source has no code.
    error PegMonitor_NotAContract(address source);
    /// @notice Thrown when a source does not answer, or with a rate that does not fit (≥ 2^64), when it is configured.
    error PegMonitor_SourceFailed(address source);

    /// @notice Sets the rules for an asset and pokes it under them. Only the governor. Reverts if the oracle does
    /// not know either price or a source does not answer.
    /// @dev Stress up to now is settled under the old rules, with the last recorded discount throughout: asking
    /// the old rate source again could keep a broken one from being replaced. The highest rate starts anew if the
    /// rate source is another.
    function configure(AssetId asset, PegConfig calldata config) external;

    /// @notice Lets a `Broken` peg be judged anew, from the rate as it is. Only the governor. Pokes it, so that it is
    /// `Broken` again if reserves or stress still say so.
    function clear(AssetId asset) external;

    /// @notice Records rates, reserves, delay, stress and condition. Anyone may call it; calling more often changes
    /// nothing but the resolution with which the signals are sampled.
    function poke(AssetId asset) external returns (PegState memory state);

    /// @notice Recorded state, as of its last poke. Reverts if the asset is unknown.
    function pegState(AssetId asset) external view returns (PegState memory state);

    /// @notice The rules of an asset. Reverts if it is unknown.
    function pegConfig(AssetId asset) external view returns (PegConfig memory config);

    /// @notice The two valuations, from the recorded state if it is fresh and firm, else from live prices. Stress is
    /// carried forward to now in either case.
    function valuation(AssetId asset) external view returns (PegValuation memory value);
}

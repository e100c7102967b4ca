// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {PriceStatus} from "../types/Price.sol";

/// @title Watches pegged assets and says what they are worth as collateral
/// @notice Fair value is what redemption pays (rate × underlying), market value what real pools pay. The
/// discount between them, and its integral over time (stress), set a continuous haircut and two valuations.
/// @dev Between two observations, with discounts d₀ (the recorded one) and d₁ (now), `dt` seconds apart:
///
/// * the first min(dt, maxAge) seconds count with d₀, the rest with min(d₀, d₁);
/// * in either part, stress gains `stressPerDay · (d − deadband)` per day above the dead-band, up to 1.0, and
///   decays by 1.0 per `decayPeriod` at or below it.
///
/// At a constant discount it does not matter how often anyone pokes. Who pokes within a wick charges it for
/// `maxAge` at most, because silence after that needs the discount at both ends to count; who pokes at the end
/// of a long silence cannot charge the silence to the instant she chose. While the market is unknown (never
/// priced) stress stands still. While its price is stale, the last known one stands in for it: in a lasting
/// depeg liquidity leaves the pools, and that must not stop the clock.
///
/// Rounding is against the token's value: discount, stress and haircut up, valuations down.
interface IPegMonitor {
    /// @param underlying Asset whose price times the rate is the fair value (`"ETH"`).
    /// @param marketRatio Asset that prices the token in units of the underlying (`"LST/ETH"`).
    /// @param rateSource Contract with `rate() → WAD underlying per 1.0 token`; zero address: rate 1.0.
    /// @param maxAge Seconds after which the recorded state is too old and views compute from live prices; also
    /// the longest that one observation alone may build stress. In [1, 1 day].
    /// @param deadband WAD discount at or below which no stress builds up, < 1.
    /// @param stressPerDay WAD stress gained in one day per 1.0 of discount above the dead-band, ≤ 10.
    /// @param decayPeriod Seconds in which full stress (1.0) decays linearly to zero, in [1 hour, 365 days].
    /// @param baseHaircut WAD haircut at peg, ≤ `maxHaircut`.
    /// @param discountSlope WAD haircut added per 1.0 of discount, ≤ 10.
    /// @param stressSlope WAD haircut added per 1.0 of stress, ≤ 10.
    /// @param maxHaircut WAD cap of the haircut, < 1.
    struct PegConfig {
        AssetId underlying;
        AssetId marketRatio;
        address rateSource;
        uint32 maxAge;
        uint64 deadband;
        uint64 stressPerDay;
        uint32 decayPeriod;
        uint64 baseHaircut;
        uint64 discountSlope;
        uint64 stressSlope;
        uint64 maxHaircut;
    }

    /// @notice Recorded state of a pegged asset; one slot.
    /// @param fairRate WAD underlying per 1.0 token by redemption; 0: nothing is left to redeem.
    /// @param marketRate WAD underlying per 1.0 token by the market; 0 if never known. Saturates at 2^64 − 1,
    /// which is above any fair rate, so no valuation depends on the excess.
    /// @param stress WAD in [0, 1]: integral of the discount above the dead-band, less decay.
    /// @param pokedAt Unix seconds.
    /// @param marketStatus Status of the market ratio at `pokedAt`.
    struct PegState {
        uint64 fairRate;
        uint64 marketRate;
        uint64 stress;
        uint40 pokedAt;
        PriceStatus marketStatus;
    }

    /// @notice What one token is worth as collateral.
    /// @param initialPrice WAD settlement units: min(fair, market) less the haircut.
    /// @param maintenancePrice WAD settlement units: fair blended towards market by stress, less the haircut.
    /// @param marketPrice WAD settlement units per 1.0 token on the market, no haircut.
    /// @param haircut WAD fraction that both valuations were reduced by.
    /// @param discount WAD fraction: 1 − market/fair, 0 if the market is above fair, 1 if it was never known.
    /// @param status The worst status of the prices used.
    struct PegValuation {
        uint256 initialPrice;
        uint256 maintenancePrice;
        uint256 marketPrice;
        uint256 haircut;
        uint256 discount;
        PriceStatus status;
    }

    event PegConfigured(AssetId indexed asset, PegConfig config);
    event PegPoked(AssetId indexed asset, PegState state, uint256 discount, uint256 haircut);

    /// @notice Thrown when an asset has no peg configuration.
    error PegMonitor_UnknownAsset(AssetId asset);
    /// @notice Thrown when a parameter lies outside of its bounds.
    error PegMonitor_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when the rate source has no code.
    error PegMonitor_NotAContract(address rateSource);
    /// @notice Thrown when the fair rate does not fit the recorded state (≥ 2^64).
    error PegMonitor_RateOutOfRange(AssetId asset, uint256 rate);

    /// @notice Sets the rules for an asset and pokes it under them. Only the governor. Reverts if the oracle does
    /// not know either price or the rate source does not answer.
    /// @dev Stress up to now is settled under the old rules, with the last recorded discount throughout: asking
    /// the old rate source again could keep a broken one from being replaced.
    function configure(AssetId asset, PegConfig calldata config) external;

    /// @notice Records rate, market ratio and stress. Anyone may call it; calling more often changes nothing
    /// but the resolution with which the discount is sampled.
    function poke(AssetId asset) external returns (PegState memory state);

    /// @notice Recorded state, as of its last poke. Reverts if the asset is unknown.
    function pegState(AssetId asset) external view returns (PegState memory state);

    /// @notice The rules of an asset. Reverts if it is unknown.
    function pegConfig(AssetId asset) external view returns (PegConfig memory config);

    /// @notice The two valuations, from the recorded state if fresh, else from live prices. Stress is carried
    /// forward to now in either case.
    function valuation(AssetId asset) external view returns (PegValuation memory value);
}

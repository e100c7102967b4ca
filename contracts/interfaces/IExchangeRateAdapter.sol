// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPriceSource} from "./IPriceSource.sol";

/// @title The redemption rate of a share as a price source, which can rise only so fast
/// @notice The price is the rate itself: underlying per 1.0 share, WAD. What the token says is believed at once when
/// it falls. When it rises, it is believed up to a line that starts in the last recorded point and climbs by
/// `maxGrowthPerDay`: a donation, a broken upgrade or a rounding trick that lifts the rate in one block moves the
/// answer by no more than the line has climbed since that point. Published now, since it is read now.
/// @dev With the recorded point (R, t), the raw rate r and now = T:
///
///     answer = min(r, R + ⌊maxGrowthPerDay · (T − t) / 1 day⌋)
///
/// `poke` moves the point to (r, T) if r is at or below the line, and does nothing at all if r is above. Ratio and
/// time are one storage word with one writer, so that neither changes without the other; a recorded ratio is
/// always one that the token itself had, never one that was capped, so that time is not lost to rounding however
/// often anyone pokes.
///
/// The line is straight: an amount per day, not a part of the ratio, so nothing compounds. Therefore:
///
/// * if the token's rate never rises faster than the line, every answer is the token's rate (within one unit of
///   10^-18), whoever poked when; a vault whose asset has few decimals rises in steps, which are followed along
///   the line;
/// * otherwise more pokes never raise an answer, and for a rate that never falls they lower it by less than
///   `maxGrowthPerDay` times the time since the earliest point of both;
/// * after silence the line stands high above the rate. Poking it down again costs a transaction and is open to
///   all: with a poke every `d` days a jump is worth at most `d · maxGrowthPerDay`.
///
/// What falls and comes back comes back along the line. Whoever can push the rate *down* for an instant can
/// therefore hold the answer down: do not use this for tokens of which that is true.
interface IExchangeRateAdapter is IPriceSource {
    /// @notice How the token tells its rate.
    enum RateKind {
        /// ERC-4626: `convertToAssets` of 1.0 share, at the decimals of share and asset.
        Vault,
        /// `stEthPerToken()`, WAD.
        StEthPerToken,
        /// `rate()`, WAD.
        Rate
    }

    /// @notice The line starts here now: WAD ratio, Unix seconds.
    event RateRecorded(uint256 ratio, uint256 recordedAt);
    /// @notice A poke found the token's rate above the line; nothing was recorded. WAD.
    event RateCapped(uint256 rawRate, uint256 acceptedRate);

    /// @notice Thrown when the token has no code.
    error ExchangeRateAdapter_NotAContract(address token);
    /// @notice Thrown when a vault's asset has more than 18 decimals, or its share more than 36.
    error ExchangeRateAdapter_UnsupportedDecimals(address token, uint256 decimals, uint256 maximum);
    /// @notice Thrown when the growth lies outside of its bounds.
    error ExchangeRateAdapter_GrowthOutOfBounds(
        uint256 maxGrowthPerDay, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when the token's rate is zero: there is no price.
    error ExchangeRateAdapter_ZeroRate();
    /// @notice Thrown when the first rate is too large to start from.
    error ExchangeRateAdapter_RateOutOfRange(uint256 rate, uint256 maximum);

    /// @notice Records the token's rate with this block's time if it is at or below the line. Anyone may call it.
    /// @return answer WAD: what `latest` answers now.
    function poke() external returns (uint256 answer);

    /// @return WAD: what the token says, uncapped. Reverts if that is zero.
    function rawRate() external view returns (uint256);

    /// @return WAD: the most that would be believed now.
    function cap() external view returns (uint256);

    /// @return ratio WAD, the last rate that was recorded.
    /// @return recordedAt Unix seconds of that record.
    function recorded() external view returns (uint256 ratio, uint256 recordedAt);

    /// @return The token whose rate this is.
    function token() external view returns (address);

    /// @return How the token tells its rate.
    function kind() external view returns (RateKind);

    /// @return WAD, underlying per 1.0 share and day by which an accepted rate may rise.
    function maxGrowthPerDay() external view returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, CollateralId, MarketId} from "../types/Ids.sol";
import {
    AccountStanding,
    AccountValuation,
    CollateralValuation,
    Holding,
    MarketExposure,
    PortfolioTerms
} from "../types/Valuation.sol";

/// @title What accounts are worth and what is asked of them
/// @notice Holds no value and no right: it computes from what the margin engine knows of an account, from its
/// positions, prices and parameters. Unless a unit is given, amounts are WAD of the settlement token.
interface IRiskEngine {
    /// @notice A figure that rises at a bounded speed. One slot.
    /// @param value WAD.
    /// @param movedAt Unix seconds; 0: never moved.
    struct Followed {
        uint128 value;
        uint40 movedAt;
    }

    /// @notice Depth of a collateral's market. One slot.
    /// @param measured WAD units of the token, as last measured.
    /// @param kept The same, falling at a bounded speed.
    /// @param measuredAt Unix seconds; 0: never measured.
    struct DepthState {
        uint104 measured;
        uint104 kept;
        uint40 measuredAt;
    }

    event MaintenanceRateMoved(MarketId indexed market, uint256 ratio);
    event StressMoved(uint256 stress);
    event DepthMeasured(CollateralId indexed collateral, uint256 measured, uint256 kept);

    /// @notice Thrown when the depth of a collateral is to be measured that has no source and never had one.
    error RiskEngine_NoDepthSource(CollateralId collateral);
    /// @notice Thrown when an account has no position in the market that is asked about.
    error RiskEngine_NoExposure(AccountId account, MarketId market);

    /// @notice Lets a market's maintenance rate and the stress of maintenance follow what they aim at. Anyone may.
    /// @dev A figure falls at once, and rises by what its speed allows since it last moved, an hour at most: poke
    /// hourly while markets are rough.
    function poke(MarketId market) external;

    /// @notice Measures the depth of a collateral's market; without a source, forgets what one had measured. Anyone may.
    function measureDepth(CollateralId collateral) external;

    /// @notice Margin rates of a market now. WAD fractions of a position's notional.
    /// @return initial What volatility asks, at once.
    /// @return maintenance At most the same fraction of it as in calm markets; rises at a bounded speed.
    function marginRates(MarketId market)
        external
        view
        returns (uint256 initial, uint256 maintenance);

    /// @notice Seconds over which a profit from a market vests if it is made now: the compartment's period, longer by
    /// as much as the market's initial rate is above its least, but not beyond 30 days.
    function vestingPeriod(MarketId market) external view returns (uint256);

    /// @notice How much correlations are distrusted now, WAD in [0, 1]; for maintenance it rises at a bounded speed.
    function stressLevels() external view returns (uint256 initial, uint256 maintenance);

    /// @notice WAD units of a collateral in the virtual reserve of its market, as believed now; the maximum of
    /// uint256 if its amount does not matter.
    function depths(CollateralId collateral)
        external
        view
        returns (uint256 initial, uint256 maintenance);

    /// @notice A market's maintenance rate as last moved.
    function followedRatio(MarketId market) external view returns (Followed memory);

    /// @notice The stress of maintenance as last moved.
    function followedStress() external view returns (Followed memory);

    /// @notice A collateral's depth as last measured.
    function depthState(CollateralId collateral) external view returns (DepthState memory);

    /// @notice Requirements of any positions, debt not counted. WAD, rounded up.
    function requirements(MarketExposure[] calldata exposures)
        external
        view
        returns (uint256 initial, uint256 maintenance);

    /// @notice What an account's position in a market has to do with its others, for maintenance.
    function closingTerms(AccountId account, MarketId market)
        external
        view
        returns (PortfolioTerms memory);

    /// @notice Equity and requirements of an account with its present positions.
    /// @param standing What the margin engine knows of it.
    function valuation(AccountId account, AccountStanding calldata standing)
        external
        view
        returns (AccountValuation memory);

    /// @notice The same with any positions: "what if".
    function valuationWith(AccountStanding calldata standing, MarketExposure[] calldata exposures)
        external
        view
        returns (AccountValuation memory);

    /// @notice Initial margin of an account, and what meets it without any collateral: cash, matured claims times
    /// h, losses. Reverts unless its positions' prices are good enough for every one of `actions`.
    /// @param cash WAD: debt negative, interest included.
    /// @param claim WAD.
    /// @param claimValue WAD: what counts of the claim.
    /// @param actions Bit a: action a asks.
    /// @return equity WAD, rounded down.
    /// @return required WAD, rounded up.
    function uncollateralized(
        AccountId account,
        int256 cash,
        uint256 claim,
        uint256 claimValue,
        uint256 actions
    ) external view returns (int256 equity, uint256 required);

    /// @notice Reverts unless collateral makes up for what is missing. It is counted one holding after the other
    /// until it does: what is not needed need not have a price.
    /// @param holdings Collaterals, lowest id first.
    /// @param equity WAD without collateral.
    /// @param required WAD.
    /// @param actions Bit a: the price of each collateral that counts has to be good enough for action a.
    function requireCovered(
        AccountId account,
        Holding[] calldata holdings,
        int256 equity,
        uint256 required,
        uint256 actions
    ) external view;

    /// @notice What debt costs now, by utilisation, the interest parameters and the breaker's tier.
    /// @param debt WAD that all accounts owe, interest included.
    /// @param poolCash WAD.
    /// @return WAD per day, rounded up.
    function borrowRate(uint256 debt, uint256 poolCash) external view returns (uint256);

    /// @notice What 1.0 of a collateral is worth.
    function collateralValuation(CollateralId collateral)
        external
        view
        returns (CollateralValuation memory);
}

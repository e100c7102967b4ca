// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {CollateralId, MarketId} from "../types/Ids.sol";
import {
    BreakerThresholds,
    BreakerTiming,
    CollateralConfig,
    CompartmentParameters,
    InterestParameters,
    MarginParameters,
    MarketLiquidation,
    MarketMargin,
    MarketPricing,
    MarketTrading,
    OrderParameters,
    PoolParameters
} from "../types/Parameters.sol";

/// @title Every tunable of a compartment, within hard bounds
/// @notice The bounds are constants of the code: no role can leave them.
interface IRiskParameters {
    event MarketConfigured(
        MarketId indexed market, MarketTrading trading, MarketLiquidation liquidation
    );
    event CollateralConfigured(CollateralId indexed collateral, CollateralConfig config);
    event CompartmentConfigured(CompartmentParameters parameters);
    event InterestConfigured(InterestParameters parameters);
    event MarginConfigured(MarginParameters parameters);
    event OrdersConfigured(OrderParameters parameters);
    event PoolConfigured(PoolParameters parameters);
    /// @param lower Basis points, row by row: ρ₁₀, ρ₂₀, ρ₂₁, ρ₃₀ …
    event CorrelationsConfigured(uint16[] lower);
    event DepthSourceConfigured(CollateralId indexed collateral, address source);
    event BreakerConfigured(
        BreakerTiming timing,
        BreakerThresholds thresholds,
        AssetId[] watchedPrices,
        AssetId[] watchedPegs
    );

    /// @notice Thrown when a parameter lies outside of its hard bounds.
    error RiskParameters_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown for a market id that is neither listed nor the next one.
    error RiskParameters_UnknownMarket(MarketId market);
    /// @notice Thrown for a collateral id that is neither listed nor the next one.
    error RiskParameters_UnknownCollateral(CollateralId collateral);
    /// @notice Thrown when a listed market's index asset or a listed collateral's token would change.
    error RiskParameters_Immutable(bytes32 parameter);
    /// @notice Thrown when the number of correlations is not that of the pairs of at most all listed markets.
    error RiskParameters_PairCount(uint256 pairs, uint256 markets);
    /// @notice Thrown when a token is listed twice, or is the settlement token.
    error RiskParameters_TokenAlreadyListed(address token);

    /// @notice Lists the next market, or changes a listed one. Only the governor.
    /// @dev Accrue the market's funding first: a change takes effect for the time since the last accrual.
    function setMarket(
        MarketId market,
        MarketTrading calldata trading,
        MarketLiquidation calldata liquidation
    ) external;

    /// @notice Lists the next collateral, or changes a listed one. Only the governor.
    function setCollateral(CollateralId collateral, CollateralConfig calldata config) external;

    /// @notice Sets the compartment's parameters. Only the governor.
    function setCompartment(CompartmentParameters calldata parameters) external;

    /// @notice Sets what debt costs. Only the governor.
    /// @dev The rate in force stays until the next accrual: `accrueInterest` of any account takes up the new one.
    function setInterest(InterestParameters calldata parameters) external;

    /// @notice Sets how margin adapts. Only the governor.
    function setMargin(MarginParameters calldata parameters) external;

    /// @notice Sets the rules of orders. Only the governor.
    function setOrders(OrderParameters calldata parameters) external;

    /// @notice Sets the pool's rules. Only the governor.
    function setPool(PoolParameters calldata parameters) external;

    /// @notice Sets the correlations of the first markets, all at once; those of the others are not known then.
    /// Only the governor.
    /// @param lower Basis points, each in [0, 9,999], row by row: ρ₁₀, ρ₂₀, ρ₂₁, ρ₃₀ … A negative correlation
    /// is counted as none. Reverts unless the whole matrix is positive definite.
    function setCorrelations(uint16[] calldata lower) external;

    /// @notice Sets what measures the depth of a collateral's market; zero: nothing, the configured depth counts.
    /// Only the governor.
    function setDepthSource(CollateralId collateral, address source) external;

    /// @notice Sets the breaker's thresholds and what it watches. Only the governor.
    function setBreaker(
        BreakerTiming calldata timing,
        BreakerThresholds calldata thresholds,
        AssetId[] calldata watchedPrices,
        AssetId[] calldata watchedPegs
    ) external;

    /// @notice Number of listed markets, at most 16.
    function marketCount() external view returns (uint256);

    /// @notice Number of listed collaterals, at most 8, the settlement token not counted.
    function collateralCount() external view returns (uint256);

    /// @notice Reverts for a market that is not listed.
    function marketTrading(MarketId market) external view returns (MarketTrading memory);

    /// @notice Reverts for a market that is not listed.
    function marketLiquidation(MarketId market) external view returns (MarketLiquidation memory);

    /// @notice The part that positions' values follow from. Reverts for a market that is not listed.
    function marketPricing(MarketId market) external view returns (MarketPricing memory);

    /// @notice Basis points by which a tier of the breaker, 1 to 4, multiplies the velocity of a market's funding.
    function fundingGain(MarketId market, uint8 tier) external view returns (uint16);

    /// @notice The part that margin follows from. Reverts for a market that is not listed.
    function marketMargin(MarketId market) external view returns (MarketMargin memory);

    /// @notice How margin adapts.
    function marginParameters() external view returns (MarginParameters memory);

    /// @notice The rules of orders.
    function orderParameters() external view returns (OrderParameters memory);

    /// @notice The pool's rules.
    function poolParameters() external view returns (PoolParameters memory);

    /// @notice Correlations: of each market a row of 16 bits per other market, lowest first: ρ in basis points plus
    /// one; 0: not known.
    function correlationRows(MarketId[] calldata markets) external view returns (uint256[] memory);

    /// @notice What measures the depth of a collateral's market; zero: nothing.
    function depthSource(CollateralId collateral) external view returns (address);

    /// @notice Reverts for a collateral that is not listed.
    function collateralConfig(CollateralId collateral)
        external
        view
        returns (CollateralConfig memory);

    /// @notice A collateral's token. Reverts for one that is not listed.
    function collateralToken(CollateralId collateral) external view returns (address);

    /// @notice Shares of distributed fees that go to the insurance fund and to the pool, WAD.
    function feeShares() external view returns (uint256 insurance, uint256 pool);

    /// @notice Seconds after which a market's U_m is too old to convert or leave the pool on.
    function maxUnrealizedAge() external view returns (uint256);

    /// @notice Parameters of the whole compartment.
    function compartmentParameters() external view returns (CompartmentParameters memory);

    /// @notice What debt costs.
    function interestParameters() external view returns (InterestParameters memory);

    /// @notice Windows of the circuit breaker.
    function breakerTiming() external view returns (BreakerTiming memory);

    /// @notice Thresholds of the circuit breaker, and the assets that it watches.
    function breakerThresholds()
        external
        view
        returns (
            BreakerThresholds memory,
            AssetId[] memory watchedPrices,
            AssetId[] memory watchedPegs
        );
}

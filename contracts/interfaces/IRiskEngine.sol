// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccountId, CollateralId} from "../types/Ids.sol";
import {
    AccountStanding,
    AccountValuation,
    CollateralValuation,
    MarketExposure
} from "../types/Valuation.sol";

/// @title What accounts are worth and what is asked of them
/// @notice Holds no value and no right: it computes from what the margin engine knows of an account, from its
/// positions, prices and parameters. Unless a unit is given, amounts are WAD of the settlement token.
interface IRiskEngine {
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

    /// @notice Reverts unless `equityInitial` meets `initialMargin`, on prices good enough for every one of `actions`.
    /// @param standing What the margin engine knows of the account.
    /// @param actions Bit a: action a asks.
    function requireInitialMargin(
        AccountId account,
        AccountStanding calldata standing,
        uint256 actions
    ) external view;

    /// @notice What 1.0 of a collateral is worth.
    function collateralValuation(CollateralId collateral)
        external
        view
        returns (CollateralValuation memory);
}

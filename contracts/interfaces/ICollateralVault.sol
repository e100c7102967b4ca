// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Custody of a compartment
/// @notice Holds every token of the compartment and knows no accounts: who owns what is the margin engine's
/// ledger. Allowances for margin deposits are given to this contract.
interface ICollateralVault {
    /// @notice Thrown when the caller is not the compartment's margin engine.
    error CollateralVault_NotMarginEngine(address caller);

    /// @notice Takes tokens from `from`. Only the margin engine.
    /// @param amountTokens Token units to transfer.
    /// @return received Token units that arrived: less than asked for if the token takes a fee.
    function pull(address token, address from, uint256 amountTokens)
        external
        returns (uint256 received);

    /// @notice Sends tokens to `to`. Only the margin engine.
    /// @param amountTokens Token units to transfer.
    function push(address token, address to, uint256 amountTokens) external;
}

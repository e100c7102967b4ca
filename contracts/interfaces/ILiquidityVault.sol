// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILedgerVault} from "./ILedgerVault.sol";

/// @title The pool: counterparty of every fill
/// @notice Shares in what pool cash is left after junior claims and unrealised profit. Priced against the one who
/// acts: entering shares are valued with all debt recovered and all traders' losses realised, leaving shares
/// with neither.
interface ILiquidityVault is ILedgerVault {
    /// @notice Net asset value, WAD settlement units; below zero if the pool owes more than it has.
    /// @return toEnter L + D − J − ΣU: what new shares are priced on.
    /// @return toLeave L − J − U⁺: what leaving shares are paid on.
    function netAssetValue() external view returns (int256 toEnter, int256 toLeave);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MarketId} from "../types/Ids.sol";
import {PriceStatus} from "../types/Price.sol";
import {ILedgerVault} from "./ILedgerVault.sol";

/// @title The pool: counterparty of every fill
/// @notice Shares in what pool cash is left after junior claims and unrealised profit. Priced against the one who
/// acts: entering shares are valued with all debt recovered and all traders' losses realised, leaving shares
/// with neither. Leaving takes a request, and leaves what open interest has to be covered with.
interface ILiquidityVault is ILedgerVault {
    /// @notice Thrown when a market with positions has no firm price, so that nobody knows what a share is worth;
    /// names the worst.
    error LiquidityVault_Unpriced(MarketId market, PriceStatus status);

    /// @notice Net asset value, WAD settlement units; below zero if the pool owes more than it has.
    /// @return toEnter L + D − J − ΣU: what new shares are priced on.
    /// @return toLeave L − J − U⁺: what leaving shares are paid on.
    function netAssetValue() external view returns (int256 toEnter, int256 toLeave);

    /// @notice What has to be left of `toLeave` after a redemption, WAD settlement units, rounded up: coverage ratio
    /// times Σ over markets of the greater side's open interest at the index price.
    function coverage() external view returns (uint256);
}

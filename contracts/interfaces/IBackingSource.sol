// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Says how much of a token is backed by reserves
interface IBackingSource {
    /// @return WAD, reserves per 1.0 of what is owed; above one if there is more. Reverts if it is not known.
    function backing() external view returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title Says how long a redemption takes
interface IRedemptionQueue {
    /// @return Seconds until a redemption of `assets` raw units, requested now, could be claimed.
    function queueDelay(uint256 assets) external view returns (uint256);
}

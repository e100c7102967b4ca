// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title A token that redeems at a rate
interface IRateSource {
    /// @return WAD, underlying per 1.0 token by redemption.
    function rate() external view returns (uint256);
}

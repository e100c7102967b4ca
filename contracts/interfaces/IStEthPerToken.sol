// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The part of a wrapped staking token like wstETH that tells its rate
interface IStEthPerToken {
    /// @return WAD, underlying per 1.0 token.
    function stEthPerToken() external view returns (uint256);
}

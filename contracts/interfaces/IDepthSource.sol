// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title How much of a token its market can take
interface IDepthSource {
    /// @notice WAD units of the token in the virtual reserve of its market, X: selling `a` there fetches about
    /// price · a · X / (X + a). Averaged over a window, so that what is there for a moment counts for a moment.
    function depth() external view returns (uint256);
}

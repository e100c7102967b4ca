// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IDepthSource} from "../interfaces/IDepthSource.sol";

/// @title A depth source that says whatever it is told, or fails
/// @notice For local chains only.
contract ScriptedDepth is IDepthSource {
    uint256 private _depth;
    bool private _fails;

    /// @notice Thrown while it fails.
    error ScriptedDepth_Down();

    /// @param depth_ Any value at all.
    /// @param fails Whether it reverts from now on.
    function set(uint256 depth_, bool fails) external {
        (_depth, _fails) = (depth_, fails);
    }

    /// @inheritdoc IDepthSource
    function depth() external view returns (uint256) {
        if (_fails) revert ScriptedDepth_Down();
        return _depth;
    }
}

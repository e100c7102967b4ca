// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPythAdapter} from "../interfaces/IPythAdapter.sol";

/// @title Enters a Pyth adapter again out of its refund
/// @notice For local chains only.
contract GreedyUpdater {
    IPythAdapter public immutable adapter;

    bytes[] private _updateData;
    uint256 private _left;

    constructor(IPythAdapter adapter_) {
        adapter = adapter_;
    }

    /// @notice With every refund, passes all of it on with the same updates, so many times.
    receive() external payable {
        if (_left == 0) return;
        --_left;
        adapter.update{value: msg.value}(_updateData);
    }

    /// @notice Starts with the value that is sent along.
    function update(bytes[] calldata updateData, uint256 times) external payable {
        (_updateData, _left) = (updateData, times);
        adapter.update{value: msg.value}(updateData);
    }
}

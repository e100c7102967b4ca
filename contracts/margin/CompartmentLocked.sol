// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICompartmentLock} from "../interfaces/ICompartmentLock.sol";

/// @notice Base of the contracts that take the compartment's lock from outside of the margin engine.
abstract contract CompartmentLocked {
    ICompartmentLock private immutable _lock;

    constructor(address lock) {
        _lock = ICompartmentLock(lock);
    }

    /// @dev Functions, as a modifier's code is repeated wherever it is used.
    modifier locked() {
        _enter();
        _;
        _exit();
    }

    /// @dev For views that outsiders build on: a half-finished state must not be readable from a callback.
    modifier whenUnlocked() {
        _requireUnlocked();
        _;
    }

    function _enter() private {
        _lock.enter();
    }

    function _exit() private {
        _lock.exit();
    }

    function _requireUnlocked() internal view {
        if (_lock.isLocked()) revert ICompartmentLock.CompartmentLock_Locked();
    }
}

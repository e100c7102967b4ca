// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ICompartmentLock} from "../interfaces/ICompartmentLock.sol";

/// @notice Base of the contracts that take the compartment's lock from outside of the margin engine.
abstract contract CompartmentLocked {
    ICompartmentLock private immutable _lock;

    constructor(address lock) {
        _lock = ICompartmentLock(lock);
    }

    modifier locked() {
        _lock.enter();
        _;
        _lock.exit();
    }

    /// @dev For views that outsiders build on: a half-finished state must not be readable from a callback.
    modifier whenUnlocked() {
        _requireUnlocked();
        _;
    }

    function _requireUnlocked() internal view {
        if (_lock.isLocked()) revert ICompartmentLock.CompartmentLock_Locked();
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The one lock of a compartment
/// @notice Held in transient storage by the margin engine and taken by every entry point of the compartment that moves
/// value or positions; views of ledger, account valuations and share values refuse outsiders while it is held.
interface ICompartmentLock {
    /// @notice Thrown when a call enters the compartment while another is still in it.
    error CompartmentLock_Locked();
    /// @notice Thrown when a caller is not the part of the compartment that may make this call.
    error CompartmentLock_NotAuthorized(address caller);

    /// @notice Takes the lock. Only contracts of the compartment.
    function enter() external;

    /// @notice Releases the lock. Only contracts of the compartment.
    function exit() external;

    /// @notice Whether a call is in progress.
    function isLocked() external view returns (bool);
}

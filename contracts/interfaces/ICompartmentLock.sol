// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @title The one lock of a compartment
/// @notice Held in transient storage by the margin engine and taken by every state-changing entry point of all
/// contracts of the compartment; valuation views refuse outsiders while it is held.
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

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

/// @title Who may do what
/// @notice One registry for a deployment; contracts ask it, none keeps roles of its own.
/// GOVERNOR sets parameters within their hard bounds and grants roles. RISK_ADMIN may only move parameters
/// in the direction that reduces risk. GUARDIAN may only raise breaker tiers, for a limited time.
interface IRoleRegistry is IAccessControl {
    /// @notice Thrown when the caller lacks a role.
    error RoleRegistry_MissingRole(address caller, bytes32 role);

    /// @notice Reverts unless `caller` has `role`.
    function requireRole(bytes32 role, address caller) external view;
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";

/// @title Who may do what
contract RoleRegistry is IRoleRegistry, AccessControl {
    /// @param governor Holds GOVERNOR and administers every role.
    constructor(address governor) {
        _setRoleAdmin(Roles.GOVERNOR, Roles.GOVERNOR);
        _setRoleAdmin(Roles.RISK_ADMIN, Roles.GOVERNOR);
        _setRoleAdmin(Roles.GUARDIAN, Roles.GOVERNOR);
        _grantRole(Roles.GOVERNOR, governor);
    }

    /// @inheritdoc IRoleRegistry
    function requireRole(bytes32 role, address caller) external view {
        if (!hasRole(role, caller)) revert RoleRegistry_MissingRole(caller, role);
    }
}

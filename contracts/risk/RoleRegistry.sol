// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IRoleRegistry} from "../interfaces/IRoleRegistry.sol";
import {Roles} from "../libraries/Roles.sol";

/// @title Who may do what
contract RoleRegistry is IRoleRegistry, AccessControl {
    /// @param governor Holds GOVERNOR and administers every role.
    constructor(address governor) {
        _grantRole(Roles.GOVERNOR, governor);
    }

    /// @inheritdoc IRoleRegistry
    function requireRole(bytes32 role, address caller) external view {
        if (!hasRole(role, caller)) revert RoleRegistry_MissingRole(caller, role);
    }

    /// @inheritdoc IAccessControl
    /// @dev Also of roles that only one contract knows, such as a token's operator: AccessControl's default
    /// administrator does not exist here, so nobody could ever grant them.
    function getRoleAdmin(bytes32)
        public
        pure
        override(AccessControl, IAccessControl)
        returns (bytes32)
    {
        return Roles.GOVERNOR;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Role identifiers of `RoleRegistry`.
library Roles {
    bytes32 internal constant GOVERNOR = keccak256("GOVERNOR");
    bytes32 internal constant RISK_ADMIN = keccak256("RISK_ADMIN");
    bytes32 internal constant GUARDIAN = keccak256("GUARDIAN");
}

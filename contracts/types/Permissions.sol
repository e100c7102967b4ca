// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What an account's owner lets an operator do. One slot.
/// @param permissions Bits of `Permissions`; 0: nothing.
/// @param expiresAt Unix seconds from which nothing is permitted any more.
struct Grant {
    uint8 permissions;
    uint40 expiresAt;
}

/// @notice The bits of a grant. `docs/spec/accounts.md` says which function asks for which; append only.
library Permissions {
    /// @dev Add margin, of the operator's own tokens.
    uint8 internal constant DEPOSIT = 1;
    /// @dev Trade, for better or worse.
    uint8 internal constant TRADE = 2;
    /// @dev Take margin out, to the owner's own address only.
    uint8 internal constant WITHDRAW = 4;
    /// @dev Turn matured profit into cash, which is for good.
    uint8 internal constant CONVERT = 8;
    /// @dev Place and cancel orders.
    uint8 internal constant MANAGE_ORDERS = 16;
    /// @dev All of them.
    uint8 internal constant ALL = 31;
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Whom an act of a batch may call; append only.
enum CallTarget {
    MarginEngine,
    PerpExchange,
    SignedOrders
}

/// @notice One act of a batch.
/// @param target Whom it calls.
/// @param data Selector and arguments.
struct Call {
    CallTarget target;
    bytes data;
}

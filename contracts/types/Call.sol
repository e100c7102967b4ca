// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice One act of a batch.
/// @param toExchange True: a call of the perpetual exchange; false: of the margin engine.
/// @param data Selector and arguments.
struct Call {
    bool toExchange;
    bytes data;
}

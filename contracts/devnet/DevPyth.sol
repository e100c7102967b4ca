// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {MockPyth} from "@pythnetwork/pyth-sdk-solidity/MockPyth.sol";

/// @title The mock of Pyth's own SDK, where tests and devnets can deploy it
/// @notice For local chains only: it believes whatever it is told, for a fee per update. Updates come from
/// `createPriceFeedUpdateData`.
contract DevPyth is MockPyth {
    /// @dev Seconds; only for the deprecated reads that check an age, which nothing here calls.
    uint256 private constant VALID_TIME_PERIOD = 60;

    /// @param feePerUpdate Wei.
    constructor(uint256 feePerUpdate) MockPyth(VALID_TIME_PERIOD, feePerUpdate) {}
}

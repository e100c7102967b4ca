// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DevToken} from "./DevToken.sol";

/// @title A token that answers one question that only rebasing tokens answer
/// @notice For local chains only.
contract RebasingToken is DevToken {
    bytes4 private immutable _selector;

    /// @notice Thrown by every other function that it does not have.
    error RebasingToken_UnknownFunction(bytes4 selector);

    /// @param selector Of the function that it has; its answer is one word.
    constructor(bytes4 selector) DevToken("Rebasing", "RBT", 18) {
        _selector = selector;
    }

    /// @dev One word, whatever is asked with.
    fallback(bytes calldata) external returns (bytes memory) {
        if (msg.sig != _selector) revert RebasingToken_UnknownFunction(msg.sig);
        return abi.encode(1);
    }
}

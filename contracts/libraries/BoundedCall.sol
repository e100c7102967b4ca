// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Reads of foreign contracts that can neither brick nor starve the reader: a fixed gas allowance, and no
/// more of the answer copied than was asked for, so that a revert, a gas burner, a short answer or a return bomb
/// costs at most the allowance.
library BoundedCall {
    /// @notice Gas that every read may use: a binary search through a Uniswap pool's 65,535 observations, cold.
    uint256 internal constant ALLOWANCE = 150_000;
    /// @notice Gas that must be left before a read. A call is granted at most 63/64 of what is left, after 2,600 for
    /// a cold account; 1,000 pay for the instructions between the check and the call.
    uint256 internal constant REQUIRED = ALLOWANCE * 64 / 63 + 3_600;

    /// @notice Thrown when the gas left cannot grant a read its full allowance: a caller could otherwise silence
    /// what is read by sending too little.
    error BoundedCall_InsufficientGas(uint256 available, uint256 required);

    /// @dev Calls `target` with a selector and, after it, one word.
    /// @return ok Whether it answered at least `words` words.
    /// @return answer The first `words` words, at most five; meaningless unless `ok`.
    function read(address target, bytes4 selector, uint256 argument, uint256 words)
        internal
        view
        returns (bool ok, uint256[5] memory answer)
    {
        uint256 available = gasleft();
        if (available < REQUIRED) revert BoundedCall_InsufficientGas(available, REQUIRED);
        uint256 size = words * 32;
        assembly ("memory-safe") {
            // The scratch space holds the 36 bytes of the call.
            mstore(0x00, selector)
            mstore(0x04, argument)
            ok := staticcall(ALLOWANCE, target, 0x00, 0x24, answer, size)
            ok := and(ok, iszero(lt(returndatasize(), size)))
        }
    }

    /// @dev `read` of a function without arguments.
    function read(address target, bytes4 selector, uint256 words)
        internal
        view
        returns (bool ok, uint256[5] memory answer)
    {
        return read(target, selector, 0, words);
    }
}

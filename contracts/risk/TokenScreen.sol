// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {BoundedCall} from "../libraries/BoundedCall.sol";

/// @notice Tells tokens whose balances change by themselves, as far as they say so.
/// @dev A ledger of token units is wrong for a token that rebases: falling balances would leave the last holders with
/// nothing. No call can prove that a token never will, but those in use tell what a balance is made of: each of
/// these questions is answered by a family of them and by no token of constant balances that is known to us.
library TokenScreen {
    /// @notice Thrown when a token answers a question that only rebasing tokens answer.
    error TokenScreen_Rebasing(address token, bytes4 selector);

    /// @dev `sharesOf(address)`: balances are shares of a pool.
    bytes4 internal constant SHARES_OF = 0xf5eb42dc;
    /// @dev `scaledBalanceOf(address)`: balances grow with an index.
    bytes4 internal constant SCALED_BALANCE_OF = 0x1da24f3e;
    /// @dev `rebasingCreditsPerToken()`: balances are credits over a rate.
    bytes4 internal constant CREDITS_PER_TOKEN = 0x6691cb3d;
    /// @dev `scaledTotalSupply()`: the supply is scaled.
    bytes4 internal constant SCALED_TOTAL_SUPPLY = 0xb1bf962d;

    /// @notice Reverts if the token says that it rebases.
    function requireConstantBalances(address token) internal view {
        _refuse(token, SHARES_OF);
        _refuse(token, SCALED_BALANCE_OF);
        _refuse(token, CREDITS_PER_TOKEN);
        _refuse(token, SCALED_TOTAL_SUPPLY);
    }

    function _refuse(address token, bytes4 selector) private view {
        (bool answers,) = BoundedCall.read(token, selector, uint160(address(this)), 1);
        if (answers) revert TokenScreen_Rebasing(token, selector);
    }
}

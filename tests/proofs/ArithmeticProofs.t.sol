// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TokenScale} from "../../contracts/libraries/TokenScale.sol";
import {WadMath} from "../../contracts/libraries/WadMath.sol";
import {VM} from "./ProofBase.sol";

/// @notice The scale of tokens, and the division that everything above rests on.
contract ArithmeticProofs {
    /// @notice toTokensDown(toWad(x)) = x = toTokensUp(toWad(x)).
    function check_scale_tokensComeBack(uint128 amountTokens, uint8 decimals) external pure {
        VM.assume(decimals <= 18);
        // One concrete exponent per path.
        for (uint8 d; d <= 18; ++d) {
            if (d != decimals) continue;
            uint256 amount = TokenScale.toWad(amountTokens, d);
            assert(TokenScale.toTokensDown(amount, d) == amountTokens);
            assert(TokenScale.toTokensUp(amount, d) == amountTokens);
        }
    }

    /// @notice toWad(toTokensDown(y)) ≤ y ≤ toWad(toTokensUp(y)), each less than a token unit away.
    function check_scale_roundsTheRightWay(uint128 amount, uint8 decimals) external pure {
        VM.assume(decimals <= 18);
        for (uint8 d; d <= 18; ++d) {
            if (d != decimals) continue;
            uint256 unit = TokenScale.toWad(1, d);
            uint256 down = TokenScale.toWad(TokenScale.toTokensDown(amount, d), d);
            uint256 up = TokenScale.toWad(TokenScale.toTokensUp(amount, d), d);
            assert(down <= amount && amount < down + unit);
            assert(amount <= up && up < amount + unit);
        }
    }

    /// @notice p = ⌊x·y / d⌋, by what defines it: 0 ≤ x·y − p·d < d.
    function check_mulDiv_down(uint128 x, uint128 y, uint256 d) external pure {
        VM.assume(d > 0);
        uint256 p = WadMath.mulDivDown(x, y, d);
        unchecked {
            uint256 product = uint256(x) * y;
            assert(p <= product && p * d <= product);
            assert(product - p * d < d);
        }
    }

    /// @notice q = ⌈x·y / d⌉: q = p, or p + 1 where p·d < x·y.
    function check_mulDiv_up(uint128 x, uint128 y, uint256 d) external pure {
        VM.assume(d > 0);
        uint256 p = WadMath.mulDivDown(x, y, d);
        uint256 q = WadMath.mulDivUp(x, y, d);
        unchecked {
            assert(q == (p * d == uint256(x) * y ? p : p + 1));
        }
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ledger} from "../../contracts/margin/Ledger.sol";
import {AccountLedger, LedgerTotals, UnrealizedTotals} from "../../contracts/types/Ledger.sol";
import {VM} from "./ProofBase.sol";

/// @notice LED-3: h = min(1, L / N) with N = J + U⁺, and conversions.
/// @dev N is below 2^128 here, so that cross products fit 256 bits and `unchecked` hides no wrap. Who converts
/// has no debt (LED-4): else the payment would flow back into L, and h would rise by more than rounding.
contract ConversionProofs {
    /// @notice p = ⌊m·L / N⌋ where L < N: p·N ≤ m·L < (p + 1)·N; else p = m.
    function check_convert_paysTheFloor(
        LedgerTotals memory t,
        AccountLedger memory a,
        UnrealizedTotals memory u,
        uint128 amount
    ) external pure {
        uint256 pool = t.poolCash;
        VM.assume(a.cash >= 0);
        uint256 junior = assumeJunior(t, u);
        uint256 paid = Ledger.convert(t, a, u, amount);
        unchecked {
            if (junior <= pool) {
                assert(paid == amount);
            } else {
                uint256 exact = uint256(amount) * pool;
                assert(paid <= amount);
                assert(paid * junior <= exact);
                assert(exact - paid * junior < junior);
            }
        }
    }

    /// @notice h never falls, and rises by less than a wei over what is left; J falls by the amount.
    function check_convert_keepsRatio(
        LedgerTotals memory t,
        AccountLedger memory a,
        UnrealizedTotals memory u,
        uint128 amount
    ) external pure {
        uint256 pool = t.poolCash;
        VM.assume(a.cash >= 0);
        uint256 junior = assumeJunior(t, u);
        Ledger.convert(t, a, u, amount);
        uint256 juniorLeft = uint256(t.claims) + u.positive;
        assert(juniorLeft + amount == junior);
        assert(keepsRatio(pool, junior, t.poolCash, juniorLeft));
    }

    /// @notice Whoever converts second is paid what converting first would have paid, or one wei more.
    /// @dev `later` is not computed but any state in which a conversion can leave `t`: the lemma above
    /// guarantees what is assumed here. The division of the first conversion would be one too many for
    /// the solvers.
    function check_convert_orderOfTwo(
        LedgerTotals memory t,
        LedgerTotals memory later,
        UnrealizedTotals memory u,
        uint128 amount
    ) external pure {
        uint256 junior = assumeJunior(t, u);
        VM.assume(later.claims <= t.claims && amount <= later.claims);
        uint256 juniorLeft = uint256(later.claims) + u.positive;
        VM.assume(keepsRatio(t.poolCash, junior, later.poolCash, juniorLeft));
        uint256 first = Ledger.haircut(t, u, amount);
        uint256 second = Ledger.haircut(later, u, amount);
        assert(second >= first);
        assert(second <= first + 1);
    }

    /// @notice 0 ≤ L'·N − L·N' < N where L < N, and L' ≥ N' where L ≥ N.
    function keepsRatio(uint256 pool, uint256 junior, uint256 poolLeft, uint256 juniorLeft)
        private
        pure
        returns (bool)
    {
        if (junior <= pool) return juniorLeft <= poolLeft;
        unchecked {
            uint256 right = pool * juniorLeft;
            uint256 left = poolLeft * junior;
            return left >= right && left - right < junior;
        }
    }

    function assumeJunior(LedgerTotals memory t, UnrealizedTotals memory u)
        private
        pure
        returns (uint256 junior)
    {
        junior = uint256(t.claims) + u.positive;
        VM.assume(junior < 1 << 128);
    }
}

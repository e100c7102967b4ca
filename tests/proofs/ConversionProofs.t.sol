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

    /// @notice h never falls, and rises by less than a wei over what is left:
    /// 0 ≤ L'·N − L·N' < N where L < N, and L' ≥ N' where L ≥ N.
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
        if (junior <= pool) {
            assert(juniorLeft <= t.poolCash);
            return;
        }
        unchecked {
            uint256 right = pool * juniorLeft;
            uint256 left = uint256(t.poolCash) * junior;
            assert(left >= right);
            assert(left - right < junior);
        }
    }

    /// @notice Whoever converts second is paid what converting first would have paid, or one wei more.
    function check_convert_orderOfTwo(
        LedgerTotals memory t,
        AccountLedger memory a,
        AccountLedger memory b,
        UnrealizedTotals memory u,
        uint128 amountA,
        uint128 amountB
    ) external pure {
        VM.assume(a.cash >= 0 && b.cash >= 0);
        assumeJunior(t, u);
        VM.assume(uint256(amountA) + amountB <= t.claims);
        uint256 first = Ledger.haircut(t, u, amountB);
        Ledger.convert(t, a, u, amountA);
        uint256 second = Ledger.convert(t, b, u, amountB);
        assert(second >= first);
        assert(second <= first + 1);
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

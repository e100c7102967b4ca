// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ledger} from "../../contracts/margin/Ledger.sol";
import {AccountLedger, LedgerTotals} from "../../contracts/types/Ledger.sol";
import {ProofBase, VM} from "./ProofBase.sol";

/// @notice How claims vest.
contract VestingProofs is ProofBase {
    /// @notice 0 ≤ unvestedOf ≤ unvested, so maturedOf is defined and at most the claim.
    function check_vesting_staysWithin(AccountLedger memory a) external view {
        assumeVesting(a);
        uint256 unvested = Ledger.unvestedOf(a);
        assert(unvested <= a.unvested);
        assert(unvested <= a.claim);
        assert(Ledger.maturedOf(a) == a.claim - unvested);
    }

    /// @notice Time alone never takes back what has matured.
    function check_vesting_onlyFalls(AccountLedger memory a, uint40 earlier, uint40 later)
        external
    {
        VM.assume(earlier <= later);
        VM.warp(earlier);
        assumeVesting(a);
        uint256 before = Ledger.unvestedOf(a);
        VM.warp(later);
        assert(Ledger.unvestedOf(a) <= before);
    }

    /// @notice A burn takes the unvested part first, and exactly the amount.
    function check_vesting_burnTakesUnvestedFirst(
        LedgerTotals memory t,
        AccountLedger memory a,
        uint256 amount
    ) external view {
        Snapshot memory s = assumeConsistent(t, a);
        uint256 unvested = Ledger.unvestedOf(a);
        Ledger.burnClaim(t, a, amount);
        assert(a.claim + amount == s.accountClaim);
        assert(Ledger.unvestedOf(a) == (amount < unvested ? unvested - amount : 0));
        assertVesting(a);
    }
}

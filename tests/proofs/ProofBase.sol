// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ledger} from "../../contracts/margin/Ledger.sol";
import {AccountLedger, LedgerTotals} from "../../contracts/types/Ledger.sol";

/// @notice What the proofs use of the cheatcodes that the symbolic executor understands.
interface Vm {
    function assume(bool condition) external pure;
    function warp(uint256 timestamp) external;
}

/// @dev Where it puts them: keccak256("hevm cheat code").
Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @notice The state in which an operation of the ledger starts, and what must be true of where it ends.
/// @dev Nothing here is bounded but by its type: a harness that says no more holds for every state.
/// An operation that reverts changes nothing, so only those that return are judged.
abstract contract ProofBase {
    /// @dev The numbers of one account and its compartment, as the lemmas speak of them.
    struct Snapshot {
        uint256 principal;
        uint256 debt;
        uint256 claims;
        uint256 custody;
        uint256 accountPrincipal;
        uint256 accountDebt;
        uint256 accountClaim;
    }

    function take(LedgerTotals memory t, AccountLedger memory a)
        internal
        pure
        returns (Snapshot memory s)
    {
        s.principal = t.principal;
        s.debt = t.debt;
        s.claims = t.claims;
        s.custody = uint256(t.principal) + t.poolCash + t.insuranceCash + t.feeReserve;
        // Written out, not taken from the code that is judged.
        if (a.cash >= 0) s.accountPrincipal = uint256(int256(a.cash));
        else s.accountDebt = uint256(-int256(a.cash));
        s.accountClaim = a.claim;
    }

    /// @notice Assumes what holds between operations: the account is part of the totals (P, D, J), has no
    /// claim beside debt (LED-4), and its vesting line started in the past.
    function assumeConsistent(LedgerTotals memory t, AccountLedger memory a)
        internal
        view
        returns (Snapshot memory s)
    {
        s = take(t, a);
        VM.assume(s.accountPrincipal <= s.principal);
        VM.assume(s.accountDebt <= s.debt);
        VM.assume(s.accountClaim <= s.claims);
        VM.assume(a.cash >= 0 || a.claim == 0);
        assumeVesting(a);
    }

    function assumeVesting(AccountLedger memory a) internal view {
        VM.assume(block.timestamp < 1 << 40);
        VM.assume(a.unvested <= a.claim);
        VM.assume(a.vestingUpdatedAt <= block.timestamp);
        VM.assume(a.vestingUpdatedAt <= a.vestingEndsAt);
    }

    /// @notice Asserts that the operation moved `custodyChange` of cash into P + L + I + F (CUS-1), that P, D
    /// and J moved exactly as the account did, and LED-4.
    function assertConsistent(
        Snapshot memory s,
        LedgerTotals memory t,
        AccountLedger memory a,
        int256 custodyChange
    ) internal pure {
        Snapshot memory e = take(t, a);
        // Sums of two and of four numbers below 2^128 and a change below 2^129: nothing wraps.
        assert(int256(e.custody) == int256(s.custody) + custodyChange);
        assert(e.principal + s.accountPrincipal == s.principal + e.accountPrincipal);
        assert(e.debt + s.accountDebt == s.debt + e.accountDebt);
        assert(e.claims + s.accountClaim == s.claims + e.accountClaim);
        assert(a.cash >= 0 || a.claim == 0);
    }

    /// @notice Asserts that a line of vesting which still matters is one that `assumeVesting` allows.
    function assertVesting(AccountLedger memory a) internal view {
        if (Ledger.unvestedOf(a) == 0) return;
        assert(a.unvested <= a.claim);
        assert(a.vestingUpdatedAt <= block.timestamp);
        assert(a.vestingUpdatedAt <= a.vestingEndsAt);
    }
}

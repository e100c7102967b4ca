// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Ledger} from "../../contracts/margin/Ledger.sol";
import {
    AccountLedger,
    ChargeSplit,
    LedgerTotals,
    UnrealizedTotals,
    WriteOffReceipt
} from "../../contracts/types/Ledger.sol";
import {ProofBase, VM} from "./ProofBase.sol";

/// @notice Each operation of the ledger keeps the custody identity and the sums over accounts.
contract LedgerProofs is ProofBase {
    function check_credit(LedgerTotals memory t, AccountLedger memory a, uint256 amount)
        external
        view
    {
        Snapshot memory s = assumeConsistent(t, a);
        uint256 repaid = Ledger.credit(t, a, amount);
        assertConsistent(s, t, a, int256(amount));
        assert(repaid == (amount < s.accountDebt ? amount : s.accountDebt));
    }

    function check_debit(LedgerTotals memory t, AccountLedger memory a, uint256 amount)
        external
        view
    {
        Snapshot memory s = assumeConsistent(t, a);
        VM.assume(amount <= s.accountPrincipal); // the caller's check
        Ledger.debit(t, a, amount);
        assertConsistent(s, t, a, -int256(amount));
    }

    function check_applyLoss(LedgerTotals memory t, AccountLedger memory a, uint256 loss)
        external
        view
    {
        Snapshot memory s = assumeConsistent(t, a);
        uint256 pool = t.poolCash;
        ChargeSplit memory split = Ledger.applyLoss(t, a, loss);
        assertConsistent(s, t, a, 0);
        assert(split.fromClaim + split.fromCash + split.toDebt == loss);
        assert(t.poolCash == pool + split.fromCash);
        // In this order: cash only after the claim, debt only after the cash.
        assert(split.fromCash == 0 || a.claim == 0);
        assert(split.toDebt == 0 || (a.claim == 0 && a.cash <= 0));
    }

    function check_applyFee(LedgerTotals memory t, AccountLedger memory a, uint256 fee)
        external
        view
    {
        Snapshot memory s = assumeConsistent(t, a);
        uint256 reserve = t.feeReserve;
        uint256 pool = t.poolCash;
        ChargeSplit memory split = Ledger.applyFee(t, a, fee);
        assertConsistent(s, t, a, 0);
        assert(split.fromCash + split.fromClaim + split.toDebt == fee);
        assert(t.feeReserve == reserve + split.fromCash && t.poolCash == pool);
        assert(split.fromClaim == 0 || a.cash <= 0);
        assert(split.toDebt == 0 || (a.claim == 0 && a.cash <= 0));
    }

    function check_applyProfit(
        LedgerTotals memory t,
        AccountLedger memory a,
        uint256 profit,
        uint32 period
    ) external view {
        Snapshot memory s = assumeConsistent(t, a);
        VM.assume(block.timestamp + period < 1 << 40);
        VM.assume(a.vestingEndsAt <= block.timestamp + type(uint32).max);
        VM.assume(block.timestamp + type(uint32).max < 1 << 40);
        uint256 pool = t.poolCash;
        (uint256 repaid, uint256 claimed) = Ledger.applyProfit(t, a, profit, period);
        assertConsistent(s, t, a, 0);
        assert(repaid + claimed == profit);
        assert(repaid == (profit < s.accountDebt ? profit : s.accountDebt));
        assert(a.claim == s.accountClaim + claimed && t.poolCash == pool);
    }

    function check_distribute(
        LedgerTotals memory t,
        AccountLedger memory a,
        uint128 amount,
        uint64 insuranceShare,
        uint64 poolShare
    ) external view {
        Snapshot memory s = assumeConsistent(t, a);
        VM.assume(uint256(insuranceShare) + poolShare <= 1e18);
        uint256 insurance = t.insuranceCash;
        uint256 pool = t.poolCash;
        (uint256 toInsurance, uint256 toPool) =
            Ledger.distribute(t, amount, insuranceShare, poolShare);
        assertConsistent(s, t, a, 0);
        assert(toInsurance + toPool <= amount);
        assert(t.insuranceCash == insurance + toInsurance && t.poolCash == pool + toPool);
    }

    function check_convert(
        LedgerTotals memory t,
        AccountLedger memory a,
        UnrealizedTotals memory u,
        uint256 amount
    ) external view {
        Snapshot memory s = assumeConsistent(t, a);
        VM.assume(amount <= Ledger.maturedOf(a)); // the caller's check
        uint256 pool = t.poolCash;
        uint256 paid = Ledger.convert(t, a, u, amount);
        assertConsistent(s, t, a, 0);
        assert(paid <= amount && t.poolCash + paid == pool);
        assert(a.claim + amount == s.accountClaim);
    }

    function check_writeOff(
        LedgerTotals memory t,
        AccountLedger memory a,
        UnrealizedTotals memory u
    ) external view {
        Snapshot memory s = assumeConsistent(t, a);
        VM.assume(a.cash <= 0); // the caller's check: collateral and cash are used up
        uint256 insurance = t.insuranceCash;
        WriteOffReceipt memory r = Ledger.writeOff(t, a, u);
        assertConsistent(s, t, a, 0);
        assert(r.debt == s.accountDebt && a.cash == 0);
        assert(r.insurance + r.backstop + r.pool + r.junior == r.debt);
        // In this order: nobody else bears anything while insurance has cash left.
        assert(t.insuranceCash + r.insurance == insurance);
        assert(t.insuranceCash == 0 || r.insurance == r.debt);
    }
}

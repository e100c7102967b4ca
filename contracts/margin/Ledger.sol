// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {WadMath} from "../libraries/WadMath.sol";
import {
    AccountLedger,
    ChargeSplit,
    LedgerTotals,
    UnrealizedTotals,
    WriteOffReceipt
} from "../types/Ledger.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice The clearing ledger as pure arithmetic: principal is senior, profit is junior.
/// @dev Every function takes the compartment's totals and one account's entry in memory and leaves both
/// consistent, so that each keeps `P + L + I + F` within custody by reading alone:
///   - cash enters P, L, I or F only as much as arrived or as left another of the four;
///   - a claim is not cash: creating or burning one moves no cash at all.
/// All amounts are WAD. `docs/spec/ledger.md` has the argument in prose.
library Ledger {
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    /// @notice Cash arrives for an account: its debt is repaid first, which is cash for the pool.
    /// @return repaid WAD of debt repaid.
    function credit(LedgerTotals memory t, AccountLedger memory a, uint256 amount)
        internal
        pure
        returns (uint256 repaid)
    {
        repaid = WadMath.min(debtOf(a), amount);
        t.debt -= repaid.toUint128();
        t.poolCash += repaid.toUint128();
        t.principal += (amount - repaid).toUint128();
        a.cash += amount.toInt256().toInt128();
    }

    /// @notice Cash leaves an account. The caller has checked that `amount` ≤ cash.
    function debit(LedgerTotals memory t, AccountLedger memory a, uint256 amount) internal pure {
        t.principal -= amount.toUint128();
        a.cash -= amount.toInt256().toInt128();
    }

    /// @notice A realised loss: burns the account's claim, then moves its cash to the pool; the rest is debt.
    function applyLoss(LedgerTotals memory t, AccountLedger memory a, uint256 loss)
        internal
        view
        returns (ChargeSplit memory split)
    {
        split.fromClaim = WadMath.min(loss, a.claim);
        burnClaim(t, a, split.fromClaim);
        split.fromCash = WadMath.min(loss - split.fromClaim, principalOf(a));
        debit(t, a, split.fromCash);
        t.poolCash += split.fromCash.toUint128();
        split.toDebt = loss - split.fromClaim - split.fromCash;
        _owe(t, a, split.toDebt);
    }

    /// @notice A fee or penalty: cash goes to the fee reserve; what cash does not cover is treated as a loss,
    /// so it benefits the pool and the fee reserve never counts money that has not arrived.
    function applyFee(LedgerTotals memory t, AccountLedger memory a, uint256 fee)
        internal
        view
        returns (ChargeSplit memory split)
    {
        split.fromCash = WadMath.min(fee, principalOf(a));
        debit(t, a, split.fromCash);
        t.feeReserve += split.fromCash.toUint128();
        split.fromClaim = WadMath.min(fee - split.fromCash, a.claim);
        burnClaim(t, a, split.fromClaim);
        split.toDebt = fee - split.fromCash - split.fromClaim;
        _owe(t, a, split.toDebt);
    }

    /// @notice Moves fresh cash of the fee reserve on to insurance and pool by their shares, rounded down.
    /// @dev At once, so that nobody can buy into either just before fees that others have paid arrive there.
    function distribute(
        LedgerTotals memory t,
        uint256 amount,
        uint256 insuranceShare,
        uint256 poolShare
    ) internal pure returns (uint256 toInsurance, uint256 toPool) {
        toInsurance = WadMath.mulDown(amount, insuranceShare);
        toPool = WadMath.mulDown(amount, poolShare);
        t.feeReserve -= (toInsurance + toPool).toUint128();
        t.insuranceCash += toInsurance.toUint128();
        t.poolCash += toPool.toUint128();
    }

    /// @notice A realised profit: forgives the account's debt first; the rest is a claim that vests over `period`.
    /// @return repaid WAD of debt forgiven.
    /// @return claimed WAD added to the claim.
    function applyProfit(
        LedgerTotals memory t,
        AccountLedger memory a,
        uint256 profit,
        uint256 period
    ) internal view returns (uint256 repaid, uint256 claimed) {
        repaid = WadMath.min(debtOf(a), profit);
        // The pool owed the profit and was owed the debt: both end, no cash moves.
        t.debt -= repaid.toUint128();
        a.cash += repaid.toInt256().toInt128();
        claimed = profit - repaid;
        if (claimed == 0) return (repaid, claimed);

        uint256 unvested = unvestedOf(a);
        uint256 remaining =
            a.vestingEndsAt > block.timestamp ? a.vestingEndsAt - block.timestamp : 0;
        // Amount-weighted mean of the remaining times, rounded up: what the newer part gains, the older loses.
        uint256 merged =
            WadMath.mulDivUp(unvested * remaining + claimed * period, 1, unvested + claimed);
        a.unvested = (unvested + claimed).toUint128();
        a.vestingUpdatedAt = uint40(block.timestamp);
        a.vestingEndsAt = uint40(block.timestamp + merged);
        a.claim += claimed.toUint128();
        t.claims += claimed.toUint128();
    }

    /// @notice Pays `amount · h` out of the pool and burns `amount` of the claim; h stays, or rises by rounding.
    /// The caller has checked that `amount` is matured.
    /// @return paid WAD of cash.
    function convert(
        LedgerTotals memory t,
        AccountLedger memory a,
        UnrealizedTotals memory u,
        uint256 amount
    ) internal pure returns (uint256 paid) {
        paid = haircut(t, u, amount);
        burnMatured(t, a, amount);
        t.poolCash -= paid.toUint128();
        credit(t, a, paid);
    }

    /// @notice Writes off an account's debt: insurance pays the pool, the rest is borne by the pool's equity and,
    /// where that is used up, by the junior claims through h.
    function writeOff(LedgerTotals memory t, AccountLedger memory a, UnrealizedTotals memory u)
        internal
        pure
        returns (WriteOffReceipt memory receipt)
    {
        receipt.debt = debtOf(a);
        receipt.insurance = WadMath.min(receipt.debt, t.insuranceCash);
        t.insuranceCash -= receipt.insurance.toUint128();
        t.poolCash += receipt.insurance.toUint128();
        t.debt -= receipt.debt.toUint128();
        a.cash = 0;

        uint256 rest = receipt.debt - receipt.insurance;
        uint256 junior = uint256(t.claims) + u.positive;
        // What junior profit lacks now; up to `rest` of it is this debt's doing.
        uint256 lacking = junior > t.poolCash ? junior - t.poolCash : 0;
        receipt.junior = WadMath.min(rest, lacking);
        receipt.pool = rest - receipt.junior;
    }

    /// @notice Burns a claim, unvested part first: a loss right after a profit undoes it.
    function burnClaim(LedgerTotals memory t, AccountLedger memory a, uint256 amount)
        internal
        view
    {
        if (amount == 0) return;
        uint256 unvested = unvestedOf(a);
        a.unvested = (unvested - WadMath.min(unvested, amount)).toUint128();
        a.vestingUpdatedAt = uint40(block.timestamp);
        a.claim -= amount.toUint128();
        t.claims -= amount.toUint128();
    }

    /// @dev Burns matured claim only; what has not vested goes on vesting as it did.
    function burnMatured(LedgerTotals memory t, AccountLedger memory a, uint256 amount)
        internal
        pure
    {
        a.claim -= amount.toUint128();
        t.claims -= amount.toUint128();
    }

    function _owe(LedgerTotals memory t, AccountLedger memory a, uint256 amount) private pure {
        t.debt += amount.toUint128();
        a.cash -= amount.toInt256().toInt128();
    }

    /// @notice max(cash, 0).
    function principalOf(AccountLedger memory a) internal pure returns (uint256) {
        return a.cash > 0 ? uint256(int256(a.cash)) : 0;
    }

    /// @notice max(−cash, 0).
    function debtOf(AccountLedger memory a) internal pure returns (uint256) {
        return a.cash < 0 ? uint256(-int256(a.cash)) : 0;
    }

    /// @notice Part of the claim that has not vested yet, rounded up.
    function unvestedOf(AccountLedger memory a) internal view returns (uint256) {
        if (block.timestamp >= a.vestingEndsAt) return 0;
        uint256 span = a.vestingEndsAt - a.vestingUpdatedAt;
        return WadMath.mulDivUp(a.unvested, a.vestingEndsAt - block.timestamp, span);
    }

    /// @notice Part of the claim that may be converted.
    function maturedOf(AccountLedger memory a) internal view returns (uint256) {
        return a.claim - unvestedOf(a);
    }

    /// @notice ⌊amount · min(1, L / (J + U⁺))⌋.
    function haircut(LedgerTotals memory t, UnrealizedTotals memory u, uint256 amount)
        internal
        pure
        returns (uint256)
    {
        return shareOf(amount, t.poolCash, uint256(t.claims) + u.positive);
    }

    /// @notice ⌊amount · min(1, poolCash / junior)⌋.
    function shareOf(uint256 amount, uint256 poolCash, uint256 junior)
        internal
        pure
        returns (uint256)
    {
        return junior <= poolCash ? amount : WadMath.mulDivDown(amount, poolCash, junior);
    }
}

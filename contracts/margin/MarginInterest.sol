// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {AccountId} from "../types/Ids.sol";
import {AccountLedger, BorrowState, LedgerTotals} from "../types/Ledger.sol";
import {InterestCurve} from "./InterestCurve.sol";
import {Ledger} from "./Ledger.sol";
import {MarginBase} from "./MarginBase.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Interest on debt, and the only way to load and store an account that may owe.
/// @dev An entry that is loaded for a change has its interest booked first: as debt of the account and of all.
/// Nothing here is read or written while nobody owes.
abstract contract MarginInterest is MarginBase {
    using Ledger for AccountLedger;
    using SafeCastLib for uint256;
    using SafeCastLib for int256;

    BorrowState internal _borrow;
    /// @dev RAY: index at which an account's debt was last booked; 0 without debt.
    mapping(AccountId account => uint256 index) internal _debtIndex;

    constructor() {
        _borrow.index = uint128(InterestCurve.RAY);
    }

    /// @inheritdoc IMarginEngine
    function accrueInterest(AccountId account) external locked {
        LedgerTotals memory t = _totals;
        if (t.debt == 0) return;
        _save(account, _load(account, t));
        _totals = t;
        _setRate(t.debt, t.poolCash);
    }

    /// @inheritdoc IMarginEngine
    function borrowState() external view consistent returns (BorrowState memory) {
        return _borrow;
    }

    /// @inheritdoc IMarginEngine
    function bookedDebt(AccountId account)
        external
        view
        consistent
        returns (uint256 debt, uint256 index)
    {
        return (_accounts[account].debtOf(), _debtIndex[account]);
    }

    /// @dev An account's entry with what it owes now.
    function _accrued(AccountId account) internal view returns (AccountLedger memory a) {
        a = _accounts[account];
        if (a.cash >= 0) return a;
        uint256 index = InterestCurve.currentIndex(_borrow);
        uint256 debt = InterestCurve.grown(a.debtOf(), _debtIndex[account], index);
        a.cash = -debt.toInt256().toInt128();
    }

    /// @dev Loads an account for a change: its interest is part of `a` and of `t` from here on.
    function _load(AccountId account, LedgerTotals memory t)
        internal
        returns (AccountLedger memory a)
    {
        a = _accrued(account);
        if (a.cash >= 0) return a;
        uint256 interest = uint256(int256(_accounts[account].cash) - a.cash);
        if (interest == 0) return a;
        t.debt += interest.toUint128();
        emit InterestAccrued(account, interest, InterestCurve.currentIndex(_borrow));
    }

    /// @dev Stores an account that `_load` returned; call `_saveTotals` after the last.
    function _save(AccountId account, AccountLedger memory a) internal {
        int256 before = _accounts[account].cash;
        if (before < 0 || a.cash < 0) {
            uint256 debt = a.debtOf();
            uint256 index = InterestCurve.currentIndex(_borrow);
            _borrow.scaledDebt = _borrow.scaledDebt
                - InterestCurve.scaled(before < 0 ? uint256(-before) : 0, _debtIndex[account])
                + InterestCurve.scaled(debt, index);
            _debtIndex[account] = debt == 0 ? 0 : index;
        }
        _accounts[account] = a;
    }

    /// @dev Stores the totals. The rate follows what utilisation depends on; time until now was at the old one.
    function _saveTotals(LedgerTotals memory t) internal {
        (uint256 debt, uint256 poolCash) = (_totals.debt, _totals.poolCash);
        _totals = t;
        // Nobody owed and nobody owes, or nothing moved.
        if ((debt | t.debt) == 0 || (debt == t.debt && poolCash == t.poolCash)) return;
        _setRate(t.debt, t.poolCash);
    }

    /// @dev Accrues the index at the rate that held until now, and sets the rate anew.
    function _setRate(uint256 debt, uint256 poolCash) internal {
        BorrowState memory b = _borrow;
        uint256 index = InterestCurve.currentIndex(b);
        uint256 rate;
        if (debt != 0) {
            // Booked or not, interest is owed: booking some account's changes neither sum nor rate.
            debt = InterestCurve.total(b.scaledDebt, index);
            rate = _riskEngine.borrowRate(debt, poolCash);
        }
        b.index = index.toUint128();
        b.rate = uint64(rate);
        b.updatedAt = uint40(block.timestamp);
        _borrow = b;
        emit BorrowRateSet(rate, index);
    }
}

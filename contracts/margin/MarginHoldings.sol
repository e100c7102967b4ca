// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TokenScale} from "../libraries/TokenScale.sol";
import {AccountId, CollateralId} from "../types/Ids.sol";
import {AccountLedger, LedgerTotals} from "../types/Ledger.sol";
import {Ledger} from "./Ledger.sol";
import {MarginBatch} from "./MarginBatch.sol";

/// @notice What accounts hold, on its way in, out and between them.
abstract contract MarginHoldings is MarginBatch {
    using Ledger for AccountLedger;
    using Ledger for LedgerTotals;

    /// @dev Takes settlement token units out of an account's principal. Of the totals only the principal changes.
    function _takePrincipal(AccountId account, uint256 amountTokens) internal {
        AccountLedger memory a = _accounts[account];
        uint256 amount = TokenScale.toWad(amountTokens, _settlementDecimals);
        uint256 held = a.principalOf();
        if (amount > held) {
            revert MarginEngine_InsufficientBalance(
                account,
                CollateralId.wrap(SETTLEMENT),
                TokenScale.toTokensDown(held, _settlementDecimals),
                amountTokens
            );
        }
        LedgerTotals memory t;
        t.principal = _totals.principal;
        t.debit(a, amount);
        (_accounts[account].cash, _totals.principal) = (a.cash, t.principal);
    }

    function _addCollateral(AccountId account, CollateralId collateral, uint256 amountTokens)
        internal
    {
        _collateral[account][collateral] += amountTokens;
        if (amountTokens != 0) _accounts[account].collateralMask |= _bit(collateral);
    }

    function _removeCollateral(AccountId account, CollateralId collateral, uint256 amountTokens)
        internal
    {
        uint256 held = _collateral[account][collateral];
        if (amountTokens > held) {
            revert MarginEngine_InsufficientBalance(account, collateral, held, amountTokens);
        }
        _collateral[account][collateral] = held - amountTokens;
        if (held == amountTokens) _accounts[account].collateralMask &= ~_bit(collateral);
    }

    function _takeCollateral(AccountId account, CollateralId collateral, uint256 amountTokens)
        internal
    {
        _removeCollateral(account, collateral, amountTokens);
        _totalCollateral[collateral] -= amountTokens;
    }

    function _tokenOf(CollateralId collateral) internal view returns (address) {
        if (CollateralId.unwrap(collateral) == SETTLEMENT) return _settlementToken;
        return _riskParameters.collateralToken(collateral);
    }

    function _forfeitCollateral(AccountId account, AccountLedger memory a) internal {
        for (uint8 i = 1; a.collateralMask >> i != 0; ++i) {
            if ((a.collateralMask >> i) & 1 == 0) continue;
            CollateralId id = CollateralId.wrap(i);
            uint256 amountTokens = _collateral[account][id];
            _collateral[account][id] = 0;
            _totalCollateral[id] -= amountTokens;
            emit CollateralForfeited(account, id, amountTokens);
        }
        a.collateralMask = 0;
    }

    function _bit(CollateralId collateral) internal pure returns (uint16) {
        return uint16(1 << CollateralId.unwrap(collateral));
    }
}

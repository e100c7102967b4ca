// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {TokenScale} from "../libraries/TokenScale.sol";
import {LedgerVault} from "../margin/LedgerVault.sol";
import {Action} from "../types/Action.sol";
import {Compartment} from "../types/Compartment.sol";

/// @title Stakers who pay for bad debt before the pool does, and earn fees for it
/// @notice Shares in the compartment's insurance cash. Losses lower it for all shares alike.
contract InsuranceFund is LedgerVault {
    constructor(Compartment memory wiring)
        LedgerVault(wiring, "Bulkhead Insurance", "bhINS", Action.FundDeposit, Action.FundWithdraw)
    {}

    function _enterValue() internal view override returns (uint256) {
        return TokenScale.toTokensUp(_marginEngine.totals().insuranceCash, _assetDecimals);
    }

    function _leaveValue() internal view override returns (uint256) {
        return TokenScale.toTokensDown(_marginEngine.totals().insuranceCash, _assetDecimals);
    }

    function _isOpen() internal pure override returns (bool) {
        return true;
    }

    function _isPriced() internal pure override returns (bool) {
        return true;
    }

    function _refresh() internal override {}

    function _book(uint256 amountTokens) internal override {
        _marginEngine.creditInsurance(amountTokens);
    }

    function _pay(uint256 amountTokens, address receiver) internal override {
        _marginEngine.debitInsurance(amountTokens, receiver);
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAccountOperators} from "../interfaces/IAccountOperators.sol";
import {IMarginEngine} from "../interfaces/IMarginEngine.sol";
import {Action} from "../types/Action.sol";
import {Call, CallTarget} from "../types/Call.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId} from "../types/Ids.sol";
import {AccountLedger} from "../types/Ledger.sol";
import {AccountValuation} from "../types/Valuation.sol";
import {MarginBase} from "./MarginBase.sol";
import {MarginViews} from "./MarginViews.sol";

/// @notice Who acts, whether they may, and several acts with one check of margin.
/// @dev Between two acts of a batch the lock is free, but no code runs that is not the compartment's: whoever is called
/// out to is called from within an act that holds the lock, or by a static call, as the contracts that sign orders. So
/// nobody acts as `_actor` who is not meant to.
abstract contract MarginBatch is MarginViews {
    uint256 internal constant MAX_BATCH = 32;
    /// @dev Bit 0 of an account's entry: its check is put off. Bit 1 + a: it was asked for by action a.
    uint256 private constant PUT_OFF = 1;
    /// @dev Domain of the entries in transient storage; they are keyed by hashes, `_actor` and the lock by slots.
    uint256 private constant ENTRIES = uint256(keccak256("bulkhead.MarginBatch.entries"));

    IAccountOperators internal immutable _accountOperators;

    /// @dev Whose acts those of the running batch are; zero outside of one.
    address private transient _actor;

    constructor(Compartment memory wiring) MarginBase(wiring) {
        _accountOperators = IAccountOperators(wiring.accountOperators);
    }

    /// @inheritdoc IMarginEngine
    function batch(AccountId[] calldata accounts, Call[] calldata calls)
        external
        returns (bytes[] memory results)
    {
        results = _batch(msg.sender, accounts, calls);
    }

    /// @inheritdoc IMarginEngine
    function simulate(address actor_, AccountId[] calldata accounts, Call[] calldata calls)
        external
    {
        if (actor_ == address(0)) revert MarginEngine_InvalidActor(actor_);
        bytes[] memory results = _batch(actor_, accounts, calls);
        AccountValuation[] memory valuations = new AccountValuation[](accounts.length);
        for (uint256 i; i < accounts.length; ++i) {
            valuations[i] = _riskEngine.valuation(accounts[i], _standing(accounts[i]));
        }
        revert MarginEngine_Simulated(results, valuations);
    }

    /// @inheritdoc IMarginEngine
    function requireInitialMargin(AccountId account, Action action) external only(_perpExchange) {
        _requireInitialMargin(account, action);
    }

    /// @inheritdoc IMarginEngine
    function actor() external view returns (address) {
        return _actor;
    }

    function _batch(address actor_, AccountId[] calldata accounts, Call[] calldata calls)
        private
        returns (bytes[] memory results)
    {
        if (_entered) revert CompartmentLock_Locked();
        if (_actor != address(0)) revert MarginEngine_NestedBatch();
        if (calls.length == 0 || calls.length > MAX_BATCH) {
            revert MarginEngine_CallCount(calls.length, MAX_BATCH);
        }
        if (accounts.length > MAX_BATCH) {
            revert MarginEngine_AccountCount(accounts.length, MAX_BATCH);
        }
        _actor = actor_;
        for (uint256 i; i < accounts.length; ++i) {
            _setEntry(accounts[i], PUT_OFF);
        }
        results = new bytes[](calls.length);
        for (uint256 i; i < calls.length; ++i) {
            results[i] = _perform(calls[i]);
        }
        for (uint256 i; i < accounts.length; ++i) {
            uint256 asked = _entry(accounts[i]);
            // An account that is listed again is found checked.
            _setEntry(accounts[i], 0);
            if (asked > PUT_OFF) _checkInitialMargin(accounts[i], asked >> 1);
        }
        _actor = address(0);
    }

    /// @dev The engine calls itself by delegation, so that it stays the actor's call; the others ask for `actor`.
    function _perform(Call calldata call_) private returns (bytes memory) {
        (bool success, bytes memory result) = call_.target == CallTarget.MarginEngine
            ? address(this).delegatecall(call_.data)
            : (call_.target == CallTarget.PerpExchange ? _perpExchange : _signedOrders)
            .call(call_.data);
        if (!success) {
            assembly ("memory-safe") {
                revert(add(result, 0x20), mload(result))
            }
        }
        return result;
    }

    /// @dev Checks now, or notes that the running batch has to in the end.
    function _requireInitialMargin(AccountId account, Action action) internal {
        uint256 entry = _entry(account);
        if (entry == 0) _checkInitialMargin(account, 1 << uint8(action));
        else _setEntry(account, entry | 2 << uint8(action));
    }

    /// @param actions Bit a: prices have to be good enough for action a.
    function _checkInitialMargin(AccountId account, uint256 actions) private view {
        AccountLedger memory a = _accrued(account);
        // Of an account without positions and debt nothing is required, so no price can lock its principal.
        (int256 equity, uint256 required) =
            _riskEngine.uncollateralized(account, a.cash, a.claim, _claimValue(a), actions);
        if (equity >= 0 && uint256(equity) >= required) return;
        _riskEngine.requireCovered(
            account, _holdings(account, a.collateralMask), equity, required, actions
        );
    }

    /// @dev The owner passes without a call.
    function _requireAuthorized(AccountId account, uint8 permission) internal view {
        address caller = _sender();
        if (account.owner() != caller) {
            _accountOperators.requireAuthorized(account, caller, permission);
        }
    }

    /// @dev Whose act this is.
    function _sender() internal view returns (address) {
        return _actor == address(0) ? msg.sender : _actor;
    }

    function _entry(AccountId account) private view returns (uint256 entry) {
        bytes32 slot = _entrySlot(account);
        assembly ("memory-safe") {
            entry := tload(slot)
        }
    }

    function _setEntry(AccountId account, uint256 entry) private {
        bytes32 slot = _entrySlot(account);
        assembly ("memory-safe") {
            tstore(slot, entry)
        }
    }

    function _entrySlot(AccountId account) private pure returns (bytes32) {
        return keccak256(abi.encode(account, ENTRIES));
    }
}

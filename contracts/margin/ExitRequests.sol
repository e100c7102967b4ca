// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ILedgerVault} from "../interfaces/ILedgerVault.sol";
import {ExitRequest} from "../types/Ledger.sol";
import {CompartmentLocked} from "./CompartmentLocked.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {SafeCastLib} from "solady/utils/SafeCastLib.sol";

/// @notice Leaving a vault takes two acts: asking, and redeeming after a cooldown, within a window.
/// @dev Requested shares stay in their owner's balance, which ERC-4626 and everybody who counts shares build on,
/// and go on bearing gains and losses. They cannot be transferred, so a request that has cooled cannot be sold; a
/// request that has lapsed holds nothing any more. A live request is never greater than its owner's balance.
abstract contract ExitRequests is ILedgerVault, ERC4626, CompartmentLocked {
    using SafeCastLib for uint256;

    mapping(address owner => ExitRequest) private _requests;

    constructor(address lock) CompartmentLocked(lock) {}

    /// @dev Seconds that a request cools, and in which it can be used then; a window of 0: nobody has to ask.
    function _exitTerms() internal view virtual returns (uint32 cooldown, uint32 window);

    /// @inheritdoc ILedgerVault
    function requestRedeem(uint256 shares) external locked {
        (uint32 cooldown, uint32 window) = _exitTerms();
        if (window == 0) revert LedgerVault_NoRequestNeeded();
        if (shares == 0) revert LedgerVault_ZeroAmount();
        uint256 held = balanceOf(msg.sender);
        // What an earlier request left; the whole cools anew.
        uint256 free = held - _live(msg.sender).shares;
        if (shares > free) revert LedgerVault_InsufficientShares(msg.sender, free, shares);
        ExitRequest memory r;
        r.shares = (held - free + shares).toUint176();
        r.unlocksAt = uint40(block.timestamp) + cooldown;
        r.expiresAt = r.unlocksAt + window;
        _requests[msg.sender] = r;
        emit RedeemRequested(msg.sender, shares, r.shares, r.unlocksAt, r.expiresAt);
    }

    /// @inheritdoc ILedgerVault
    function cancelRequest() external locked {
        uint256 shares = _live(msg.sender).shares;
        if (shares == 0) revert LedgerVault_NotRequested(msg.sender);
        delete _requests[msg.sender];
        emit RequestCancelled(msg.sender, shares);
    }

    /// @inheritdoc ILedgerVault
    function exitRequest(address owner) external view returns (ExitRequest memory) {
        return _requests[owner];
    }

    /// @dev The request, empty if it has lapsed.
    function _live(address owner) internal view returns (ExitRequest memory r) {
        r = _requests[owner];
        if (block.timestamp > r.expiresAt) delete r;
    }

    /// @dev Shares that their owner may redeem now.
    function _cooled(address owner) internal view returns (uint256) {
        (, uint32 window) = _exitTerms();
        if (window == 0) return balanceOf(owner);
        ExitRequest memory r = _live(owner);
        return block.timestamp < r.unlocksAt ? 0 : r.shares;
    }

    /// @dev The same, for one who redeems: says why there are none.
    function _requireCooled(address owner) internal view returns (uint256) {
        (, uint32 window) = _exitTerms();
        if (window == 0) return balanceOf(owner);
        ExitRequest memory r = _requests[owner];
        if (r.shares == 0) revert LedgerVault_NotRequested(owner);
        if (block.timestamp < r.unlocksAt) {
            revert LedgerVault_Cooling(owner, block.timestamp, r.unlocksAt);
        }
        if (block.timestamp > r.expiresAt) {
            revert LedgerVault_Lapsed(owner, block.timestamp, r.expiresAt);
        }
        return r.shares;
    }

    /// @dev Takes redeemed shares, which have been found to be cooled, off the request.
    function _useRequest(address owner, uint256 shares) internal {
        uint256 requested = _live(owner).shares;
        if (requested == 0) return;
        if (requested <= shares) delete _requests[owner];
        else _requests[owner].shares = (requested - shares).toUint176();
    }

    /// @dev Redeemed shares are off the request before they are burned.
    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) {
            uint256 requested = _live(from).shares;
            uint256 held = balanceOf(from);
            // Whoever has too few shares anyway is told so below.
            if (requested != 0 && value <= held && value > held - requested) {
                revert LedgerVault_InsufficientShares(from, held - requested, value);
            }
        }
        super._update(from, to, value);
    }
}

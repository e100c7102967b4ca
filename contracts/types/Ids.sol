// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice A margin account: the owner's address in the high 20 bytes, a sub-account number in the low 12.
/// Another number is another account: isolated margin is a sub-account of its own.
type AccountId is bytes32;

/// @notice A perpetual market of a compartment, 0 … 15.
type MarketId is uint8;

/// @notice A token that a compartment takes as margin: 0 is the settlement token, 1 … 8 are collaterals.
type CollateralId is uint8;

using AccountIdLib for AccountId global;
using {_sameMarket as ==} for MarketId global;

function _sameMarket(MarketId a, MarketId b) pure returns (bool) {
    return MarketId.unwrap(a) == MarketId.unwrap(b);
}

/// @notice Builds and reads account ids.
library AccountIdLib {
    /// @param holder Owner of the account.
    /// @param subAccount Any number; 0 is the account that rewards are paid to.
    function pack(address holder, uint96 subAccount) internal pure returns (AccountId) {
        return AccountId.wrap(bytes32(bytes20(holder)) | bytes32(uint256(subAccount)));
    }

    function owner(AccountId account) internal pure returns (address) {
        return address(bytes20(AccountId.unwrap(account)));
    }
}

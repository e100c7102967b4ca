// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Names a priced asset or ratio, as a left-aligned ASCII string: `"ETH"` is ETH in settlement
/// units, `"LST/ETH"` is the LST in units of ETH.
type AssetId is bytes32;

using {equals as ==} for AssetId global;

function equals(AssetId a, AssetId b) pure returns (bool) {
    return AssetId.unwrap(a) == AssetId.unwrap(b);
}

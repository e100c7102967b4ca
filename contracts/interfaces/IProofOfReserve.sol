// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAggregatorV3} from "./IAggregatorV3.sol";
import {IBackingSource} from "./IBackingSource.sol";

/// @title Backing of a token by what a proof-of-reserve feed attests
/// @notice Reserves over the token's supply on this chain, rounded down. A token without supply is fully backed.
interface IProofOfReserve is IBackingSource {
    /// @notice Thrown when a constructor parameter lies outside of its bounds.
    error ProofOfReserve_OutOfBounds(
        bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum
    );
    /// @notice Thrown when feed or token has no code.
    error ProofOfReserve_NotAContract(address account);
    /// @notice Thrown when the feed attests less than nothing.
    error ProofOfReserve_NegativeReserves(int256 answer);
    /// @notice Thrown when the attestation is incomplete, from the future, or older than the heartbeat.
    error ProofOfReserve_Outdated(uint256 updatedAt, uint256 timestamp, uint256 heartbeat);

    /// @notice Attests reserves, in whole tokens at its own decimals.
    function feed() external view returns (IAggregatorV3);

    /// @notice The token whose supply is to be backed.
    function token() external view returns (IERC20Metadata);

    /// @notice Seconds for which an attestation counts.
    function heartbeat() external view returns (uint256);
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice What these tests use of forge's cheatcodes.
interface Vm {
    function assume(bool condition) external pure;
    function loadAllocs(string calldata path) external;
    function readFile(string calldata path) external view returns (string memory);
    function envOr(string calldata name, string calldata fallback_)
        external
        view
        returns (string memory);
    function parseJsonUint(string calldata json, string calldata key)
        external
        pure
        returns (uint256);
    function parseJsonAddress(string calldata json, string calldata key)
        external
        pure
        returns (address);
    function parseJsonAddressArray(string calldata json, string calldata key)
        external
        pure
        returns (address[] memory);
    function parseJsonBytes32Array(string calldata json, string calldata key)
        external
        pure
        returns (bytes32[] memory);
    function prank(address sender) external;
    function roll(uint256 number) external;
    function warp(uint256 timestamp) external;
}

/// @dev Where forge puts them: keccak256("hevm cheat code").
Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IAggregatorV3} from "../interfaces/IAggregatorV3.sol";
import {IBackingSource} from "../interfaces/IBackingSource.sol";
import {IProofOfReserve} from "../interfaces/IProofOfReserve.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title Backing of a token by what a proof-of-reserve feed attests
contract ProofOfReserve is IProofOfReserve {
    uint256 private constant MAX_DECIMALS = 18;
    uint256 private constant MAX_HEARTBEAT = 7 days;

    /// @inheritdoc IProofOfReserve
    IAggregatorV3 public immutable feed;
    /// @inheritdoc IProofOfReserve
    IERC20Metadata public immutable token;
    /// @inheritdoc IProofOfReserve
    uint256 public immutable heartbeat;
    /// @dev Lift reserves and supply to 18 decimals.
    uint256 private immutable _reserveUnit;
    uint256 private immutable _supplyUnit;

    /// @param feed_ At most 18 decimals.
    /// @param token_ At most 18 decimals.
    /// @param heartbeat_ Seconds, in [1, 7 days].
    constructor(IAggregatorV3 feed_, IERC20Metadata token_, uint256 heartbeat_) {
        if (address(feed_).code.length == 0) revert ProofOfReserve_NotAContract(address(feed_));
        if (address(token_).code.length == 0) revert ProofOfReserve_NotAContract(address(token_));
        _requireBounds("heartbeat", heartbeat_, 1, MAX_HEARTBEAT);
        uint256 feedDecimals = feed_.decimals();
        uint256 tokenDecimals = token_.decimals();
        _requireBounds("feedDecimals", feedDecimals, 0, MAX_DECIMALS);
        _requireBounds("tokenDecimals", tokenDecimals, 0, MAX_DECIMALS);
        (feed, token, heartbeat) = (feed_, token_, heartbeat_);
        _reserveUnit = 10 ** (MAX_DECIMALS - feedDecimals);
        _supplyUnit = 10 ** (MAX_DECIMALS - tokenDecimals);
    }

    /// @inheritdoc IBackingSource
    function backing() external view returns (uint256) {
        (, int256 answer,, uint256 updatedAt,) = feed.latestRoundData();
        if (
            updatedAt == 0 || updatedAt > block.timestamp || block.timestamp - updatedAt > heartbeat
        ) {
            revert ProofOfReserve_Outdated(updatedAt, block.timestamp, heartbeat);
        }
        if (answer < 0) revert ProofOfReserve_NegativeReserves(answer);
        uint256 supply = token.totalSupply() * _supplyUnit;
        if (supply == 0) return WadMath.WAD;
        return WadMath.mulDivDown(uint256(answer) * _reserveUnit, WadMath.WAD, supply);
    }

    function _requireBounds(bytes32 parameter, uint256 value, uint256 minimum, uint256 maximum)
        private
        pure
    {
        if (value < minimum || value > maximum) {
            revert ProofOfReserve_OutOfBounds(parameter, value, minimum, maximum);
        }
    }
}

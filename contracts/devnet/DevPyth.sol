// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPythMinimal} from "../interfaces/IPythMinimal.sol";

/// @title A Pyth contract that believes whatever it is told, for a fee per update
/// @notice For local chains only. An update is `abi.encode(id, price, conf, expo, publishTime)`; as with Pyth
/// itself, an update that is not newer than what is known changes nothing.
contract DevPyth is IPythMinimal {
    uint256 public immutable feePerUpdate;

    mapping(bytes32 id => Price) private _prices;

    /// @notice Thrown when a feed has no price, as by Pyth.
    error PriceFeedNotFound();
    /// @notice Thrown when less than the fee is paid, as by Pyth.
    error InsufficientFee();

    /// @param feePerUpdate_ Wei.
    constructor(uint256 feePerUpdate_) {
        feePerUpdate = feePerUpdate_;
    }

    /// @inheritdoc IPythMinimal
    function updatePriceFeeds(bytes[] calldata updateData) external payable {
        if (msg.value < getUpdateFee(updateData)) revert InsufficientFee();
        for (uint256 i; i < updateData.length; ++i) {
            (bytes32 id, Price memory price) = abi.decode(updateData[i], (bytes32, Price));
            if (price.publishTime > _prices[id].publishTime) _prices[id] = price;
        }
    }

    /// @inheritdoc IPythMinimal
    function getPriceUnsafe(bytes32 id) external view returns (Price memory price) {
        price = _prices[id];
        if (price.publishTime == 0) revert PriceFeedNotFound();
    }

    /// @inheritdoc IPythMinimal
    function getUpdateFee(bytes[] calldata updateData) public view returns (uint256) {
        return feePerUpdate * updateData.length;
    }
}

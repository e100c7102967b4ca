// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {PythStructs} from "@pythnetwork/pyth-sdk-solidity/PythStructs.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";
import {IPythAdapter} from "../../interfaces/IPythAdapter.sol";
import {WadMath} from "../../libraries/WadMath.sol";

/// @title A Pyth feed as a price source
contract PythAdapter is IPythAdapter {
    /// @dev At −36 the largest mantissa is worth nine units of 10^−18; at 18 it takes 184 bits.
    int32 private constant MIN_EXPONENT = -36;
    int32 private constant MAX_EXPONENT = 18;
    int32 private constant WAD_DECIMALS = 18;

    /// @inheritdoc IPythAdapter
    IPyth public immutable pyth;
    /// @inheritdoc IPythAdapter
    bytes32 public immutable feedId;

    /// @param pyth_ Pyth's contract on this chain.
    /// @param feedId_ Feed of quote units per 1.0 of base. It may have no price yet.
    constructor(IPyth pyth_, bytes32 feedId_) {
        if (address(pyth_).code.length == 0) revert PythAdapter_NotAContract(address(pyth_));
        if (feedId_ == 0) revert PythAdapter_ZeroFeedId();
        pyth = pyth_;
        feedId = feedId_;
    }

    /// @inheritdoc IPythAdapter
    function update(bytes[] calldata updateData) external payable returns (uint256 fee) {
        fee = pyth.getUpdateFee(updateData);
        if (msg.value < fee) revert PythAdapter_FeeNotCovered(msg.value, fee);
        pyth.updatePriceFeeds{value: fee}(updateData);

        uint256 refund = msg.value - fee;
        if (refund == 0) return fee;
        (bool isTaken,) = msg.sender.call{value: refund}("");
        if (!isTaken) revert PythAdapter_RefundFailed(msg.sender, refund);
    }

    /// @inheritdoc IPriceSource
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt)
    {
        PythStructs.Price memory last = pyth.getPriceUnsafe(feedId);
        if (last.price <= 0) revert PythAdapter_NonPositivePrice(last.price);
        if (last.expo < MIN_EXPONENT || last.expo > MAX_EXPONENT) {
            revert PythAdapter_ExponentOutOfRange(last.expo, MIN_EXPONENT, MAX_EXPONENT);
        }

        uint256 mantissa = uint64(last.price);
        if (last.expo >= -WAD_DECIMALS) {
            uint256 factor = 10 ** uint32(WAD_DECIMALS + last.expo);
            return (mantissa * factor, last.conf * factor, last.publishTime);
        }
        uint256 divisor = 10 ** uint32(-(WAD_DECIMALS + last.expo));
        oraclePrice = mantissa / divisor;
        if (oraclePrice == 0) revert PythAdapter_PriceTooSmall(last.price, last.expo);
        return (oraclePrice, WadMath.mulDivUp(last.conf, 1, divisor), last.publishTime);
    }
}

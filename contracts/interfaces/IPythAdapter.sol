// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IPyth} from "@pythnetwork/pyth-sdk-solidity/IPyth.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title A Pyth feed as a price source
/// @notice A pull oracle: whoever needs a fresh price brings the signed update. The adapter answers with the last
/// price that Pyth verified, its confidence and its publish time, all scaled to WAD: the price rounded down, the
/// confidence up. Staleness, too wide a confidence and a publish time in the future are the aggregator's to judge;
/// none of them makes the adapter revert.
interface IPythAdapter is IPriceSource {
    /// @notice Thrown when the Pyth contract has no code.
    error PythAdapter_NotAContract(address pyth);
    /// @notice Thrown when the feed's id is zero.
    error PythAdapter_ZeroFeedId();
    /// @notice Thrown when the price's mantissa is zero or negative.
    error PythAdapter_NonPositivePrice(int64 price);
    /// @notice Thrown when the exponent is outside of what can be scaled.
    error PythAdapter_ExponentOutOfRange(int32 expo, int32 minimum, int32 maximum);
    /// @notice Thrown when a positive price is below 10^−18 quote units.
    error PythAdapter_PriceTooSmall(int64 price, int32 expo);
    /// @notice Thrown when less is sent along than Pyth's fee. Wei.
    error PythAdapter_FeeNotCovered(uint256 value, uint256 fee);
    /// @notice Thrown when the sender does not take back what was sent above the fee. Wei.
    error PythAdapter_RefundFailed(address sender, uint256 refund);

    /// @notice Passes signed updates to Pyth, of this feed or of any, pays Pyth's fee out of the value sent along
    /// and sends the rest back. Anyone may call it. Reverts as Pyth does if an update is not authentic.
    /// @dev The adapter keeps neither state nor ether, so a callback from the refund finds nothing half done.
    /// @param updateData As Pyth's price service hands them out.
    /// @return fee Wei paid to Pyth.
    function update(bytes[] calldata updateData) external payable returns (uint256 fee);

    /// @return The Pyth contract that is read.
    function pyth() external view returns (IPyth);

    /// @return Pyth's id of the feed.
    function feedId() external view returns (bytes32);
}

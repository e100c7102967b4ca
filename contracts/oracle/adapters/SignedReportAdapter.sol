// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IPriceSource} from "../../interfaces/IPriceSource.sol";
import {ISignedReportAdapter} from "../../interfaces/ISignedReportAdapter.sol";
import {WadMath} from "../../libraries/WadMath.sol";
import {AssetId} from "../../types/AssetId.sol";

/// @title The median of what k of n known signers report as a price source
contract SignedReportAdapter is ISignedReportAdapter, EIP712 {
    /// @dev One slot.
    struct Median {
        uint128 price;
        uint48 timestamp;
    }

    /// @notice EIP-712 type of what is signed.
    bytes32 public constant REPORT_TYPEHASH =
        keccak256("PriceReport(bytes32 asset,uint256 price,uint256 timestamp)");
    /// @notice Most signers.
    uint256 public constant MAX_SIGNERS = 15;
    /// @notice Seconds by which a signer's clock may be ahead of the chain's.
    uint256 public constant MAX_DRIFT = 15;
    /// @notice Gas that a contract's signature check may use: a multisig of seven.
    uint256 public constant SIGNATURE_GAS = 100_000;

    uint256 private constant MAX_PRICE = uint256(uint128(type(int128).max));
    uint256 private constant MAX_MAX_AGE = 1 days;

    /// @inheritdoc ISignedReportAdapter
    AssetId public immutable asset;
    /// @inheritdoc ISignedReportAdapter
    uint256 public immutable threshold;
    /// @inheritdoc ISignedReportAdapter
    uint256 public immutable maxAge;

    /// @inheritdoc ISignedReportAdapter
    mapping(address => bool) public isSigner;

    address[] private _signers; // Written in the constructor only.
    Median private _median;

    /// @param asset_ What is priced.
    /// @param signers_ 1 to 15 addresses, strictly ascending, none zero.
    /// @param threshold_ Least number of reports, above half of the signers.
    /// @param maxAge_ Seconds for which a report counts, in [1, 1 day].
    constructor(AssetId asset_, address[] memory signers_, uint256 threshold_, uint256 maxAge_)
        EIP712("Bulkhead SignedReportAdapter", "1")
    {
        uint256 count = signers_.length;
        if (count == 0 || count > MAX_SIGNERS) {
            revert SignedReportAdapter_SignerCount(count, MAX_SIGNERS);
        }
        // Bounded first, so that the double does not overflow.
        if (threshold_ > count || 2 * threshold_ <= count) {
            revert SignedReportAdapter_Threshold(threshold_, count);
        }
        if (maxAge_ == 0 || maxAge_ > MAX_MAX_AGE) {
            revert SignedReportAdapter_MaxAge(maxAge_, 1, MAX_MAX_AGE);
        }
        address previous;
        for (uint256 i; i < count; ++i) {
            address signer = signers_[i];
            if (signer <= previous) revert SignedReportAdapter_NotAscending(previous, signer);
            isSigner[signer] = true;
            previous = signer;
        }
        asset = asset_;
        threshold = threshold_;
        maxAge = maxAge_;
        _signers = signers_;
    }

    /// @inheritdoc ISignedReportAdapter
    function submit(Report[] calldata reports) external returns (uint256 price, uint256 timestamp) {
        uint256 count = reports.length;
        if (count < threshold || count > _signers.length) {
            revert SignedReportAdapter_ReportCount(count, threshold, _signers.length);
        }
        uint256[] memory prices = new uint256[](count);
        address previous;
        timestamp = type(uint256).max;
        for (uint256 i; i < count; ++i) {
            Report calldata report = reports[i];
            if (report.signer <= previous) {
                revert SignedReportAdapter_NotAscending(previous, report.signer);
            }
            previous = report.signer;
            _requireValid(report);
            _insert(prices, i, report.price);
            timestamp = WadMath.min(timestamp, report.timestamp);
        }
        uint256 last = _median.timestamp;
        if (timestamp <= last) revert SignedReportAdapter_NotNewer(timestamp, last);

        uint256 middle = count / 2;
        price = count % 2 == 1 ? prices[middle] : (prices[middle - 1] + prices[middle]) >> 1;
        _median = Median(uint128(price), uint48(timestamp));
        emit PriceReported(price, timestamp, count);
    }

    /// @inheritdoc IPriceSource
    function latest()
        external
        view
        returns (uint256 oraclePrice, uint256 confidence, uint256 publishedAt)
    {
        Median memory median = _median;
        if (median.timestamp == 0) revert SignedReportAdapter_NoReport();
        // A time that is still ahead counts as now; what is recorded stays as it was signed.
        publishedAt = WadMath.min(median.timestamp, block.timestamp);
        if (block.timestamp - publishedAt > maxAge) {
            revert SignedReportAdapter_Expired(block.timestamp - publishedAt, maxAge);
        }
        return (median.price, 0, publishedAt);
    }

    /// @inheritdoc ISignedReportAdapter
    function recorded() external view returns (uint256 price, uint256 timestamp) {
        Median memory median = _median;
        return (median.price, median.timestamp);
    }

    /// @inheritdoc ISignedReportAdapter
    function signers() external view returns (address[] memory) {
        return _signers;
    }

    /// @inheritdoc ISignedReportAdapter
    function digestOf(uint256 price, uint256 timestamp) public view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REPORT_TYPEHASH, asset, price, timestamp)));
    }

    function _requireValid(Report calldata report) private view {
        address signer = report.signer;
        if (!isSigner[signer]) revert SignedReportAdapter_UnknownSigner(signer);
        if (report.price == 0 || report.price > MAX_PRICE) {
            revert SignedReportAdapter_PriceOutOfRange(signer, report.price, MAX_PRICE);
        }
        uint256 newest = block.timestamp + MAX_DRIFT;
        if (report.timestamp > newest) {
            revert SignedReportAdapter_FromTheFuture(signer, report.timestamp, newest);
        }
        uint256 oldest = block.timestamp - maxAge;
        if (report.timestamp < oldest) {
            revert SignedReportAdapter_TooOld(signer, report.timestamp, oldest);
        }
        if (!_isSignedBy(signer, digestOf(report.price, report.timestamp), report.signature)) {
            revert SignedReportAdapter_BadSignature(signer);
        }
    }

    /// @dev Like OpenZeppelin's `SignatureChecker`, but a contract gets a fixed gas allowance. One word is copied,
    /// so that a return bomb costs no more than that; sending too little gas only makes a submission fail.
    function _isSignedBy(address signer, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool isValid)
    {
        if (signer.code.length == 0) {
            (address recovered, ECDSA.RecoverError failure,) =
                ECDSA.tryRecoverCalldata(digest, signature);
            return failure == ECDSA.RecoverError.NoError && recovered == signer;
        }
        bytes memory data = abi.encodeCall(IERC1271.isValidSignature, (digest, signature));
        bytes4 magic = IERC1271.isValidSignature.selector;
        assembly ("memory-safe") {
            mstore(0x00, 0)
            isValid := staticcall(SIGNATURE_GAS, signer, add(data, 0x20), mload(data), 0x00, 0x20)
            isValid := and(isValid, and(gt(returndatasize(), 0x1f), eq(mload(0x00), magic)))
        }
    }

    /// @dev Inserts into the first `count` prices, which are in ascending order.
    function _insert(uint256[] memory prices, uint256 count, uint256 price) private pure {
        uint256 i = count;
        while (i > 0 && prices[i - 1] > price) {
            prices[i] = prices[i - 1];
            --i;
        }
        prices[i] = price;
    }
}

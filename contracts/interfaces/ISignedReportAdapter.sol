// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {AssetId} from "../types/AssetId.sol";
import {IPriceSource} from "./IPriceSource.sol";

/// @title The median of what k of n known signers report as a price source
/// @notice Each signer signs `PriceReport(bytes32 asset,uint256 price,uint256 timestamp)` under EIP-712 (domain
/// "Bulkhead SignedReportAdapter", version "1", this chain, this contract). Whoever has reports of k to n different
/// signers submits them together; who submits says nothing about what counts. Signers are accounts (ECDSA, 65 bytes,
/// low s) or contracts (ERC-1271), fixed with the threshold for good: other signers, another adapter.
/// @dev The price is the median of the submitted prices; of an even number the mean of the two in the middle,
/// rounded down. While fewer than half of the submitted reports are false, the median lies between two honest
/// ones, whichever reports the submitter picks. More than half of the signers must report, so two submissions
/// always share a signer.
///
/// The time is the *oldest* of the submitted reports: no price in the median is older than what `publishedAt`
/// says, as everywhere in the oracle. A false signer can thereby make a submission look old, and a submitter can
/// leave it out; with the median of the times, a submitter could pass off stale prices of honest signers as
/// fresh. Recorded times rise strictly, so that no submission counts twice.
interface ISignedReportAdapter is IPriceSource {
    /// @param signer One of the signers.
    /// @param price WAD, quote units per 1.0 of base.
    /// @param timestamp Unix seconds at which the signer observed the price.
    /// @param signature Over the EIP-712 digest of asset, price and timestamp.
    struct Report {
        address signer;
        uint256 price;
        uint256 timestamp;
        bytes signature;
    }

    event PriceReported(uint256 price, uint256 timestamp, uint256 reportCount);

    /// @notice Thrown when there are no signers or too many.
    error SignedReportAdapter_SignerCount(uint256 count, uint256 maximum);
    /// @notice Thrown when signers are not in strictly ascending order: one would count twice. Zero is no signer.
    error SignedReportAdapter_NotAscending(address previous, address signer);
    /// @notice Thrown when the threshold is not above half of the signers, or above all of them.
    error SignedReportAdapter_Threshold(uint256 threshold, uint256 signerCount);
    /// @notice Thrown when the maximum age lies outside of its bounds. Seconds.
    error SignedReportAdapter_MaxAge(uint256 maxAge, uint256 minimum, uint256 maximum);
    /// @notice Thrown when fewer reports than the threshold, or more than there are signers, are submitted.
    error SignedReportAdapter_ReportCount(uint256 count, uint256 threshold, uint256 signerCount);
    /// @notice Thrown when a report's signer is not one of the signers.
    error SignedReportAdapter_UnknownSigner(address signer);
    /// @notice Thrown when a reported price is zero or above the maximum.
    error SignedReportAdapter_PriceOutOfRange(address signer, uint256 price, uint256 maximum);
    /// @notice Thrown when a report's time is after this block by more than the drift. Unix seconds.
    error SignedReportAdapter_FromTheFuture(address signer, uint256 timestamp, uint256 maximum);
    /// @notice Thrown when a report is older than `maxAge`. Unix seconds.
    error SignedReportAdapter_TooOld(address signer, uint256 timestamp, uint256 minimum);
    /// @notice Thrown when a signature is not the signer's over this report, this contract and this chain.
    error SignedReportAdapter_BadSignature(address signer);
    /// @notice Thrown when the oldest report is not newer than what is recorded. Unix seconds.
    error SignedReportAdapter_NotNewer(uint256 timestamp, uint256 recorded);
    /// @notice Thrown when nothing is recorded yet.
    error SignedReportAdapter_NoReport();
    /// @notice Thrown when the recorded price is older than `maxAge`. Seconds.
    error SignedReportAdapter_Expired(uint256 age, uint256 maxAge);

    /// @notice Records the median of the reports. Anyone may call it; all reports count or the call reverts.
    /// @param reports In strictly ascending order of their signers.
    /// @return price WAD, the median.
    /// @return timestamp Unix seconds, the oldest report's.
    function submit(Report[] calldata reports) external returns (uint256 price, uint256 timestamp);

    /// @return What a signer signs for a price (WAD) and a time (Unix seconds).
    function digestOf(uint256 price, uint256 timestamp) external view returns (bytes32);

    /// @return price WAD, the last median; zero if there is none yet.
    /// @return timestamp Unix seconds, its oldest report's; ahead of the clock by at most the drift.
    function recorded() external view returns (uint256 price, uint256 timestamp);

    /// @return All signers, ascending.
    function signers() external view returns (address[] memory);

    /// @return Whether an address is one of the signers.
    function isSigner(address account) external view returns (bool);

    /// @return What is priced; signed with every report.
    function asset() external view returns (AssetId);

    /// @return Least number of reports in a submission.
    function threshold() external view returns (uint256);

    /// @return Seconds for which a report may be submitted, and a recorded price is answered.
    function maxAge() external view returns (uint256);
}

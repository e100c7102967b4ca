// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// @notice Correlations of up to 16 markets, packed, and the check that they can be those of anything.
/// @dev A matrix of correlations is positive definite iff every pivot of its factorisation L·D·Lᵀ is positive; only
/// then is Σᵢⱼ ρᵢⱼ·nᵢ·nⱼ never negative. In fixed point each entry is the exact one of a matrix that differs by at
/// most 1e-18 per product, 16e-18 in all: what is accepted is positive definite, or so near to it that the form is at
/// least −16e-18·(Σ|n|)², far below what the gross floor asks. The margin `LEAST_PIVOT` keeps divisions tame.
library Correlations {
    /// @notice Thrown when a pivot is too small: these markets cannot be correlated like that, or nearly are one.
    error Correlations_NotPositiveDefinite(uint256 market, int256 pivot, int256 leastPivot);

    int256 internal constant LEAST_PIVOT = 1e14;
    int256 private constant WAD = 1e18;
    int256 private constant BPS_WAD = 1e14;

    /// @notice Reverts unless the matrix with this lower triangle and ones on its diagonal is positive definite.
    /// @param lower Basis points, row by row: ρ₁₀, ρ₂₀, ρ₂₁, ρ₃₀ … of `size` markets.
    function requirePositiveDefinite(uint16[] memory lower, uint256 size) internal pure {
        // scaled[i·size + j] = lᵢⱼ·dⱼ, WAD; pivot[j] = dⱼ, WAD.
        int256[] memory scaled = new int256[](size * size);
        int256[] memory pivot = new int256[](size);
        for (uint256 i; i < size; ++i) {
            int256 d = WAD;
            for (uint256 j; j < i; ++j) {
                int256 s = int256(uint256(lower[index(i, j)])) * BPS_WAD;
                for (uint256 k; k < j; ++k) {
                    s -= scaled[i * size + k] * scaled[j * size + k] / pivot[k];
                }
                scaled[i * size + j] = s;
                d -= s * s / pivot[j];
            }
            if (d < LEAST_PIVOT) revert Correlations_NotPositiveDefinite(i, d, LEAST_PIVOT);
            pivot[i] = d;
        }
    }

    /// @notice The row of market `i`: 16 bits per other market, its basis points plus one; 0 for what is not known.
    function row(uint16[] memory lower, uint256 size, uint256 i)
        internal
        pure
        returns (uint256 packed)
    {
        for (uint256 j; j < size; ++j) {
            if (j == i) continue;
            uint256 entry = uint256(j < i ? lower[index(i, j)] : lower[index(j, i)]) + 1;
            packed |= entry << (16 * j);
        }
    }

    /// @dev Place of ρᵢⱼ, j < i.
    function index(uint256 i, uint256 j) internal pure returns (uint256) {
        return i * (i - 1) / 2 + j;
    }
}

// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAuctionCallee} from "../interfaces/IAuctionCallee.sol";
import {ILiquidationEngine} from "../interfaces/ILiquidationEngine.sol";
import {AccountId, CollateralId} from "../types/Ids.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// @title A buyer that uses its callback to call whatever it was told
/// @notice Devnet only: what the compartment's lock must refuse. It pays from its own balance.
contract ReentrantCallee is IAuctionCallee {
    struct Attempt {
        address target;
        bytes data;
    }

    /// @param received Token units of the collateral that it held when called.
    event Called(address token, uint256 amountTokens, uint256 paymentTokens, uint256 received);
    event Attempted(uint256 index, bool success, bytes returndata);

    function approve(address token, address spender) external {
        IERC20(token).approve(spender, type(uint256).max);
    }

    /// @notice Takes from an auction; its callback makes the attempts.
    function take(
        address engine,
        AccountId account,
        CollateralId collateral,
        uint256 maxAmountTokens,
        Attempt[] calldata attempts
    ) external returns (uint256 amountTokens, uint256 paymentTokens) {
        return ILiquidationEngine(engine)
            .takeAuction(
                account,
                collateral,
                maxAmountTokens,
                type(uint256).max,
                address(this),
                abi.encode(attempts)
            );
    }

    /// @notice Makes the attempts outside of any callback, to show what they do there.
    function attempt(Attempt[] calldata attempts) external {
        for (uint256 i; i < attempts.length; ++i) {
            _attempt(i, attempts[i]);
        }
    }

    /// @inheritdoc IAuctionCallee
    function onAuctionTake(
        address token,
        uint256 amountTokens,
        uint256 paymentTokens,
        bytes calldata data
    ) external {
        uint256 received = IERC20(token).balanceOf(address(this));
        emit Called(token, amountTokens, paymentTokens, received);
        Attempt[] memory attempts = abi.decode(data, (Attempt[]));
        for (uint256 i; i < attempts.length; ++i) {
            _attempt(i, attempts[i]);
        }
    }

    function _attempt(uint256 i, Attempt memory a) internal {
        (bool success, bytes memory returndata) = a.target.call(a.data);
        emit Attempted(i, success, returndata);
    }
}

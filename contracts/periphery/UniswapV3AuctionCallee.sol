// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {IAuctionCallee} from "../interfaces/IAuctionCallee.sol";
import {ILiquidationEngine} from "../interfaces/ILiquidationEngine.sol";
import {ISwapRouter} from "../interfaces/ISwapRouter.sol";
import {Compartment} from "../types/Compartment.sol";
import {AccountId, CollateralId} from "../types/Ids.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

/// @title Buys auctioned collateral with the proceeds of selling it on Uniswap v3, in one call
/// @notice A keeper needs no capital: the collateral arrives first, is sold along the given path, pays the auction,
/// and what remains goes to the caller. Holds nothing between calls.
contract UniswapV3AuctionCallee is IAuctionCallee, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;

    ILiquidationEngine internal immutable _liquidationEngine;
    ISwapRouter internal immutable _router;
    IERC20 internal immutable _settlementToken;
    address internal immutable _collateralVault;

    /// @notice Thrown when the callback is not called by the liquidation engine.
    error UniswapV3AuctionCallee_NotLiquidationEngine(address caller);
    /// @notice Thrown when the sale and the auction together leave less than asked for, in token units.
    error UniswapV3AuctionCallee_Unprofitable(uint256 proceeds, uint256 payment, uint256 minProfit);

    constructor(Compartment memory wiring, address router) {
        _liquidationEngine = ILiquidationEngine(wiring.liquidationEngine);
        _router = ISwapRouter(router);
        _settlementToken = IERC20(wiring.settlementToken);
        _collateralVault = wiring.collateralVault;
    }

    /// @notice Takes from an auction and sells what it gets.
    /// @param maxAmountTokens Collateral token units wanted at most.
    /// @param path Uniswap path from the collateral to the settlement token.
    /// @param minProfit Settlement token units that must remain.
    /// @return profit Settlement token units sent to the caller.
    function take(
        AccountId account,
        CollateralId collateral,
        uint256 maxAmountTokens,
        bytes calldata path,
        uint256 minProfit
    ) external nonReentrant returns (uint256 profit) {
        uint256 before = _settlementToken.balanceOf(address(this));
        _liquidationEngine.takeAuction(
            account,
            collateral,
            maxAmountTokens,
            type(uint256).max,
            address(this),
            abi.encode(path, minProfit)
        );
        profit = _settlementToken.balanceOf(address(this)) - before;
        _settlementToken.safeTransfer(msg.sender, profit);
    }

    /// @inheritdoc IAuctionCallee
    function onAuctionTake(
        address token,
        uint256 amountTokens,
        uint256 paymentTokens,
        bytes calldata data
    ) external {
        if (msg.sender != address(_liquidationEngine)) {
            revert UniswapV3AuctionCallee_NotLiquidationEngine(msg.sender);
        }
        (bytes memory path, uint256 minProfit) = abi.decode(data, (bytes, uint256));
        IERC20(token).forceApprove(address(_router), amountTokens);
        // The bound on the outcome is the profit check below, which is what the keeper cares about.
        uint256 proceeds = _router.exactInput(
            ISwapRouter.ExactInputParams({
                path: path,
                recipient: address(this),
                deadline: block.timestamp,
                amountIn: amountTokens,
                amountOutMinimum: 0
            })
        );
        if (proceeds < paymentTokens + minProfit) {
            revert UniswapV3AuctionCallee_Unprofitable(proceeds, paymentTokens, minProfit);
        }
        _settlementToken.forceApprove(_collateralVault, paymentTokens);
    }
}

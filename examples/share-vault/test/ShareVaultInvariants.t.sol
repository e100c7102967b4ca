// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Handler, VaultSetUp} from "./Handler.sol";

/// @title What holds for the vault after every call
contract ShareVaultInvariants is VaultSetUp {
    /// @dev In one function, as forge plays all calls anew for each.
    function invariant_books() external view {
        (uint256 assets, uint256 shares) = vault.totals();
        require(assets == vault.totalAssets(), "totals and totalAssets differ");
        require(assets == asset.balanceOf(address(vault)), "totalAssets is not what is in the pot");

        uint256 heldShares;
        uint256 heldAssets = assets;
        uint256 redeemable;
        for (uint256 i = 0; i < 3; i++) {
            address actor = handler.actors(i);
            uint256 balance = vault.balanceOf(actor);
            heldShares += balance;
            heldAssets += asset.balanceOf(actor);
            redeemable += vault.previewRedeem(balance);
        }
        require(heldShares == shares, "balances do not add up to the shares");
        require(heldAssets == asset.totalSupply(), "assets were lost");
        require(redeemable <= assets, "people's shares are worth more than the pot");
        require(vault.convertToAssets(shares) <= assets, "all shares are worth more than the pot");
        require(!handler.priceFell(), "a call made a share worth less");
    }
}

/// @title One view after every call, and no more
/// @notice The measure of forge's speed: the other ways of testing look at this one view, too, and do what is done
/// here, the three operations of `fuzz_target.py`.
contract ShareVaultTotals is VaultSetUp {
    function chosen() internal pure override returns (bytes4[] memory selectors) {
        selectors = new bytes4[](3);
        selectors[0] = Handler.deposit.selector;
        selectors[1] = Handler.withdraw.selector;
        selectors[2] = Handler.donate.selector;
    }

    function invariant_totals() external view {
        (uint256 assets, uint256 shares) = vault.totals();
        require(assets == handler.assets(), "assets");
        require(shares == handler.shares(), "shares");
    }
}

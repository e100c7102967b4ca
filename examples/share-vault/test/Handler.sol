// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Asset} from "../contracts/Asset.sol";
import {BuggyShareVault} from "../contracts/BuggyShareVault.sol";
import {ShareVault} from "../contracts/ShareVault.sol";

/// @dev The part of forge's cheat codes that is used here.
interface Vm {
    function prank(address sender) external;
    function envOr(string calldata name, bool otherwise) external view returns (bool);
}

Vm constant VM = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

/// @title Three people who do to a vault whatever it lets them
/// @notice It adds up what their calls should have left in the vault.
contract Handler {
    uint256 private constant MOST_IN = 1e24;

    Asset public immutable asset;
    ShareVault public immutable vault;
    address[3] public actors;

    uint256 public assets;
    uint256 public shares;
    /// @notice Whether a call has made a share worth less.
    bool public priceFell;

    constructor(Asset asset_, ShareVault vault_) {
        asset = asset_;
        vault = vault_;
        for (uint256 i = 0; i < actors.length; i++) {
            actors[i] = address(uint160(0xA11CE + i));
            VM.prank(actors[i]);
            asset_.approve(address(vault_), type(uint256).max);
            asset_.mint(actors[i], type(uint96).max);
        }
    }

    function deposit(uint256 who, uint256 to, uint256 amount) external {
        amount %= MOST_IN;
        VM.prank(_actor(who));
        uint256 minted = vault.deposit(amount, _actor(to));
        _record(assets + amount, shares + minted);
    }

    function mint(uint256 who, uint256 to, uint256 amount) external {
        amount %= MOST_IN;
        VM.prank(_actor(who));
        uint256 paid = vault.mint(amount, _actor(to));
        _record(assets + paid, shares + amount);
    }

    function withdraw(uint256 who, uint256 to, uint256 amount) external {
        amount %= vault.maxWithdraw(_actor(who)) + 2;
        VM.prank(_actor(who));
        uint256 burned = vault.withdraw(amount, _actor(to), _actor(who));
        _record(assets - amount, shares - burned);
    }

    function redeem(uint256 who, uint256 to, uint256 amount) external {
        amount %= vault.maxRedeem(_actor(who)) + 2;
        VM.prank(_actor(who));
        uint256 paid = vault.redeem(amount, _actor(to), _actor(who));
        _record(assets - paid, shares - amount);
    }

    function transfer(uint256 who, uint256 to, uint256 amount) external {
        amount %= vault.balanceOf(_actor(who)) + 2;
        VM.prank(_actor(who));
        vault.transfer(_actor(to), amount);
    }

    function donate(uint256 who, uint256 amount) external {
        amount %= MOST_IN;
        VM.prank(_actor(who));
        asset.transfer(address(vault), amount);
        _record(assets + amount, shares);
    }

    function _record(uint256 assets_, uint256 shares_) private {
        if ((assets_ + 1) * (shares + 1) < (assets + 1) * (shares_ + 1)) priceFell = true;
        assets = assets_;
        shares = shares_;
    }

    function _actor(uint256 seed) private view returns (address) {
        return actors[seed % actors.length];
    }
}

/// @title A vault with its people, and what forge is to call
/// @notice `PLANTED_BUG=true forge test` puts the vault with the bug in its place.
abstract contract VaultSetUp {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    Asset internal asset;
    ShareVault internal vault;
    Handler internal handler;

    function setUp() external {
        asset = new Asset();
        vault = VM.envOr("PLANTED_BUG", false)
            ? new BuggyShareVault(address(asset))
            : new ShareVault(address(asset));
        handler = new Handler(asset, vault);
    }

    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0] = FuzzSelector(address(handler), chosen());
    }

    /// @notice What forge calls, everything unless a test says otherwise.
    function chosen() internal pure virtual returns (bytes4[] memory selectors) {
        selectors = new bytes4[](6);
        selectors[0] = Handler.deposit.selector;
        selectors[1] = Handler.mint.selector;
        selectors[2] = Handler.withdraw.selector;
        selectors[3] = Handler.redeem.selector;
        selectors[4] = Handler.transfer.selector;
        selectors[5] = Handler.donate.selector;
    }
}

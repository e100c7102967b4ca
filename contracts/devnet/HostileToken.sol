// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {DevToken} from "./DevToken.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that takes a fee, blocks holders, returns nothing or calls back, as it is told
/// @notice Devnet only: what custody must survive. Its storage is that of `DevToken`, so that its code may be put in
/// the place of one. The owner pays no fee and is not called back.
contract HostileToken is DevToken {
    uint256 internal constant BPS = 10_000;

    uint256 public feeBps;
    bool public isSilent;
    mapping(address account => bool) public isBlocked;
    address internal _callee;
    bytes internal _calldata;

    event CalledBack(bool success, bytes returndata);

    /// @notice Thrown for a transfer to or from a blocked account.
    error HostileToken_Blocked(address account);

    constructor(string memory name_, string memory symbol_, uint8 decimals_)
        DevToken(name_, symbol_, decimals_)
    {}

    /// @param feeBps_ Part of each transfer that is burned.
    function setFee(uint256 feeBps_) external onlyOwner {
        feeBps = feeBps_;
    }

    /// @param isSilent_ Whether transfers return no data at all, like those of early tokens.
    function setSilent(bool isSilent_) external onlyOwner {
        isSilent = isSilent_;
    }

    function setBlocked(address account, bool isBlocked_) external onlyOwner {
        isBlocked[account] = isBlocked_;
    }

    /// @notice Every transfer calls `callee` with `data` before it moves anything; nobody is called if it is zero.
    function setCallback(address callee, bytes calldata data) external onlyOwner {
        (_callee, _calldata) = (callee, data);
    }

    /// @inheritdoc ERC20
    function transfer(address to, uint256 amount) public override returns (bool) {
        super.transfer(to, amount);
        return _answer();
    }

    /// @inheritdoc ERC20
    function transferFrom(address from, address to, uint256 amount) public override returns (bool) {
        super.transferFrom(from, to, amount);
        return _answer();
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (isBlocked[from]) revert HostileToken_Blocked(from);
        if (isBlocked[to]) revert HostileToken_Blocked(to);
        if (_callee != address(0)) {
            (bool success, bytes memory returndata) = _callee.call(_calldata);
            emit CalledBack(success, returndata);
        }
        bool isTransfer = from != address(0) && to != address(0);
        uint256 fee = isTransfer ? amount * feeBps / BPS : 0;
        super._update(from, to, amount - fee);
        if (fee != 0) super._update(from, address(0), fee);
    }

    function _answer() internal view returns (bool) {
        if (isSilent) {
            assembly {
                return(0, 0)
            }
        }
        return true;
    }
}

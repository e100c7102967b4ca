"""JSON-RPC against a real node, and against what is none."""

from __future__ import annotations

import http.server
import socket
import threading

import pytest

from bulkhead.chain.rpc import Rpc, RpcConnectionError, RpcError

NOBODY = "0x00000000000000000000000000000000000000AA"
# Deploys a contract that reverts with the first 32 bytes of its calldata.
REVERTER = bytes.fromhex("600b600c600039600b6000f3" + "60003560005260206000fd")


def test_request__unknown_method__raises_with_code_and_method(rpc):
    with pytest.raises(RpcError, match="eth_noSuchThing") as caught:
        rpc.request("eth_noSuchThing")
    assert caught.value.code == -32601
    assert caught.value.data == b""


def test_request__no_node__says_where():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RpcConnectionError, match=url):
            Rpc(url).block_number()


def test_init__not_http__refused():
    with pytest.raises(ValueError, match="not an HTTP address"):
        Rpc("ws://127.0.0.1:8545")


def test_batch__failure_in_the_middle__others_answer_in_order(rpc, alice):
    results = rpc.batch(
        [
            ("eth_chainId", []),
            ("eth_getBalance", ["not an address", "latest"]),
            ("eth_getBalance", [alice, "latest"]),
        ]
    )
    assert results[0] == "0x7a69"
    assert isinstance(results[1], RpcError)
    assert int(results[2], 16) == rpc.balance(alice)


def test_batch__nothing__asks_nobody():
    assert Rpc("http://127.0.0.1:1").batch([]) == []


def test_send__automine__receipt_is_there(rpc, alice, bob):
    before = rpc.balance(bob)
    receipt = rpc.await_receipt(rpc.send(alice, bob, b"", value=5))
    assert receipt.success
    assert receipt.gas_used == 21_000
    assert receipt.block_number == rpc.block_number()
    assert receipt.sender.lower() == alice.lower()
    assert rpc.balance(bob) == before + 5


def test_send__no_automine__mined_in_order_of_arrival(rpc, alice, bob):
    rpc.set_automine(False)
    hashes = [rpc.send(alice, bob, b"", value=i) for i in range(5)]
    with pytest.raises(TimeoutError, match="not mined"):
        rpc.await_receipt(hashes[0], timeout_seconds=0)
    rpc.mine()
    receipts = rpc.block_receipts(rpc.block_number())
    assert [r.hash for r in receipts] == hashes
    assert [r.transaction_index for r in receipts] == list(range(5))


def test_call__revert__carries_the_data(rpc, alice):
    created = rpc.send_sync(alice, None, REVERTER).contract_address
    word = bytes(range(32))
    with pytest.raises(RpcError) as caught:
        rpc.call(created, word)
    assert caught.value.code == 3
    assert caught.value.data == word


def test_call__creation_code__returns_runtime_code(rpc, alice):
    runtime = rpc.call(None, REVERTER, alice)
    created = rpc.send_sync(alice, None, REVERTER).contract_address
    assert runtime == rpc.code(created)


def test_mine__timestamp__is_the_blocks(rpc):
    now = rpc.timestamp()
    rpc.mine(now + 1_000)
    assert rpc.timestamp() == now + 1_000
    rpc.set_next_timestamp(now + 5_000)
    rpc.mine()
    assert rpc.timestamp() == now + 5_000


def test_revert__snapshot__undoes_and_is_used_up(rpc):
    snapshot = rpc.snapshot()
    rpc.set_balance(NOBODY, 7)
    assert rpc.balance(NOBODY) == 7
    rpc.revert(snapshot)
    assert rpc.balance(NOBODY) == 0
    with pytest.raises(RpcError, match="no snapshot"):
        rpc.revert(snapshot)


def test_block__unknown__raises(rpc):
    with pytest.raises(RpcError, match="no block"):
        rpc.block(10**6)


class _Flaky(http.server.BaseHTTPRequestHandler):
    """Answers, promises to keep the connection, and hangs up."""

    protocol_version = "HTTP/1.1"
    seen: list[bytes]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append(body)
        answer = b'{"jsonrpc":"2.0","id":1,"result":"0x1"}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        self.close_connection = True

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def flaky():
    _Flaky.seen = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Flaky)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", _Flaky.seen
    server.shutdown()
    server.server_close()


def _settle(rpc: Rpc) -> None:
    """Wait until the server's hanging up has arrived here."""
    rpc._connection.sock.settimeout(5)
    assert rpc._connection.sock.recv(1) == b""


def test_request__connection_dropped_while_idle__asked_again(flaky):
    url, seen = flaky
    rpc = Rpc(url)
    rpc.block_number()
    _settle(rpc)
    assert rpc.block_number() == 1
    assert len(seen) == 2


def test_send__connection_dropped__never_repeated(flaky):
    url, seen = flaky
    rpc = Rpc(url)
    rpc.block_number()
    _settle(rpc)
    with pytest.raises(RpcConnectionError):
        rpc.send(NOBODY, NOBODY, b"")
    assert sum(b"eth_sendTransaction" in body for body in seen) == 0


def test_request__not_json__says_so():
    class NotJson(_Flaky):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), NotJson)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        with pytest.raises(RpcConnectionError, match="does not speak JSON-RPC"):
            Rpc(f"http://127.0.0.1:{server.server_port}").block_number()
    finally:
        server.shutdown()
        server.server_close()

"""Several servers that belong together: a master with a replica and three Sentinels, a cluster of three; one with TLS."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import redis

from nexus_middleware.stores.embedded import find_server
from tests.conftest import free_port


def wait_for(what: Callable[[], Any], seconds: float = 20) -> Any:
    """Return what `what` returns once it is true."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(redis.RedisError):  # it is not there yet, or does not know yet
            if found := what():
                return found
        assert time.monotonic() < deadline, f"it did not come to be: {what}"
        time.sleep(0.05)


class Node:
    """One server of several."""

    def __init__(
        self, folder: Path, *options: str, port: int | None = None, file: str = "", binary: str = "", **client: Any
    ) -> None:
        self.port = port or free_port()
        self.folder = folder / str(self.port)
        self.folder.mkdir()
        (self.folder / "server.conf").write_text(file)
        listens = [] if "--port" in options else ["--port", str(self.port)]
        self._words = [binary or find_server(), str(self.folder / "server.conf"), *listens, "--bind", "127.0.0.1"]
        self._words += ["--dir", str(self.folder), "--save", "", *options]
        self.client = redis.Redis("127.0.0.1", self.port, socket_timeout=5, **client)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(self._words, stdout=subprocess.DEVNULL)
        wait_for(self.client.ping)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        self.client.close()
        self.kill()


class Fleet:
    """Several nodes."""

    nodes: list[Node]

    def settle(self, master: Node) -> None:
        """Wait until some replica has all that `master` has: what it has not is lost with the master."""
        offset = master.client.info("replication")["master_repl_offset"]
        others = [node for node in self.nodes if node is not master]
        wait_for(lambda: any(_has(node, offset, master.port) for node in others))

    def stop(self) -> None:
        for node in self.nodes:
            node.stop()


def _has(node: Node, offset: int, port: int) -> bool:
    told = node.client.info("replication") if node.process.poll() is None else {}
    return told.get("master_port") == port and told.get("slave_repl_offset", -1) >= offset


class Sentinels(Fleet):
    """A master, a replica, and three Sentinels that hold a silent master for dead after a second."""

    def __init__(self, folder: Path) -> None:
        self.master = Node(folder)
        self.replica = Node(folder, "--replicaof", f"127.0.0.1 {self.master.port}")
        watch = f"sentinel monitor shop 127.0.0.1 {self.master.port} 2\n"
        watch += "sentinel down-after-milliseconds shop 1000\nsentinel failover-timeout shop 5000\n"
        self.watchers = [Node(folder, "--sentinel", file=watch) for _ in range(3)]
        self.nodes = [self.master, self.replica, *self.watchers]
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.watchers)
        self.url = f"redis+sentinel://{hosts}/shop/0"
        for node in self.watchers:
            wait_for(lambda node=node: self._complete(node))

    def name(self, node: Node) -> bool:
        """Whether all Sentinels say that `node` is the master."""
        named = [each.client.sentinel_get_master_addr_by_name("shop") for each in self.watchers]
        return all(address[1] == node.port for address in named)

    def _complete(self, node: Node) -> bool:
        told: Any = node.client.sentinel_master("shop")
        return told["num-other-sentinels"] == 2 and told["num-slaves"] == 1


class Cluster(Fleet):
    """Three masters, each with a third of the slots, and a replica of each of them."""

    def __init__(self, folder: Path) -> None:
        options = ("--cluster-enabled", "yes", "--cluster-node-timeout", "1000")
        buses = [free_port() for _ in range(6)]  # by default 10,000 above the port, where another may listen
        self.nodes = [Node(folder, *options, "--cluster-port", str(bus)) for bus in buses]
        masters, hosts = self.nodes[:3], [f"127.0.0.1:{node.port}" for node in self.nodes]
        for i, node in enumerate(masters):
            node.client.execute_command("CLUSTER ADDSLOTSRANGE", 5462 * i, min(16383, 5462 * (i + 1) - 1))
            node.client.execute_command("CLUSTER SET-CONFIG-EPOCH", i + 1)
        for node in self.nodes[1:]:
            node.client.execute_command("CLUSTER MEET", "127.0.0.1", masters[0].port, buses[0])
        for node, master in zip(self.nodes[3:], masters, strict=True):
            ident = master.client.cluster("myid")
            wait_for(lambda node=node, ident=ident: node.client.execute_command("CLUSTER REPLICATE", ident))
        for node in self.nodes:
            wait_for(lambda node=node: node.client.cluster("info")["cluster_state"] == "ok")
        for node in self.nodes[3:]:
            wait_for(lambda node=node: node.client.info("replication")["master_link_status"] == "up")
        self.url = "redis+cluster://" + ",".join(hosts)

    def holder(self, key: str) -> Node:
        """Return the master that has `key`."""
        slot: int = self.nodes[0].client.execute_command("CLUSTER KEYSLOT", key)
        (port,) = (row[2][1] for row in self._slots() if row[0] <= slot <= row[1])
        return next(node for node in self.nodes if node.port == port)

    def _slots(self) -> list[Any]:
        asked = redis.Redis(port=self.nodes[-1].port)
        with asked:
            return asked.execute_command("CLUSTER", "SLOTS")  # in two words redis-py leaves the reply as it is


def certificates(folder: Path) -> dict[str, Path]:
    """Make an authority, and what it signed for 127.0.0.1; where each file is."""
    files = {name: folder / name for name in ("ca.key", "ca.pem", "server.key", "server.csr", "server.pem", "alt")}
    files["alt"].write_text("subjectAltName=IP:127.0.0.1\n")
    key: Sequence[str] = ("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    signs = ("-CA", files["ca.pem"], "-CAkey", files["ca.key"], "-CAcreateserial", "-out", files["server.pem"])
    for words in (
        [*key, "-x509", "-days", "2", "-subj", "/CN=tests", "-keyout", files["ca.key"], "-out", files["ca.pem"]],
        [*key, "-subj", "/CN=redis", "-keyout", files["server.key"], "-out", files["server.csr"]],
        ["x509", "-req", "-days", "2", "-in", files["server.csr"], "-extfile", files["alt"], *signs],
    ):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return files

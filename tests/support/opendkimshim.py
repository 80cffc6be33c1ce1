"""An `opendkim` for its own test scripts: takes -x CONF -p SOCKET, runs our daemon behind them.

    python opendkimshim.py -x t-sign-rs.conf -p unix:/PATH

NAME
    opendkimshim - opendkim.conf translated by `postseal migrate`, a name server for
    TestPublicKeys, our daemon on a socket of its own, and a relay between the two sockets

GIVES
    the exit status of what failed; otherwise it runs until it is ended.

THE RELAY
    changes two things.  The last word to a message is ACCEPT with OpenDKIM and CONTINUE with us.
    Both mean the same to an MTA, since no step follows; the scripts insist on theirs.  And
    macros of MAIL go out with MAIL, as an MTA sends them: miltertest puts a HELO of its own
    between them when a filter wants HELO, as OpenDKIM does not, and libmilter forgets them.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "milter"), str(ROOT / "keys"), str(ROOT / "tests")]

from support.dnsserver import DnsServer  # noqa: E402

PR_SET_PDEATHSIG = 1
START_SECONDS = 20.0
MODIFICATIONS = "+-2hime bpq"  # answers that are not the last one

relayed: set[socket.socket] = set()  # connections to the daemon


def main() -> int:
    parser = argparse.ArgumentParser(prog="opendkim")
    parser.add_argument("-x", dest="conf", type=Path, required=True)
    parser.add_argument("-p", dest="socket")
    parser.add_argument("-n", dest="only_check", action="store_true")
    told, _ = parser.parse_known_args()
    # Beside the scripts, with which it goes away.
    place = Path(tempfile.mkdtemp(prefix="shim-", dir=Path.cwd().parent))
    place.chmod(0o755)
    with DnsServer(_public_keys(told.conf), ttl=1) as dns:
        inner = place / "socket"
        config = place / "postseal.toml"
        # Relative names count from the directory that the scripts run in.
        text = _translated(told.conf).replace('"testkey', f'"{Path.cwd()}/testkey')
        config.write_text(_top(inner, dns.address) + text)
        if told.only_check:
            return _postseal("check-config", "--config", str(config)).wait()
        daemon = _postseal("run", "--config", str(config))
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: _end(daemon))
        deadline = time.monotonic() + START_SECONDS
        while not inner.exists():
            if daemon.poll() is not None or time.monotonic() > deadline:
                return daemon.wait()
            time.sleep(0.02)
        threading.Thread(target=_listen, args=(told.socket, inner), daemon=True).start()
        return daemon.wait()


def _end(daemon: subprocess.Popen[bytes]) -> None:
    """A script that gives up leaves its message unfinished, which the daemon would wait for."""
    daemon.terminate()
    for ours in tuple(relayed):
        with suppress(OSError):
            ours.shutdown(socket.SHUT_RDWR)


def _postseal(*words: str) -> subprocess.Popen[bytes]:
    """Our command; it ends with this process, however that ends."""
    libc = ctypes.CDLL(None)
    return subprocess.Popen(
        [sys.executable, "-m", "postseal.cli.main", *words],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'milter'}:{ROOT / 'keys'}"},
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
    )


def _top(inner: Path, nameserver: str) -> str:
    """What the scripts have no option for."""
    user = 'user = "nobody"\n' if os.geteuid() == 0 else ""
    return (
        f'authserv_id = "unknown-host"\nsocket = "unix:{inner}"\nworkers = 1\n{user}'
        f'dns.nameservers = ["{nameserver}"]\ndns.timeout = 0.5\n'
    )


def _translated(conf: Path) -> str:
    """postseal.toml but for what _top() says.  Raises ConfigError."""
    from postseal.conf.migrate_opendkim import migrate

    text = migrate(conf).result()
    return re.sub(r"(?m)^(socket|socket_mode|user|pid_file|authserv_id) = .*\n", "", text)


def _public_keys(conf: Path) -> dict[tuple[str, str], tuple[bytes, ...]]:
    """Of the file that TestPublicKeys names: a name and its record on a line."""
    found = re.search(r"(?m)^TestPublicKeys\s+(\S+)", conf.read_text())
    records: dict[tuple[str, str], tuple[bytes, ...]] = {}
    if found:
        for line in Path(found[1]).read_bytes().splitlines():
            name, _, text = line.strip().partition(b" ")
            if name:
                records[name.decode().lower(), "TXT"] = (text.strip(),)
    return records


def _listen(name: str, inner: Path) -> None:
    """Relay every connection."""
    kind, _, rest = name.partition(":")
    if kind in ("unix", "local"):
        with suppress(FileNotFoundError):
            Path(rest).unlink()
        server = socket.socket(socket.AF_UNIX)
        server.bind(rest)
    else:
        port, _, host = rest.partition("@")
        server = socket.create_server((host or "127.0.0.1", int(port)))
    server.listen()
    while True:
        outer, _ = server.accept()
        threading.Thread(target=_relay, args=(outer, inner), daemon=True).start()


def _relay(outer: socket.socket, inner: Path) -> None:
    with socket.socket(socket.AF_UNIX) as ours, outer:
        ours.connect(str(inner))
        relayed.add(ours)
        ended = threading.Event()  # end of message was sent, its last answer is due
        macros = b""
        threading.Thread(target=_answers, args=(ours, outer, ended), daemon=True).start()
        while packet := _packet(outer):
            if packet[4:6] == b"DM":
                macros = packet
                continue
            if packet[4:5] == b"M":
                packet = macros + packet
            if packet[4:5] == b"E":
                ended.set()
            ours.sendall(packet)
        relayed.discard(ours)
        with suppress(OSError):
            ours.shutdown(socket.SHUT_WR)


def _answers(ours: socket.socket, outer: socket.socket, ended: threading.Event) -> None:
    with suppress(OSError):
        while packet := _packet(ours):
            if ended.is_set() and packet[4:5] == b"c":
                packet = packet[:4] + b"a"
            if packet[4:5] not in MODIFICATIONS.encode():
                ended.clear()
            outer.sendall(packet)
        outer.shutdown(socket.SHUT_RDWR)


def _packet(sock: socket.socket) -> bytes:
    """One packet with its length; b"" at the end."""
    with suppress(OSError):
        head = sock.recv(4, socket.MSG_WAITALL)
        if len(head) == 4:
            return head + sock.recv(int.from_bytes(head), socket.MSG_WAITALL)
    return b""


if __name__ == "__main__":
    sys.exit(main())

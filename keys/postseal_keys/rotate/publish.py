"""Bring a TXT record into DNS: on paper, by nsupdate, or by a program.

NAME
    publish - the Publisher protocol and three of its kind

GIVES
    put(name, text): the TXT records of name are this one, or (text None) there is none.
    Doing it twice does what doing it once does.  Raises Problem when it was refused.

DOES NOT
    wait until the record can be seen: the machine looks.

SEE ALSO
    RFC 2136 (dynamic update), RFC 8945 (TSIG).
"""

from __future__ import annotations

import contextlib
import os
import re
import signal
import stat
import subprocess
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol

import dns.exception
import dns.name
import dns.query
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import dns.update

from postseal_keys.console import CONFIG, NOINPUT, UNAVAILABLE, Problem, os_problem, warn
from postseal_keys.dnsask import Address, absolute
from postseal_keys.formats.txt import quoted

TIMEOUT = 20.0  # seconds for one update
HOOK_TIMEOUT = 300.0  # seconds for the program
LAST_WORDS = 4096  # octets at the end of a program's output that are looked at


class Publisher(Protocol):
    """Whoever can change the zone."""

    def put(self, name: str, text: str | None, /) -> None:
        """Make text the only TXT record of name; None: remove it."""
        ...


def by_hand(name: str, ttl: int, text: str | None) -> str:
    """What somebody is to do: the zone file line to publish; None: to remove the record."""
    if text is None:
        return f"to be removed by hand: {name}. TXT"
    return f"to be published by hand: {name}. {ttl} IN TXT {quoted(text)}"


@dataclass(frozen=True, slots=True)
class Print:
    """Says what is to be published; somebody does it by hand."""

    say: Callable[[str], object]
    ttl: int

    def put(self, name: str, text: str | None, /) -> None:
        """Print the zone file line."""
        self.say(by_hand(name, self.ttl, text))


@dataclass(frozen=True, slots=True)
class Hook:
    """Runs PROGRAM add|delete NAME TTL [TEXT]; no shell in between."""

    program: Sequence[str]
    ttl: int

    def put(self, name: str, text: str | None, /) -> None:
        """Run the program; a status other than 0 is a refusal."""
        action = ["delete", name, str(self.ttl)] if text is None else ["add", name, str(self.ttl)]
        words = [*self.program, *action, *([] if text is None else [text])]
        run_program(words, what="hook")


def run_program(words: Sequence[str], *, what: str) -> None:
    """Run a program with nothing on its standard input.  Raises Problem if it fails."""
    try:
        with tempfile.TemporaryFile() as said:  # no pipe: what it starts may outlive it
            status = _status(words, said)
            last = _last_line(said) if status else ""
    except OSError as error:
        raise os_problem(error, hint=f"{what}: give the whole path", code=CONFIG) from None
    except subprocess.TimeoutExpired:
        raise Problem(
            f"{what}: {words[0]} did not end within {HOOK_TIMEOUT:.0f} s",
            hint="it is run again next time",
            code=UNAVAILABLE,
        ) from None
    if status:
        ended = f"ended with {status}"
        if status < 0:
            ended = f"was ended by signal {-status}"
        raise Problem(
            f"{what}: {words[0]} {ended}{last}",
            hint="it is run again next time",
            code=UNAVAILABLE,
        )


def _status(words: Sequence[str], said: BinaryIO) -> int:
    """How the program ended.  When it takes too long, all that it started ends with it."""
    with subprocess.Popen(
        list(words), stdin=subprocess.DEVNULL, stdout=said, stderr=said, process_group=0
    ) as process:
        try:
            return process.wait(HOOK_TIMEOUT)
        except BaseException:  # Ctrl-C too: it is in a group of its own and does not get that
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            raise


def _last_line(output: BinaryIO) -> str:
    """What a program said last, as the end of a sentence; it may have said megabytes."""
    output.seek(max(0, output.seek(0, os.SEEK_END) - LAST_WORDS))
    lines = output.read(LAST_WORDS).decode("utf-8", "replace").strip().splitlines()
    return f": {lines[-1][-200:]}" if lines else ""


_LONG_NAMES = {"hmac-md5": "hmac-md5.sig-alg.reg.int"}  # RFC 8945 section 6


@dataclass(frozen=True, slots=True)
class Tsig:
    """A TSIG key: its name, algorithm, and the secret in base64, which no text ever shows."""

    name: str
    algorithm: str
    secret: str

    def ring(self) -> dict[dns.name.Name, dns.tsig.Key]:
        """The key as dnspython wants it.  Raises ValueError or DNSException."""
        algorithm = self.algorithm.lower().removesuffix(".")
        algorithm = _LONG_NAMES.get(algorithm, algorithm)
        return dns.tsigkeyring.from_text({self.name: (algorithm, self.secret)})

    def __repr__(self) -> str:
        return f"Tsig({self.name!r}, {self.algorithm!r})"


_KEY = re.compile(
    r'key\s+"?(?P<name>[^\s"{;]+)"?\s*\{'
    r'(?=[^}]*\balgorithm\s+"?(?P<algorithm>[A-Za-z0-9.-]+)"?\s*;)'
    r'[^}]*\bsecret\s+"?(?P<secret>[A-Za-z0-9+/=]+)"?\s*;'
)


def tsig(path: str, prog: str) -> Tsig:
    """The key in a file as tsig-keygen writes it.  Raises Problem."""
    try:
        text = Path(path).read_text("utf-8")
        mode = stat.S_IMODE(Path(path).stat().st_mode)
    except OSError as error:
        raise os_problem(error, hint="tsig: a file from tsig-keygen", code=NOINPUT) from None
    except UnicodeDecodeError:
        text, mode = "", 0
    match = _KEY.search(text)
    if match is None:
        raise Problem(f"{path}: no TSIG key", hint="make one with tsig-keygen", code=CONFIG)
    found = Tsig(match["name"], match["algorithm"], match["secret"])
    if why := _unusable(found):
        raise Problem(f"{path}: {why}", hint="make one with tsig-keygen", code=CONFIG)
    if mode & 0o007:
        warn(prog, f"{path}: mode {mode:04o} lets everybody change the zone", f"chmod 640 {path}")
    return found


def _unusable(key: Tsig) -> str:
    """Why updates cannot be signed with the key; "" when they can."""
    try:
        (ring,) = key.ring().values()
    except (ValueError, dns.exception.DNSException):
        return "the secret of the TSIG key is not base64, or its name not one of DNS"
    if ring.algorithm not in dns.tsig.mac_sizes:
        return f"there is no TSIG algorithm {key.algorithm}"
    return ""


@dataclass(frozen=True, slots=True)
class NsUpdate:
    """Dynamic update, signed with TSIG when there is a key."""

    server: Address
    key: Tsig | None
    ttl: int
    zone_of: Callable[[str], str]  # the zone that a name is in; "" when that is not known

    def put(self, name: str, text: str | None, /) -> None:
        """Replace the TXT records of name."""
        zone = absolute(self.zone_of(name))
        owner = absolute(name)
        if owner is None or zone is None or zone == dns.name.root:
            raise Problem(
                f"the zone of {name} was not found",
                hint="is the domain spelled right, and does the resolver answer?",
                code=UNAVAILABLE,
            )
        update = self._message(zone)
        if text is None:
            update.delete(owner, "TXT")
        else:
            update.replace(owner, self.ttl, "TXT", quoted(text))
        try:
            response = dns.query.tcp(
                update, self.server.host, port=self.server.port, timeout=TIMEOUT
            )
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise self._refused(name, str(error) or type(error).__name__) from None
        if response.rcode() != dns.rcode.NOERROR:
            raise self._refused(name, dns.rcode.to_text(response.rcode()))

    def _message(self, zone: dns.name.Name) -> dns.update.UpdateMessage:
        if self.key is None:
            return dns.update.UpdateMessage(zone)
        return dns.update.UpdateMessage(zone, keyring=self.key.ring())

    def _refused(self, name: str, why: str) -> Problem:
        return Problem(
            f"{self.server} did not take the update of {name}: {why}",
            hint="check tsig and the zone's update policy; it is tried again next time",
            code=UNAVAILABLE,
        )

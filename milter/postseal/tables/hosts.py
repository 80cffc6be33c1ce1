"""Lists of client hosts: names, domains, addresses and networks, with exceptions.

NAME
    hosts - entries as the administrator writes them, and whether a client is among them

GIVEN
    entries: mx.example.org, .example.org, 192.0.2.1, 192.0.2.0/24, 2001:db8::/32,
    each with ! for an exception, addresses also in brackets.

GIVES
    HostList (a core.roles.HostSet), and a Remark for each entry that is refused or
    was read in another way than it is written.

    texts(): what to ask a table elsewhere for, which knows texts alone.

DOES NOT
    ask DNS: names are those the MTA has verified, and are compared as text.

SEE ALSO
    core/roles.py.  OpenDKIM's InternalHosts has the same order: the full name, its
    parents, the address, its networks from the smallest; of equals the exception wins.
    Here an exception by name is final; there the address could still match.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Any, Protocol

from postseal.conf.mistake import Severity
from postseal.core.names import BadDomain, ascii_domain

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_ADDRESS = re.compile(
    r"(?P<open>\[)?(?P<address>[0-9A-Fa-f:.]+)(?(open)\])(?:/(?P<bits>[0-9]{1,3}))?"
)
MOST_PARENTS = 12  # of a client's name that a table elsewhere is asked for
_RANGE = re.compile(r"[0-9.]+-[0-9.]+")
_MASK = re.compile(r"[0-9.]+/[0-9]+\.[0-9.]+")


@dataclass(frozen=True, slots=True)
class Remark:
    """What there is to say about an entry."""

    entry: str
    severity: Severity
    what: str
    hint: str = ""


class EntryError(ValueError):
    """The entry is refused."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(what)


class HostTable(Protocol):
    """A table of entries somewhere else."""

    def says(self, address: Address | None, name: str, /) -> bool | None:
        """True for listed, False for excepted, None for neither.  Raises SigningUnavailable."""
        ...


@dataclass(slots=True)
class HostList:
    """True and False stand for listed and excepted.  beyond is asked where neither is said."""

    names: dict[str, bool] = field(default_factory=dict)
    networks: dict[tuple[int, int], dict[int, bool]] = field(default_factory=dict)
    beyond: list[HostTable] = field(default_factory=list)
    _lengths: tuple[tuple[int, int], ...] = ()

    def __len__(self) -> int:
        return len(self.names) + sum(map(len, self.networks.values())) + len(self.beyond)

    def matches(self, address: Address | None, name: str, /) -> bool:
        """Whether the client is listed.  name is its verified host name, "" without one.

        Raises SigningUnavailable when only a table elsewhere could say, and does not.
        """
        word = self._by_name(name) if name and self.names else None
        if word is None and address is not None:
            word = self._by_address(address)
        for table in self.beyond:
            if word is not None:
                break
            word = table.says(address, name)
        return bool(word)

    def _by_name(self, name: str) -> bool | None:
        name = name.lower().rstrip(".")
        at = 0
        while at >= 0:
            word = self.names.get(name[at:])
            if word is not None:
                return word
            at = name.find(".", at + 1)
        return None

    def _by_address(self, address: Address) -> bool | None:
        address = _plain(address)
        number, width = int(address), address.max_prefixlen
        for key in self._lengths:
            version, bits = key
            if version == address.version:
                word = self.networks[key].get(number >> (width - bits))
                if word is not None:
                    return word
        return None

    def add(self, entry: str) -> Remark | None:
        """Take one entry in.  Raises EntryError."""
        text = entry.removeprefix("!").strip()
        listed = not entry.startswith("!")
        match = _ADDRESS.fullmatch(text)
        if match is None or not (":" in text or text[:1].isdigit() or text.startswith("[")):
            self._put(self.names, _name(text), listed)
            return None
        network, remark = _network(match["address"], match["bits"])
        bits = network.prefixlen
        key = (network.version, bits)
        number = int(network.network_address) >> (network.max_prefixlen - bits)
        self._put(self.networks.setdefault(key, {}), number, listed)
        self._lengths = tuple(sorted(self.networks, key=lambda one: -one[1]))
        if bits == 0 and listed:
            remark = "is every client there is"
        return Remark(entry, Severity.NOTE, remark) if remark else None

    @staticmethod
    def _put(table: dict[Any, bool], key: str | int, listed: bool) -> None:
        table[key] = table.get(key, True) and listed


def texts(address: Address | None, name: str) -> list[str]:
    """Every entry that could be meant, the one that counts most first: as HostList looks.

    Names and their parents, the address, its networks; the exception before each.
    """
    made: list[tuple[str, ...]] = []
    if name:
        name = name.lower().rstrip(".")
        dots = [at for at, char in enumerate(name) if char == "."]
        made += [(name,), *((name[at:],) for at in dots[-MOST_PARENTS:])]
    if address is not None:
        address = _plain(address)
        whole = address.max_prefixlen
        made.append((str(address), f"{address}/{whole}"))
        made += [
            (str(ip_network(f"{address}/{bits}", strict=False)),)
            for bits in range(whole - 1, -1, -1)
        ]
    return [text for same in made for sign in ("!", "") for text in (sign + one for one in same)]


def _plain(address: Address) -> Address:
    """IPv4 as such."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(address: str, bits: str | None) -> tuple[Network, str]:
    """The network, and what is unusual about how it was written."""
    remark = ""
    octets = address.split(".")
    if ":" not in address and len(octets) < 4 and bits is not None and all(octets):
        address = ".".join([*octets, "0", "0", "0"][:4])
        remark = f"is read as {address}/{bits}"
    try:
        network = ip_network(f"{address}/{bits}" if bits else address, strict=False)
    except ValueError:
        raise EntryError(
            "is neither an address nor a network", "write 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32"
        ) from None
    if isinstance(network, IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped:
            network = IPv4Network((mapped, network.prefixlen - 96))
    if bits and address != str(network.network_address) and not remark and "::ffff" not in address:
        remark = f"is read as {network}"
    return network, remark


def _name(text: str) -> str:
    """A host name, or a domain with its leading dot, in normal form."""
    if _RANGE.fullmatch(text) or _MASK.fullmatch(text):
        raise EntryError("is not a form that is read", "write the network as 192.0.2.0/24")
    if text.startswith("*."):
        raise EntryError("patterns are not read", f"for all hosts below write {text[1:]}")
    if text.lower() == "unknown":
        raise EntryError(
            "is what Postfix calls every client without a verified name",
            "list the addresses of the clients that are meant",
        )
    try:
        return ("." if text.startswith(".") else "") + ascii_domain(text.removeprefix("."))
    except BadDomain as error:
        raise EntryError(
            f"is neither a host name nor an address ({error.why})",
            "write mx.example.org, .example.org, 192.0.2.1 or 192.0.2.0/24",
        ) from None


def try_add(made: HostList, entry: str) -> Remark | None:
    """Take an entry in, or say why not."""
    try:
        return made.add(entry)
    except EntryError as error:
        return Remark(entry, Severity.ERROR, str(error), error.hint)


def build(entries: Iterable[str]) -> tuple[HostList, tuple[Remark, ...]]:
    """The list of all entries that can be used, and what there is to say about any."""
    made = HostList()
    remarks = [try_add(made, entry) for entry in entries]
    return made, tuple(remark for remark in remarks if remark)

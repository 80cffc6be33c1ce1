"""Received-SPF: what SPF found, for those who still read it there.

NAME
    received_spf - compose one Received-SPF field

GIVEN
    a Result and the facts of the transaction.

GIVES
    the field's value, folded, printable ASCII, in the grammar of RFC 7208 section 9.1.
    What a sender chose (local part, HELO, terms of the SPF record) can neither end a pair
    nor begin one, for readers that look for `;` or `identity=` without minding quotes either.

DOES NOT
    read such a field.  Whoever wrote one was not us, and believing it let mail of any
    domain pass elsewhere (CVE-2019-20790); results travel in memory.
"""

from __future__ import annotations

import re

from postseal.core.spf import Result, Status
from postseal.core.transaction import Address

_VALUE_MAX = 320
_ATEXT = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_DOT_ATOM = re.compile(rf"{_ATEXT}(?:\.{_ATEXT})*")
_UNSAFE = re.compile(r"[^ !#-'*-:<-\[\]-~]")  # outside printable ASCII, and `" ( ) ; \`
_KEYS = "client-ip|envelope-from|helo|identity|mechanism|problem|receiver"
_PAIR = re.compile(rf"({_KEYS})[ ]*=", re.IGNORECASE)
_SAYS = {
    Status.PASS: "{domain} designates {ip} as permitted sender",
    Status.FAIL: "{domain} does not designate {ip} as permitted sender",
    Status.SOFTFAIL: "{domain} discourages use of {ip} as sender",
    Status.NEUTRAL: "{ip} is neither permitted nor denied by {domain}",
    Status.NONE: "{domain} does not designate permitted senders",
    Status.PERMERROR: "permanent error in processing the record of {domain}",
    Status.TEMPERROR: "temporary error in processing the record of {domain}",
    Status.POLICY: "local policy for {domain}",
}


def compose(
    result: Result, *, client: Address | None, helo: str, sender: str, receiver: str
) -> bytes:
    """The value of the field, without leading space; folds are CRLF and a tab."""
    ip = str(client) if client is not None else "unknown"
    domain = _plain(result.domain) or "the domain"
    comment = _SAYS[result.status].format(domain=domain, ip=ip)
    pairs = {
        "receiver": receiver,
        "identity": result.identity,
        "client-ip": ip,
        "envelope-from": sender or f"postmaster@{helo}",
        "helo": helo,
        "mechanism": result.mechanism or "default",
    }
    if result.detail and result.status in (Status.PERMERROR, Status.TEMPERROR):
        pairs["problem"] = result.detail
    lines = [f"{result.status.value} ({_plain(receiver)}: {comment})"]
    lines += [f"{key}={_value(text)};" for key, text in pairs.items()]
    return "\r\n\t".join(lines).encode("ascii")


def _value(text: str) -> str:
    """A dot-atom as it is, anything else as a quoted-string of harmless characters."""
    text = _plain(text)
    return text if _DOT_ATOM.fullmatch(text) else f'"{text}"'


def _plain(text: str) -> str:
    """What ends no comment, no quoted string and no pair, and begins no pair."""
    return _PAIR.sub(r"\1?", _UNSAFE.sub("?", text[:_VALUE_MAX]))

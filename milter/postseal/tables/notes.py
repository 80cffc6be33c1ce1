"""What a configuration says and perhaps does not mean.

NAME
    notes - settings that are accepted, with a word of warning

GIVEN
    a Configuration, and its tables elsewhere.

GIVES
    notes(): mistakes of severity NOTE.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_address

from postseal.conf.load import Configuration
from postseal.conf.mistake import Mistake, Severity
from postseal.tables.remote import Remote

# Postfix's milter_content_timeout: when the answer to the end of a message takes longer,
# milter_default_action decides about it.
POSTFIX_WAITS = 300.0


def notes(configuration: Configuration, remotes: Sequence[Remote]) -> Iterator[Mistake]:
    """Everything to be pointed out."""
    for found in (
        _name(configuration),
        _socket(configuration),
        _unused(configuration),
        _patience(configuration, remotes),
    ):
        for mistake in found:
            yield replace(mistake, severity=Severity.NOTE)


def _name(configuration: Configuration) -> Iterator[Mistake]:
    """A name for our results that nobody chose, and that is hardly what Postfix calls itself.

    Fields that strangers forged under the full name would stay in the mail.
    """
    settings = configuration.settings
    name = settings.authserv_id
    if "." not in name and "authserv_id" not in settings.model_fields_set:
        yield configuration.mistake(
            ("authserv_id",),
            f"this host knows no full name of its own: results are written as {name}",
            "set it to what postconf -h myhostname prints",
        )


def _socket(configuration: Configuration) -> Iterator[Mistake]:
    """A socket that is open to everybody."""
    socket = configuration.settings.socket
    if not socket.startswith("inet"):
        return
    listens, _, host = socket.partition("@")
    if not host or _is_any(host):
        loopback = "::1" if socket.startswith("inet6") else "127.0.0.1"
        yield configuration.mistake(
            ("socket",),
            f"{socket} listens on every address of this host",
            f"name one, as {listens}@{loopback}: a milter does not ask who it is talking to",
        )


def _is_any(host: str) -> bool:
    """Whether the host is 0.0.0.0 or ::."""
    try:
        return ip_address(host).is_unspecified
    except ValueError:
        return False


def _unused(configuration: Configuration) -> Iterator[Mistake]:
    """A [[table]] that no option names."""
    settings = configuration.settings
    sign, roles = settings.sign, settings.roles
    named = {sign.key_table, sign.signing_table, sign.sender_login}
    named.update(roles.internal_hosts, roles.peers)
    for number, one in enumerate(settings.table):
        if f"table:{one.name}" not in named:
            yield configuration.mistake(
                ("table", number, "name"),
                f"nothing asks this table: no option says table:{one.name}",
                "key_table, signing_table, sender_login, internal_hosts and peers can",
            )


def _patience(configuration: Configuration, remotes: Sequence[Remote]) -> Iterator[Mistake]:
    """Time-outs that add up to more than Postfix waits.

    A message of ours asks every table elsewhere in turn, each as long as it may take; where no
    key signs for it, it is checked as well, and DNS is asked.
    """
    waits = [("dns.seconds", configuration.settings.dns.seconds)]
    waits += [(f"table {one.name}", one.seconds) for one in remotes]
    total = sum(seconds for _, seconds in waits)
    if total >= POSTFIX_WAITS:
        parts = ", ".join(f"{name} {seconds:g}" for name, seconds in waits)
        yield configuration.mistake(
            ("dns", "seconds"),
            f"one message may wait {total:g} seconds ({parts}); Postfix gives up after"
            f" {POSTFIX_WAITS:g}",
            "make dns.seconds and the timeout of the tables smaller, or milter_content_timeout"
            " in main.cf larger",
        )

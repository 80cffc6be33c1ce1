"""The kinds of value an option can have: how they are written, and what they become.

NAME
    kinds - durations, lists, paths, sockets and names, as types for the option model

GIVES
    Annotated types.  Each reads what TOML gives and raises ValueError with a
    sentence that says what was expected, or returns the one form the program uses.

DOES NOT
    look at files, or at other options: tables/site.py and conf/check.py do.
"""

from __future__ import annotations

import os
import re
from datetime import date, datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, ValidationInfo

from postseal.core.action import MARK
from postseal.core.names import BadDomain, ascii_domain

CREDENTIAL = "credential:"  # systemd.exec(5)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_DURATION = re.compile(r"([0-9]{1,9})\s*([smhdw])")
_FIELD_NAME = re.compile(r"X-[A-Za-z0-9-]{1,60}")  # never a field that means something already
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,255}")
_PORT_AT_HOST = re.compile(r"(?P<port>[0-9]{1,5})(?:@(?P<host>.+))?")
_HOST_PORT = re.compile(r"(?P<host>\[[^\]]+\]|[^\[\]:]+):(?P<port>[0-9]{1,5})")


def seconds(value: Any) -> Any:
    """90, "90s", "5m", "12h", "14d" or "2w" as whole seconds."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError('expected seconds, or a number with s, m, h, d or w such as "14d"')
        return int(match[1]) * _UNITS[match[2]]
    return value


def listed(value: Any) -> Any:
    """A TOML array, or one string with commas, as a tuple of its non-empty parts."""
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, list) else value


def rows(value: Any) -> Any:
    """A TOML array, as it is."""
    return tuple(value) if isinstance(value, list) else value


def path(value: Any, info: ValidationInfo) -> Any:
    """A file name; a relative one counts from the configuration file's directory."""
    if not isinstance(value, str):
        return value
    if not value or "\0" in value:
        raise ValueError("expected the name of a file")
    if value.startswith(CREDENTIAL):
        return credential(value)
    base = (info.context or {}).get("base")
    return Path(base, value) if base is not None else Path(value)


def credential(text: str) -> Path:
    """The file behind credential:NAME, where systemd puts it (LoadCredential=).

    Raises ValueError when the daemon was started without credentials.
    """
    name = text.removeprefix(CREDENTIAL)
    folder = os.environ.get("CREDENTIALS_DIRECTORY", "")
    if not name or name in (".", "..") or "/" in name or "\0" in name:
        raise ValueError(f"{name!r} is not the name of a credential")
    if not folder:
        raise ValueError(
            f"there are no credentials here; systemd gives them with LoadCredential={name}:PATH"
        )
    return Path(folder, name)


def optional_path(value: Any, info: ValidationInfo) -> Any:
    """As path(); the empty string is none."""
    return None if value == "" else path(value, info)


def table_file(value: Any, info: ValidationInfo) -> Any:
    """file:PATH, or a file name alone, as path(); the empty string is none."""
    if isinstance(value, str) and value.startswith("file:"):
        return path(value.removeprefix("file:"), info)
    return optional_path(value, info)


def mode(value: Any, info: ValidationInfo) -> Any:
    """File permissions in octal, as in chmod(1): "0660"."""
    if isinstance(value, str) and re.fullmatch(r"0?[0-7]{3}", value):
        return int(value, 8)
    if isinstance(value, int) and not isinstance(value, bool):
        if info.context is None:  # from Python, not from a file
            return value
        raise ValueError(f'expected octal digits in quotes, such as "0660", not the number {value}')
    raise ValueError('expected three octal digits such as "0660"')


def socket(value: Any) -> Any:
    """A socket in libmilter's form or Postfix's, given back in libmilter's.

    inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH, local:/PATH; inet:HOST:PORT as Postfix
    writes it; and a bare /PATH.
    """
    if not isinstance(value, str):
        raise ValueError("expected a socket such as inet:8891@127.0.0.1 or unix:/run/postseal.sock")
    text = value.strip()
    family, colon, rest = text.partition(":")
    if text.startswith("/"):
        family, rest = "unix", text
    elif not colon:
        raise ValueError(f"expected a socket such as inet:8891@127.0.0.1, not {value!r}")
    match family:
        case "unix" | "local":
            return _unix(rest)
        case "inet" | "inet6":
            return _inet(family, rest)
    raise ValueError(f"unknown kind of socket {family!r}: expected inet, inet6, unix or local")


def _unix(name: str) -> str:
    if not name.startswith("/") or "\0" in name:
        raise ValueError("the name of a unix socket starts with /")
    if len(name.encode()) > 107:  # sun_path holds 108 octets with its NUL
        raise ValueError("the name of a unix socket has at most 107 octets")
    return f"unix:{name}"


def _inet(family: str, rest: str) -> str:
    match = _PORT_AT_HOST.fullmatch(rest) or _HOST_PORT.fullmatch(rest)
    if match is None:
        raise ValueError(f"expected {family}:PORT@HOST or {family}:HOST:PORT")
    port, host = int(match["port"]), (match["host"] or "").strip("[]")
    if not 0 < port < 65536:
        raise ValueError(f"port {port} is not between 1 and 65535")
    if host and not _HOST.fullmatch(host):
        raise ValueError(f"{host!r} is not a host name or address")
    if ":" in host:
        ip_address(host)
        family = "inet6"
    return f"{family}:{port}@{host}" if host else f"{family}:{port}"


def nameserver(value: Any) -> Any:
    """An address, ADDRESS:PORT, [ADDRESS] or [ADDRESS]:PORT, given back with the port."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"\[([0-9A-Fa-f:.]+)\](?::([0-9]{1,5}))?", value) or re.fullmatch(
        r"([0-9.]+)(?::([0-9]{1,5}))?", value
    )
    host, port = (match[1], int(match[2] or 53)) if match else (value, 53)
    try:
        address = ip_address(host)
    except ValueError:
        raise ValueError(
            f"{value!r} is not an address; names cannot be used here,"
            " expected 192.0.2.53, 192.0.2.53:5353 or [2001:db8::53]:5353"
        ) from None
    if not 0 < port < 65536:
        raise ValueError(f"port {port} is not between 1 and 65535")
    return f"{address}:{port}" if address.version == 4 else f"[{address}]:{port}"


def nameservers(value: Any) -> Any:
    """A list of name servers."""
    given = listed(value)
    return tuple(map(nameserver, given)) if isinstance(given, tuple) else given


def domain(value: Any) -> Any:
    """A domain name in A-labels and lower case, without its final dot; "" is none."""
    if not isinstance(value, str) or not value:
        return value
    try:
        return ascii_domain(value)
    except BadDomain as error:
        raise ValueError(f"{value!r} is not a domain name ({error.why})") from None


def name(value: Any) -> Any:
    """A domain name, .DOMAIN for all below it, or LOCAL@DOMAIN, in normal form."""
    if not isinstance(value, str):
        return value
    local, at, rest = value.strip().rpartition("@")
    dot = "." if rest.startswith(".") and not at else ""
    try:
        return f"{local.lower()}{at}{dot}{ascii_domain(rest.removeprefix(dot))}"
    except BadDomain as error:
        raise ValueError(
            f"{value!r} is not a domain name ({error.why}),"
            " expected example.org, or .example.org for all below it"
        ) from None


def names(value: Any) -> Any:
    """A list of such names."""
    given = listed(value)
    return tuple(map(name, given)) if isinstance(given, tuple) else given


def day(value: Any) -> Any:
    """A date, as TOML has it or in quotes."""
    if isinstance(value, str):
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise ValueError(f"{value!r} is not a date such as 2027-01-31") from None
    if isinstance(value, datetime):
        raise ValueError("expected a date without a time, such as 2027-01-31")
    return value


def field_name(value: Any) -> Any:
    """The name of a header field (RFC 5322 section 3.6.8); "" is none."""
    if isinstance(value, str) and value and not _FIELD_NAME.fullmatch(value):
        raise ValueError(
            f"{value!r} is not a name for a field of ours, such as X-Removed-Authentication-Results"
        )
    if isinstance(value, str) and value.lower() == MARK.lower():
        raise ValueError(f"{MARK} means something already: a sender would write it")
    return value


Seconds = Annotated[int, BeforeValidator(seconds)]
Wait = Annotated[float, BeforeValidator(seconds)]  # a time of which parts of a second matter
Words = Annotated[tuple[str, ...], BeforeValidator(listed)]
Place = Annotated[Path, BeforeValidator(path)]
MaybePlace = Annotated[Path | None, BeforeValidator(optional_path)]
MaybeTableFile = Annotated[Path | None, BeforeValidator(table_file)]
Mode = Annotated[int, BeforeValidator(mode)]
Socket = Annotated[str, BeforeValidator(socket)]
Nameservers = Annotated[tuple[str, ...], BeforeValidator(nameservers)]
Domain = Annotated[str, BeforeValidator(domain)]
Names = Annotated[tuple[str, ...], BeforeValidator(names)]
Day = Annotated[date | None, BeforeValidator(day)]
FieldName = Annotated[str, BeforeValidator(field_name)]

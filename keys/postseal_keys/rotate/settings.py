"""The configuration of postseal-rotate.

NAME
    settings - rotate.toml, read and checked

GIVEN
    the path of a TOML file.

GIVES
    Settings.  Raises Problem with every mistake in it, one on a line.

SEE ALSO
    postseal-rotate(1), where every setting is explained.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from postseal_keys import durations, keypair, names
from postseal_keys.console import CONFIG, Problem, os_problem
from postseal_keys.dnsask import address
from postseal_keys.rotate import selectors
from postseal_keys.rotate.model import Line, Policy

_T = TypeVar("_T")
_KINDS = {bool: "true or false", str: "text", int: "a number", list: "a list", dict: "a table"}
QUEUE = 5 * 86_400  # Postfix's maximal_queue_lifetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One succession of keys: of one kind, for one stream of a domain's mail.

    adopt: the selector that signs for it now.  selector, pattern: instead of the general ones.
    """

    domain: str
    kind: str
    stream: str = ""
    adopt: str = ""
    selector: str = ""
    pattern: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set; text forms are explained in the manual page."""

    state: str = "/var/lib/postseal/rotate.state"
    key_dir: str = "/etc/postseal/keys"
    key_file: str = "{selector}._domainkey.{domain}.private"
    owner: str = ""
    group: str = ""
    bits: int = keypair.RSA_ADVISED
    selector: str = "{year}{month}"
    key_table: str = "/etc/postseal/KeyTable"
    signing_table: str = ""
    row: str = "{selector}._domainkey.{domain}"
    pattern: str = "*@{domain}"
    domains: tuple[Entry, ...] = ()
    policy: Policy = field(default_factory=Policy)
    queue_lifetime: int = QUEUE
    signature_lifetime: int = 0  # the x= of signatures, if they have one
    publish: str = "print"
    ttl: int = 3600
    server: str = ""
    tsig: str = ""
    hook: tuple[str, ...] = ()
    pid_file: str = ""
    reload: tuple[str, ...] = ()
    old_keys: str = "erase"
    publish_dir: str = ""
    nameservers: tuple[str, ...] = ()
    authoritative_port: int = 53

    def entry(self, line: Line) -> Entry | None:
        """What the configuration says of the line; None when it is no longer there.

        General patterns are filled in.
        """
        for one in self.domains:
            if (one.domain, one.kind, one.stream) == (line.domain, line.kind, line.stream):
                return replace(
                    one,
                    selector=one.selector or self.selector,
                    pattern=one.pattern or self.pattern,
                )
        return None


def read(path: str) -> Settings:
    """Read the file.  Raises Problem."""
    try:
        data = tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise os_problem(error, hint="give the configuration with -c", code=CONFIG) from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: {error}", hint="see postseal-rotate(1)", code=CONFIG) from None
    mistakes: list[str] = []
    values = _values(data, mistakes)
    settings = Settings(**values) if not mistakes else Settings()  # type: ignore[arg-type]
    if not mistakes:
        mistakes += _together(settings)
    if mistakes:
        first, *more = (f"{path}: {mistake}" for mistake in mistakes)
        raise Problem(first, more=more, hint="see postseal-rotate(1)", code=CONFIG)
    return settings


_TIMES = ("every", "seen_for", "retire_for", "revoked_for")
_TEXTS = (
    *("state", "key_dir", "key_file", "owner", "group", "selector", "key_table", "signing_table"),
    *("row", "pattern", "publish", "server", "tsig", "pid_file", "old_keys", "publish_dir"),
)
_NUMBERS = ("bits", "ttl", "authoritative_port")
_LISTS = ("hook", "reload", "nameservers")
KNOWN = (
    "queue_lifetime",
    "signature_lifetime",
    *_TIMES,
    *_TEXTS,
    *_NUMBERS,
    *_LISTS,
    "revoke",
    "domain",
)


def _values(data: Mapping[str, object], mistakes: list[str]) -> dict[str, object]:
    """Settings by name, each of its type."""
    values: dict[str, object] = {}
    policy: dict[str, int | bool] = {}
    for name, value in data.items():
        try:
            if name in ("queue_lifetime", "signature_lifetime"):
                values[name] = durations.seconds(_text(value), what=name)
            elif name in _TIMES:
                policy[name] = durations.seconds(_text(value), what=name)
            elif name == "revoke":
                policy[name] = _is(value, bool)
            elif name in ("key_table", "signing_table"):
                values[name] = _table_file(_text(value))
            elif name in _TEXTS:
                values[name] = _text(value)
            elif name in _NUMBERS:
                values[name] = _is(value, int)
            elif name in _LISTS:
                values[name] = tuple(_text(one) for one in _is(value, list))
            elif name == "domain":
                values["domains"] = tuple(_domains(value))
            else:
                close = difflib.get_close_matches(name, KNOWN, n=1)
                meant = f" (did you mean {close[0]}?)" if close else ""
                mistakes.append(f"there is no setting {name}{meant}")
        except Problem as problem:
            mistakes.append(f"{name}: {problem.message.removeprefix(f'{name}: ')}")
    values["policy"] = Policy(**policy)  # type: ignore[arg-type]
    return values


def _is(value: object, kind: type[_T]) -> _T:
    """value, if it is of that kind.  Raises Problem."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise Problem(f"expected {_KINDS[kind]}, not {str(value)[:40]!r}")
    return value


def _text(value: object) -> str:
    return _is(value, str)


_DATASET = re.compile(r"([a-z]+):(.*)", re.DOTALL)


def _table_file(text: str) -> str:
    """The path of a table, also where it is written as postseal.toml and OpenDKIM have it."""
    match = _DATASET.fullmatch(text)
    if match and match[1] not in ("file", "refile"):
        raise Problem(f"{match[1]}: is not a file: only tables in files can be changed")
    return match[2] if match else text


_STREAM = re.compile(r"[A-Za-z0-9_-]{1,40}")


def _domains(value: object) -> list[Entry]:
    """[[domain]] tables: one Entry for each kind of each."""
    found: dict[tuple[str, str, str], Entry] = {}
    for row in _is(value, list):
        table = _is(row, dict)
        unknown = sorted(set(table) - {"name", "kinds", "stream", "adopt", "selector", "pattern"})
        if unknown:
            raise Problem(f"there is no setting {unknown[0]} in [[domain]]")
        domain = names.domain(_text(table.get("name", "")))
        stream = _text(table.get("stream", ""))
        if stream and not _STREAM.fullmatch(stream):
            raise Problem(f"{domain}: stream: a word of letters, digits, - and _")
        adopt = _text(table.get("adopt", ""))
        pattern = _text(table.get("selector", ""))
        if pattern:
            selectors.check(pattern)
        for kind in _is(table.get("kinds", ["rsa"]), list):
            if kind not in ("rsa", "ed25519"):
                raise Problem(f"{domain}: kinds are rsa and ed25519, not {kind!r}")
            if (domain, kind, stream) in found:
                raise Problem(f"{domain} is there twice; several keys of a kind need stream")
            found[domain, kind, stream] = Entry(
                domain=domain,
                kind=str(kind),
                stream=stream,
                adopt=names.selector(adopt) if adopt else "",
                selector=pattern,
                pattern=_text(table.get("pattern", "")),
            )
    return list(found.values())


def _together(settings: Settings) -> list[str]:
    """What settings must fulfil, alone and together."""
    checks: list[tuple[bool, str]] = [
        (bool(settings.domains), "no [[domain]]: which keys are to be turned over?"),
        (
            keypair.RSA_MIN <= settings.bits <= keypair.RSA_MAX,
            f"bits: from {keypair.RSA_MIN} to {keypair.RSA_MAX}",
        ),
        (0 < settings.ttl < 2**31, "ttl: a number of seconds above 0"),
        (0 < settings.authoritative_port < 65536, "authoritative_port: not a port"),
        (
            settings.publish in ("print", "nsupdate", "hook"),
            "publish: print, nsupdate or hook",
        ),
        (settings.publish != "nsupdate" or bool(settings.server), "publish: nsupdate needs server"),
        (settings.publish != "hook" or bool(settings.hook), "publish: hook needs hook"),
        (settings.old_keys in ("erase", "keep", "publish"), "old_keys: erase, keep or publish"),
        (
            settings.old_keys != "publish" or bool(settings.publish_dir),
            "old_keys: publish needs publish_dir",
        ),
        (
            settings.policy.retire_for >= max(settings.queue_lifetime, settings.signature_lifetime),
            "retire_for: not below queue_lifetime and signature_lifetime: mail signed with the"
            " old key may be on its way so long",
        ),
        (settings.policy.seen_for > 0, "seen_for: above 0"),
    ]
    mistakes = [text for fine, text in checks if not fine]
    for check in (_check_addresses, _check_selector, _check_names, _check_streams):
        try:
            check(settings)
        except Problem as problem:
            mistakes.append(problem.message)
    return mistakes


def _check_addresses(settings: Settings) -> None:
    named = [("server", settings.server)] if settings.server else []
    for name, text in (*named, *(("nameservers", one) for one in settings.nameservers)):
        try:
            address(text)
        except ValueError as error:
            raise Problem(f"{name}: {error}; an IP address, with :PORT if need be") from None


def _check_selector(settings: Settings) -> None:
    selectors.check(settings.selector)


def _check_streams(settings: Settings) -> None:
    """A stream that begins with a new key needs to say whose mail that key is for."""
    for one in settings.domains:
        alone = sum((o.domain, o.stream) == (one.domain, one.stream) for o in settings.domains) == 1
        if settings.signing_table and one.stream and not one.pattern and not (one.adopt and alone):
            raise Problem(
                f'{one.domain}, stream {one.stream}: needs pattern, such as "news@{one.domain}":'
                " whose mail is the new key for?"
            )


def _check_names(settings: Settings) -> None:
    texts = [("key_file", settings.key_file, True), ("row", settings.row, True)]
    texts += [("pattern", settings.pattern, False)]
    texts += [("pattern", one.pattern, False) for one in settings.domains]
    for name, text, needed in texts:
        rest = text.replace("{selector}", "s").replace("{domain}", "d")
        if "{" in rest or "}" in rest:
            raise Problem(f"{name}: only {{selector}} and {{domain}} can be filled in")
        if needed and "{selector}" not in text and name == "key_file":
            raise Problem(f"{name}: needs {{selector}}, or a new key would replace the old file")
    if "/" in settings.key_file:
        raise Problem("key_file: a file name, without directories")

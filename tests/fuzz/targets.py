"""What the fuzzers call: every reader of what a stranger wrote, and a whole milter session.

NAME
    targets - TARGETS, by name; each takes octets and raises only when there is a fault

A target lets the one exception pass that its reader promises, and holds what comes back
against a property or two: a fuzzer that looks for exceptions alone finds half.
"""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path

from fuzz.evaluators import arc, dkim, dmarc, spf
from fuzz.session import session
from postseal.conf import load, migrate_opendkim
from postseal.conf.mistake import ConfigError
from postseal.core import (
    address,
    addresslist,
    authres,
    authres_claims,
    authres_upstream,
    message,
    names,
    relaxed,
    relays,
    spf_macro,
    spf_query,
    taglist,
)
from postseal.core.arc import chain
from postseal.core.dkim import keyrecord, signature
from postseal.core.dkim.values import SignatureError
from postseal.core.dmarc import record as dmarc_record
from postseal.core.field import Field, Header
from postseal.core.resolver import Kind
from postseal.daemon import resolver_wire
from postseal.tables import globs, hosts, rows
from postseal.tables.source import Form, Source

Target = Callable[[bytes], object]
ID = "mx.example.org"


def raising(*allowed: type[Exception]) -> Callable[[Target], Target]:
    """The target, for whom these exceptions are answers."""

    def wrap(target: Target) -> Target:
        @functools.wraps(target)
        def called(data: bytes) -> object:
            try:
                return target(data)
            except allowed:
                return None

        return called

    return wrap


@raising(taglist.TagListError)
def tag_list(data: bytes) -> None:
    for name, value in taglist.parse(data).items():
        assert name.isascii() and value in data


@raising(SignatureError)
def dkim_signature(data: bytes) -> None:
    found = signature.parse(Field(b"DKIM-Signature", data))
    assert names.ascii_domain(found.domain) == found.domain


@raising(keyrecord.KeyRecordError)
def key_record(data: bytes) -> None:
    kind = ("rsa", "ed25519")[len(data) % 2]
    texts = tuple(data.split(b"\x1e"))
    keyrecord.candidates(texts, kind)
    keyrecord.parse(texts, kind)


def authors(data: bytes) -> None:
    found = address.author_domains([Field(b"From", part) for part in data.split(b"\x1e")])
    for domain in found.domains:
        assert names.ascii_domain(domain) == domain


@raising(addresslist.Unreadable)
def address_list(data: bytes) -> None:
    for tokens in addresslist.split(tuple(addresslist.tokenize(data))):
        addresslist.is_phrase(addresslist.without_route(tokens))


@raising(names.BadDomain)
def domain_name(data: bytes) -> None:
    name = names.ascii_domain(data)
    assert names.ascii_domain(name) == name and len(name) <= 253
    names.mailbox_domain(data.decode("utf-8", "replace"))


@raising(dmarc_record.RecordError)
def policy_record(data: bytes) -> None:
    dmarc_record.is_record(data)
    dmarc_record.parse(data)


def claims(data: bytes) -> None:
    header = Header([Field(b"Authentication-Results", part) for part in data.split(b"\x1e")])
    found = authres_claims.instances_to_delete(header, {ID})
    assert len(found) <= len(header)


def upstream(data: bytes) -> None:
    authres_upstream.statements(data)
    mine = authres_upstream.Identities(
        sender="example.com", helo="mail.example.com", signatures=[("example.com", "s1")]
    )
    field = Field(b"Authentication-Results", data)
    found = authres_upstream.read_upstream(Header([field]), {ID}, mine)
    assert found.spf_pass_domain in (None, "example.com", "mail.example.com")
    assert set(found.dkim_pass_domains) <= {"example.com"}


def results(data: bytes) -> None:
    """Whatever stands in a value, the field we write stays one field with one result."""
    text = data.decode("utf-8", "surrogateescape")
    made = authres.compose(
        ID,
        [
            authres.MethodResult(
                method="spf",
                result="pass",
                properties=(authres.Property("smtp", "mailfrom", text),),
                reason=text,
            )
        ],
    )
    plain = made.replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    assert b"\r" not in plain and b"\n" not in plain and b"\0" not in plain
    assert plain.count(b";") == 1


def whole_message(data: bytes) -> None:
    header, body = message.split(data)
    assert all(b":" not in field.name for field in header) and len(body) <= 2 * len(data)
    for field in header:
        assert field.relaxed.endswith(b"\r\n")


@raising(spf_macro.MacroError)
def spf_macros(data: bytes) -> None:
    text = data.decode("latin-1")
    spf_macro.domain_spec(text, lambda letter: letter * 3 + ".example")


@raising(spf_query.Fault)
def spf_record(data: bytes) -> None:
    spf_query.select_record(data.split(b"\x1e"), spf_query.Limits())


@raising(resolver_wire.MalformedReply)
def dns_packet(data: bytes) -> None:
    kind = tuple(Kind)[data[0] % len(Kind)] if data else Kind.TXT
    query = resolver_wire.Query(kind, b"ID", resolver_wire.question("a.example", kind))
    head = b"ID\x81\x80\0\1" + data[1:7].ljust(6, b"\0")
    resolver_wire.read(head + query.question + data[7:], query)
    resolver_wire.read(b"ID" + data, query)


@raising(ConfigError)
def configuration(data: bytes) -> None:
    load.parse(data, Path("postseal.toml"))


def table(data: bytes) -> None:
    for form in (Form.FILE, Form.REFILE, Form.CSL):
        for row in rows.rows(Source(form=form, text="x"), data):
            if isinstance(row, rows.Row) and form is not Form.CSL:
                assert "\n" not in row.key + (row.value or "")


@raising(globs.GlobError)
def pattern(data: bytes) -> None:
    text, _, subject = data.decode("utf-8", "replace").partition("\n")
    for one in globs.parse(text, fold=True):
        one.matches(globs.lower(subject))


def host_list(data: bytes) -> None:
    made, _ = hosts.build(data.decode("utf-8", "replace").split("\n"))
    made.matches(None, "mail.example.com")


@raising(ConfigError)
def opendkim_conf(data: bytes) -> None:
    with tempfile.NamedTemporaryFile() as file:
        # An Include may name any file of this machine: not while noise is being read.
        file.write(data.replace(b"/", b"_"))
        file.flush()
        migrate_opendkim.migrate(Path(file.name))


@raising(chain.ChainError)
def arc_chain(data: bytes) -> None:
    keys = (chain.SEAL, chain.AMS, chain.AAR)
    parts = data.split(b"\x1e")
    header = Header([Field(keys[i % 3], part) for i, part in enumerate(parts)])
    chain.highest_instance(header)
    chain.newest_cv(header)
    assert len(chain.collect(header)) <= chain.MAX_INSTANCE


def received(data: bytes) -> None:
    relays.parse(data)


def relaxed_forms(data: bytes) -> None:
    """Compiled or not, they are the same, and nothing is left to reduce."""
    body, value = relaxed.body(data), relaxed.value(data)
    assert body == relaxed.plain_body(data)
    assert value == relaxed.plain_value(data)
    assert relaxed.body(body) == body


TARGETS: dict[str, Target] = {
    one.__name__: one
    for one in (
        tag_list, dkim_signature, key_record, authors, address_list, domain_name, policy_record,
        claims, upstream, results, whole_message, spf_macros, spf_record, dns_packet,
        configuration, table, pattern, host_list, opendkim_conf, arc_chain, received,
        relaxed_forms,
        dkim, spf, dmarc, arc, session,
    )
}  # fmt: skip

"""Whatever a sender writes, with every option on: one verdict, and nothing harmful in its edits."""

from __future__ import annotations

import re
from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from postseal.core.action import Insert
from postseal.core.dkim import sign
from postseal.core.dmarc.suffix import Choice
from postseal.core.explain import sentences
from postseal.core.overrides import Effect, Names, Override
from postseal.core.rules import ArcRules, DmarcRules, OnQuarantine, Soften, UpstreamRules
from postseal.core.transaction import Address, Client
from support.arcmail import TWO
from support.dkimmail import KEYS, RSA, Mail, signed
from support.fakedns import FakeDns
from support.pipeline import ID, rules, through

_WORLD = {
    **KEYS,
    ("example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
}


class All:
    """A HostSet of 203.0.113.0/24."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        return address is not None and address in ip_network("203.0.113.0/24")


class Suffixes:
    def organizational_domain(self, name: str, /) -> str:
        return ".".join(name.split(".")[-2:])


_NAMES = Names(["example.com", ".example"])
_TOLD = rules(
    spf_helo=True,
    spf_received=True,
    iprev=True,
    relays=All(),
    keep_removed="X-Removed",
    upstream=UpstreamRules(authserv_ids=frozenset({"mx1.example"}), hosts=All()),
    arc=ArcRules(
        trusted=frozenset({"example.com"}), key=sign.signing_key(RSA, "example.com", "s1")
    ),
    dmarc=DmarcRules(
        discovery=Choice.BOTH,
        suffixes=Suffixes(),
        quarantine=OnQuarantine.HEADER,
        soften_lists=Soften.QUARANTINE,
    ),
    overrides=tuple(
        Override(number=n, effect=effect, why="because", **condition)  # type: ignore[arg-type]
        for n, (effect, condition) in enumerate(
            [
                (Effect.HOLD, {"list_id": _NAMES, "author": _NAMES}),
                (Effect.ACCEPT, {"arc": _NAMES, "recipient": _NAMES}),
                (Effect.REJECT, {"dkim": _NAMES, "client": All()}),
            ],
            1,
        )
    ),
)

_WHOLE = [*TWO.fields, *signed().fields, (b"List-Id", b" <a.example>"),
          (b"Received", b" from a (b [198.51.100.1]) by c"),
          (b"Authentication-Results", b" mx1.example; dmarc=pass header.from=example.com"),
          (b"Authentication-Results", b" " + ID.encode() + b"; dmarc=pass"),
          (b"X-Postseal-Quarantine", b" x")]  # fmt: skip
_PIECES = st.one_of(
    st.binary(max_size=40).map(lambda raw: re.sub(rb"[\r\n]", b"", raw)),
    st.sampled_from([b"i=1", b"; ", b"=", b"example.com", b"a@example.com", b"\r\n ", b"(", b'"',
                     b"<", b">", b"[203.0.113.9]", b"from ", b"dmarc=pass", b"\xf0\x9f\x98\x80"]),
)  # fmt: skip
_VALUES = st.lists(_PIECES, max_size=8).map(b"".join)
_FIELDS = st.lists(
    st.one_of(
        st.sampled_from(_WHOLE),
        st.tuples(st.sampled_from(sorted({name for name, _ in _WHOLE})), _VALUES),
    ),
    max_size=14,
)
_HARMLESS = re.compile(r" [ -~]*(?:\n[ \t][ -~\t]*[!-~][ -~\t]*)*")


@settings(max_examples=5 * settings().max_examples // 2, deadline=None)
@given(
    _FIELDS,
    st.sampled_from(["203.0.113.7", "192.0.2.1", "2001:db8::1"]),
    st.text(max_size=30),
    st.one_of(st.text(max_size=30), st.just("ann@example.com")),
)
def test_nothing_harmful(
    fields: list[tuple[bytes, bytes]], address: str, helo: str, sender: str
) -> None:
    client = Client(address=ip_address(address), helo=helo)
    what = Mail(tuple(fields), b"body\r\n")
    verdict = through(what, FakeDns(_WORLD), client=client, sender=sender, told=_TOLD)
    written = [edit for edit in verdict.edits if isinstance(edit, Insert)]
    assert [edit.name for edit in written].count("Authentication-Results") == 1
    for edit in written:
        assert _HARMLESS.fullmatch(edit.value), edit
        assert all(len(line) <= 998 for line in edit.value.split("\n"))
    assert all(sentences(verdict))

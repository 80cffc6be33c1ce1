"""dmarc.walk: the tree walk of RFC 9989 section 4.10, to the letter."""

from __future__ import annotations

import pytest

from postseal.core.dmarc.walk import MAX_QUERIES, Discovery, policy_names
from postseal.core.resolver import DnsFault, TemporaryDnsError
from support.fakedns import FakeDns


def world(records: dict[str, str | tuple[str, ...]], broken: set[str] | None = None) -> FakeDns:
    """DMARC records by domain; several in a tuple."""
    table = {
        (f"_dmarc.{domain}", "TXT"): [
            text.encode() for text in ((texts,) if isinstance(texts, str) else texts)
        ]
        for domain, texts in records.items()
    }
    return FakeDns(table, broken={f"_dmarc.{name}" for name in broken or ()})


def asked(resolver: FakeDns) -> list[str]:
    return [name.removeprefix("_dmarc.") for name, _ in resolver.asked]


@pytest.mark.parametrize(
    ("domain", "names"),
    [
        pytest.param("com", "com", id="1-label"),
        pytest.param("example.com", "example.com com", id="2-labels"),
        pytest.param("a.mail.example.com", "a.mail.example.com mail.example.com example.com com",
                     id="4-labels"),
        pytest.param("1.2.3.4.5.6.7", "1.2.3.4.5.6.7 2.3.4.5.6.7 3.4.5.6.7 4.5.6.7 5.6.7 6.7 7",
                     id="7-labels"),
        pytest.param("1.2.3.4.5.6.7.8",
                     "1.2.3.4.5.6.7.8 2.3.4.5.6.7.8 3.4.5.6.7.8 4.5.6.7.8 5.6.7.8 6.7.8 7.8 8",
                     id="8-labels"),
        pytest.param("1.2.3.4.5.6.7.8.9",
                     "1.2.3.4.5.6.7.8.9 3.4.5.6.7.8.9 4.5.6.7.8.9 5.6.7.8.9 6.7.8.9 7.8.9 8.9 9",
                     id="9-labels"),
        pytest.param("a.b.c.d.e.f.g.h.i.j.mail.example.com",
                     "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com "
                     "h.i.j.mail.example.com i.j.mail.example.com j.mail.example.com "
                     "mail.example.com example.com com",
                     id="D-15-rfc9989-4.10"),
        pytest.param("mail.a.b.c.d.e.f.g.example.com",
                     "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com "
                     "e.f.g.example.com f.g.example.com g.example.com example.com com",
                     id="D-15-rfc9989-5.1.8"),
        pytest.param("a.b.c.d.e.f.g.h.i.j.k.example.com",
                     "a.b.c.d.e.f.g.h.i.j.k.example.com g.h.i.j.k.example.com "
                     "h.i.j.k.example.com i.j.k.example.com j.k.example.com k.example.com "
                     "example.com com",
                     id="rfc9989-B.4.2"),
    ],
)  # fmt: skip
def test_names_asked(domain: str, names: str) -> None:
    assert policy_names(domain) == tuple(names.split())
    resolver = world({})
    Discovery(resolver).walk(domain)
    assert asked(resolver) == names.split()


def test_a_walk_of_a_hundred_labels() -> None:
    assert len(policy_names("a." * 100 + "example")) == MAX_QUERIES


P = "v=DMARC1; p=reject"
PSD_Y = "v=DMARC1; p=none; psd=y"
PSD_N = "v=DMARC1; p=none; psd=n"


@pytest.mark.parametrize(
    ("start", "records", "organizational", "policy"),
    [
        pytest.param("example.com", {}, "example.com", None, id="D-20-4-nothing"),
        pytest.param("example.com", {"example.com": P}, "example.com", "example.com", id="own"),
        pytest.param("a.mail.example.com", {"mail.example.com": P, "example.com": P},
                     "example.com", "example.com", id="D-20-3-fewest-labels"),
        pytest.param("a.mail.example.com", {"mail.example.com": PSD_N, "example.com": P},
                     "mail.example.com", "mail.example.com", id="D-20-1-psd-n"),
        pytest.param("a.mail.example.com", {"com": PSD_Y}, "example.com", "com",
                     id="D-20-2-psd-y"),
        pytest.param("a.mail.example.com", {"com": PSD_Y, "example.com": P},
                     "example.com", "example.com", id="D-17-org-before-psd"),
        pytest.param("a.mail.example.com", {"com": PSD_Y, "a.mail.example.com": P},
                     "example.com", "a.mail.example.com", id="D-17-author-first"),
        pytest.param("a.mail.example.com", {"com": PSD_Y, "mail.example.com": P},
                     "example.com", "com", id="D-17-neither-author-nor-org"),
        pytest.param("bank.example", {"bank.example": PSD_Y}, "bank.example", "bank.example",
                     id="D-20-2-psd-y-at-the-start"),
        pytest.param("bank.example", {"bank.example": PSD_Y, "example": P}, "bank.example",
                     "bank.example", id="D-15-psd-y-at-the-start-stops"),
        pytest.param("a.example.com", {"a.example.com": PSD_N, "example.com": P},
                     "a.example.com", "a.example.com", id="D-20-1-psd-n-at-the-start"),
        pytest.param("a.b.example.com", {"b.example.com": P, "com": "v=DMARC1; psd=u"},
                     "com", "com", id="D-20-3-a-tld-without-psd"),
        pytest.param("mail.a.b.c.d.e.f.g.example.com",
                     {"b.c.d.e.f.g.example.com": PSD_N, "example.com": P},
                     "example.com", "example.com", id="D-15-rfc9989-5.1.8-never-found"),
        pytest.param("1.2.3.4.5.6.7.8.9.10", {"8.9.10": PSD_Y}, "7.8.9.10", "8.9.10",
                     id="D-20-2-deep"),
        pytest.param("1.2.3.4.5.6.7.8.9", {"3.4.5.6.7.8.9": PSD_Y}, "2.3.4.5.6.7.8.9",
                     "3.4.5.6.7.8.9", id="D-20-2-below-the-jump"),
        pytest.param("giant.bank.example", {"bank.example": PSD_Y, "giant.bank.example": P},
                     "giant.bank.example", "giant.bank.example", id="rfc9989-B.4.3-author"),
        pytest.param("mail.mega.bank.example", {"bank.example": PSD_Y, "giant.bank.example": P},
                     "mega.bank.example", "bank.example", id="rfc9989-B.4.3-dkim"),
        pytest.param("a.example.com", {"a.example.com": (P, P), "example.com": P},
                     "example.com", "example.com", id="D-9-two-records-discarded"),
        pytest.param("a.example.com", {"a.example.com": (PSD_N, P), "example.com": P},
                     "example.com", "example.com", id="D-9-psd-of-two-does-not-stop"),
        pytest.param("a.example.com", {"a.example.com": ("v=spf1 -all", P, "x"), "com": P},
                     "com", "a.example.com", id="D-9-junk-beside"),
        pytest.param("a.example.com", {"a.example.com": "p=reject; v=DMARC1"},
                     "a.example.com", None, id="D-2-not-a-record"),
    ],
)  # fmt: skip
def test_organizational_domain_and_policy(
    start: str,
    records: dict[str, str | tuple[str, ...]],
    organizational: str,
    policy: str | None,
) -> None:
    walk = Discovery(world(records)).walk(start)
    assert walk.organizational_domain == organizational
    assert (walk.policy[0] if walk.policy else None) == policy


@pytest.mark.parametrize(
    ("records", "names"),
    [
        pytest.param({"b.example": PSD_Y}, "a.b.example b.example", id="psd-y"),
        pytest.param({"b.example": PSD_N}, "a.b.example b.example", id="psd-n"),
        pytest.param({"a.b.example": PSD_N}, "a.b.example", id="psd-n-at-the-start"),
        pytest.param({"b.example": P}, "a.b.example b.example example", id="no-psd-goes-on"),
    ],
)
def test_where_a_walk_stops(records: dict[str, str | tuple[str, ...]], names: str) -> None:
    resolver = world(records)
    Discovery(resolver).walk("a.b.example")
    assert asked(resolver) == names.split()


def test_several_records_are_told() -> None:
    walk = Discovery(world({"example.com": (P, P, "v=spf1 -all")})).walk("example.com")
    assert walk.notes == ("2 DMARC records at example.com, none of them counts",)


def test_walks_share_their_questions() -> None:
    resolver = world({"example.com": P})
    discovery = Discovery(resolver)
    for domain in ("a.example.com", "b.example.com", "a.example.com"):
        discovery.walk(domain)
    assert asked(resolver) == ["a.example.com", "example.com", "com", "b.example.com"]


@pytest.mark.parametrize("broken", ["a.example.com", "example.com", "com"])
def test_a_fault_is_never_no_record(broken: str) -> None:
    resolver = world({"example.com": P}, {broken})
    discovery = Discovery(resolver)
    for _ in range(2):
        with pytest.raises(TemporaryDnsError) as caught:
            discovery.walk("a.example.com")
        assert caught.value.fault is DnsFault.TIMEOUT
    assert len(asked(resolver)) == len(set(asked(resolver))), "a dead name is asked once"


def test_a_name_too_long_for_its_prefix_has_no_record() -> None:
    longest = ".".join(["a" * 63] * 3 + ["b" * 61])
    walk = Discovery(world({})).walk(longest)
    assert (walk.policy, walk.organizational_domain) == (None, longest)


@pytest.mark.parametrize(
    ("author", "identifier", "records", "aligned"),
    [
        pytest.param("example.com", "example.com", {}, True, id="equal"),
        pytest.param("example.com", "signing.example.com",
                     {"example.com": P, "signing.example.com": P}, True, id="rfc9989-B.4.1"),
        pytest.param("a.b.c.d.e.f.g.h.i.j.k.example.com", "signing.example.com",
                     {"example.com": P, "signing.example.com": P}, True, id="rfc9989-B.4.2"),
        pytest.param("giant.bank.example", "mail.giant.bank.example",
                     {"bank.example": PSD_Y, "giant.bank.example": P}, True,
                     id="rfc9989-B.4.3-spf"),
        pytest.param("giant.bank.example", "mail.mega.bank.example",
                     {"bank.example": PSD_Y, "giant.bank.example": P}, False,
                     id="rfc9989-B.4.3-dkim"),
        pytest.param("example.com", "sub.example.com",
                     {"example.com": P, "sub.example.com": PSD_N}, False, id="psd-n-below"),
        pytest.param("example.com", "example.net", {"example.com": P}, False, id="elsewhere"),
        pytest.param("example.com", "notexample.com", {"example.com": P}, False, id="suffix-only"),
        pytest.param("a.example.com", "b.example.com", {"a.example.com": P}, False,
                     id="siblings-without-a-parent-record"),
        pytest.param("a.example.com", "b.example.com", {"example.com": P}, True, id="siblings"),
        pytest.param("a.example.com", "example.com", {"a.example.com": P}, False,
                     id="parent-without-a-record"),
        pytest.param("a.example.com", "example.com", {"example.com": P}, True, id="parent"),
        pytest.param("x.co.uk", "y.co.uk", {"x.co.uk": P, "y.co.uk": P}, False, id="co.uk"),
    ],
)  # fmt: skip
def test_relaxed_alignment(
    author: str, identifier: str, records: dict[str, str | tuple[str, ...]], aligned: bool
) -> None:
    assert Discovery(world(records)).aligned(author, identifier) is aligned
    assert Discovery(world(records)).aligned(identifier, author) is aligned


@pytest.mark.parametrize(
    ("identifier", "names"),
    [
        pytest.param("example.com", "", id="equal-asks-nothing"),
        pytest.param("example.net", "example.com com", id="elsewhere-is-not-walked"),
        pytest.param("a.example.com", "example.com com a.example.com", id="below-is-walked"),
    ],
)
def test_questions_of_alignment(identifier: str, names: str) -> None:
    resolver = world({"example.com": P})
    Discovery(resolver).aligned("example.com", identifier)
    assert asked(resolver) == names.split()

"""Who signs for an author."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postseal.core.dkim.sign import SigningKey, load
from postseal.core.signing import Choice, KeyChooser, SigningUnavailable
from postseal.tables import keytable, rows, senders
from postseal.tables.chooser import DomainChooser, TableChooser, is_within
from postseal.tables.findings import Report
from postseal.tables.keyring import KeyFault, Keyring
from postseal.tables.source import Form, Source
from support.sites import ed25519_pem, private, rsa_pem


def key(domain: str, selector: str, pem: bytes) -> SigningKey:
    return load(pem, domain, selector)


@pytest.fixture
def pair() -> tuple[SigningKey, SigningKey]:
    return key("d.example", "rsa", rsa_pem()), key("d.example", "ed", ed25519_pem())


def names(choices: tuple[Choice, ...]) -> list[str]:
    return [f"{one.key.selector}@{one.key.domain} {one.identity or ''}".strip() for one in choices]


@pytest.mark.parametrize(
    ("address", "below", "found"),
    [
        pytest.param("a@d.example", False, True, id="domain"),
        pytest.param("a@x.d.example", False, False, id="sub-domain-off"),
        pytest.param("a@x.d.example", True, True, id="sub-domain-on"),
        pytest.param("a@bad.example", True, False, id="other"),
        pytest.param("a@xd.example", True, False, id="label-border"),
        pytest.param("a@example", True, False, id="parent"),
        pytest.param("@d.example", True, False, id="no-local-part"),
        pytest.param("d.example", True, False, id="no-at"),
        pytest.param("", True, False, id="empty"),
    ],
)
def test_one_domain(
    address: str, below: bool, found: bool, pair: tuple[SigningKey, SigningKey]
) -> None:
    made = DomainChooser(pair, "d.example", below=below).choose(address)
    assert names(made) == (["rsa@d.example", "ed@d.example"] if found else [])


@pytest.mark.parametrize(
    ("template", "identity"),
    [
        ("", None),
        ("@{domain}", "@x.d.example"),
        ("{address}", "a@x.d.example"),
        ("{local}@d", "a@d"),
    ],
)
def test_identity_template(
    template: str, identity: str | None, pair: tuple[SigningKey, SigningKey]
) -> None:
    made = DomainChooser(pair, "d.example", below=True, identity=template)
    assert made.choose("a@x.d.example")[0].identity == identity


def test_is_within() -> None:
    assert is_within("a@x.example", "x.example")
    assert is_within("@a.x.example", "x.example")
    assert not is_within("a@example", "x.example")
    assert not is_within("a@bx.example", "x.example")
    assert not is_within("x.example", "x.example")


def tables(
    folder: Path, keys: str, signing: str, *, multiple: bool = False, identity: str = ""
) -> KeyChooser:
    report = Report("t")
    source = Source(Form.FILE, "")
    table = keytable.read(rows.rows(source, keys.encode()), folder, False, report)
    refile = Source(Form.REFILE, "")
    who = senders.read(rows.rows(refile, signing.encode()), True, multiple, report)
    assert not report.mistakes()
    ring = Keyring(os.getuid())
    return TableChooser(who, table, ring, multiple=multiple, identity=identity)


def test_all_matches_sign_where_opendkim_loses_the_middle(tmp_path: Path) -> None:
    private(tmp_path / "k")
    keys = "\n".join(f"k{n} d.example:s{n}:./k" for n in range(4))
    signing = "\n".join(f"{'*' * (n % 2)}*@d.example k{n}" for n in range(4))
    many = tables(tmp_path, keys, signing, multiple=True)
    assert names(many.choose("a@d.example")) == [f"s{n}@d.example" for n in range(4)]
    one = tables(tmp_path, keys, "*@d.example k2")
    assert names(one.choose("a@d.example")) == ["s2@d.example"]
    assert one.choose("a@other.example") == ()


def test_the_same_signature_is_made_once(tmp_path: Path) -> None:
    private(tmp_path / "k")
    signing = "*@d.example k\n* k\n*@* k:x@other.example\n*.example k:@d.example"
    made = tables(tmp_path, "k d.example:s:./k", signing, multiple=True)
    assert names(made.choose("a@d.example")) == ["s@d.example", "s@d.example @d.example"]


def test_identity_of_the_row_goes_before_the_template(tmp_path: Path) -> None:
    private(tmp_path / "k")
    signing = "a@* k:row@%\nb@* k\nc@* k:row@other"
    made = tables(tmp_path, "k %:s:./k", signing, identity="@{domain}")
    for local, identity in (("a", "row@d.example"), ("b", "@d.example"), ("c", None)):
        assert made.choose(f"{local}@d.example")[0].identity == identity


def test_keys_by_author(tmp_path: Path) -> None:
    private(tmp_path / "d.example" / "k")
    made = tables(tmp_path, f"any %:s:{tmp_path}/%/k", "* any")
    assert names(made.choose("a@d.example")) == ["s@d.example"]
    with pytest.raises(SigningUnavailable, match=f"{tmp_path}/other.example/k: .*no such file"):
        made.choose("a@other.example")


def test_a_key_that_is_not_in_the_table(tmp_path: Path) -> None:
    with pytest.raises(SigningUnavailable, match=r"line 1 .*'d\.example' for a@d\.example"):
        tables(tmp_path, "", "* %").choose("a@d.example")


@pytest.mark.parametrize("address", ["", "@d.example", "a@", "a"])
def test_no_author(address: str, tmp_path: Path) -> None:
    assert tables(tmp_path, "", "* %").choose(address) == ()


# What is known of all keys at once.


def test_domains_that_are_plainly_ours(tmp_path: Path) -> None:
    private(tmp_path / "k")
    keys = "a d.example:s:./k\nb %:s:./k"
    signing = "*@X.example b\n*@*.sub.example b\njoe@user.example b\n[a-z]@odd.ex* b\n*.com b\n* a"
    made = tables(tmp_path, keys, signing)
    assert isinstance(made, TableChooser)
    assert made.domains == {"d.example", "x.example", "sub.example", "user.example"}


def test_keys_by_name(tmp_path: Path, pair: tuple[SigningKey, SigningKey]) -> None:
    private(tmp_path / "k")
    made = tables(tmp_path, "a d.example:s:./k\nb %:s:./k\nc e.example:t:./none", "* a")
    assert isinstance(made, TableChooser)
    found = list(made.listed())
    assert [key.name for key in found] == ["s._domainkey.d.example", "t._domainkey.e.example"]
    assert not list(made.gaps())
    assert found[0].load().query_name == found[0].name
    with pytest.raises(KeyFault):
        found[1].load()
    one = DomainChooser(pair, "d.example")
    assert one.domains == {"d.example"}
    assert [key.load() for key in one.listed()] == list(pair)

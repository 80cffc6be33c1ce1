"""The tables, against Debian's opendkim: same author, same d=, s= and i=.

Where we differ on purpose the row below says why:

* MultipleSignatures: opendkim emits the first and the last match only, we emit all;
* letter case of d=: opendkim keeps that of the KeyTable, we write lower case;
* two rows that come to the same signature: opendkim signs twice, we sign once.
"""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from postseal.conf import load
from postseal.conf.mistake import ConfigError
from postseal.core.canon import BodyDigest
from postseal.core.dkim.sign import Options, sign
from postseal.core.field import Field, Header
from postseal.core.signing import SigningUnavailable
from postseal.tables import site
from postseal_keys import keypair
from support import opendkim
from support.opendkim import Made, Outcome

pytestmark = pytest.mark.skipif(opendkim.OPENDKIM is None, reason="opendkim is not installed")

QUICK, TABLES = 10, 300  # generated tables; each is asked for every sender
DOMAINS = ("example.com", "sub.example.com", "a.b.example.com", "example.org", "other.net", "x.com")
LOCALS = ("joe", "Ann", "o+x")
SENDERS = [f"{local}@{domain}" for local in LOCALS for domain in DOMAINS]

EXACT = (
    "joe@example.com", "example.com", "joe@.example.com", ".example.com", "joe@.com", ".com",
    "joe@*", "*", "EXAMPLE.org", "ann@sub.EXAMPLE.com", "@example.com", "*@example.com",
    ".b.example.com", "o+x@example.com", "x.com", ".net", "sub.example.com", "*.example.com",
)  # fmt: skip
PATTERNS = (
    "*@example.com", "*@*.example.com", "joe@*", "*", "[jk]oe@*", "*example.com", "o+x@*",
    "*@sub.example.com", "J*@example.*", "*@*.com", "*@*", "(joe|ann)@example.org", "joe?@x.com",
    "*@ex*le.org", "*@[a-x]*.net", "@example.com", "example.com", "*@*.b.example.com",
    "[^j]*@example.com", "*.net",
)  # fmt: skip
SIGNERS = ("", "", ":@%", ":postmaster@%", ":@example.com", ":x@other.net", ":%@%")
KEYS = ("k-com", "k-org", "k-any", "K-COM", "%")


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("keys") / "k.pem"
    path.touch(0o600)
    path.write_bytes(keypair.pem(generate_private_key(65537, 1024)))
    return path


def key_table(key: Path) -> str:
    rows = [
        f"k-com example.com:s1:{key}",
        f"k-org Example.ORG:s2:{key} # comment",
        f"k-any\t%:s3.a:{key}",
        f"K-COM other.net:s4:{key.parent}/../{key.parent.name}/k.pem",
        f"k-com unreached.example:s5:{key}",
    ]
    rows += [f"{domain} {domain}:own:{key}" for domain in DOMAINS[:4]]
    return "\n".join(rows) + "\n"


def ours(folder: Path, kind: str, table: str, multiple: bool, senders: list[str]) -> list[Outcome]:
    """The same tables through our configuration, up to the signature."""
    text = (
        f'[sign]\nkey_table = "file:{folder}/kt"\nsigning_table = "{kind}:{table}"\n'
        f"multiple_signatures = {str(multiple).lower()}\n"
    )
    found = site.load(load.parse(text.encode(), folder / "postseal.toml"))
    return [_outcome(found, sender) for sender in senders]


def _outcome(found: site.Site, sender: str) -> Outcome:
    local, _, domain = sender.rpartition("@")
    try:
        choices = found.chooser.choose(f"{local}@{domain.lower()}")
    except SigningUnavailable:
        return Outcome(fault="tempfail")
    header = Header([Field(b"From", b" " + sender.encode())])
    digest = BodyDigest(bytes(32), 0)
    fields = [
        sign(header, one.key, digest, Options(identity=one.identity or ""), now=1)
        for one in choices
    ]
    return Outcome(tuple(opendkim.made(field.value.decode()) for field in fields))


def expected(theirs: Outcome, mine: Outcome, multiple: bool) -> Outcome:
    """What we should do, given what opendkim did."""
    made = tuple(replace(one, domain=one.domain.lower()) for one in theirs.made)
    if not multiple or theirs.fault:
        return replace(theirs, made=made)
    lost = len(made) == 2 and made[0] == mine.made[0] and set(made) <= set(mine.made)
    if lost:  # opendkim may have lost all between the first match and the last
        return mine
    made = tuple(dict.fromkeys(made))  # the same signature twice is made once
    return Outcome(made)


@pytest.mark.parametrize(
    "number",
    [
        *range(QUICK),
        *(pytest.param(number, marks=pytest.mark.slow) for number in range(QUICK, TABLES)),
    ],
)
def test_generated_tables(number: int, tmp_path: Path, key: Path) -> None:
    rng = random.Random(number)
    kind = ("file", "refile", "csl")[number % 3]
    multiple = number % 4 == 3
    forms = PATTERNS if kind == "refile" else EXACT
    rows = []
    for form in rng.sample(forms, rng.randrange(1, 8)):
        name = rng.choice(KEYS)
        rows.append((form, name + rng.choice(SIGNERS)))
    (tmp_path / "kt").write_text(key_table(key))
    (tmp_path / "st").write_text("".join(f"{form}\t {value}\n" for form, value in rows))
    table = (
        ",".join(f"{form}={value}" for form, value in rows) if kind == "csl" else f"{tmp_path}/st"
    )
    options = [
        f"KeyTable file:{tmp_path}/kt",
        f"SigningTable {kind}:{table}",
        f"MultipleSignatures {'yes' if multiple else 'no'}",
    ]
    mine = ours(tmp_path, kind, table, multiple, SENDERS)
    try:
        theirs = opendkim.outcomes(tmp_path, options, SENDERS)
    except opendkim.WillNotStart as refusal:
        # At start opendkim looks up the keys of rows that have an i=, the literal "%" too.
        assert "could not find valid key record" in str(refusal)
        assert any(value.startswith("%") for _, value in rows)
        return
    wanted = [expected(one, two, multiple) for one, two in zip(theirs, mine, strict=True)]
    assert dict(zip(SENDERS, mine, strict=True)) == dict(zip(SENDERS, wanted, strict=True)), rows


@pytest.mark.parametrize(
    ("kind", "table", "sender", "made"),
    [
        pytest.param("file", "joe@example.com a\nexample.com b", 0, "a", id="user-before-host"),
        pytest.param("file", "example.com b\njoe@.com a", 0, "b", id="host-before-user-at-parent"),
        pytest.param("file", "joe@.com a\n.com b", 0, "a", id="user-at-parent-before-parent"),
        pytest.param("file", ".com a\n.example.com b", 1, "b", id="nearest-parent-first"),
        pytest.param("file", "joe@* a\n* b", 0, "a", id="user-anywhere-before-anybody"),
        pytest.param("file", "* a\n.com b", 0, "b", id="anybody-last"),
        pytest.param("file", "EXAMPLE.com a", 0, "a", id="case-does-not-matter"),
        pytest.param("file", "example.com a\nexample.com b", 0, "a", id="first-of-two-alike"),
        pytest.param("file", "example.com a # b", 0, "a", id="comment-behind-a-row"),
        pytest.param("file", "  example.com   a  ", 0, "a", id="blanks-around"),
        pytest.param("file", "example.com a\r", 0, "a", id="crlf"),
        pytest.param("refile", "*@*.com b\n*@example.com a", 1, "b", id="first-pattern-wins"),
        pytest.param("refile", " *@example.com a\n* b", 0, "b", id="row-with-leading-blank"),
        pytest.param("refile", "*@EXAMPLE.com a", 0, "a", id="pattern-case"),
        pytest.param("refile", "*@example.c.m a\n* b", 0, "b", id="dot-is-a-dot"),
        pytest.param("refile", "[i-k]oe@* a\n* b", 0, "a", id="class-leaks-through"),
        pytest.param("refile", "jo*?e@* a\n* b", 0, "a", id="optional-star"),
        pytest.param("csl", " joe@example.com = a , * = b", 0, "a", id="csl-blanks"),
    ],
)  # fmt: skip
def test_order(kind: str, table: str, sender: int, made: str, tmp_path: Path, key: Path) -> None:
    """One row per rule of the look-up; opendkim and we agree on each."""
    (tmp_path / "kt").write_text(f"a %:sa:{key}\nb %:sb:{key}\n")
    (tmp_path / "st").write_text(f"{table}\n")
    where = table if kind == "csl" else f"{tmp_path}/st"
    options = [f"KeyTable {tmp_path}/kt", f"SigningTable {kind}:{where}"]
    theirs = opendkim.outcomes(tmp_path, options, [SENDERS[sender]])
    wanted = [Outcome((Made(DOMAINS[sender], f"s{made}"),))]
    assert theirs == wanted
    assert ours(tmp_path, kind, where, False, [SENDERS[sender]]) == wanted


@pytest.mark.parametrize(
    "row",
    [
        pytest.param("*@example.com nokey", id="unknown-key"),
        pytest.param("*@example.com", id="no-key"),
        pytest.param("*@example.com a:x", id="identity-without-at"),
    ],
)
def test_rows_that_opendkim_only_stumbles_over_are_refused_at_once(
    row: str, tmp_path: Path, key: Path
) -> None:
    (tmp_path / "kt").write_text(f"a %:sa:{key}\n")
    (tmp_path / "st").write_text(f"{row}\n")
    with pytest.raises(ConfigError):
        ours(tmp_path, "refile", f"{tmp_path}/st", False, SENDERS[:1])

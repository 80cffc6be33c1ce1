"""sign: what we sign is accepted by us and by dkimpy, and looks as RFC 6376 section 5 wants."""

from __future__ import annotations

import base64
from hashlib import sha256
from itertools import pairwise

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from postseal.core import taglist
from postseal.core.canon import BodyHasher
from postseal.core.dkim import headerhash, headerlist, sign
from postseal.core.dkim.sign import Options, SigningKey, UnusableKey
from postseal.core.dkim.signature import parse
from postseal.core.dkim.verify import Status
from postseal.core.field import Field
from support.dkimmail import (
    ED25519,
    ED25519_SEED,
    FIELDS,
    KEYS,
    NOW,
    RSA,
    RSA_PEM,
    Mail,
    check,
    dkimpy_says,
    mail,
)
from support.fakedns import FakeDns
from support.hardmail import ED_KEY, FORMS, HARD, RSA_KEY, sign_it, with_signature

DNS = FakeDns(KEYS)
CRLF = b"\r\n"


@pytest.mark.parametrize("form", FORMS, ids=["rr", "rs", "sr", "ss"])
@pytest.mark.parametrize("key", [RSA_KEY, ED_KEY], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("what", HARD.values(), ids=HARD.keys())
def test_verifies(what: Mail, key: SigningKey, form: tuple[bool, bool]) -> None:
    options = Options(header_relaxed=form[0], body_relaxed=form[1])
    result = check(with_signature(what, key, options), DNS)[0]
    assert (result.status, result.detail) == (Status.PASS, "")


# What dkimpy cannot read (faults D13, D16) is left out here.
FOR_DKIMPY = HARD.keys() - {"from-line-odd", "blank-before-colon", "no-final-crlf"}


@pytest.mark.parametrize("form", FORMS, ids=["rr", "rs", "sr", "ss"])
@pytest.mark.parametrize("key", [RSA_KEY, ED_KEY], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("name", sorted(FOR_DKIMPY))
def test_dkimpy_accepts(name: str, key: SigningKey, form: tuple[bool, bool]) -> None:
    options = Options(header_relaxed=form[0], body_relaxed=form[1])
    assert dkimpy_says(with_signature(HARD[name], key, options), DNS) is True


@pytest.mark.parametrize("relaxed", [True, False])
def test_nothing_there_to_be_signed(relaxed: bool) -> None:
    """Not even From: only its absence is covered."""
    what = with_signature(mail([("X-A", " 1")]), Options(header_relaxed=relaxed))
    assert check(what, DNS)[0].status is Status.PASS
    added = Mail((*what.fields, (b"From", b" a@example.com")), what.body)
    assert check(added, DNS)[0].status is Status.FAIL


def test_both_keys_sign_in_one_pass() -> None:
    results = check(with_signature(mail(FIELDS), RSA_KEY, ED_KEY), DNS)
    assert [(r.status, r.algorithm) for r in results] == [
        (Status.PASS, "rsa-sha256"),
        (Status.PASS, "ed25519-sha256"),
    ]


def tags_of(field: Field) -> dict[str, str]:
    return {name: value.decode() for name, value in taglist.parse(field.value).items()}


def test_the_tags() -> None:
    tags = tags_of(sign_it(mail(FIELDS)))
    assert list(tags) == ["v", "a", "c", "d", "s", "t", "h", "bh", "b"]  # never l=, x=
    assert tags["c"] == "relaxed/relaxed"
    assert (tags["d"], tags["s"], tags["t"]) == ("example.com", "s1", str(NOW))


@pytest.mark.parametrize(
    ("options", "tag", "value"),
    [
        pytest.param(Options(expire_seconds=86400), "x", str(NOW + 86400), id="k-9-x"),
        pytest.param(Options(identity="@example.com"), "i", "@example.com", id="i"),
        pytest.param(Options(identity="a@Sub.Example.COM"), "i", "a@sub.example.com", id="i-sub"),
        pytest.param(
            Options(identity="a;b=c d@example.com"), "i", "a=3Bb=3Dc=20d@example.com", id="qp"
        ),
        pytest.param(Options(identity="ü@example.com"), "i", "=C3=BC@example.com", id="e-2-i"),
        pytest.param(Options(identity="a@example.net"), "i", None, id="i-elsewhere-left-out"),
        pytest.param(Options(identity="example.com"), "i", None, id="i-no-at-left-out"),
        pytest.param(Options(body_relaxed=False), "c", "relaxed/simple", id="c"),
    ],
)
def test_options(options: Options, tag: str, value: str | None) -> None:
    what = with_signature(mail(FIELDS), options)
    field = Field(*what.fields[0])
    assert tags_of(field).get(tag) == value
    assert check(what, DNS)[0].status is Status.PASS


def test_names_are_a_labels_e_2() -> None:
    key = sign.signing_key(ED25519, "Bücher.example", "Grün")
    tags = tags_of(sign_it(mail(FIELDS), key))
    assert (tags["d"], tags["s"]) == ("xn--bcher-kva.example", "xn--grn-ioa")
    assert key.query_name == "xn--grn-ioa._domainkey.xn--bcher-kva.example"


@pytest.mark.parametrize("domain", ["example.com", ".".join(["a" * 60] * 3) + ".example"])
@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_the_field_is_folded(key: object, domain: str) -> None:
    signer = sign.signing_key(RSA if key is RSA else ED25519, domain, "s1")
    what = mail([*FIELDS, *[(f"X-{i}", "x") for i in range(40)]])
    options = Options(
        signed=(b"subject", *[b"x-%d" % i for i in range(40)]), identity="a" * 60 + "@" + domain
    )
    field = sign_it(what, signer, options)
    lines = field.simple.split(b"\r\n")
    assert lines.pop() == b""
    assert field.value.startswith(b" v=1;")
    assert all(line.startswith(b" ") and line.strip() for line in lines[1:])
    assert not any(line != line.rstrip() for line in lines)
    long = [line for line in lines if len(line) > 78]
    assert len(long) <= (2 if domain != "example.com" else 1)  # d= and i= cannot be folded
    assert all(domain.encode() in line for line in long)
    # h= is folded after colons only
    h = taglist.parse(field.value)["h"]
    assert all(part.endswith(b":") for part in h.split(b"\r\n ")[:-1])


def test_how_it_looks() -> None:
    """Whole: the folds are as wide as the lines allow, and b= starts a line of its own."""
    options = Options(identity="somebody.with.a.long.name@example.com", expire_seconds=1)
    lines = sign_it(mail(FIELDS), ED_KEY, options).simple.decode().split("\r\n")
    assert lines == [
        "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed; d=example.com;",
        " s=ed; i=somebody.with.a.long.name@example.com; t=1700000000; x=1700000001;",
        " h=from:from:to:to:cc:subject:subject:reply-to:sender:mime-version:",
        " content-type:content-transfer-encoding;",
        f" bh={base64.b64encode(sha256(b'Hi.' + CRLF).digest()).decode()};",
        *lines[5:7],
        "",
    ]
    assert lines[5].startswith(" b=")


@pytest.mark.parametrize("room", range(20))
def test_lines_are_filled_and_not_overfilled(room: int) -> None:
    options = Options(identity="x" * room + "@example.com", signed=(b"y" * (20 + room),) * 3)
    what = mail([*FIELDS, ("y" * (20 + room), " z")])
    lines = sign_it(what, RSA_KEY, options).simple.split(b"\r\n")
    assert max(map(len, lines)) <= 78
    for line, after in pairwise(lines):
        if after.startswith((b" h=", b" bh=", b" b=")) or not after or b"=" not in after[:4]:
            continue
        word = after.split(b";")[0]  # it did not fit on the line before
        assert len(line) + len(word) + 1 > 76


def test_self_check() -> None:
    what = mail(FIELDS)
    hasher = BodyHasher(Options().body_key)
    hasher.update(what.body)
    digest = hasher.digest()
    field = sign_it(what)
    other = mail([*FIELDS[:2], ("Subject", " changed")])
    assert sign.self_check(field, what.header, RSA_KEY, digest)
    assert not sign.self_check(field, other.header, RSA_KEY, digest)
    assert not sign.self_check(field, what.header, ED_KEY, digest)
    assert not sign.self_check(Field(b"DKIM-Signature", b" v=1"), what.header, RSA_KEY, digest)
    changed = type(digest)(b"x" * 32, digest.length)
    assert not sign.self_check(field, what.header, RSA_KEY, changed)


PKCS8 = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
ED_PEM = ED25519.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    ("data", "algorithm"),
    [
        pytest.param(RSA_PEM, "rsa-sha256", id="pkcs1"),
        pytest.param(PKCS8, "rsa-sha256", id="pkcs8"),
        pytest.param(ED_PEM, "ed25519-sha256", id="ed25519-pem"),
        pytest.param(ED25519_SEED, "ed25519-sha256", id="dkimpy-seed"),
    ],
)
def test_loads(data: bytes, algorithm: str) -> None:
    key = sign.load(data, "example.com", "s1" if algorithm == "rsa-sha256" else "ed")
    assert key.algorithm == algorithm
    assert check(with_signature(mail(FIELDS), key), DNS)[0].status is Status.PASS


@pytest.mark.parametrize(
    ("data", "domain", "selector"),
    [
        pytest.param(b"garbage", "example.com", "s1", id="no-key"),
        pytest.param(RSA_PEM, "exa mple", "s1", id="domain"),
        pytest.param(RSA_PEM, "example.com", "s1/x", id="selector"),
        pytest.param(RSA_PEM, ".".join(["a" * 60] * 4), "s" * 60, id="too-long"),
        pytest.param(RSA_PEM, ".".join(["a" * 60] * 3 + ["b" * 5]), "s" * 54, id="254-octets"),
    ],
)
def test_unusable_keys(data: bytes, domain: str, selector: str) -> None:
    with pytest.raises(UnusableKey):
        sign.load(data, domain, selector, where="x.pem")


def test_a_key_does_not_show_itself() -> None:
    shown = repr(RSA_KEY) + str(RSA_KEY)
    assert "s1._domainkey.example.com" in shown
    assert base64.b64encode(RSA_PEM[40:60]).decode() not in shown
    assert "private" not in shown.lower()


SHAPES = [
    FIELDS[:1],
    [*FIELDS, *FIELDS],
    [*FIELDS, ("Subject", " again"), ("Received", " x"), ("subject", " and again")],
    [*reversed(FIELDS), ("List-Id", " <a.b>")],
    [*FIELDS, *[("To", f" {n}") for n in range(300)]],  # too many to be remembered
]


@pytest.mark.parametrize("fields", SHAPES, ids=range(len(SHAPES)))
@pytest.mark.parametrize(
    "options",
    [
        Options(),
        Options(header_relaxed=False, expire_seconds=9),
        Options(signed=(b"to", b"subject", b"x-a"), oversigned=(b"subject", b"x-a")),
        Options(signed=(b"to", b"to"), oversigned=(b"to",)),
    ],
    ids=["default", "simple", "lists", "said-twice"],
)
def test_the_same_whether_remembered_or_not(
    fields: list[tuple[str, str]], options: Options
) -> None:
    """Names and beginnings come from what was made for other messages: all fields are signed."""
    what = mail(fields)
    first, second = sign_it(what, options=options), sign_it(what, options=options)
    assert first == second
    plan = headerlist.plan(options.signed, options.oversigned)
    names = plan.listed(map(what.header.count, plan.names))
    assert parse(first).names == names
    hasher = BodyHasher(options.body_key)
    hasher.update(what.body)
    assert sign.self_check(first, what.header, RSA_KEY, hasher.digest())
    assert sign.cover(what.header, options).fields == headerhash.select(what.header, names)


def test_a_crowd_of_fields_is_not_remembered() -> None:
    kept = sign._h_of_few.cache_info().currsize
    for count in range(300, 310):
        sign.cover(mail([("To", " x")] * count).header)
    assert sign._h_of_few.cache_info().currsize == kept

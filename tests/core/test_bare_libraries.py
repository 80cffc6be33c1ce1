"""Faults of the libraries under us, shown on the bare library and absent from ours.

S: pyspf, A: dkimpy's ARC, R: authres, M: DMARC as authheaders had it.  Those of dkimpy's DKIM
(D) and most of pyspf's have files of their own; tests/vectors/faults.tsv says which is where.
Where a later version of a library has mended one, the first half of its test fails: good news,
to be noted there.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from importlib import import_module
from ipaddress import ip_address
from typing import Any

import pytest

from postseal.core import address, spf
from postseal.core.arc.verify import Status as ArcStatus
from postseal.core.arc.verify import Why as ArcWhy
from postseal.core.authres import MethodResult, Property, compose
from postseal.core.authres_upstream import statements
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.dmarc.record import is_record, parse
from postseal.core.field import Field
from postseal.core.resolver import DnsFault, Kind
from postseal.core.spf import Status
from support.arcmail import BASE, ONE, TWO, field, judge, sealed, swap
from support.authresread import read
from support.barespf import bare, bare_query
from support.dkimmail import FIELDS, KEYS, RSA_PEM, Mail, dkimpy_says, mail
from support.fakedns import FakeDns
from support.hardmail import with_signature
from support.spfworld import CLIENT, Records, check, txt

authres: Any = import_module("authres")
dkimpy: Any = import_module("dkim")

# -- pyspf ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("sender", ["u@" + ".".join(["a" * 60] * 5), "u@localhost"])
def test_s0_malformed_domains(sender: str) -> None:
    """RFC 7208 section 4.3: none.  The names of over 253 octets are never asked for."""
    domain = sender.partition("@")[2]

    class Anything:
        """A resolver that knows a record for any name at all."""

        def ask(self, _name: str, kind: Kind, /) -> object:
            return FakeDns({("x.example", "TXT"): (b"v=spf1 +all",)}).ask("x.example", kind)

    query = bare_query(sender=sender)
    query.table = Anything()
    assert query.check()[0] == "pass"
    result = check({("localhost", "TXT"): (b"v=spf1 +all",)}, sender=sender)
    assert result.status is Status.NONE and len(domain) > 0


def test_s3_the_default_resolver_is_never_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """pyspf's own lets exceptions of dnspython through; ours has one way to DNS."""
    import spf as pyspf

    def broken(*_: object, **__: object) -> list[object]:
        raise OSError("no name server")

    monkeypatch.setattr(pyspf, "DNSLookup", broken)
    with pytest.raises(OSError, match="no name server"):
        pyspf.query(i=CLIENT, s="u@example.com", h="h.example.com").check()
    assert check(txt(at="v=spf1 -all")).status is Status.FAIL


def test_s5_questions_of_one_check() -> None:
    """111 with pyspf, and no limit on the time of all of them; ours stop at the message's."""
    records: Records = dict(txt(at="v=spf1 " + " ".join(f"mx:m{n}.x" for n in range(10)) + " -all"))
    for n in range(10):
        records[f"m{n}.x", "MX"] = tuple((m, f"h{m}.m{n}.x") for m in range(10))
        records |= {(f"h{m}.m{n}.x", "A"): ("192.0.2.99",) for m in range(10)}
    query = bare_query(records)
    query.check()
    assert query.table.questions == 111
    dns = FakeDns(records, limit=40)
    result = spf.evaluate(
        client=ip_address(CLIENT), helo="h.example.com", sender="u@example.com", resolver=dns
    )
    assert result.status is Status.TEMPERROR and dns.questions == 41


def test_s7_exp_is_fetched_on_a_pass() -> None:
    records = txt(at=f"v=spf1 ip4:{CLIENT} exp=x.example.com", x="because")
    query = bare_query(records)
    assert query.check()[0] == "pass"
    assert ("x.example.com", Kind.TXT) in query.table.asked
    dns = FakeDns(records)
    spf.evaluate(
        client=ip_address(CLIENT), helo="h.example.com", sender="u@example.com", resolver=dns
    )
    assert [name for name, _ in dns.asked] == ["example.com"]


def test_s10_u_labels() -> None:
    records: Records = {("xn--bcher-kva.example", "TXT"): (b"v=spf1 -all",)}
    assert bare(records, sender="a@bücher.example") != "fail"
    assert check(records, sender="a@bücher.example").status is Status.FAIL


def test_s11_line_ends_in_an_explanation() -> None:
    records: Records = {
        ("example.com", "TXT"): (b"v=spf1 -all exp=x.example.com",),
        ("x.example.com", "TXT"): (b"no\r\nX: y",),
    }
    query = bare_query(records)
    result, _, explanation = query.check()
    assert result == "fail" and "\r\n" in explanation
    assert check(records).detail.isprintable()


def test_s12_angle_brackets() -> None:
    records = txt(at="v=spf1 -all")
    assert bare(records, sender="<user@example.com>") != "fail"
    assert check(records, sender="<user@example.com>").status is Status.FAIL


# -- dkimpy's ARC ---------------------------------------------------------------------------------


def arc_says(what: Mail, dns: FakeDns) -> str:
    """dkimpy's word on a chain, or the name of its exception."""

    def text(name: bytes, timeout: float = 5) -> bytes:
        try:
            found = dns.ask(name.decode().removesuffix("."), Kind.TXT).texts
        except Exception:  # as its own resolver has it
            return b""
        return found[0] if found else b""

    try:
        return str(dkimpy.ARC(what.octets).verify(dnsfunc=text)[0].decode())
    except Exception as error:
        return type(error).__name__


DNS = FakeDns(KEYS)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: v.replace(b" i=1;", b"") + b"; i=1", id="last"),
        pytest.param(lambda v: v.replace(b" i=1;", b"\ti = 1;"), id="blanks"),
    ],
)
def test_a1_where_i_stands(change: Callable[[bytes], bytes]) -> None:
    """Legal forms that dkimpy does not survive; what is judged after that is the signature."""
    bent = field(ONE, 1, change)
    assert arc_says(bent, DNS) == "IndexError"
    assert judge(bent).why is ArcWhy.HEADER_CHANGED


@pytest.mark.parametrize(
    "change",
    [
        swap(b"t=", b"t=" + b"9" * 4301),
        lambda v: re.sub(rb"bh=[^;]+", b"bh=" + b"A" * 41 + b"===", v),
    ],
    ids=["digits", "base64"],
)
def test_a2_what_cannot_be_read(change: Callable[[bytes], bytes]) -> None:
    bent = field(ONE, 1, change)
    assert arc_says(bent, DNS) in ("ValueError", "Error", "KeyError", "ValidationError")
    assert judge(bent).status is ArcStatus.FAIL


def test_a3_sets_without_end() -> None:
    """dkimpy asks two questions for each of sixty sets; ours reads none of them."""
    fields = list(ONE.fields)
    sets = [
        (name, value.replace(b"i=1;", b"i=%d;" % n).replace(b"cv=none", b"cv=pass"))
        for n in range(60, 1, -1)
        for name, value in fields[:3]
    ]
    many = Mail((*sets, *fields), ONE.body)
    bare_dns, dns = FakeDns(KEYS), FakeDns(KEYS)
    arc_says(many, bare_dns)
    assert bare_dns.questions > 50
    result = judge(many, dns)
    assert (result.status, result.why, dns.questions) == (ArcStatus.FAIL, ArcWhy.INSTANCE, 0)


def test_a4_i_zero_is_no_chain() -> None:
    bent = ONE
    for number in range(3):
        bent = field(bent, number, swap(b"i=1", b"i=0"))
    assert arc_says(bent, DNS) in ("none", "None", "AttributeError")
    assert judge(bent).status is ArcStatus.FAIL


def test_a5_dns_faults() -> None:
    """fail for both; ours tells them apart, and does not seal what may be well tomorrow."""
    dead = FakeDns(KEYS, broken={"s1._domainkey.example.com": DnsFault.TIMEOUT})
    assert arc_says(ONE, dead) == arc_says(ONE, FakeDns()) == "fail"
    assert judge(ONE, dead).is_temporary and not judge(ONE, FakeDns()).is_temporary


def test_a6_sealing_without_results() -> None:
    """dkimpy seals nothing and says nothing; ours takes the results as they are in memory."""
    made = dkimpy.ARC(BASE.octets).sign(b"s1", b"example.com", RSA_PEM, b"mx.example.com")
    assert made == []
    assert len(sealed(BASE).fields) == len(BASE.fields) + 3


def test_a6_ed25519_seals() -> None:
    """An unknown algorithm to dkimpy, and a chain that passes to ours."""
    assert arc_says(TWO, DNS) != "pass"
    assert judge(TWO).status is ArcStatus.PASS


# -- dkimpy's DKIM --------------------------------------------------------------------------------


def test_d19_a_second_subject() -> None:
    """A field put on top of a signed one is what people see; our signatures do not survive it."""
    base = mail(FIELDS)
    theirs = dkimpy.sign(base.octets, b"s1", b"example.com", RSA_PEM)
    name, _, value = theirs.partition(b":")
    by_dkimpy = Mail(((name, value.removesuffix(b"\r\n")), *base.fields), base.body)
    for made, holds in ((by_dkimpy, True), (with_signature(base), False)):
        assert dkimpy_says(made, DNS) is True
        more = Mail(((b"Subject", b" You have won"), *made.fields), made.body)
        assert (dkimpy_says(more, DNS) is True) is holds


# -- authres --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(
            "foo.example.net (foobar) 1 (baz); dkim (Because I like it) / 1 (One yay) = (wait"
            " for it) fail policy (A dot can go here) . (like that) expired (this surprised me)"
            " = (as I wasn't expecting it) 1362471462",
            0, id="rfc8601-b7-read-as-nothing",
        ),
        pytest.param('"mx.example.org"; spf=pass', 1, id="quoted-id"),
        pytest.param("mx.example.org; spf=pass;", 1, id="trailing-semicolon"),
        pytest.param("mx.example.org; nonesuch=pass", 1, id="none-as-a-beginning"),
    ],
)  # fmt: skip
def test_r1_what_the_library_cannot_read(text: str, count: int) -> None:
    with pytest.raises(Exception) as raised:
        authres.all_features().parse(f"Authentication-Results: {text}")
    assert raised.value is not None
    assert len(statements(text.encode())) == count


def test_r2_values_that_slip() -> None:
    """`smtp.mailfrom= smtp.helo=x`: authres reads the value "smtp.helo=x"."""
    text = "mx.example.org; spf=pass smtp.mailfrom= smtp.helo=x.example"
    (one,) = authres.all_features().parse(f"Authentication-Results: {text}").results
    assert "smtp.helo=x.example" in [prop.value for prop in one.properties]
    for statement in statements(text.encode()):
        assert "smtp.helo=x.example" not in dict(statement.properties).values()


@pytest.mark.parametrize("value", ["a @b;spf=pass", "a@b\r\nX: y", "a@b;dkim=pass header.d=c"])
def test_r3_values_that_break_out(value: str) -> None:
    """authres prints whatever holds an @ as it is."""
    bare_field = str(
        authres.AuthenticationResultsHeader(
            authserv_id="mx.example.org",
            results=[authres.SPFAuthenticationResult(result="fail", smtp_mailfrom=value)],
        )
    )
    assert value in bare_field
    result = MethodResult(
        method="spf", result="fail", properties=(Property("smtp", "mailfrom", value),)
    )
    written = compose("mx.example.org", [result]).decode()
    (one,) = read(written).results
    assert (one.method, one.result, len(one.properties)) == ("spf", "fail", 1)


def test_r4_nested_comments() -> None:
    text = "(" * 3000 + ")" * 3000 + " mx.example.org; spf=pass"
    with pytest.raises(RecursionError):
        authres.all_features().parse(f"Authentication-Results: {text}")
    assert len(statements(text.encode())) <= 1


# -- DMARC: rows that another library gets wrong; ours alone, as it is no requirement -------------


@pytest.mark.parametrize(
    ("author", "domain"),
    [
        pytest.param("u@my-example.com", "my-example.com", id="hyphen"),
        pytest.param("u@a_b.example", "a_b.example", id="underscore"),
        pytest.param("u@bank.com-evil.example", "bank.com-evil.example", id="hyphen-after-a-name"),
        pytest.param("u@bücher.example", "xn--bcher-kva.example", id="u-label"),
        pytest.param('"x@attacker.example"@example.com', "example.com", id="quoted-local-part"),
    ],
)
def test_m1_the_author_domain(author: str, domain: str) -> None:
    assert address.author_domains([Field(b"From", author.encode())]).domain == domain


def judged(author: str, records: Records, **more: object) -> object:
    authors = address.author_domains([Field(b"From", author.encode())] if author else [])
    return dmarc.evaluate(authors, resolver=FakeDns(records), **more).status  # type: ignore[arg-type]


REJECT = (b"v=DMARC1; p=reject",)


def test_m2_names_are_folded() -> None:
    records: Records = {("_dmarc.example.com", "TXT"): REJECT}
    assert judged("a@example.com", records, dkim_pass_domains=["EXAMPLE.COM"]) == "pass"


def test_m3_records() -> None:
    text = b"v=DMARC1; rua=mailto:a@b.example"
    assert parse(text).p is None and parse(text).policy(below=False) == "none"
    assert not is_record(b"v=DMARC1foo; p=none")
    records: Records = {("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=foo",)}
    assert judged("a@example.com", records) == "permerror"


def test_m4_no_exception() -> None:
    assert judged("", {}) == "permerror"
    assert judged("a@example.com.", {("_dmarc.example.com", "TXT"): REJECT}) == "fail"
    dead = FakeDns(broken={"_dmarc.example.com"})
    authors = address.author_domains([Field(b"From", b"a@example.com")])
    assert dmarc.evaluate(authors, resolver=dead).status == "temperror"


def test_m5_the_walk() -> None:
    """RFC 9989 section 4.10: from eight labels on, seven remain; psd=y ends a walk."""
    deep = "a.b.c.d.e.f.g.h.i.example"
    dns = FakeDns()
    authors = address.author_domains([Field(b"From", f"a@{deep}".encode())])
    dmarc.evaluate(authors, resolver=dns)
    asked = [name for name, _ in dns.asked]
    assert asked[:2] == [f"_dmarc.{deep}", "_dmarc.d.e.f.g.h.i.example"] and len(asked) == 8
    bank: Records = {
        ("_dmarc.bank.example", "TXT"): (b"v=DMARC1; p=reject; psd=y",),
        ("_dmarc.giant.bank.example", "TXT"): REJECT,
    }
    assert (
        judged("a@giant.bank.example", bank, dkim_pass_domains=["mail.mega.bank.example"]) == "fail"
    )


def test_m6_weak_links() -> None:
    """From fields of every odd shape have a result."""
    for author in ("<", ">", "a@b@c", "a b@c.example", '"@example.com', "(@", "@@", "a@[1]", "\0"):
        assert judged(author, {}) in ("permerror", "none")

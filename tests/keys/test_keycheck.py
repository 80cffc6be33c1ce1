"""keycheck: one row for every way in which a published key can be wrong."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from hypothesis import given, settings
from hypothesis import strategies as st

from postseal.core.dkim import keyrecord
from postseal_keys.findings import Finding, Harm, worst, zone_line
from postseal_keys.keycheck import Wanted, judge, wanted

RSA = wanted(generate_private_key(public_exponent=65537, key_size=2048))
OTHER = wanted(generate_private_key(public_exponent=65537, key_size=2048))
SHORT = wanted(generate_private_key(public_exponent=65537, key_size=1024))
ED = wanted(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
NAME = "s1._domainkey.d.example"


def judged(text: str, want: Wanted | None = RSA) -> list[Finding]:
    return judge(NAME, (text.encode("latin-1"),), want)


def ok(found: list[Finding]) -> bool:
    return any(f.code.startswith("key-ok") for f in found) and worst(found) < Harm.UNKNOWN


@pytest.mark.parametrize(
    ("text", "want"),
    [
        pytest.param(RSA.record, RSA, id="shortest"),
        pytest.param(
            f"v=DKIM1; h=sha256; k=rsa; t=s; s=email; n=a note; p={RSA.public}", RSA, id="all"
        ),
        pytest.param(f"p={RSA.public}", RSA, id="3.6.1-only-p"),
        pytest.param(f"k=rsa;p={RSA.public};", RSA, id="no-blanks"),
        pytest.param(f"v=DKIM1; h=sha1:sha256; s=tlsrpt:*; p={RSA.public}", RSA, id="lists"),
        pytest.param(ED.record, ED, id="8463"),
        pytest.param(f'v=DKIM1; n=say "p=x\\; p={RSA.public}', RSA, id="note-may-hold-anything"),
        pytest.param(RSA.record, None, id="without-private-key"),
        pytest.param(ED.record, None, id="8463-without-private-key"),
        pytest.param(f"v=DKIM1; p={RSA.other}", None, id="pkcs1-without-private-key"),
    ],
)
def test_good_records(text: str, want: Wanted | None) -> None:
    found = judged(text, want)
    assert ok(found)
    assert [f.code for f in found if f.code.startswith("key-ok")] == ["key-ok"]
    assert all(f.publish == () for f in found)


@pytest.mark.parametrize(
    ("text", "code", "harm"),
    [
        pytest.param("", "key-not-a-key", Harm.ERROR, id="empty"),
        pytest.param("v=spf1 -all", "key-not-a-key", Harm.ERROR, id="spf"),
        pytest.param("hello", "key-not-a-key", Harm.ERROR, id="text"),
        pytest.param("v=DKIM1", "key-no-p", Harm.ERROR, id="cut-at-semicolon"),
        pytest.param("v=DKIM1; oops; p=AAAA", "key-syntax", Harm.ERROR, id="3.2-no-equals"),
        pytest.param(f"{RSA.record};;", "key-syntax", Harm.ERROR, id="3.2-empty-tag-at-the-end"),
        pytest.param(f"v=DKIM1;; p={RSA.public}", "key-syntax", Harm.ERROR, id="3.2-empty-tag"),
        pytest.param(f";{RSA.record}", "key-syntax", Harm.ERROR, id="3.2-empty-tag-first"),
        pytest.param(f"v=DKIM1; a-b=c; p={RSA.public}", "key-syntax", Harm.ERROR, id="3.2-name"),
        pytest.param(f"v=DKIM1; k=RSA; p={RSA.public}", "key-kind", Harm.WARNING, id="3.2-K"),
        pytest.param(f"v=DKIM1; h=SHA256; p={RSA.public}", "key-hash", Harm.WARNING, id="3.2-H"),
        pytest.param(f"v=DKIM1; s=Email; p={RSA.public}", "key-service", Harm.WARNING, id="3.2-S"),
        pytest.param("v=DKIM1; p=", "key-revoked", Harm.ERROR, id="6.1.2-revoked"),
        pytest.param(OTHER.record, "key-other", Harm.ERROR, id="other-key"),
        pytest.param(SHORT.record, "key-other", Harm.ERROR, id="other-size"),
        pytest.param(RSA.record[:255], "key-cut", Harm.ERROR, id="cut-at-255"),
        pytest.param(RSA.record[:-3], "key-cut", Harm.ERROR, id="cut-at-end"),
        pytest.param(f'"{RSA.record}"', "key-quotes", Harm.ERROR, id="quotes"),
        pytest.param(RSA.record.replace(";", "\\;"), "key-quotes", Harm.ERROR, id="backslashes"),
        pytest.param(
            RSA.record[:200] + '" "' + RSA.record[200:], "key-quotes", Harm.ERROR, id="inner-quotes"
        ),
        pytest.param(
            RSA.record[:200] + " " + RSA.record[200:], "key-blanks", Harm.WARNING, id="blank"
        ),
        pytest.param(
            RSA.record.lower().replace("dkim1", "DKIM1"), "key-case", Harm.ERROR, id="case"
        ),
        pytest.param(RSA.record.lower(), "key-case", Harm.ERROR, id="case-all"),
        pytest.param(
            RSA.record[:300] + "A" + RSA.record[300:], "key-damaged", Harm.ERROR, id="one-more"
        ),
        pytest.param(RSA.record[:300] + RSA.record[301:], "key-damaged", Harm.ERROR, id="one-less"),
        pytest.param(
            RSA.record[:300] + "*" + RSA.record[301:], "key-base64", Harm.ERROR, id="star"
        ),
        pytest.param(
            RSA.record[:300] + "\xa0" + RSA.record[300:], "key-characters", Harm.ERROR, id="nbsp"
        ),
        pytest.param(RSA.record.replace("k=rsa", "k=ed25519"), "key-kind", Harm.ERROR, id="kind"),
        pytest.param(f"v=DKIM2; p={RSA.public}", "key-version", Harm.ERROR, id="version"),
        pytest.param(
            f"k=rsa; v=DKIM1; p={RSA.public}", "key-version", Harm.ERROR, id="v-not-first"
        ),
        pytest.param(
            f"v=DKIM1; k=rsa; k=rsa; p={RSA.public}", "key-tag-twice", Harm.ERROR, id="3.2"
        ),
        pytest.param(f"v=DKIM1; h=sha1; p={RSA.public}", "key-hash", Harm.ERROR, id="8301-sha1"),
        pytest.param(f"v=DKIM1; s=tlsrpt; p={RSA.public}", "key-service", Harm.ERROR, id="service"),
        pytest.param(f"v=DKIM1; t=y; p={RSA.public}", "key-testing", Harm.WARNING, id="testing"),
        pytest.param(f"v=DKIM1; g=*; p={RSA.public}", "key-tag-unknown", Harm.ADVICE, id="g"),
        pytest.param(f"v=DKIM1; p={RSA.other}", "key-ok", Harm.WARNING, id="pkcs1"),
    ],
)
def test_each_fault_is_recognised(text: str, code: str, harm: Harm) -> None:
    found = judged(text)
    assert (code, harm) in {(f.code, f.harm) for f in found}
    assert ok(found) == (harm < Harm.ERROR)
    assert all(f.hint for f in found if f.harm > Harm.GOOD), "what to do is said"
    if code == "key-revoked":
        assert not any(f.publish for f in found), "a revoked selector does not come back"
    elif harm is Harm.ERROR:
        (line,) = next(f.publish for f in found if f.code == code)
        assert line.startswith(f'{NAME}. IN TXT "v=DKIM1; k=rsa; p=')


TAGS = (
    *("v=DKIM1", "v=dkim1", "k=rsa", "k=RSA", "k=", "h=sha256", "h=SHA1", "s=email", "s=x:*"),
    *("s=", "t=y", "g=*", "n=note", "abc", "", "a-b=c", "1=2", "P=x"),
)


@settings(deadline=None)
@given(
    st.lists(st.sampled_from(TAGS), max_size=4),
    st.sampled_from([RSA.public, RSA.other, SHORT.public, RSA.public[:250], ""]),
    st.sampled_from(["; ", ";", " ;\t"]),
    st.sampled_from(["", ";", "; ", ";;"]),
)
def test_what_is_called_right_is_what_our_verifier_takes(
    tags: list[str], public: str, between: str, end: str
) -> None:
    text = between.join([*tags, f"p={public}"]) + end
    try:
        keyrecord.parse((text.encode(),), "rsa")
    except keyrecord.KeyRecordError:
        assert not ok(judged(text, None)), text
    else:
        assert ok(judged(text, None)), text


def test_ed25519_as_spki() -> None:
    assert len(ED.public) == 44 and len(ED.other) == 60
    assert "key-ed25519-spki" in {f.code for f in judged(f"v=DKIM1; k=ed25519; p={ED.other}", ED)}


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param(f"v=DKIM1; p={SHORT.public}", "key-ok-short", id="1024"),
        pytest.param(RSA.record[:255], "key-unusable", id="cut"),
        pytest.param(f"v=DKIM1; k=ed25519; p={ED.other}", "key-unusable", id="ed25519-spki"),
        pytest.param(f"v=DKIM1; k=dsa; p={RSA.public}", "key-unusable", id="unknown-kind"),
        pytest.param("v=DKIM1; p=AAAA", "key-unusable", id="garbage"),
    ],
)
def test_without_the_private_key(text: str, code: str) -> None:
    assert code in {f.code for f in judged(text, None)}


def test_a_512_bit_key_is_refused() -> None:
    """The public key of RFC 6376's time, 512 bits, made from its numbers."""
    modulus = (1 << 511) | (1 << 300) | 1
    number = modulus.to_bytes(65, "big")
    inner = b"\x02\x41" + number + b"\x02\x03\x01\x00\x01"
    text = base64.b64encode(b"\x30" + bytes([len(inner)]) + inner).decode()
    assert "key-short" in {f.code for f in judged(f"v=DKIM1; p={text}", None)}


def test_several_records() -> None:
    texts = (OTHER.record.encode(), RSA.record.encode())
    (finding,) = judge(NAME, texts, RSA)
    assert finding.code == "key-two-records"
    assert f"ends in ...{RSA.record[-16:]}," in finding.hint
    assert finding.publish == (zone_line(NAME, RSA.record),)
    assert judge(NAME, texts[::-1], RSA) == [finding], "whatever the order"
    both = (RSA.record.encode(), f"v=DKIM1; p={RSA.public}".encode())
    assert judge(NAME, both, RSA) == judge(NAME, both[::-1], RSA)
    assert judge(NAME, (), RSA)[0].code == "key-missing"


def test_no_private_key_is_ever_shown() -> None:
    key = generate_private_key(public_exponent=65537, key_size=1024)
    shown = repr(wanted(key))
    assert str(key.private_numbers().d) not in shown
    assert "PRIVATE" not in shown

"""Received-SPF: the grammar holds whatever the values are."""

from __future__ import annotations

import random
import re
from ipaddress import ip_address

import pytest

from postseal.core.received_spf import compose
from postseal.core.spf import Result, Status, Why

PAIR = r'[a-z-]+=(?:[A-Za-z0-9!#$%&\'*+/=?^_`{|}~.-]+|"[ !#-\[\]-~]*");'
FIELD = re.compile(rf"[a-z]+ \([ !#-'*-\[\]-~]*\)(?:\r\n\t{PAIR})+")


def result(status: Status = Status.PASS, **given: str) -> Result:
    facts = {"domain": "example.com", "mechanism": "mx", **given}
    return Result(status=status, why=Why.MATCHED, identity="mailfrom", **facts)  # type: ignore[arg-type]


def test_example() -> None:
    text = compose(
        result(),
        client=ip_address("192.0.2.1"),
        helo="foo.example.com",
        sender="myname@example.com",
        receiver="mybox.example.org",
    )
    assert text == (
        b"pass (mybox.example.org: example.com designates 192.0.2.1 as permitted sender)\r\n"
        b"\treceiver=mybox.example.org;\r\n"
        b"\tidentity=mailfrom;\r\n"
        b"\tclient-ip=192.0.2.1;\r\n"
        b'\tenvelope-from="myname@example.com";\r\n'
        b"\thelo=foo.example.com;\r\n"
        b"\tmechanism=mx;"
    )


@pytest.mark.parametrize("status", list(Status))
def test_every_status_has_its_words(status: Status) -> None:
    text = compose(
        result(status, detail="a problem"), client=None, helo="", sender="", receiver="mx.example"
    ).decode()
    assert text.startswith(f"{status.value} (")
    assert FIELD.fullmatch(text)
    assert ("problem=" in text) is (status in (Status.PERMERROR, Status.TEMPERROR))


def test_nothing_gets_out_of_its_place() -> None:
    rng = random.Random(7208)
    alphabet = 'a.@"\\()=;:,<>\r\n\t\0 ü😀[]'
    for _ in range(2000):
        words = ["".join(rng.choices(alphabet, k=rng.randrange(30))) for _ in range(6)]
        text = compose(
            result(rng.choice(list(Status)), domain=words[0], mechanism=words[1], detail=words[2]),
            client=ip_address("2001:db8::1"),
            helo=words[3],
            sender=words[4],
            receiver=words[5],
        )
        assert FIELD.fullmatch(text.decode("ascii"))


def test_values_are_bounded() -> None:
    text = compose(
        result(), client=None, helo="x" * 10_000, sender="y" * 10_000, receiver="z" * 10_000
    )
    assert all(len(line) < 998 for line in text.split(b"\r\n"))


HOSTILE = [
    "exists:a;envelope-from=ceo@bank.example;identity=mailfrom;.evil.example",
    "exists:IDENTITY=helo.evil.example",
    "a identity = helo b@evil.example",
    "(identity=helo)@evil.example",
    'x";identity=helo;y="@evil.example',
    "identity=helo",
]


@pytest.mark.parametrize("word", HOSTILE)
@pytest.mark.parametrize("place", ["mechanism", "detail", "helo", "sender", "receiver"])
def test_nobody_finds_a_pair_that_is_not_ours(word: str, place: str) -> None:
    """Many readers split at `;`, or look for `identity=`, and do not mind the quotes."""
    names = {"helo": "mx.example.com", "sender": "a@evil.example", "receiver": "mx.example.org"}
    told = {place: word} if place in ("mechanism", "detail") else {}
    text = compose(
        result(Status.PERMERROR, domain="evil.example", **told),
        client=None,
        **names | ({} if told else {place: word}),
    ).decode()
    assert FIELD.fullmatch(text)
    keys = re.findall(r"([a-z-]+) *= *", text, re.IGNORECASE)
    ours = ["receiver", "identity", "client-ip", "envelope-from", "helo", "mechanism", "problem"]
    known = [key for key in keys if key.lower() in ours]
    assert known == ours[: 7 if place == "detail" else 6]
    assert text.count(";") == text.count(";\r\n") + 1


def test_what_an_honest_sender_writes_stays() -> None:
    bounce = "bounce+ann=example.org@lists.example"
    text = compose(result(), client=None, helo="[192.0.2.1]", sender=bounce, receiver="mx.example")
    assert f'envelope-from="{bounce}";'.encode() in text
    assert b'helo="[192.0.2.1]";' in text

"""Mail like real mail, and the zone it needs, the same at every run.

NAME
    corpus - write messages, envelopes, keys and DNS records into a directory

GIVEN
    a directory, a number of messages, a seed.

GIVES
    inbound/   signed mail of 20 domains, SPF allows its client, DMARC asks for reject
    marked/    the same with the Authentication-Results of a filter before us (opendmarc)
    outbound/  unsigned mail of the same domains
    keys/      the private keys; records: the zone as (name, type, text)

    each with a `manifest` for load.c: file, domain, client address, host name, HELO,
    sender, recipient, SASL user; separated by tabs.

DOES NOT
    look at the clock (but for t=), or reach the network.

The spread: half of the messages have 2 KB, 30 % 10 KB, 15 % 50 KB, 4 % 500 KB, 1 % 5 MB;
24 header fields in the mean; text with trailing blanks, HTML and base64.  60 % are signed
rsa-sha256 relaxed/relaxed, 20 % relaxed/simple, 20 % by Ed25519 and RSA.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dkim as dkimpy
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

DOMAINS = tuple(f"d{number:02}.example" for number in range(20))
SELECTOR, SELECTOR_ED = "rsa1", "ed1"
OURS = "bench.example"  # the receiver
AUTHSERV_ID = f"mx.{OURS}"
CLIENT = "192.0.2.10"  # sends all inbound mail: kept connections then stay true
CLIENT_NAME = "out.relay.example"
INSIDE = "198.51.100.5"  # hands in outbound mail
SIZES = ((2_000, 50), (10_000, 30), (50_000, 15), (500_000, 4), (5_000_000, 1))

Record = tuple[str, str, str]

_WORDS = [
    "the",
    "of",
    "and",
    "to",
    "in",
    "for",
    "on",
    "that",
    "with",
    "are",
    "you",
    "this",
    "be",
    "at",
    "from",
    "your",
    "have",
    "or",
    "by",
    "we",
    "it",
    "not",
    "all",
    "please",
    "meeting",
    "report",
    "attached",
    "invoice",
    "project",
    "schedule",
    "customer",
    "delivery",
    "question",
    "answer",
    "tomorrow",
    "regards",
    "budget",
    "contract",
    "update",
    "review",
    "version",
    "release",
    "problem",
    "solution",
    "account",
]


@dataclass(frozen=True, slots=True)
class Corpus:
    """Where everything is."""

    directory: Path
    records: tuple[Record, ...]

    @property
    def key(self) -> Path:
        """One RSA key, for the floor."""
        return self.directory / "keys" / f"{DOMAINS[0]}.rsa"


def make(directory: Path, count: int = 200, seed: int = 6) -> Corpus:
    """Write a corpus of count messages."""
    dice = random.Random(seed)
    keys = directory / "keys"
    keys.mkdir(parents=True)
    records = [*_relay_records()]
    for number, domain in enumerate(DOMAINS):
        rsa, ed = generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
        _write_keys(keys, domain, rsa, ed)
        records += _records(number, domain, rsa, ed)
    for name in ("inbound", "marked", "outbound"):
        (directory / name).mkdir()
    lines: list[tuple[str, str]] = []
    for index, size in enumerate(_sizes(count, dice)):
        domain = DOMAINS[index % len(DOMAINS)]
        message = _message(index, domain, size, dice)
        name = f"{size // 1000}k-{index:04}.eml"
        signed = _signed(message, domain, index, keys)
        (directory / "outbound" / name).write_bytes(message)
        (directory / "inbound" / name).write_bytes(signed)
        (directory / "marked" / name).write_bytes(_results(domain) + signed)
        lines.append((name, domain))
    for place, client in (("inbound", CLIENT), ("marked", CLIENT), ("outbound", INSIDE)):
        _write_manifest(directory / place, lines, client)
    return Corpus(directory, tuple(records))


def _sizes(count: int, dice: random.Random) -> list[int]:
    sizes = [size for size, percent in SIZES for _ in range(max(1, count * percent // 100))]
    dice.shuffle(sizes)
    return sizes


def _write_keys(keys: Path, domain: str, rsa: RSAPrivateKey, ed: Ed25519PrivateKey) -> None:
    """RSA as PEM; Ed25519 as PEM and as the bare base64 that dkimpy reads."""
    for name, key in (("rsa", rsa), ("ed", ed)):
        path = keys / f"{domain}.{name}"
        path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        path.chmod(0o600)
    (keys / f"{domain}.seed").write_bytes(base64.b64encode(ed.private_bytes_raw()))


# -- DNS -------------------------------------------------------------------------------------


def _relay_records() -> Iterator[Record]:
    yield "_spf.esp1.example", "TXT", "v=spf1 ip4:203.0.113.0/24 ip4:198.51.100.128/25 ?all"
    yield "_spf.esp2.example", "TXT", "v=spf1 ip4:203.0.113.128/25 ip4:192.0.2.0/28 ?all"
    yield CLIENT_NAME, "A", CLIENT
    yield OURS, "MX", f"10 mx.{OURS}."


def _records(
    number: int, domain: str, rsa: RSAPrivateKey, ed: Ed25519PrivateKey
) -> Iterator[Record]:
    public = rsa.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    short = ed.public_key().public_bytes_raw()
    for selector, kind, octets in ((SELECTOR, "rsa", public), (SELECTOR_ED, "ed25519", short)):
        text = f"v=DKIM1; k={kind}; p={base64.b64encode(octets).decode()}"
        yield f"{selector}._domainkey.{domain}", "TXT", text
    yield f"_dmarc.{domain}", "TXT", f"v=DMARC1; p=reject; rua=mailto:reports@{domain}"
    spf = (
        "ip4:192.0.2.0/24",
        f"mx a:out.{domain}",
        "include:_spf.esp1.example include:_spf.esp2.example",
        f"ip4:203.0.113.7 a:out.{domain} mx",
    )[number % 4]
    yield domain, "TXT", f"v=spf1 {spf} -all"
    yield domain, "TXT", f"some-verification={number:032x}"
    yield domain, "MX", f"10 mail.{domain}."
    yield domain, "A", "203.0.113.80"
    yield f"mail.{domain}", "A", "203.0.113.25"
    yield f"out.{domain}", "A", CLIENT


# -- messages --------------------------------------------------------------------------------


def _message(index: int, domain: str, size: int, dice: random.Random) -> bytes:
    header = _header(index, domain, dice)
    head = "\r\n".join(header).encode() + b"\r\n\r\n"
    return head + _body(size - len(head), index, dice)


def _header(index: int, domain: str, dice: random.Random) -> list[str]:
    words = " ".join(dice.choices(_WORDS, k=7))
    hops = [
        f"Received: from node{hop}.{domain} (node{hop}.{domain} [203.0.113.{hop + 1}])\r\n"
        f"\tby mail.{domain} (Postfix) with ESMTPS id {dice.getrandbits(44):X}\r\n"
        f"\tfor <user{index % 7}@{OURS}>; Fri, 20 Nov 2026 10:0{hop}:00 +0000 (UTC)"
        for hop in range(1 + index % 3)
    ]
    extra = [
        f"X-{dice.choice(('Mailer', 'Tracking', 'Campaign', 'Spam'))}-{n}: "
        f"{dice.getrandbits(20 + dice.randrange(300)):x}"
        for n in range(dice.randrange(6, 16))
    ]
    return [
        *hops,
        f"From: {words.split()[0].title()} Sender <user{index}@{domain}>",
        f"To: Somebody Else <user{index % 7}@{OURS}>, other@{OURS}",
        f"Cc: =?utf-8?q?Fr=C3=A4nzi?= <third@{OURS}>",
        f"Subject: {words}\r\n {' '.join(dice.choices(_WORDS, k=4))}",
        "Date: Fri, 20 Nov 2026 10:00:00 +0000",
        f"Message-ID: <{dice.getrandbits(90):x}@{domain}>",
        f"In-Reply-To: <{dice.getrandbits(90):x}@{OURS}>",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed;\r\n\tboundary="part{index}"',
        "Content-Language: en",
        f"List-Unsubscribe: <https://{domain}/out?{dice.getrandbits(100):x}>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "User-Agent: Something/1.0 (X11; Linux x86_64)",
        *extra,
    ]


def _body(size: int, index: int, dice: random.Random) -> bytes:
    """Text, then HTML, and in messages above 20 KB base64 for the rest."""
    boundary = f"--part{index}\r\n".encode()
    pieces = [boundary, b"Content-Type: text/plain; charset=utf-8\r\n\r\n"]
    text = size if size < 20_000 else 12_000
    length = sum(map(len, pieces))
    while length < text - 120:
        line = _line(dice, html=length > text // 2)
        pieces.append(line)
        length += len(line)
    if text < size:
        head = (
            b"\r\n" + boundary + b"Content-Type: application/pdf\r\n"
            b"Content-Transfer-Encoding: base64\r\n\r\n"
        )
        pieces += [head, _attachment(size - length - len(head), dice)]
    pieces.append(f"--part{index}--\r\n".encode() + b"\r\n" * (index % 3))
    return b"".join(pieces)


def _line(dice: random.Random, *, html: bool) -> bytes:
    if dice.random() < 0.1:
        return b"\r\n"
    text = " ".join(dice.choices(_WORDS, k=dice.randrange(4, 12)))
    if html:
        text = f'  <p class="x">\t{text}  </p>'
    elif dice.random() < 0.1:
        text += " "
    return text.encode() + b"\r\n"


def _attachment(size: int, dice: random.Random) -> bytes:
    octets = dice.randbytes(max(57, size * 57 // 78))
    return base64.encodebytes(octets).replace(b"\n", b"\r\n")


_SIGNED = (
    b"From To Cc Subject Date Message-ID In-Reply-To MIME-Version Content-Type List-Unsubscribe"
    b" List-Unsubscribe-Post From"
).split()


def _signed(message: bytes, domain: str, index: int, keys: Path) -> bytes:
    """The message with one signature, or two for every fifth domain."""
    body = b"simple" if index % 5 == 3 else b"relaxed"
    ways = [(SELECTOR, "rsa", b"rsa-sha256")]
    if index % 5 == 4:
        ways.append((SELECTOR_ED, "seed", b"ed25519-sha256"))
    for selector, suffix, algorithm in ways:
        message = (
            dkimpy.sign(
                message,
                selector.encode(),
                domain.encode(),
                (keys / f"{domain}.{suffix}").read_bytes(),
                canonicalize=(b"relaxed", body),
                include_headers=_SIGNED,
                signature_algorithm=algorithm,
            )
            + message
        )
    return message


def write_signed(made: Corpus, name: str, source: Path, domain: str, count: int) -> None:
    """A corpus of one message with count signatures, each over the message alone."""
    message = source.read_bytes()
    key = (made.directory / "keys" / f"{domain}.rsa").read_bytes()
    one = dkimpy.sign(
        message,
        SELECTOR.encode(),
        domain.encode(),
        key,
        canonicalize=(b"relaxed", b"relaxed"),
        include_headers=_SIGNED,
    )
    _write_one(made.directory / name, one * count + message, domain, CLIENT)


def write_plain(made: Corpus, name: str, source: Path, domain: str) -> None:
    """A corpus of one message from inside."""
    _write_one(made.directory / name, source.read_bytes(), domain, INSIDE)


def _write_one(place: Path, message: bytes, domain: str, client: str) -> None:
    place.mkdir()
    (place / "one.eml").write_bytes(message)
    _write_manifest(place, [("one.eml", domain)], client)


def _results(domain: str) -> bytes:
    """What filters in front of opendmarc would have written."""
    return (
        f"Authentication-Results: {AUTHSERV_ID};\r\n\tdkim=pass (2048-bit key) header.d={domain}"
        f" header.i=@{domain} header.a=rsa-sha256 header.s={SELECTOR} header.b=abcdefgh\r\n"
        f"Authentication-Results: {AUTHSERV_ID}; spf=pass (sender SPF authorized)\r\n"
        f" smtp.mailfrom={domain} (client-ip={CLIENT}; helo={CLIENT_NAME};\r\n"
        f" envelope-from=bounce@{domain}; receiver=<UNKNOWN>)\r\n"
    ).encode()


def _write_manifest(place: Path, lines: list[tuple[str, str]], client: str) -> None:
    text = "".join(
        f"{name}\t{domain}\t{client}\t{CLIENT_NAME}\t{CLIENT_NAME}\tbounce@{domain}"
        f"\tuser@{OURS}\t-\n"
        for name, domain in lines
    )
    (place / "manifest").write_text(text)

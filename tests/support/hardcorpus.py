"""Messages that are hard to sign, and that Postfix delivers as they are.

NAME
    hardcorpus - headers(), bodies(), borders() and noise(): complete messages by name

GIVEN
    the author's address.

GIVES
    octets with CRLF line ends, for SMTP.  No line is longer than 998 octets: what happens to
    those is foretold, not survived.

SEE ALSO
    hardmail.py, which signs without a mail server.
"""

from __future__ import annotations

import random

from support.mail import message

CHUNK = 65535  # octets of a body that Postfix passes to a milter at once
_LINE = b"0123456789" * 7 + b"\r\n"

# What stands at a border between two chunks.
BORDERS = {
    "crlf": b"\r\nnext\r\n",
    "blanks": b" \t \r\nnext\r\n",
    "words": b" \t next\r\n",
    "empty-lines": b"\r\n\r\n\r\nnext\r\n",
    "blank-lines": b"\r\n \r\n\t\r\nnext\r\n",
    "dots": b"\r\n.\r\n..\r\nnext\r\n",
    "last-line": b"\r\n",
    "empty-to-the-end": b"\r\n\r\n\r\n\r\n",
}


def headers(author: str) -> dict[str, bytes]:
    """Hard header fields over an easy body."""
    long = "".join(f"\r\n <{number}.{'x' * 40}@sign.example>" for number in range(1100))
    return {
        "folded": message(author, "Reply-To: a\r\n  <a@sign.example>,\r\n\tb <b@sign.example>"),
        "folded-in-the-middle": message(author, "Cc: one@rcpt.example,\r\n \t two@rcpt.example \t"),
        "blank-fold": message(author, "In-Reply-To: <a@b.example>\r\n \r\n <c@d.example>"),
        "tabs": message(author, "Sender:\tAnn\t\t<ann@sign.example>\t", "List-Id:\t\t<l.example>"),
        "no-blank": message(author, "Reply-To:ann@sign.example", "Sender:ann@sign.example"),
        "nothing-in-it": message(author, "Reply-To:", "Cc: ", "References: \t "),
        "utf-8-name": message(f"Jürgen Größe <{author}>", "Reply-To: Ñandú <ann@sign.example>"),
        "latin-1": message(author, "Reply-To: J#rgen <ann@sign.example>").replace(b"#", b"\xfc"),
        "encoded-word": message(f"=?utf-8?q?J=C3=BCrgen?= <{author}>"),
        "60-kb": message(author, f"References:{long}"),
        "998": message(author, "Reply-To: " + "x" * 970 + "@sign.example"),
        "many-fields": message(author, *[f"X-Field-{number}: {number}" for number in range(300)]),
        "several-alike": message(author, *["Cc: a@rcpt.example", "Cc: b@rcpt.example"] * 3),
        "mime": message(
            author,
            "MIME-Version: 1.0",
            'Content-Type: multipart/mixed;\r\n\tboundary="b"',
            "Content-Transfer-Encoding: 8bit",
            "Content-Language: de",
            body=b"--b\r\n\r\none\r\n--b--\r\n",
        ),
        "list": message(
            author,
            "List-Id: <l.example>",
            "List-Unsubscribe: <https://l.example/u>,\r\n\t<mailto:u@l.example>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        ),
        "resent": message(author, "Resent-From: ann@sign.example", "Resent-Date: now"),
        "no-date": b"From: %s\r\nTo: to@rcpt.example\r\n\r\nhello\r\n" % author.encode(),
        "case-of-names": message(author, "REPLY-TO: a@sign.example", "mime-VERSION: 1.0"),
        "blank-before-colon": message(author, "Reply-To : ann@sign.example"),
        "signed-before": message(
            author, "DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=; b="
        ),
    }


def bodies(author: str) -> dict[str, bytes]:
    """Hard bodies below an easy header."""
    cases = {
        "empty": b"",
        "one-line-end": b"\r\n",
        "empty-lines": b"\r\n\r\n\r\n\r\n",
        "blank-lines": b" \r\n\t\r\n \t \r\n",
        "no-final-line-end": b"the end",
        "blank-at-the-end": b"the end \t",
        "blanks": b"a  b\t\tc \t d   \r\n   e\r\n\t\r\n",
        "dots": b".\r\n..\r\n...\r\n.a\r\n..b\r\n",
        "dot-at-the-end": b"a\r\n.",
        "utf-8": "größe ✉\r\n".encode(),
        "latin-1": b"gr\xf6\xdfe\r\n",
        "all-octets": bytes(set(range(1, 256)) - {0x0A, 0x0D}) + b"\r\n",
        "998": b"x" * 998 + b"\r\n" + b"y" * 998 + b"\r\n",
        "from-line": b"From somebody\r\n>From somebody\r\nFrom: x\r\n",
        "a-header": b"Subject: not a field\r\n\r\nDKIM-Signature: neither\r\n",
        "many-empty-lines": b"\r\n" * 70000 + b"x\r\n" + b"\r\n" * 70000,
        "many-blanks": (b" " * 900 + b"\r\n") * 150,
        "megabyte": _LINE * 15000,
    }
    return {name: message(author, body=body) for name, body in cases.items()}


def borders(author: str) -> dict[str, bytes]:
    """Line ends at every offset around the border between the first two chunks."""
    made = {}
    for name, text in BORDERS.items():
        for offset in range(-len(text.removesuffix(b"next\r\n")) - 1, 2):
            start = CHUNK + offset
            full = _LINE * ((start - 72) // len(_LINE))
            body = full + b"z" * (start - len(full)) + text
            assert body[start:] == text
            made[f"{name}{offset:+}"] = message(author, body=body)
    return made


def noise(author: str, count: int) -> dict[str, bytes]:
    """Messages put together at random, always the same ones."""
    made = {}
    for seed in range(count):
        rng = random.Random(seed)
        names = ("Reply-To", "Cc", "Sender", "In-Reply-To", "Comments", "List-Id", "X-A")
        fields = [f"{name}:{_value(rng)}" for name in names if rng.random() < 0.6]
        pieces = (b" ", b"\t", b"a", b"word", b"\r\n", b"\r\n\r\n", b".", "ü".encode(), b"=")
        body = b"".join(rng.choices(pieces, k=rng.randrange(400)))
        made[f"noise-{seed}"] = message(author, *fields, body=body)
    return made


def _value(rng: random.Random) -> str:
    folds = ("\r\n ", "\r\n\t")
    words = (*folds, " ", "\t", "  ", "a@rcpt.example", ",", "ö", '"q"', "(c)", "<x@y.z>")
    text = "".join(rng.choices(words, k=rng.randrange(12)))
    while text.endswith(folds):  # no field ends in an empty fold
        text = text[:-3]
    return text

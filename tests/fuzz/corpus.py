"""Where seeds and findings lie, and how they are bent.

NAME
    corpus - inputs() of a target, mutate()
"""

from __future__ import annotations

import random
from pathlib import Path

HERE = Path(__file__).parent
SEEDS = HERE / "seeds"
FINDINGS = HERE / "findings"
LONGEST = 20_000
PIECES = (
    b"\0", b"\r\n", b"\r\n ", b"\n--\n", b"\x1e", b"\x80", b"\xff", b"(", b")", b"\\", b'"', b";",
    b"=", b":", b"@", b"<", b">", b",", b"%{", b"}", b"9" * 4301, b"0", b"-1", b"i=1;", b"b=", b" ",
    b"\t", b"xn--", b"..", b"a" * 64, b"v=spf1 ", b"v=DKIM1;", b"v=DMARC1;", b"redirect=", b"ptr ",
    b"From: a@b\r\n", b"\xc3\xbc", b"=?utf-8?q?a?=", b"mx.example.org", b"pass", b"cv=none",
)  # fmt: skip


def inputs(target: str) -> list[Path]:
    """Seeds and findings of a target, in order."""
    found = [*(SEEDS / target).glob("*"), *(FINDINGS / target).glob("*")]
    return sorted(path for path in found if path.is_file())


def mutate(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    """One to four changes: a piece put in, a stretch taken out, doubled, or from another input."""
    made = bytearray(data)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(made) + 1)
        to = min(len(made), at + rng.choice((1, 1, 2, 8, 60)))
        match rng.randrange(6):
            case 0:
                made[at:at] = rng.choice(PIECES)
            case 1:
                del made[at:to]
            case 2:
                made[at:at] = made[at:to] * rng.choice((1, 2, 40))
            case 3:
                made[at:to] = rng.randbytes(to - at)
            case 4:
                made[at:to] = rng.choice(PIECES)
            case _:
                other = rng.choice(others)
                start = rng.randrange(len(other) + 1)
                made[at:to] = other[start : start + rng.choice((4, 40, 400))]
    return bytes(made[:LONGEST])

"""Override rows in a file of their own, on a running daemon: noticed, used, refused, told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from support.child import wait_until
from support.receiver import Receiver, Taken, receiver

RECORDS = {("_dmarc.bank.example", "TXT"): (b"v=DMARC1; p=reject",)}
ROW = '[[override]]\nfrom = "bank.example"\nclient = "203.0.113.0/24"\n'
EXEMPT = ROW + 'action = "accept"\nwhy = "their relay is broken"\n'
TIGHTEN = ROW + 'action = "hold"\nwhy = "seen before"\n'
BAD = '[[override]]\nfrom = "bank.example"\naction = "maybe"\nwhy = "x"\n'


@pytest.fixture
def mx(tmp_path: Path) -> Iterator[Receiver]:
    """Refuses what p=reject asks for; looks at its files every second."""
    (tmp_path / "rows.toml").write_text("")
    settings = {"overrides": f'"file:{tmp_path}/rows.toml"', "watch": "1", "user": '""'}
    with receiver(
        tmp_path, RECORDS, config="[dmarc]\nreject = true\n", settings=settings
    ) as running:
        yield running


def take(mx: Receiver) -> Taken:
    return mx.take(b"From: a@bank.example\r\n\r\nx\r\n", sender="<a@bank.example>")


def write(place: Path, text: str) -> None:
    """At one go, as an editor does."""
    (place / "new").write_text(text)
    (place / "new").replace(place / "rows.toml")


def said(mx: Receiver, event: str) -> list[str]:
    return [line for line in mx.daemon.log_text().splitlines() if f"event={event}" in line]


@pytest.mark.slow
def test_a_changed_file_takes_effect_and_a_bad_one_none(mx: Receiver, tmp_path: Path) -> None:
    assert take(mx).reply.text.startswith("550 5.7.1")

    write(tmp_path, EXEMPT)
    wait_until(lambda: said(mx, "reloaded"), "the new rows")
    got = take(mx)
    assert got.one("dmarc").reason == "local policy: their relay is broken"
    assert 'override="their relay is broken" row=1' in got.log

    write(tmp_path, EXEMPT + BAD)
    wait_until(lambda: said(mx, "reload-refused"), "the refusal")
    (line,) = said(mx, "reload-refused")
    assert f"{tmp_path}/rows.toml:8: override[2].action: expected" in line
    assert take(mx).words("dmarc") == ["fail"]  # taken, by the row from before

    write(tmp_path, TIGHTEN)
    wait_until(lambda: len(said(mx, "reloaded")) == 2, "the rows after those")
    assert take(mx).reply.quarantine == "local policy: seen before"
    assert "event=override-total row=1 hits=2" in mx.daemon.log_text()

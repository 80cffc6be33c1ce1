"""What is asked of an MTA, and what it is told."""

from __future__ import annotations

from typing import Any

import milter
import pytest

from postseal.core.action import Delete, Insert
from postseal.daemon.libmilter import (
    LEADING_SPACE,
    NOT_SENT,
    SILENT,
    WISHED,
    agree,
    ask_macros,
    edit,
    printable,
    reply_text,
)


@pytest.mark.parametrize(
    ("actions", "steps", "agreed"),
    [
        pytest.param(0x1FF, 0x1FFFFF, (WISHED, SILENT | NOT_SENT | LEADING_SPACE), id="version-6"),
        pytest.param(0x3F, 0x7F, (WISHED, SILENT | milter.P_NORCPT), id="version-2"),
        pytest.param(0x1FF, 0, (WISHED, SILENT), id="no-steps-at-all"),
        pytest.param(0x11, 0x7F, (0x11, SILENT | milter.P_NORCPT), id="no-quarantine"),
        pytest.param(0x1FF & ~milter.ADDHDRS, 0x1FFFFF, None, id="nothing-may-be-added"),
        pytest.param(0x1FF & ~milter.CHGHDRS, 0x1FFFFF, None, id="nothing-may-be-removed"),
    ],
)
def test_agree(actions: int, steps: int, agreed: tuple[int, int] | None) -> None:
    assert agree(actions, steps) == agreed


def test_recipients_are_asked_for_when_wanted() -> None:
    agreed = agree(0x3F, 0xFFFFF, recipients=True)
    assert agreed
    assert not agreed[1] & milter.P_NORCPT
    assert agreed[1] & milter.P_NR_RCPT


def test_no_action_that_is_not_needed() -> None:
    """Y-7: header fields and quarantine, not sender, recipients or body."""
    assert WISHED == milter.ADDHDRS | milter.CHGHDRS | milter.QUARANTINE


@pytest.mark.parametrize("actions", [0x3F, 0x1FF & ~milter.SETSYMLIST])
def test_an_mta_that_does_not_take_wishes_for_macros(actions: int) -> None:
    ask_macros(None, actions, ["daemon_port"])  # type: ignore[arg-type]  # is not called


class Ctx:
    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def addheader(self, *args: Any) -> None:
        self.calls.append(args)

    def chgheader(self, *args: Any) -> None:
        self.calls.append(args)


@pytest.mark.parametrize(
    ("leading_space", "value"),
    [pytest.param(True, "  x\n y", id="P-20-ours"), pytest.param(False, " x\n y", id="P-20-mta")],
)
def test_edit(leading_space: bool, value: str) -> None:
    ctx = Ctx()
    edit(ctx, (Delete("A", 2), Delete("A", 1), Insert(0, "B", "  x\n y")), leading_space)  # type: ignore[arg-type]
    assert ctx.calls == [("A", 2, None), ("A", 1, None), ("B", value, 0)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("100% %s", "100%% %%s", id="P-38-percent"),
        pytest.param("a\r\n250 ok\0", "a??250 ok?", id="P-39-one-line"),
        pytest.param("ö\udcff", "??", id="ascii"),
    ],
)
def test_reply_text(text: str, told: str) -> None:
    assert reply_text(text) == told


def test_length() -> None:
    assert len(printable("x" * 10_000)) == 400

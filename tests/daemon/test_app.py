"""One configuration, ready to run, or every mistake in it."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from postseal.conf.model import Settings
from postseal.daemon.app import Application, Unusable
from support.milterdaemon import ScriptedEngine, Silence


def test_every_mistake_is_kept() -> None:
    refusal = Unusable(("a: one", "b: two"))
    assert refusal.lines == ("a: one", "b: two")
    assert str(refusal) == "a: one\nb: two"


def test_an_application_does_not_change() -> None:
    """Workers of one generation share it; a reload makes another."""
    made = Application(settings=Settings(), engine=ScriptedEngine(), resolvers=lambda: Silence)
    assert made.macros == ()
    with pytest.raises(FrozenInstanceError):
        made.macros = ("v",)  # type: ignore[misc]

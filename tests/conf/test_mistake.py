"""The one line that a mistake is."""

from __future__ import annotations

from postseal.conf.mistake import ConfigError, Mistake


def test_form() -> None:
    made = Mistake(file="f.toml", line=3, key="a.b", what="is wrong", hint="mend it")
    assert str(made) == "f.toml:3: a.b: is wrong (hint: mend it)"
    assert str(Mistake(file="f.toml", what="x\ny")) == "f.toml: x\\ny"


def test_sorted_and_once() -> None:
    a, b = Mistake(file="f", line=2, what="b"), Mistake(file="f", line=1, what="a")
    assert ConfigError([a, b, a]).mistakes == (b, a)

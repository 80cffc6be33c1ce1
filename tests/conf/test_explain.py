"""Names of options, as mistakes are explained with them."""

from __future__ import annotations

from postseal.conf.explain import dotted, names, shown, tables


def test_dotted_counts_from_one() -> None:
    assert dotted(("sign", "key", 0, "file")) == "sign.key[1].file"


def test_tables_are_all_tables() -> None:
    assert ("sign", "key") in tables()
    assert ("from",) in tables()
    assert "missing" in names(("from",))


def test_long_values_are_cut() -> None:
    assert len(shown("x" * 1000)) <= 61

"""tables: edits leave everything else as it is, and done twice give the same."""

from __future__ import annotations

import pytest

from postseal_keys.console import Problem
from postseal_keys.rotate.tables import (
    Change,
    selectors,
    signing,
    uses,
    with_new,
    with_pattern,
    without_old,
)

CHANGE = Change(
    domain="d.example",
    old_selector="202605",
    new_selector="202611",
    new_file="/k/202611",
    row="202611._domainkey.d.example",
)
PLAIN = "# keys\nd\td.example:202605:/k/202605  # ours\n\nother o.example:202605:/k/o\n"
NAMED = "202605._domainkey.d.example d.example:202605:/k/202605\n"
SIGNING = "# who\n*@d.example\t202605._domainkey.d.example:%s@x # all\n*@o.example other\n"


def test_a_row_that_keeps_its_name_is_replaced_in_place() -> None:
    after = with_new(PLAIN, CHANGE)
    assert after == PLAIN.replace("d.example:202605:/k/202605", "d.example:202611:/k/202611")
    assert with_new(after, CHANGE) == after
    assert without_old(after, CHANGE) == after
    assert signing(SIGNING, CHANGE, ["d"]) == SIGNING


def test_a_row_named_after_its_selector_gets_a_neighbour() -> None:
    both = with_new(NAMED, CHANGE)
    assert both == NAMED + "202611._domainkey.d.example d.example:202611:/k/202611\n"
    assert with_new(both, CHANGE) == both
    assert uses(both, "d.example", "202605") and uses(both, "d.example", "202611")
    only = without_old(both, CHANGE)
    assert only == "202611._domainkey.d.example d.example:202611:/k/202611\n"
    assert without_old(only, CHANGE) == only


def test_the_signing_table_follows_a_renamed_row() -> None:
    rows = uses(NAMED, "d.example", "202605")
    after = signing(SIGNING, CHANGE, rows)
    assert after == SIGNING.replace("202605._domainkey", "202611._domainkey")
    assert signing(after, CHANGE, rows) == after


def test_old_rows_stay_while_there_is_no_new_one() -> None:
    assert without_old(NAMED, CHANGE) == NAMED


def test_a_first_key() -> None:
    first = Change(
        domain="n.example", old_selector="", new_selector="s", new_file="/k/s", row="s.n.example"
    )
    after = with_new("# none yet", first)
    assert after == "# none yet\ns.n.example n.example:s:/k/s\n"
    assert with_new(after, first) == after
    table = with_pattern("", "*@n.example", "s.n.example")
    assert table == "*@n.example s.n.example\n"
    assert with_pattern(table, "*@n.example", "s.n.example") == table


def test_a_stream_comes_before_the_whole_domain() -> None:
    """In a refile: table the first row that fits counts."""
    after = with_pattern("# who\n\n*@d.example a\n", "n@d.example", "n", first=True)
    assert after == "# who\n\nn@d.example n\n*@d.example a\n"
    assert with_pattern(after, "n@d.example", "n", first=True) == after
    assert with_pattern("# who", "n@d.example", "n", first=True) == "# who\nn@d.example n\n"


def test_a_domain_in_another_script_is_the_same_domain() -> None:
    table = "b B\u00fccher.example:s:/k/b\nc \u2024:s:/k/c\n"
    assert selectors(table, "xn--bcher-kva.example") == [("s", "/k/b")]


@pytest.mark.parametrize(
    "table",
    [
        pytest.param("x d.example:zzz:/k\n", id="row-is-gone"),
        pytest.param(NAMED + "202611._domainkey.d.example o.example:x:/k\n", id="name-is-taken"),
    ],
)
def test_refused(table: str) -> None:
    with pytest.raises(Problem):
        with_new(table, CHANGE)


def test_selectors_of_a_domain() -> None:
    assert selectors(PLAIN, "d.example") == [("202605", "/k/202605")]


def test_crlf_and_odd_bytes_survive() -> None:
    odd = "# \udce9\r\n202605 d.example:202605:/k\r\n"
    after = with_new(odd, CHANGE)
    assert after.startswith("# \udce9\r\n")
    assert uses(after, "d.example", "202611")

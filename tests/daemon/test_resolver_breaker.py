"""When a zone is left alone, and that others do not suffer for it."""

from __future__ import annotations

import pytest

from postseal.daemon.resolver_breaker import Breaker


def tripped(*names: str) -> Breaker:
    breaker = Breaker()
    for name in names:
        breaker.timed_out(name, 0.0)
    return breaker


@pytest.mark.parametrize(
    ("names", "name", "rests"),
    [
        pytest.param(["a.example"] * 2, "a.example", False, id="two-are-few"),
        pytest.param(["a.example"] * 3, "a.example", True, id="three"),
        pytest.param(["a.example"] * 3, "b.example", False, id="neighbour"),
        pytest.param(
            ["_dmarc.a.example", "s._domainkey.a.example", "a.example"],
            "t._domainkey.a.example",
            True,
            id="underscores-belong-to-the-domain",
        ),
        pytest.param(["a.b.example.com"] * 3, "c.b.example.com", True, id="below-three-labels"),
        pytest.param(["a.example.com"] * 3, "b.example.com", False, id="sister"),
        pytest.param(["x.co.uk"] * 11, "y.co.uk", False, id="registry-needs-more"),
        pytest.param(
            [f"h{n}.slow.example" for n in range(12)], "z.slow.example", True, id="random-names"
        ),
        pytest.param([f"d{n}.tld" for n in range(48)], "z.other", True, id="everything"),
        pytest.param([f"d{n}.tld" for n in range(47)], "z.other", False, id="not-yet-everything"),
        pytest.param(["localhost"] * 3, "localhost", True, id="one-label"),
        pytest.param(["_x"] * 3, "_x", False, id="no-domain-at-all"),
    ],
)
def test_circles(names: list[str], name: str, rests: bool) -> None:
    assert tripped(*names).rests(name, 1.0) is rests


@pytest.mark.parametrize(
    ("names", "name", "insisted", "rests"),
    [
        pytest.param([f"d{n}.co.uk" for n in range(12)], "_dmarc.bank.co.uk", [], True,
                     id="a-suffix-as-a-whole"),
        pytest.param([f"d{n}.co.uk" for n in range(12)], "_dmarc.bank.co.uk", ["bank.co.uk"],
                     False, id="the-author"),
        pytest.param([f"d{n}.co.uk" for n in range(12)], "s._domainkey.spf.bank.co.uk",
                     ["bank.co.uk"], False, id="below-the-author"),
        pytest.param([f"d{n}.co.uk" for n in range(12)], "_dmarc.bank.co.uk",
                     ["a.mail.bank.co.uk"], False, id="above-the-author"),
        pytest.param([f"d{n}.co.uk" for n in range(12)], "other.co.uk", ["bank.co.uk"], True,
                     id="beside-the-author"),
        pytest.param([f"d{n}.co.uk" for n in range(12)], "ank.co.uk", ["bank.co.uk"], True,
                     id="no-label-border"),
        pytest.param(["bank.co.uk"] * 3, "_dmarc.bank.co.uk", ["bank.co.uk"], True,
                     id="silent-itself"),
        pytest.param([f"d{n}.tld" for n in range(48)], "_dmarc.bank.co.uk", ["bank.co.uk"], False,
                     id="nothing-answers-but-the-author-may"),
        pytest.param([f"d{n}.tld" for n in range(48)], "s._domainkey.other.example",
                     ["bank.co.uk"], True, id="nothing-answers-beside-the-author"),
    ],
)  # fmt: skip
def test_names_that_are_insisted_on(
    names: list[str], name: str, insisted: list[str], rests: bool
) -> None:
    """Zones of a forger under the same suffix do not hide the policy of whom he forges."""
    assert tripped(*names).rests(name, 1.0, insisted) is rests


def test_an_answer_in_between_starts_again() -> None:
    breaker = tripped("a.example", "a.example")
    breaker.answered("a.example")
    breaker.timed_out("a.example", 1.0)
    assert not breaker.rests("a.example", 1.0)


def test_an_answer_of_a_neighbour_keeps_the_wide_circle_open() -> None:
    breaker = tripped(*[f"h{n}.slow.example" for n in range(11)])
    breaker.answered("good.slow.example")
    breaker.timed_out("h99.slow.example", 1.0)
    assert not breaker.rests("z.slow.example", 1.0)


def test_old_timeouts_do_not_count() -> None:
    breaker = tripped("a.example", "a.example")
    breaker.timed_out("a.example", 31.0)
    assert not breaker.rests("a.example", 31.0)


def test_rest_ends_and_one_more_timeout_renews_it() -> None:
    breaker = tripped("a.example", "a.example", "a.example")
    assert breaker.rests("a.example", 9.9)
    assert not breaker.rests("a.example", 10.0)
    breaker.timed_out("a.example", 12.0)
    assert breaker.rests("a.example", 13.0)


def test_everything_rests_for_two_seconds_only() -> None:
    breaker = tripped(*[f"d{n}.tld{n}" for n in range(48)])
    assert breaker.rests("z.other", 1.9)
    assert not breaker.rests("z.other", 2.0)


def test_what_is_remembered_is_bounded() -> None:
    breaker = tripped(*[f"d{n}.example" for n in range(20_000)])
    assert len(breaker.rows) <= 4096

"""authres_claims: forged fields go, others stay."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import given
from hypothesis import strategies as st

from postseal.core import authres_claims
from postseal.core.authres import claims, instances_to_delete
from postseal.core.field import Field, Header
from support.effort import Effort

VECTORS = Path(__file__).parent.parent / "vectors" / "authres"
IDS = ("mx.lab.example", "bücher.example")
NAME = b"Authentication-Results"


def rows(file: str) -> list[ParameterSet]:
    found = []
    for line in (VECTORS / file).read_text("utf-8").splitlines():
        rule, value = line.split("\t")
        octets = value.encode("utf-8").decode("unicode_escape").encode("latin-1")
        found.append(pytest.param(b" " + octets, id=rule))
    return found


def test_there_are_vectors() -> None:
    assert len(rows("ours.tsv")) > 50, "an empty glob must not look like success"
    assert len(rows("others.tsv")) > 15


@pytest.mark.parametrize("value", rows("ours.tsv"))
def test_ours_goes(value: bytes) -> None:
    assert instances_to_delete(Header([Field(NAME, value)]), IDS) == (1,)


@pytest.mark.parametrize("value", [row for row in rows("ours.tsv") if "other" not in str(row)])
def test_ours_is_a_claim_whatever_its_version(value: bytes) -> None:
    assert claims(Field(NAME, value), IDS)


@pytest.mark.parametrize("value", rows("others.tsv"))
def test_others_stay(value: bytes) -> None:
    assert not claims(Field(NAME, value), IDS)
    assert instances_to_delete(Header([Field(NAME, value)]), IDS) == ()


def test_highest_index_first() -> None:
    """CVE-2022-48521: each deletion moves the fields below it up."""
    ours, other = b" mx.lab.example; spf=pass", b" other.example; spf=pass"
    header = Header(
        [
            Field(b"Subject", b" x"),
            Field(NAME, ours),
            Field(NAME.upper(), other),
            Field(NAME + b" \t", ours),
            Field(b"ARC-" + NAME, b" i=1; mx.lab.example; spf=pass"),
            Field(NAME.lower(), ours),
            Field(b"X-" + NAME, ours),
            Field(NAME, other),
        ]
    )
    assert instances_to_delete(header, IDS) == (4, 3, 1)


def test_ids_need_not_be_domains() -> None:
    field = Field(NAME, b" Mail_Host/1; spf=pass")
    assert claims(field, ["mail_host"])
    assert claims(Field(NAME, b' "My Host"; spf=pass'), ["my host"])
    assert not claims(field, [])


@pytest.mark.parametrize(
    "octets", [b"(", b"()", b'"', b'""', b"\\", b"( ", b";", b"a ", b"=", b"\0"]
)
def test_sixty_kilobytes_of_one_thing(octets: bytes) -> None:
    field = Field(NAME, b" " + octets * (60000 // len(octets)))
    assert not claims(field, IDS)
    assert claims(Field(NAME, b" mx.lab.example " + field.value), IDS)
    assert instances_to_delete(Header([field]), IDS) == ()


@pytest.mark.parametrize(
    "before",
    [
        pytest.param(b"x" * 1025, id="a-long-word"),
        pytest.param(b"(" + b"()" * 1000 + b") other.example; x=", id="a-crowded-comment"),
        pytest.param(b"()" * 1001 + b" other.example; x=", id="many-comments"),
    ],
)
def test_a_beginning_out_of_all_proportion_claims_whatever_it_holds(before: bytes) -> None:
    assert claims(Field(NAME, before + b"mx.lab.example; spf=pass"), IDS)
    assert claims(Field(NAME, before + b"mx.other.example; spf=pass"), IDS)


def test_a_flood_of_strange_fields_is_not_read() -> None:
    """Each could keep us busy for as long as a comment is deep; no honest message has so many."""
    strange = Field(NAME, b" " + b"()" * 40 + b" other.example; spf=pass")
    plain = Field(NAME, b" other.example; spf=pass")
    most = authres_claims._MAX_STRANGE
    assert instances_to_delete(Header([strange, plain] * most), IDS) == ()
    flood = Header([strange] * most + [plain] * 3000 + [strange] * 1000)
    with Effort() as effort:
        gone = instances_to_delete(flood, IDS)
    assert gone == tuple(range(most + 4000, most + 3000, -1))
    with Effort() as less:
        instances_to_delete(Header([strange] * most), IDS)
    assert effort.steps < 2 * less.steps


JUNK = st.lists(
    st.sampled_from([*'()";,=\\ \t\0.<', "\r\n ", "x", "(c)", '"q"', "1", "other.example", "=?"]),
    max_size=12,
).map("".join)


@given(JUNK, JUNK, st.sampled_from(["mx.lab.example", "MX.Lab.Example.", '"mx.lab.example"']))
def test_never_raises_and_sees_the_first_word(before: str, after: str, name: str) -> None:
    claims(Field(NAME, (before + name + after).encode()), IDS)
    blank = "".join(char for char in before if char in " \t\r\n(c)") if "c" not in before else ""
    if blank.count("(") == blank.count(")") == 0:
        assert claims(Field(NAME, f"{blank}{name} {after}".encode()), IDS)
        assert claims(Field(NAME, f"{blank}{name};{after}".encode()), IDS)


@given(st.from_regex(authres_claims._PLAIN) | st.binary(max_size=60))
def test_the_short_cut_changes_nothing(value: bytes) -> None:
    ours = {"a", "mx.lab.example"}
    slow = authres_claims._claims(value, ours) or authres_claims._has_other_version(value)
    assert bool(instances_to_delete(Header([Field(NAME, value)]), ours)) == slow


@given(st.binary(max_size=60))
def test_never_raises(value: bytes) -> None:
    claims(Field(NAME, value), IDS)
    instances_to_delete(Header([Field(NAME, value)] * 3), IDS)

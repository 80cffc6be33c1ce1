"""adopt: the key that signs is found, and where it cannot be told nothing begins."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from postseal_keys import keypair
from postseal_keys.console import CONFIG
from postseal_keys.rotate.adopt import Trouble, lines_of
from postseal_keys.rotate.model import Key, Line, Stage
from postseal_keys.rotate.settings import Entry, Settings

RSA = keypair.pem(keypair.make(keypair.Kind.RSA, 1024))
ED = keypair.pem(keypair.make(keypair.Kind.ED25519))
PLAIN = (Entry(domain="d.example", kind="rsa"),)
NEWS = Entry(domain="d.example", kind="rsa", stream="news", adopt="b")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("a", "b", "d.example"):
        (tmp_path / name).write_bytes(RSA)
    (tmp_path / "e").write_bytes(ED)
    return tmp_path


def found(
    place: Path,
    keys: str,
    signing: str = "",
    domains: tuple[Entry, ...] = PLAIN,
    known: tuple[Line, ...] = (),
) -> tuple[dict[str, str], list[Trouble]]:
    """Label and signing selector of every line; KeyTable paths count from the place."""
    table = keys.replace("@", str(place))
    lines, troubles = lines_of(Settings(domains=domains), known, table, signing, 2_000_000_000)
    return {one.label: one.signing.selector if one.signing else "" for one in lines}, troubles


@pytest.mark.parametrize(
    ("keys", "signing", "selector"),
    [
        pytest.param("x d.example:a:@/a\n", "", "a", id="one"),
        pytest.param("x D.Example:a:@/a # y\n", "", "a", id="case"),
        pytest.param("", "", "", id="none"),
        pytest.param("x o.example:a:@/a\n", "*@d.example x\n", "", id="of-another-domain"),
        pytest.param("x d.example:e:@/e\n", "", "", id="of-another-kind"),
        pytest.param("x d.example:a:@/a\ny d.example:a:@/a\n", "", "a", id="one-key-twice"),
        pytest.param("x d.example:a:@/a\ny d.example:b:@/b\n", "* y\n", "b", id="one-in-use"),
        pytest.param(
            "d.example d.example:a:@/a\ny d.example:b:@/b\n", "* %\n", "a", id="named-by-sender"
        ),
        pytest.param("x d.example:a:@/a\nany %:b:@/b\n", "* any\n", "a", id="own-row-and-any"),
        pytest.param("any %:a:@/a\n", "*@o.example any\n", "", id="any-is-for-others"),
        pytest.param("any %:e:@/e\n", "* any\n", "", id="any-of-another-kind"),
        pytest.param("any %:a:@/a\n", "*@d.example other\n", "", id="any-is-not-used"),
    ],
)
def test_the_key_that_signs(place: Path, keys: str, signing: str, selector: str) -> None:
    assert found(place, keys, signing) == ({"d.example (rsa)": selector}, [])


@pytest.mark.parametrize(
    ("keys", "signing", "word"),
    [
        pytest.param("x d.example:a:@/a\ny d.example:b:@/b\n", "", "2 rsa keys", id="two"),
        pytest.param(
            "x d.example:a:@/a\ny d.example:b:@/b\n", "n@d.example x\n* y\n", "a, b", id="both-used"
        ),
        pytest.param("x d.example:a:@/none\n", "", "No such file", id="file-missing"),
        pytest.param("x d.example:a:MIIE\n", "", "key in the row", id="inline"),
        pytest.param("x d.example:a:credential:x\n", "", "credential", id="credential"),
        pytest.param("any %:a:@/%\n", "", "for any domain", id="any"),
        pytest.param("any %:a:@/%\n", "* any\n", "for any domain", id="any-for-all"),
        pytest.param("any %:a:@/a\n", "*@D.example any\n", "for any domain", id="any-by-name"),
        pytest.param("any %:a:MIIE\n", ".example any\n", "for any domain", id="any-below"),
    ],
)
def test_what_cannot_be_told_is_left_alone(place: Path, keys: str, signing: str, word: str) -> None:
    lines, (trouble,) = found(place, keys, signing)
    assert lines == {}
    assert word in trouble.problem.message and trouble.problem.hint
    assert trouble.problem.code == CONFIG


def test_a_row_to_write_instead_of_one_for_any(place: Path) -> None:
    _, (trouble,) = found(place, "any %:a:@/%\n", "* any\n")
    assert f"'a._domainkey.d.example d.example:a:{place}/d.example'" in trouble.problem.hint


def test_one_domain_does_not_keep_the_others(place: Path) -> None:
    both = (*PLAIN, Entry(domain="o.example", kind="rsa"))
    keys = "x d.example:a:@/none\ny o.example:b:@/b\n"
    lines, troubles = found(place, keys, domains=both)
    assert lines == {"o.example (rsa)": "b"} and len(troubles) == 1


def test_streams(place: Path) -> None:
    keys = "x d.example:a:@/a\ny d.example:b:@/b\n"
    new = Entry(domain="d.example", kind="rsa", stream="new")
    lines, troubles = found(place, keys, domains=(*PLAIN, NEWS, new))
    assert troubles == []
    assert lines == {
        "d.example (rsa)": "a",
        "d.example (rsa, news)": "b",
        "d.example (rsa, new)": "",
    }
    lines, (trouble,) = found(place, "x d.example:a:@/a\n", domains=(*PLAIN, NEWS))
    assert lines == {"d.example (rsa)": "a"} and "b" in trouble.problem.message


def test_a_stream_that_gets_a_second_kind(place: Path) -> None:
    keys = "x d.example:a:@/a\ny d.example:b:@/b\n"
    both = (*PLAIN, NEWS, replace(NEWS, kind="ed25519"))
    lines, troubles = found(place, keys, domains=both)
    assert troubles == []
    assert lines["d.example (rsa, news)"] == "b" and lines["d.example (ed25519, news)"] == ""


def test_what_another_stream_came_to_is_not_taken_over(place: Path) -> None:
    keys = "x d.example:a:@/a\ny d.example:b2:@/b\n"
    later = Key(selector="b2", file="/b2", stage=Stage.SIGNING, since=0)
    known = (Line(domain="d.example", kind="rsa", stream="news", keys=(later,)),)
    lines, troubles = found(place, keys, domains=(*PLAIN, NEWS), known=known)
    assert lines == {"d.example (rsa, news)": "b2", "d.example (rsa)": "a"} and troubles == []

"""settings: all mistakes at once, and the times that safety asks for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from postseal_keys.console import CONFIG, Problem
from postseal_keys.rotate.model import Line
from postseal_keys.rotate.options import SETTINGS
from postseal_keys.rotate.settings import KNOWN, read

GOOD = '[[domain]]\nname = "d.example"\nkinds = ["rsa", "ed25519"]\n'


def write(place: Path, text: str) -> str:
    (place / "rotate.toml").write_text(text)
    return str(place / "rotate.toml")


def test_defaults(tmp_path: Path) -> None:
    found = read(write(tmp_path, GOOD))
    assert [(one.domain, one.kind) for one in found.domains] == [
        ("d.example", "rsa"),
        ("d.example", "ed25519"),
    ]
    assert found.policy.seen_for == 3600
    assert found.policy.retire_for >= found.queue_lifetime


@pytest.mark.parametrize(
    ("text", "word"),
    [
        pytest.param("", "no [[domain]]", id="no-domain"),
        pytest.param('selektor = "x"\n' + GOOD, "did you mean selector", id="unknown"),
        pytest.param("every = 5\n" + GOOD, "expected text", id="time-as-number"),
        pytest.param('every = "soon"\n' + GOOD, "not a length of time", id="no-time"),
        pytest.param('bits = "2048"\n' + GOOD, "expected a number", id="number-as-text"),
        pytest.param("bits = true\n" + GOOD, "expected a number", id="number-as-bool"),
        pytest.param("bits = 512\n" + GOOD, "bits", id="bits"),
        pytest.param('retire_for = "4d"\n' + GOOD, "queue_lifetime", id="retire-below-queue"),
        pytest.param(
            'signature_lifetime = "20d"\n' + GOOD, "signature_lifetime", id="retire-below-x"
        ),
        pytest.param('seen_for = "0"\n' + GOOD, "seen_for", id="seen-for-nothing"),
        pytest.param('publish = "nsupdate"\n' + GOOD, "needs server", id="nsupdate"),
        pytest.param('publish = "hook"\n' + GOOD, "needs hook", id="hook"),
        pytest.param('server = "ns1.d.example"\n' + GOOD, "server: 'ns1", id="server-name"),
        pytest.param('nameservers = ["127.0.0.1:x"]\n' + GOOD, "nameservers: 'x'", id="port"),
        pytest.param('publish = "fax"\n' + GOOD, "print, nsupdate or hook", id="publish"),
        pytest.param('old_keys = "publish"\n' + GOOD, "publish_dir", id="publish-dir"),
        pytest.param('selector = "{week}"\n' + GOOD, "{week}", id="selector"),
        pytest.param('key_file = "{domain}"\n' + GOOD, "key_file", id="one-file-for-all"),
        pytest.param('key_file = "../{selector}"\n' + GOOD, "without directories", id="escape"),
        pytest.param(GOOD + GOOD, "twice", id="domain-twice"),
        pytest.param(GOOD + 'stream = "a b"\n', "a word of letters", id="stream"),
        pytest.param(GOOD + 'adopt = "a b"\n', "selector", id="adopt"),
        pytest.param(
            'signing_table = "/s"\n[[domain]]\nname = "d.example"\nstream = "n"\n',
            "needs pattern",
            id="stream-for-whose-mail",
        ),
        pytest.param(
            'signing_table = "/s"\n' + GOOD + 'stream = "n"\nadopt = "a"\n',
            "needs pattern",
            id="second-kind-for-whose-mail",
        ),
        pytest.param(GOOD + 'selector = "{week}"\n', "{week}", id="selector-of-a-domain"),
        pytest.param(GOOD + 'pattern = "{week}"\n', "pattern", id="pattern-of-a-domain"),
        pytest.param(GOOD + 'strem = "a"\n', "strem", id="unknown-in-domain"),
        pytest.param('key_table = "ldap://x"\n' + GOOD, "only tables in files", id="no-file"),
        pytest.param('[[domain]]\nname = "a..b"\n', "domain", id="no-name"),
        pytest.param(GOOD.replace("rsa", "dsa"), "dsa", id="kind"),
        pytest.param("x =", "rotate.toml", id="no-toml"),
    ],
)
def test_mistakes(text: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read(write(tmp_path, text))
    assert word in caught.value.message
    assert caught.value.code == CONFIG


def test_tables_as_the_daemon_names_them(tmp_path: Path) -> None:
    text = 'key_table = "file:/etc/x"\nsigning_table = "refile:/etc/y"\n'
    found = read(write(tmp_path, text + GOOD))
    assert (found.key_table, found.signing_table) == ("/etc/x", "/etc/y")


def test_streams(tmp_path: Path) -> None:
    more = GOOD + 'stream = "news"\nadopt = "n1"\nselector = "n{year}"\n'
    found = read(write(tmp_path, 'pattern = "@{domain}"\n' + GOOD + more))
    assert [one.stream for one in found.domains] == ["", "", "news", "news"]
    plain, news = found.domains[0], found.domains[2]
    first = found.entry(Line(domain="d.example", kind="rsa"))
    assert first == replace(plain, selector="{year}{month}", pattern="@{domain}")
    second = found.entry(Line(domain="d.example", kind="rsa", stream="news"))
    assert second == replace(news, selector="n{year}", pattern="@{domain}")
    assert found.entry(Line(domain="d.example", kind="rsa", stream="x")) is None


def test_all_mistakes_at_once(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read(write(tmp_path, 'bits = "x"\nttl = "y"\nnonsense = 1\n' + GOOD))
    assert len(caught.value.more) == 2


def test_every_setting_is_explained() -> None:
    shown = " ".join(name for name, _ in SETTINGS)
    assert [name for name in KNOWN if name not in shown] == []

"""Every kind of mistake, with its line, its words and its hint; and what good text becomes."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError
from postseal.conf.model import EXPIRE_DEFAULT, Settings

FILE = Path("/etc/postseal/test.toml")


def mistakes(text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load.parse(text.encode(), FILE)
    return [str(one).removeprefix(f"{FILE}:") for one in caught.value.mistakes]


def settings(text: str) -> Settings:
    return load.parse(text.encode(), FILE).settings


ROW = '[[override]]\nfrom = "a.b"\naction = "reject"\nwhy = "x"\n'
KEY = '[[sign.key]]\nselector = "s"\nfile = "s.pem"\n'


@pytest.mark.parametrize(
    ("text", "start", "part"),
    [
        pytest.param("workers = 1.5", "1: workers:", "whole number", id="float-for-int"),
        pytest.param('\n\nworkers = "2"', "3: workers:", 'not "2"', id="text-for-int"),
        pytest.param("workers = -1", "1: workers:", "at least 0", id="below-limit"),
        pytest.param("authserv_id = 1", "1: authserv_id:", "text in quotes", id="int-for-text"),
        pytest.param('authserv_id = "a b"', "1: authserv_id:", "characters", id="pattern"),
        pytest.param('authserv_id = ""', "1: authserv_id:", "empty", id="empty"),
        pytest.param("[spf]\nenabled = 1", "2: spf.enabled:", "true or false", id="int-for-bool"),
        pytest.param('log = "syslog"', "1: log:", "a table", id="text-for-table"),
        pytest.param(
            '[log]\ntarget = "sylog"', "2: log.target:", "did you mean 'syslog'?", id="near-word"
        ),
        pytest.param("[sign]\ndomian = 1", "2: sign.domian:", "did you mean domain?", id="near"),
        pytest.param("[sign]\nreject = true", "2: sign.reject:", "into [dmarc]", id="elsewhere"),
        pytest.param("[from]\nfoo = 1", "2: from.foo:", "missing, broken", id="unknown"),
        pytest.param("[[dns]]\nx=1", "1: dns:", "a table", id="array-for-table"),
        pytest.param(
            '[verify]\nkeep_removed = "Received"', "2: verify.keep_removed:", "X-Removed-",
            id="field-name",
        ),
        pytest.param(
            '[verify]\nkeep_removed = "X-postseal-quarantine"', "2: verify.keep_removed:",
            "means something already", id="field-name-of-the-mark-in-another-case",
        ),
        pytest.param(
            '[verify]\nkeep_removed = "X-Postseal-Quarantine"', "2: verify.keep_removed:",
            "means something already", id="field-name-of-the-mark",
        ),
        pytest.param(
            '[upstream]\nhosts = "192.0.2.9"', "2: upstream.hosts:", "authserv_ids",
            id="upstream-id",
        ),
        pytest.param(
            '[upstream]\nauthserv_ids = "a"', "2: upstream.authserv_ids:", "without hosts",
            id="upstream-hosts",
        ),
        pytest.param(
            '[roles]\ntrusted_relays = "192.0.2.1"\ninternal_hosts = "192.0.2.1"',
            "2: roles.trusted_relays:", "not judged", id="relay-inside",
        ),
        pytest.param(
            '[roles]\npeers = "a.b"\n[upstream]\nauthserv_ids = "x"\nhosts = "a.b"',
            "5: upstream.hosts:", "among roles.peers", id="upstream-peer",
        ),
        pytest.param(
            '[dmarc]\nsuffix_list = "l"', "2: dmarc.suffix_list:", "no effect", id="suffix-list"
        ),
        pytest.param(
            '[arc]\nseal = true\nselector = "s"\nkey = "k"', "2: arc.seal:", "without domain",
            id="seal-domain",
        ),
        pytest.param(
            '[arc]\nverify = false\ntrusted_sealers = "a.b"', "3: arc.trusted_sealers:",
            "no effect", id="sealers",
        ),
        pytest.param(
            '[arc]\ntrusted_sealers = ["a..b"]', "2: arc.trusted_sealers[1]:", "empty-label",
            id="sealer-name",
        ),
        pytest.param(f"{ROW}dkmi = 1", "5: override[1].dkmi:", "mean dkim?", id="row-unknown"),
        pytest.param(
            '[[override]]\naction = "hold"\nwhy = "x"', "1: override[1]:", "no condition",
            id="row-empty",
        ),
        pytest.param(
            '[[override]]\nfrom = "a.b"\naction = "hold"', "1: override[1].why:", "must be given",
            id="row-why",
        ),
        pytest.param(
            f'{ROW}dmarc = ["fial"]', "5: override[1].dmarc[1]:", "mean 'fail'?", id="row-dmarc"
        ),
        pytest.param(
            f'{ROW}until = "soon"', "5: override[1].until:", "2027-01-31", id="row-date"
        ),
        pytest.param(
            f"{ROW}until = 2027-01-31T00:00:00", "5: override[1].until:", "without a time",
            id="row-time",
        ),
        pytest.param(
            f'{ROW}recipient = "a@"', "5: override[1].recipient:", ".example.org", id="row-name"
        ),
        pytest.param(
            f'{ROW}arc = "a.b"\n[arc]\nverify = false', "5: override[1].arc:", "not verified",
            id="row-arc",
        ),
        pytest.param(
            f"{ROW}[dmarc]\nenabled = false", "3: override[1].action:", "DMARC result",
            id="row-dmarc-off",
        ),
        pytest.param("socket_mode = 660", "1: socket_mode:", '"0660"', id="mode-as-number"),
        pytest.param('socket_mode = "999"', "1: socket_mode:", "octal", id="mode-not-octal"),
        pytest.param('socket = "tcp:1@h"', "1: socket:", "unknown kind", id="socket-kind"),
        pytest.param('socket = "inet:0@h"', "1: socket:", "port 0", id="socket-port"),
        pytest.param('socket = "unix:rel"', "1: socket:", "starts with /", id="socket-relative"),
        pytest.param(f'socket = "/{"x" * 107}"', "1: socket:", "107", id="socket-long"),
        pytest.param(
            '[dns]\nnameservers = ["localhost"]', "2: dns.nameservers:", "address", id="ns-name"
        ),
        pytest.param('[dns]\ntimeout = "3x"', "2: dns.timeout:", "14d", id="wait"),
        pytest.param(
            '[sign]\n[sign.key]\nfile = "k"', "2: sign.key:", "[[sign.key]], not [sign.key]",
            id="one-bracket-key",
        ),
        pytest.param("[override]\nwhy = 1", "1: override:", "[[override]]", id="one-bracket-row"),
        pytest.param('[sign]\nexpire = "2x"', "2: sign.expire:", "14d", id="duration"),
        pytest.param('[sign]\nexpire = "4d"', "2: sign.expire:", "5 days", id="expire-floor"),
        pytest.param('[sign]\ndomain = "a..b"', "2: sign.domain:", "empty-label", id="domain"),
        pytest.param('[sign]\ndomain = "a.b"', "2: sign.domain:", "without a key", id="no-key"),
        pytest.param(f"\n{KEY}", "2: sign.key:", "without sign.domain", id="no-domain"),
        pytest.param(
            f'sign.domain = "d.b"\n{KEY}{KEY}',
            "6: sign.key[2].selector:",
            "also that of key 1",
            id="selector-twice",
        ),
        pytest.param(
            '[sign]\nkey_table = "/k"', "2: sign.key_table:", "signing_table", id="no-signing"
        ),
        pytest.param(
            '[sign]\nsigning_table = "/k"', "2: sign.signing_table:", "key_table", id="no-keytable"
        ),
        pytest.param(
            '[sign]\nsigning_table = "/s"\nkey_table = "/k"\ndomain = "a.b"',
            "4: sign.domain:",
            "cannot be combined",
            id="both-ways",
        ),
        pytest.param(
            "[sign]\nsub_domains = true", "2: sign.sub_domains:", "no effect", id="sub-domains"
        ),
        pytest.param(
            '[sign]\ncheck_published = "warn"', "2: sign.check_published:", "without keys",
            id="published-nothing",
        ),
        pytest.param(
            '[sign]\noversign = ["X-A"]', "2: sign.oversign:", "not among", id="oversign-unsigned"
        ),
        pytest.param(
            '[sign]\nheaders="*,-To"\noversign="To"', "3: sign.oversign:", "+to", id="oversign-cut"
        ),
        pytest.param(
            '[sign]\noversign = ["Received"]', "2: sign.oversign:", "changed", id="oversign-trace"
        ),
        pytest.param('[sign]\nheaders = "*,+Received"', "2: sign.headers:", "changed", id="trace"),
        pytest.param('[sign]\nheaders = "*,-From"', "2: sign.headers:", "always", id="no-from"),
        pytest.param('[sign]\nheaders = "a b"', "2: sign.headers:", "not the name", id="no-name"),
        pytest.param('[sign]\nidentity = "{x}"', "2: sign.identity:", "{domain}", id="brace"),
        pytest.param(
            '[sign]\nidentity = "a@b..c"', "2: sign.identity:", "not an identity", id="bad-domain"
        ),
        pytest.param('extra_authserv_ids = ["a b"]', "1: extra_authserv_ids:", "host", id="ids"),
        pytest.param('[sign]\nidentity = "x"', "2: sign.identity:", "not an identity", id="no-at"),
        pytest.param('[roles]\nmacros = "{a}=b"', "2: roles.macros:", "without braces", id="macro"),
        pytest.param('group = "g"', "1: group:", "without user", id="group-alone"),
        pytest.param('user = "root"', "1: user:", "as root", id="root"),
        pytest.param('socket_group = "g"', "1: socket_group:", "no effect", id="group-on-inet"),
        pytest.param("workers = 1024", "1: workers:", "too many", id="too-many-workers"),
        pytest.param("[dns]\ntimeout = 30.0", "2: dns.timeout:", "together", id="dns-budget"),
        pytest.param("[a", "1:", "not TOML", id="syntax"),
        pytest.param("a = 1\na = 2\n", "2:", "not TOML", id="twice"),
        pytest.param('a = "\n', "1:", "not TOML", id="open-string"),
    ],
)  # fmt: skip
def test_one_mistake(text: str, start: str, part: str) -> None:
    [found] = mistakes(text)
    assert found.startswith(start)
    assert part in found


def test_all_mistakes_at_once_in_the_order_of_the_file() -> None:
    found = mistakes('workers = "x"\n[sign]\nexpire = "1d"\nfoo = 1\n[[sign.key]]\nfile = 2\n')
    assert [one.split(": ")[0] for one in found] == ["1", "3", "4", "5", "6"]


def test_a_check_is_silent_about_an_option_that_could_not_be_read() -> None:
    assert len(mistakes('[sign]\ndomain = "a b"\n' + KEY)) == 1


def test_line_of_a_value_in_an_inline_table() -> None:
    [found] = mistakes('sign.domain = "d.e"\nsign.key = [\n\n {selector="a", file=""},\n]')
    assert found.startswith("4: sign.key[1].file:")


def test_not_utf8_names_the_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load.parse(b"a = 1\n\xff", FILE)
    assert caught.value.mistakes[0].line == 2


def test_control_characters_are_shown_escaped() -> None:
    [found] = mistakes('[log]\ntarget = "\\u001b[31m"')
    assert "\x1b" not in found


def test_too_long_and_too_deep_are_mistakes() -> None:
    assert "longer" in mistakes("#" * (load.MAX_FILE + 1))[0]
    assert len(mistakes(f"a = {'[' * 5000}{']' * 5000}")) == 1


def test_a_file_that_is_too_long_is_not_used_up_to_there(tmp_path: Path) -> None:
    file = tmp_path / "postseal.toml"
    file.write_bytes(b"#" * load.MAX_FILE + b"\n")
    with pytest.raises(ConfigError, match="longer"):
        load.read(file)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        load.read(tmp_path / "none.toml")
    assert "cannot be read" in str(caught.value)


def test_no_file_is_the_defaults() -> None:
    assert load.read().settings == Settings(authserv_id=Settings().authserv_id)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("inet:8891@127.0.0.1", "inet:8891@127.0.0.1"),
        ("inet:127.0.0.1:8891", "inet:8891@127.0.0.1"),
        ("inet:localhost:1", "inet:1@localhost"),
        ("inet:[::1]:8891", "inet6:8891@::1"),
        ("inet6:8891@::1", "inet6:8891@::1"),
        ("inet:8891", "inet:8891"),
        ("unix:/run/a.sock", "unix:/run/a.sock"),
        ("local:/run/a.sock", "unix:/run/a.sock"),
        ("/run/a.sock", "unix:/run/a.sock"),
    ],
)
def test_socket_forms(written: str, read: str) -> None:
    assert settings(f'socket = "{written}"').socket == read


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("true", EXPIRE_DEFAULT),
        ("false", 0),
        ("0", 0),
        ('"2w"', 1209600),
        ("432000", 432000),
        ('"5d"', 432000),
    ],
)
def test_expire_forms(written: str, read: int) -> None:
    assert settings(f"[sign]\nexpire = {written}").sign.expire == read


def test_lists_may_be_one_string() -> None:
    assert settings('[roles]\ninternal_hosts = "::1, .a.b"').roles.internal_hosts == ("::1", ".a.b")


def test_relative_paths_count_from_the_file() -> None:
    read = settings(f'sign.domain = "D.example."\n{KEY}').sign
    assert read.key[0].file == FILE.parent / "s.pem"
    assert read.domain == "d.example"


def test_credentials_of_systemd(monkeypatch: pytest.MonkeyPatch) -> None:
    text = 'sign.domain = "d.e"\nsign.key = [{selector = "s", file = "credential:k"}]'
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    assert "LoadCredential=k:" in mistakes(text)[0]
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert settings(text).sign.key[0].file == Path("/run/credentials/x/k")
    assert "not the name" in mistakes(text.replace(":k", ":../k"))[0]


def test_u_labels_become_a_labels() -> None:
    assert settings(f'sign.domain = "bücher.example"\n{KEY}').sign.domain == "xn--bcher-kva.example"


def test_nameservers_get_their_port() -> None:
    text = '[dns]\nnameservers = ["192.0.2.1", "192.0.2.1:5353", "::1", "[::1]:54"]'
    assert settings(text).dns.nameservers == (
        "192.0.2.1:53", "192.0.2.1:5353", "[::1]:53", "[::1]:54",
    )  # fmt: skip


def test_settings_cannot_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().sign.domain = "x"


def test_no_text_raises_anything_but_config_error() -> None:
    rng = random.Random(8891)
    pieces = [
        "[", "]", "[[sign.key]]", "sign", ".", "=", '"', "'", '"""', "{", "}", ",", "\n", " ",
        "1", "true", "key", "file", "#", "\\", "é", "\x00", "1979-05-27",
    ]  # fmt: skip
    refused = 0
    for _ in range(3000):
        try:
            load.parse("".join(rng.choices(pieces, k=rng.randrange(12))).encode(), FILE)
        except ConfigError as error:
            assert str(error)
            refused += 1
    assert refused


@pytest.mark.parametrize("text", ["", "\n \n"], ids=["no octet", "blank"])
def test_an_empty_file_is_a_mistake(text: str, tmp_path: Path) -> None:
    """A full disk leaves it, and with all defaults nobody's mail is signed."""
    file = tmp_path / "postseal.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"postseal\.toml: is empty \(hint: was a disk full"):
        load.read(file)
    file.write_text("# nothing but defaults\n")
    assert load.read(file).settings == load.default().settings

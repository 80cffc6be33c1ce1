"""A whole configuration: keys, tables and lists read together, every mistake with its place."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.core.signing import NoKeys
from postseal.tables import safety, site
from support.sites import ed25519_pem, private, write


def opened(folder: Path, text: str, *, thorough: bool = False, keys: bool = True) -> site.Site:
    configuration = load.parse(text.encode(), folder / "postseal.toml")
    return site.load(configuration, thorough=thorough, keys=keys)


def refused(folder: Path, text: str, *, thorough: bool = False) -> list[Mistake]:
    with pytest.raises(ConfigError) as caught:
        opened(folder, text, thorough=thorough)
    return list(caught.value.mistakes)


TABLES = '[sign]\nkey_table = "file:kt"\nsigning_table = "refile:st"\n'
ONE = '[sign]\ndomain = "d.example"\n[[sign.key]]\nselector = "a"\nfile = "k"\n'


def test_defaults_sign_nothing() -> None:
    made = site.load(load.default())
    assert isinstance(made.chooser, NoKeys)
    assert not made.remarks


def test_one_domain(tmp_path: Path) -> None:
    private(tmp_path / "k")
    private(tmp_path / "e", ed25519_pem())
    made = opened(tmp_path, ONE + '[[sign.key]]\nselector = "b"\nfile = "e"\n')
    assert [one.algorithm for one in made.keys] == ["rsa-sha256", "ed25519-sha256"]
    assert made.senders == ("d.example",)
    assert len(made.chooser.choose("x@d.example")) == 2


def test_faults_of_keys_stand_at_their_line(tmp_path: Path) -> None:
    private(tmp_path / "k", b"nothing")
    found = refused(tmp_path, ONE + '[[sign.key]]\nselector = "b"\nfile = "none"\n')
    assert [(one.line, one.key) for one in found] == [
        (5, "sign.key[1].file"),
        (8, "sign.key[2].file"),
    ]
    assert "not a private key" in found[0].what
    assert "no such file" in found[1].what


def test_an_unsafe_key_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    private(tmp_path / "k")
    fault = safety.Fault(tmp_path, "can be written to by every user", f"chmod o-w {tmp_path}")
    monkeypatch.setattr(safety.Inspector, "inspect", lambda self, path: fault)
    [found] = refused(tmp_path, ONE)
    assert str(tmp_path) in found.what
    assert found.hint == f"chmod o-w {tmp_path}"


def test_keys_may_be_left_alone(tmp_path: Path) -> None:
    assert isinstance(opened(tmp_path, ONE, keys=False).chooser, NoKeys)


def test_tables(tmp_path: Path) -> None:
    private(tmp_path / "k")
    write(tmp_path / "kt", "one d.example:s:./k\ntwo %:t:./k\nspare x.example:s:./k\n")
    write(tmp_path / "st", "*@d.example one\n* two\n")
    made = opened(tmp_path, TABLES)
    assert made.chooser.choose("a@d.example")[0].key.selector == "s"
    assert made.chooser.choose("a@e.example")[0].key.query_name == "t._domainkey.e.example"
    [note] = made.remarks
    assert (note.line, note.key, note.severity) == (3, "spare", Severity.NOTE)
    assert note.file == str(tmp_path / "kt")


def test_a_key_table_of_patterns(tmp_path: Path) -> None:
    private(tmp_path / "k")
    write(tmp_path / "kt", "*.example %:s:./k\n")
    text = '[sign]\nkey_table = "refile:kt"\nsigning_table = "csl:*=%"\n'
    assert opened(tmp_path, text).chooser.choose("a@b.example")[0].key.domain == "b.example"


def test_every_row_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    private(tmp_path / "k")
    private(tmp_path / "bad", b"x")
    write(
        tmp_path / "kt", "one d.example:s:./k\nbroken d\ngone d.example:s:./none\nbad e.f:s:./bad\n"
    )
    write(tmp_path / "st", "*@d.example one\n@x.example one\na|b one\n*@e.example nokey\n")
    found = refused(tmp_path, TABLES, thorough=True)
    rows = [(Path(one.file).name, one.line, one.severity.value) for one in found]
    assert rows == [
        ("kt", 2, "error"),
        ("kt", 3, "error"),
        ("kt", 3, "note"),
        ("kt", 4, "error"),
        ("kt", 4, "note"),
        ("st", 2, "dead"),
        ("st", 3, "error"),
        ("st", 4, "error"),
    ]


def test_the_daemon_reads_keys_but_does_not_try_them(tmp_path: Path) -> None:
    private(tmp_path / "k", b"x")
    write(tmp_path / "kt", "one d.example:s:./k\n")
    write(tmp_path / "st", "* one\n")
    assert opened(tmp_path, TABLES)
    assert refused(tmp_path, TABLES, thorough=True)


def test_files_of_a_template_are_read_at_the_start(tmp_path: Path) -> None:
    path = private(tmp_path / "keys" / "d.example" / "k")
    write(tmp_path / "kt", f"any %:s:{tmp_path}/keys/%/k\n")
    write(tmp_path / "st", "* any\n")
    made = opened(tmp_path, TABLES)
    path.unlink()
    assert made.chooser.choose("a@d.example")


@pytest.mark.parametrize(
    ("option", "part"),
    [
        ('key_table = "none"\nsigning_table = "csl:*=k"', "neither a file nor a list"),
        ('key_table = "file:none"\nsigning_table = "csl:*=k"', "No such file"),
        ('key_table = "ldap://x"\nsigning_table = "csl:*=k"', "ldap"),
    ],
)
def test_tables_that_cannot_be_read(option: str, part: str, tmp_path: Path) -> None:
    [*found] = refused(tmp_path, f"[sign]\n{option}\n")
    assert part in found[0].what


def test_a_table_with_keys_in_it_must_be_as_safe_as_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from postseal_keys import keypair
    from support.sites import rsa_pem

    der = b"".join(keypair.pem(keypair.load(rsa_pem())).split(b"\n")[1:-2]).decode()
    write(tmp_path / "kt", f"one d.example:s:{der}\n").chmod(0o600)
    write(tmp_path / "st", "* one\n")
    assert opened(tmp_path, TABLES).chooser.choose("a@b.example")
    fault = safety.Fault(tmp_path / "kt", "can be read", "chmod o-r kt")
    monkeypatch.setattr(safety.Inspector, "inspect", lambda self, path: fault)
    [found] = refused(tmp_path, TABLES)
    assert "keys in the table" in found.what
    assert der not in str(found)


def test_host_lists(tmp_path: Path) -> None:
    write(tmp_path / "hosts", "# ours\n192.0.2.5/24\n!192.0.2.9\nmx.*\n10.0.0.1 x\na\0b\n")
    text = f'[roles]\ninternal_hosts = ["::1", "file:hosts", "{tmp_path}"]\n'
    found = refused(tmp_path, text)
    places = [(Path(one.file).name, one.line, one.severity.value) for one in found]
    assert places == [
        ("hosts", 2, "note"),
        ("hosts", 4, "error"),
        ("hosts", 5, "error"),
        ("hosts", 6, "error"),
        ("postseal.toml", 2, "error"),
    ]
    write(tmp_path / "hosts", "192.0.2.0/24\n")
    made = opened(tmp_path, text.replace(f', "{tmp_path}"', ""))
    assert len(made.internal) == 2
    [found_] = refused(tmp_path, '[roles]\npeers = "file:none"\n')
    assert "No such file" in found_.what
    assert (found_.line, found_.key) == (2, "roles.peers[1]")


def test_every_file_is_known_that_was_read(tmp_path: Path) -> None:
    assert site.load(load.default()).files == ()
    private(tmp_path / "k")
    private(tmp_path / "keys" / "d.example")
    write(tmp_path / "kt", f"one d.example:s:./k\nany %:t:{tmp_path}/keys/%\n")
    write(tmp_path / "st", "*@d.example one\n* any\n")
    write(tmp_path / "hosts", "::1\n")
    text = f'{TABLES}sender_login = "csl:*=%"\n[roles]\ninternal_hosts = "file:hosts"\n'
    names = ("postseal.toml", "kt", "st", "hosts", "k", "keys/d.example", "keys")
    assert set(map(Path, opened(tmp_path, text).files)) == {tmp_path / name for name in names}
    assert set(map(Path, opened(tmp_path, ONE).files)) == {
        tmp_path / "postseal.toml",
        tmp_path / "k",
    }


def test_what_was_refused_names_its_files_too(tmp_path: Path) -> None:
    """The key that is missing now may come later."""
    write(tmp_path / "kt", "one d.example:s:./later\n")
    write(tmp_path / "st", "*@d.example one\n")
    with pytest.raises(ConfigError) as caught:
        opened(tmp_path, TABLES)
    assert tmp_path / "later" in map(Path, caught.value.files)


def test_an_unknown_user_is_named_with_the_command_that_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    [found] = refused(tmp_path, 'user = "no-such-user"\n')
    assert "adduser" in found.hint


def test_whom_the_daemon_will_be(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load.default().settings
    monkeypatch.setattr(os, "geteuid", lambda: 1234)
    assert site.daemon_uid(settings) == 1234
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert site.daemon_uid(settings.model_copy(update={"user": "daemon"})) == 1


def test_logins(tmp_path: Path) -> None:
    assert opened(tmp_path, "# nothing").logins is None
    made = opened(tmp_path, '[sign]\nsender_login = "csl:*=%"\n').logins
    assert made
    assert made.allows("a@b.c", "a@b.c")
    write(tmp_path / "logins", "a@b.c\n")
    [found] = refused(tmp_path, '[sign]\nsender_login = "file:logins"\n')
    assert (found.file, found.line) == (str(tmp_path / "logins"), 1)
    [found] = refused(tmp_path, '[sign]\nsender_login = "file:none"\n')
    assert "No such file" in found.what


@pytest.mark.parametrize(
    ("before", "wrong"),
    [
        ('sokcet = "x"\n', ""),
        ("workers = true\n", ""),
        ("", '[log]\nlevel = "loud"\n'),
        ("", "[dns]\nseconds = 1\ntimeout = 2\n"),
    ],
    ids=["unknown", "kind", "word", "together"],
)
def test_a_mistake_in_the_file_hides_none_in_what_it_names(
    before: str, wrong: str, tmp_path: Path
) -> None:
    lists = '[roles]\ninternal_hosts = ["192.0.2.0/33"]\n'
    place = write(tmp_path / "p.toml", f"{before}{lists}{ONE}{wrong}")
    with pytest.raises(ConfigError) as caught:
        site.read(place)
    said = {one.key for one in caught.value.mistakes}
    assert len(said) == 3
    assert {"roles.internal_hosts[1]", "sign.key[1].file"} < said
    assert tmp_path / "k" in map(Path, caught.value.files)


@pytest.mark.parametrize(
    "wrong",
    [
        "user = 7\n" + ONE,
        '[sign]\nkey_table = 7\nsigning_table = "refile:none"\n',
        '[sign]\nsigning_table = "refile:none"\n',
        '[sign]\nkey_table = "none"\n',
        "[sign]\nsender_login = 7\n" + ONE.removeprefix("[sign]\n"),
        '[arc]\nseal = true\ndomain = "a.b"\nselector = "s"\n',
    ],
)
def test_no_mistake_is_made_of_another(wrong: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        site.read(write(tmp_path / "p.toml", wrong))
    assert len(caught.value.mistakes) == 1


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read.*hint: check the name"):
        site.read(tmp_path / "none.toml")


def test_a_suffix_list_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    text = '[dmarc]\ndiscovery = "both"\nsuffix_list = "none.dat"\n'
    with pytest.raises(ConfigError, match=r"3: dmarc\.suffix_list: .*none\.dat: cannot be read"):
        site.load(load.parse(text.encode(), tmp_path / "p.toml"))


def test_no_suffix_list_is_read_where_none_is_used(tmp_path: Path) -> None:
    for text in ("", '[dmarc]\ndiscovery = "psl"\nenabled = false\n'):
        assert site.load(load.parse(text.encode(), tmp_path / "p.toml")).suffixes is None


def test_a_key_to_seal_with_that_cannot_be_read_is_a_mistake(tmp_path: Path) -> None:
    text = '[arc]\nseal = true\ndomain = "a.b"\nselector = "s"\nkey = "none"\n'
    with pytest.raises(ConfigError, match=r"5: arc\.key: "):
        site.load(load.parse(text.encode(), tmp_path / "p.toml"))

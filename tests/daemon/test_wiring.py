"""Every option arrives where it is obeyed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.core.dkim import crypto
from postseal.core.dkim.publication import State
from postseal.core.signing import NoKeys
from postseal.core.transaction import Envelope
from postseal.daemon.published import PublishedChooser
from postseal.daemon.wiring import Parts, Unusable, loader, parts
from postseal.tables import site
from support.dkimmail import FIELDS, mail
from support.fakedns import FakeDns
from support.pipeline import USER
from support.sites import private, write

KEY = '[[sign.key]]\nselector = "s"\nfile = "k"\n'


def made(folder: Path, text: str, *, sign: bool = True) -> Parts:
    return parts(str(write(folder / "postseal.toml", text)), sign=sign)


ROW = '[[override]]\naction = "reject"\nwhy = "x"\n'


def test_recipients_are_wanted_by_a_rule_alone(tmp_path: Path) -> None:
    plain = made(tmp_path, f'{ROW}from = "a.b"\n')
    assert (plain.recipients, plain.hits is None) == (False, False)
    assert made(tmp_path, f'{ROW}recipient = "a.b"\n').recipients
    assert made(tmp_path, "# nothing\n").hits is None


def test_without_a_file() -> None:
    assert isinstance(parts(None).pipeline._keys, NoKeys)


def test_a_command_that_only_verifies_reads_no_keys(tmp_path: Path) -> None:
    text = f'sign.domain = "a.b"\n{KEY}'
    with pytest.raises(Unusable, match="no such file"):
        made(tmp_path, text)
    assert isinstance(made(tmp_path, text, sign=False).pipeline._keys, NoKeys)


def test_every_mistake_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(Unusable) as caught:
        made(tmp_path, "workers = 'x'\nsocket = 1\n")
    assert len(caught.value.lines) == 2
    assert caught.value.exit_status == 78


def test_the_loader_reads_the_file_again_and_logs_remarks(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    private(tmp_path / "k")
    file = write(tmp_path / "postseal.toml", f'sign.domain = "a.b"\n{KEY}')
    load_again = loader(str(file))
    assert load_again().settings.sign.domain == "a.b"
    assert capfd.readouterr().err == ""
    text = f'socket = "inet:8891"\nsign.domain = "c.d"\nroles.macros = ["x"]\n{KEY}'
    write(file, text)
    app = load_again()
    assert (app.settings.sign.domain, app.macros) == ("c.d", ("x",))
    said = capfd.readouterr().err
    assert "event=config-remark" in said
    assert "every address" in said


def test_a_file_that_a_full_disk_has_emptied(tmp_path: Path) -> None:
    """Nothing in it means to sign for nobody, to refuse nothing, and to stay root."""
    private(tmp_path / "k")
    table, file = tmp_path / "ST", tmp_path / "postseal.toml"
    write(table, "*@a.b k\n")
    text = 'sign.key_table = "csl:k=a.b:s:./k"\nsign.signing_table = "refile:ST"\n'
    load_again = loader(str(write(file, text)))
    load_again()
    for emptied, before in ((table, table.read_text()), (file, text)):
        write(emptied, "")
        with pytest.raises(Unusable, match=f"{emptied}: is empty"):
            load_again()
        with pytest.raises(Unusable, match=f"{emptied}: is empty"):
            load_again()
        write(emptied, before)
        load_again()
    write(table, "# nobody\n")
    load_again()
    write(table, "")
    write(file, text)
    assert loader(str(file))()  # a table may be empty from the start


@pytest.mark.parametrize(
    ("how", "looks", "replaces"),
    [("off", False, False), ("warn", True, False), ("fallback", True, True)],
)
def test_published_keys(how: str, looks: bool, replaces: bool, tmp_path: Path) -> None:
    private(tmp_path / "k")
    found = made(tmp_path, f'sign.check_published = "{how}"\nsign.domain = "a.b"\n{KEY}')
    assert (found.board is not None) is looks
    assert (found.background() is not None) is looks
    assert isinstance(found.pipeline._keys, PublishedChooser) is replaces


def test_a_reload_passes_on_what_is_known_of_keys(tmp_path: Path) -> None:
    private(tmp_path / "k")
    text = f'sign.check_published = "warn"\nsign.domain = "a.b"\n{KEY}'
    before = made(tmp_path, text).board
    assert before
    before["s._domainkey.a.b"] = State.REVOKED
    after = parts(str(tmp_path / "postseal.toml"), before=before).board
    assert after
    assert after["s._domainkey.a.b"] is State.REVOKED


def test_a_key_that_systemd_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    private(tmp_path / "given" / "dkim")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "given"))
    write(tmp_path / "kt", "a a.b:s:credential:dkim\n")
    write(tmp_path / "st", "a.b a\n")
    for text in (
        f'sign.domain = "a.b"\n{KEY}'.replace('"k"', '"credential:dkim"'),
        'sign.key_table = "file:kt"\nsign.signing_table = "file:st"\n',
    ):
        (choice,) = made(tmp_path, text).pipeline._keys.choose("x@a.b")
        assert choice.key.query_name == "s._domainkey.a.b"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    with pytest.raises(Unusable, match="LoadCredential=dkim:PATH"):
        made(tmp_path, f'sign.domain = "a.b"\n{KEY}'.replace('"k"', '"credential:dkim"'))


@pytest.fixture
def _thawed() -> Iterator[None]:
    """What a test froze is the collector's again."""
    yield
    gc.unfreeze()


@pytest.mark.usefixtures("_thawed")
def test_what_is_loaded_is_not_looked_at_by_the_collector(tmp_path: Path) -> None:
    """Looking means writing: workers and supervisor would each have a copy of the tables."""
    private(tmp_path / "k")
    file = write(tmp_path / "postseal.toml", f'sign.domain = "a.b"\n{KEY}')
    made = loader(str(file))()
    assert gc.isenabled()
    assert not any(one is made.settings or one is made.engine for one in gc.get_objects())
    assert gc.get_freeze_count() > 0


def test_tables_go_with_their_last_reference(tmp_path: Path) -> None:
    """The collector, which does not look at them, is not needed after a reload."""
    private(tmp_path / "k")
    (tmp_path / "senders").write_text("*@a.example %\n")
    (tmp_path / "keys").write_text("a.example %:s:./k\n")
    told = 'sign.signing_table = "refile:senders"\nsign.key_table = "file:keys"\n'
    found = site.load(load.read(write(tmp_path / "postseal.toml", told)))
    kept = weakref.ref(found.chooser)
    gc.disable()
    try:
        del found
        assert kept() is None
    finally:
        gc.enable()


@pytest.mark.usefixtures("_thawed")
def test_a_configuration_that_is_refused_leaves_the_collector_at_work(tmp_path: Path) -> None:
    file = write(tmp_path / "postseal.toml", "sign.domain = 1\n")
    with pytest.raises(Unusable):
        loader(str(file))()
    assert gc.isenabled()


def test_signatures_are_made_in_one_thread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """OpenSSL keeps something with an RSA key for every thread that has signed with it."""
    private(tmp_path / "k")
    pipeline = made(tmp_path, f'[sign]\ndomain = "example.com"\n{KEY}').pipeline
    told = mail(FIELDS)
    threads: list[int] = []
    real = crypto.sign

    def signing(key: crypto.PrivateKey, digest: bytes) -> bytes:
        threads.append(threading.get_ident())
        return real(key, digest)

    monkeypatch.setattr(crypto, "sign", signing)
    together = threading.Barrier(4)

    def send() -> None:
        work = pipeline.open(USER, Envelope(sender="ann@example.com"), told.header, FakeDns({}))
        work.body(told.body)
        together.wait()
        assert len(work.close().signatures) == 1
        together.wait()

    senders = [threading.Thread(target=send) for _ in range(4)]
    for sender in senders:
        sender.start()
    for sender in senders:
        sender.join()
    assert len(threads) == 4 and len(set(threads)) == 1

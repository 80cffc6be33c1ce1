"""Every option arrives where it is obeyed."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.core.dkim import crypto, headerlist
from postseal.core.dkim.publication import State
from postseal.core.dkim.sign import SelfCheck
from postseal.core.dmarc.suffix import Choice as Discovery
from postseal.core.roles import MacroRule
from postseal.core.rules import OnBadFrom, OnFault, OnQuarantine
from postseal.core.signing import ChooseBy, NoKeys
from postseal.core.transaction import Envelope
from postseal.daemon.published import PublishedChooser
from postseal.daemon.wiring import Parts, Unusable, loader, parts, rules_of
from postseal.tables import site
from support.dkimmail import FIELDS, mail
from support.fakedns import FakeDns
from support.pipeline import USER
from support.sites import private, write

KEY = '[[sign.key]]\nselector = "s"\nfile = "k"\n'


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        pytest.param('authserv_id = "a.b"', "authserv_id", "a.b", id="authserv-id"),
        pytest.param(
            'authserv_id = "a.b"\nextra_authserv_ids = ["c.d"]', "own_ids", {"a.b", "c.d"}, id="ids"
        ),
        pytest.param('[roles]\ndaemon_names = ["X"]', "origins.daemon_names", {"X"}, id="daemons"),
        pytest.param(
            '[roles]\nmacros = ["a=b|c"]', "origins.macros",
            (MacroRule("a", frozenset("bc")),), id="macros",
        ),
        pytest.param(
            '[roles]\nnever_sign = ["a"]', "origins.never_sign", (MacroRule("a"),), id="never-sign"
        ),
        pytest.param("[roles]\nauthenticated = false", "origins.authenticated", False, id="auth"),
        pytest.param("[verify]\nmax_signatures = 3", "dkim.signatures", 3, id="signatures"),
        pytest.param('[verify]\nclock_skew = "2m"', "dkim.skew", 120, id="skew"),
        pytest.param("[verify]\nminimum_key_bits = 2048", "dkim.min_rsa_bits", 2048, id="bits"),
        pytest.param("[spf]\nlookups = 7", "spf.lookups", 7, id="lookups"),
        pytest.param("[spf]\nvoids = 7", "spf.voids", 7, id="voids"),
        pytest.param("[spf]\nenabled = false", "spf_enabled", False, id="spf"),
        pytest.param("[spf]\nhelo = true", "spf_helo", True, id="spf-helo"),
        pytest.param("[spf]\nreceived_spf = true", "spf_received", True, id="received-spf"),
        pytest.param("[verify]\niprev = true", "iprev", True, id="iprev"),
        pytest.param('[verify]\nkeep_removed = "X-R"', "keep_removed", "X-R", id="keep-removed"),
        pytest.param("", "relays", None, id="no-relays"),
        pytest.param("[arc]\nverify = false", "arc.enabled", False, id="arc"),
        pytest.param(
            '[arc]\ntrusted_sealers = ["A.b"]', "arc.trusted", {"a.b"}, id="trusted-sealers"
        ),
        pytest.param("", "arc.key", None, id="no-seal"),
        pytest.param("", "upstream", None, id="no-upstream"),
        pytest.param(
            '[upstream]\nhosts = "10.0.0.1"\nauthserv_ids = "mx1"', "upstream.authserv_ids",
            {"mx1"}, id="upstream",
        ),
        pytest.param(
            '[dmarc]\ndiscovery = "both"', "dmarc.discovery", Discovery.BOTH, id="discovery"
        ),
        pytest.param("[dmarc]\nenabled = false", "dmarc.enabled", False, id="dmarc"),
        pytest.param(
            '[dmarc]\nquarantine = "header"', "dmarc.quarantine", OnQuarantine.HEADER, id="header"
        ),
        pytest.param("[dmarc]\nreject = true", "dmarc.reject", True, id="reject"),
        pytest.param('[dmarc]\nreject_text = "x"', "dmarc.reject_text", "x", id="reject-text"),
        pytest.param(
            '[dmarc]\ntemperror = "tempfail"', "dmarc.on_temperror", OnFault.TEMPFAIL, id="temp"
        ),
        pytest.param('[from]\nmissing = "hold"', "from_.missing", OnBadFrom.HOLD, id="missing"),
        pytest.param('[from]\nbroken = "reject"', "from_.broken", OnBadFrom.REJECT, id="broken"),
        pytest.param('[from]\nmultiple = "hold"', "from_.multiple", OnBadFrom.HOLD, id="multiple"),
        pytest.param(
            '[sign]\ncanonicalization = "simple/relaxed"', "signing.header_relaxed", False, id="c-h"
        ),
        pytest.param(
            '[sign]\ncanonicalization = "relaxed"', "signing.body_relaxed", False, id="c-body"
        ),
        pytest.param(
            '[sign]\nheaders = "To"\noversign = ""', "signing.signed", (b"to",), id="headers"
        ),
        pytest.param('[sign]\noversign = "To"', "signing.oversigned", (b"to",), id="oversign"),
        pytest.param('[sign]\nexpire = "6d"', "signing.expire_seconds", 518400, id="expire"),
        pytest.param("[sign]\nexpire = false", "signing.expire_seconds", None, id="no-expire"),
        pytest.param(
            '[sign]\non_signing_error = "accept"', "on_signing_error", OnFault.ACCEPT, id="on-error"
        ),
        pytest.param("", "signing.oversigned", headerlist.OVERSIGNED, id="safe-oversigning"),
        pytest.param(
            '[sign]\nself_check = "all"', "signing.self_check", SelfCheck.ALL, id="self-check"
        ),
        pytest.param("[sign]\nwarn_risks = false", "signing.watch", False, id="warn-risks"),
        pytest.param('[sign]\nchoose_by = "login"', "choose_by", ChooseBy.LOGIN, id="choose-by"),
        pytest.param("", "ours", set(), id="nothing-is-ours"),
    ],
)  # fmt: skip
def test_option(text: str, path: str, value: object, tmp_path: Path) -> None:
    found: object = rules_of(site.load(load.parse(text.encode(), tmp_path / "p.toml")))
    for part in path.split("."):
        found = getattr(found, part)
    assert found == value


def made(folder: Path, text: str, *, sign: bool = True) -> Parts:
    return parts(str(write(folder / "postseal.toml", text)), sign=sign)


def test_hosts_and_logins(tmp_path: Path) -> None:
    text = '[roles]\ninternal_hosts = "10.0.0.0/8"\npeers = "10.0.0.1"\n'
    text += '[sign]\nsender_login = "csl:*=%"\n'
    rules = rules_of(site.load(load.parse(text.encode(), tmp_path / "p.toml")))
    assert rules.origins.internal.matches(ip_address("10.9.9.9"), "")
    assert rules.origins.peers.matches(ip_address("10.0.0.1"), "")
    assert not rules.origins.peers.matches(ip_address("10.9.9.9"), "")
    assert rules.logins
    assert not rules.logins.allows("a@b", "c@d")


def test_relays_upstream_and_suffixes(tmp_path: Path) -> None:
    text = '[roles]\ntrusted_relays = "10.0.0.2"\n[dmarc]\ndiscovery = "psl"\n'
    text += '[upstream]\nhosts = "10.0.0.1"\nauthserv_ids = "mx1"\n'
    rules = rules_of(site.load(load.parse(text.encode(), tmp_path / "p.toml")))
    assert rules.relays
    assert rules.relays.matches(ip_address("10.0.0.2"), "")
    assert rules.upstream
    assert rules.upstream.hosts.matches(ip_address("10.0.0.1"), "")
    assert rules.dmarc.suffixes
    assert rules.dmarc.suffixes.organizational_domain("a.b.co.uk") == "b.co.uk"


def test_the_key_to_seal_with(tmp_path: Path) -> None:
    private(tmp_path / "k")
    text = '[arc]\nseal = true\ndomain = "a.b"\nselector = "s"\nkey = "k"\n'
    place = load.parse(text.encode(), tmp_path / "p.toml")
    key = rules_of(site.load(place)).arc.key
    assert key
    assert (key.domain, key.selector) == ("a.b", "s")
    assert rules_of(site.load(place, keys=False)).arc.key is None


ROW = '[[override]]\naction = "reject"\nwhy = "x"\n'


def test_overrides(tmp_path: Path) -> None:
    text = f'{ROW}from = ["a.b", ".c.d"]\nuntil = 2027-01-31\ndmarc = "none"\n'
    text += f'{ROW}client = "10.0.0.0/8"\nrecipient = "A@b.c"\n'
    text += f'{ROW}dkim = "d.e"\nlist_id = "l.e"\narc = "s.e"\n'
    one, two, three = rules_of(site.load(load.parse(text.encode(), tmp_path / "p.toml"))).overrides
    assert (one.number, one.effect, one.why, one.expires) == (1, "reject", "x", 1801440000)
    assert one.author
    assert "a.b" in one.author
    assert "x.c.d" in one.author
    assert one.dmarc == {"none"}
    assert (one.dkim, one.client, one.list_id, one.arc, one.recipient) == (None,) * 5
    assert two.client
    assert two.client.matches(ip_address("10.1.1.1"), "")
    assert two.recipient
    assert two.recipient.has_mailbox("a@b.c")
    assert three.dkim and three.list_id and three.arc
    assert three.client is None


def test_recipients_are_wanted_by_a_rule_alone(tmp_path: Path) -> None:
    plain = made(tmp_path, f'{ROW}from = "a.b"\n')
    assert (plain.recipients, plain.hits is None) == (False, False)
    assert made(tmp_path, f'{ROW}recipient = "a.b"\n').recipients
    assert made(tmp_path, "").hits is None


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


def test_domains_of_ours(tmp_path: Path) -> None:
    private(tmp_path / "k")
    place = load.parse(f'sign.domain = "A.b"\n{KEY}'.encode(), tmp_path / "p.toml")
    assert rules_of(site.load(place)).ours == {"a.b"}


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

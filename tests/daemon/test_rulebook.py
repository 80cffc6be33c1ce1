"""Every option of the configuration, as the core is told of it."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.core.dkim import headerlist
from postseal.core.dkim.sign import SelfCheck
from postseal.core.dmarc.suffix import Choice as Discovery
from postseal.core.roles import MacroRule
from postseal.core.rules import FaultRules, OnBadFrom, OnFault, OnQuarantine, Soften
from postseal.core.signing import ChooseBy
from postseal.daemon.rulebook import rules_of
from postseal.tables import site
from support.sites import private

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
        pytest.param(
            '[dmarc]\nsoften_lists = "quarantine"', "dmarc.soften_lists",
            Soften.QUARANTINE, id="soften-lists",
        ),
        *(
            pytest.param(
                f'[{section}]\n{option} = "tempfail"', "faults",
                FaultRules(**{field: OnFault.TEMPFAIL}), id=field.replace("_", "-"),
            )
            for section, option, field in (
                ("verify", "temperror", "dkim_temperror"),
                ("verify", "permerror", "dkim_permerror"),
                ("spf", "temperror", "spf_temperror"),
                ("spf", "permerror", "spf_permerror"),
            )
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


def test_domains_of_ours(tmp_path: Path) -> None:
    private(tmp_path / "k")
    place = load.parse(f'sign.domain = "A.b"\n{KEY}'.encode(), tmp_path / "p.toml")
    assert rules_of(site.load(place)).ours == {"a.b"}

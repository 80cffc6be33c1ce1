"""keyreport: who is asked, in what order, and how differing answers are told."""

from __future__ import annotations

import json

from postseal_keys.dnsask import Address, Outcome
from postseal_keys.keyreport import Job, World, as_plain, lines, report
from postseal_keys.zoneservers import Server
from support.fakeasker import FakeAsker

KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
NAME = "s1._domainkey.d.example"
JOB = Job(label="k1", selector="s1", domain="d.example")
ONE, TWO = Server("ns1", Address("192.0.2.1")), Server("ns2", Address("192.0.2.2"))
HAS, HAS_NOT = FakeAsker({(NAME, "TXT"): [KEY]}), FakeAsker({("d.example", "TXT"): ["x"]})


def world(one: FakeAsker, two: FakeAsker, resolver: FakeAsker) -> World:
    askers = {ONE: one, TWO: two}
    return World(
        resolver=resolver,
        unchecked=resolver,
        direct=lambda server: askers[server],
        servers=(ONE, TWO),
    )


def test_all_agree() -> None:
    found = report(JOB, world(HAS, HAS, HAS))
    assert found.ok
    assert [server for server, _ in found.looks] == [str(ONE), str(TWO), "the resolver"]
    assert found.agreed == 3
    assert next(lines(found, verbose=False)).startswith(f"ok: {NAME} (k1): 3 of 3")


def test_the_resolver_is_not_asked_for_what_is_not_there_yet() -> None:
    resolver = FakeAsker({})
    found = report(JOB, world(HAS, HAS_NOT, resolver))
    assert not found.ok
    assert resolver.asked == []


def test_what_only_some_say_is_said_with_their_names() -> None:
    found = report(JOB, world(HAS, HAS_NOT, HAS))
    codes = {finding.code: finding.where for finding in found.findings}
    assert codes["key-missing"] == f"{NAME} at {TWO}"
    assert "servers-disagree" in codes


def test_what_all_say_is_said_once() -> None:
    found = report(JOB, world(HAS_NOT, HAS_NOT, HAS_NOT))
    assert [finding.where for finding in found.findings] == [NAME]


def test_a_silent_server_is_a_failure() -> None:
    silent = FakeAsker({}, broken={NAME: Outcome.TIMEOUT})
    found = report(JOB, world(HAS, silent, HAS))
    assert not found.ok
    assert json.loads(json.dumps(as_plain(found)))["servers"][1]["outcome"] == "timeout"


def test_bogus_means_there_only_for_those_who_do_not_check() -> None:
    checking = FakeAsker({}, broken={NAME: Outcome.SERVFAIL})
    asked = world(HAS, HAS, checking)
    asked.unchecked = HAS
    found = report(JOB, asked)
    assert found.dnssec == "bogus"
    assert not found.ok

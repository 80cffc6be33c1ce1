"""Every mechanism against DNS in every kind of trouble, through a running daemon.

One mail has a name of its own for each record: its key, SPF, DMARC, ARC key and reverse name.
One of them at a time is in trouble; the results must be right for that one and for the others,
and the message must be answered within its budget.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from postseal.core.dkim import sign
from support.arcmail import sealed
from support.child import wait_until
from support.dkimmail import KEYS, RSA, RSA_RECORD, Mail, mail, signed
from support.dnsserver import DnsServer, Fault
from support.receiver import Receiver, Taken, receiver

CLIENT = "203.0.113.7"
REVERSE = "7.113.0.203.in-addr.arpa"
KEY = "s1._domainkey.example.com"
ARC_KEY = "arc._domainkey.sealer.example"
HOST = "mail.example.com"
ATTEMPTS = 1
# Seconds, for one server and for all of a message.  Where no name is silent all answers come,
# however long a busy machine takes; where one is, the others have to come before its time is over.
PATIENT = (60.0, 120.0)
HASTY = (3.0, 12.0)
LATE = HASTY[1] + 60  # no answer to a message takes so long, unless the budget counts for nothing

# Where the trouble is: the names, and the method whose result follows from them.
PLACES = {"dkim": KEY, "spf": "sender.example", "dmarc": "_dmarc.example.com",
          "arc": ARC_KEY, "iprev": REVERSE}  # fmt: skip
FINE = {"dkim": "pass", "spf": "pass", "dmarc": "pass", "arc": "pass", "iprev": "pass"}
RECORDS = {
    **KEYS,
    (ARC_KEY, "TXT"): (RSA_RECORD,),
    ("sender.example", "TXT"): (b"v=spf1 ip4:203.0.113.0/24 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    (REVERSE, "PTR"): (HOST,),
    (HOST, "A"): (CLIENT,),
}
# What the one method says.  RFC 8617 knows no temporary error: ARC says fail, and the reason.
UNKNOWN = {"dkim": "temperror", "spf": "temperror", "dmarc": "temperror", "iprev": "temperror"}
TROUBLE = {
    Fault.TIMEOUT: UNKNOWN,
    Fault.SERVFAIL: UNKNOWN,
    Fault.REFUSED: UNKNOWN,
    Fault.FORMERR: UNKNOWN,
    Fault.NOTIMP: UNKNOWN,
    Fault.TRUNCATE_DEAF: UNKNOWN,
    Fault.TRUNCATE_MUTE: UNKNOWN,
    Fault.WRONG_ID: UNKNOWN,
    Fault.WRONG_QUESTION: UNKNOWN,
    Fault.WRONG_SOURCE: UNKNOWN,
    Fault.GARBAGE: UNKNOWN,
    Fault.SHORT: UNKNOWN,
    Fault.REFERRAL: UNKNOWN,
    Fault.QUERY_BACK: UNKNOWN,
    Fault.NO_EDNS: FINE,
    Fault.TRUNCATE: FINE,
    Fault.LIES_FIRST: FINE,
    Fault.OTHER_CASE: FINE,
    Fault.EXTRA: FINE,
}
SILENT = {  # these wait for the time to be over
    Fault.TIMEOUT, Fault.TRUNCATE_MUTE, Fault.WRONG_ID, Fault.WRONG_QUESTION, Fault.WRONG_SOURCE,
    Fault.SHORT, Fault.QUERY_BACK,
}  # fmt: skip
CONFIG = "[verify]\niprev = true\n"


def message() -> Mail:
    """Signed, and sealed by another host."""
    key = sign.signing_key(RSA, "sealer.example", "arc")
    return sealed(signed(), key)


MESSAGE = message().octets


def words(got: Taken) -> dict[str, str]:
    """One word for each method; there is one of each."""
    return {one.method: one.result for one in got.results}


def expected(place: str, word: str) -> dict[str, str]:
    """DKIM is the one aligned identifier: DMARC follows it."""
    after = {"pass": "pass", "temperror": "temperror"}.get(word, "fail")
    return FINE | {place: word} | ({"dmarc": after} if place == "dkim" else {})


def take(mx: Receiver) -> Taken:
    return mx.take(MESSAGE, sender="<ann@sender.example>", client=CLIENT)


pytestmark = pytest.mark.slow


@contextmanager
def running(directory: Path, limits: tuple[float, float]) -> Iterator[Receiver]:
    """One daemon for all rows: it remembers nothing from one to the next."""
    timeout, budget = limits
    dns = f"timeout = {timeout}\nattempts = {ATTEMPTS}\nseconds = {budget}\ncache_entries = 0\n"
    with receiver(directory, RECORDS, config=CONFIG, dns=dns) as made:
        yield made


@pytest.fixture(scope="module")
def patient(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with running(tmp_path_factory.mktemp("patient"), PATIENT) as made:
        yield made


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with running(tmp_path_factory.mktemp("hasty"), HASTY) as made:
        yield made


@contextmanager
def mended(made: Receiver) -> Iterator[Receiver]:
    """Its DNS is as it should be before and after."""
    kept = dict(made.dns.records)
    yield made
    made.dns.faults.clear()
    made.dns.delays.clear()
    made.dns.records = kept


@pytest.fixture
def mx(patient: Receiver) -> Iterator[Receiver]:
    """For names that all answer in some way."""
    with mended(patient) as made:
        yield made


@pytest.fixture
def mx_hasty(hasty: Receiver) -> Iterator[Receiver]:
    """For names that do not."""
    with mended(hasty) as made:
        yield made


def test_without_trouble(mx: Receiver) -> None:
    assert words(take(mx)) == FINE


@pytest.mark.parametrize("where", PLACES)
@pytest.mark.parametrize("fault", TROUBLE)
def test_trouble(request: pytest.FixtureRequest, fault: Fault, where: str) -> None:
    mx: Receiver = request.getfixturevalue("mx_hasty" if fault in SILENT else "mx")
    mx.dns.faults[PLACES[where]] = fault
    got = take(mx)
    word = TROUBLE[fault].get(where, "fail" if where == "arc" else "")
    assert words(got) == expected(where, word)
    assert got.seconds < LATE


# -- what is no fault of transport: answers that cannot be used ---------------------------------


def test_nothing_there(mx: Receiver) -> None:
    """Names that do not exist are an answer, not a fault."""
    mx.dns.records = {}
    assert words(take(mx)) == {
        "dkim": "permerror", "spf": "none", "dmarc": "none", "arc": "fail", "iprev": "permerror",
    }  # fmt: skip


@pytest.mark.parametrize("where", PLACES)
def test_a_cname_loop(mx: Receiver, where: str) -> None:
    """A resolver gives up on a loop, or hands it on; either way there is no answer."""
    name = PLACES[where]
    for key in [key for key in mx.dns.records if key[0] == name]:
        del mx.dns.records[key]
    mx.dns.records[name, "CNAME"] = ("loop.example",)
    mx.dns.records["loop.example", "CNAME"] = (name,)
    got = take(mx)
    assert words(got) == expected(where, UNKNOWN.get(where, "fail"))
    assert got.seconds < LATE


@pytest.mark.parametrize("where", PLACES)
def test_a_cname_is_followed(mx: Receiver, where: str) -> None:
    name = PLACES[where]
    for key in [key for key in mx.dns.records if key[0] == name]:
        mx.dns.records["alias.example", key[1]] = mx.dns.records.pop(key)
    mx.dns.records[name, "CNAME"] = ("alias.example",)
    assert words(take(mx)) == FINE


# 60 kB: over UDP truncated, over TCP whole.
BIG = {
    "dkim": (RSA_RECORD + b"; n=" + b"x" * 60_000, "permerror"),
    "spf": (b"v=spf1 ip4:203.0.113.0/24 " + b"ip4:192.0.2.1 " * 4200 + b"-all", "permerror"),
    "dmarc": (b"v=DMARC1; p=reject; x=" + b"y" * 60_000, "pass"),
    "arc": (RSA_RECORD + b"; n=" + b"x" * 60_000, "fail"),
}


@pytest.mark.parametrize("where", BIG)
def test_sixty_kilobytes(mx: Receiver, where: str) -> None:
    """Keys and SPF records of this size are refused unread; a DMARC record is read in one go."""
    record, word = BIG[where]
    mx.dns.records[PLACES[where], "TXT"] = (record,)
    got = take(mx)
    assert words(got) == expected(where, word)


@pytest.mark.parametrize("where", ["dkim", "spf", "dmarc", "arc"])
def test_a_big_neighbour(mx: Receiver, where: str) -> None:
    """A record of 60 kB of something else does not hide the one that counts."""
    (record,) = mx.dns.records[PLACES[where], "TXT"]
    mx.dns.records[PLACES[where], "TXT"] = (b"z" * 60_000, record)
    assert words(take(mx)) == FINE


def test_two_hundred_names_for_one_address(mx: Receiver) -> None:
    """iprev reads ten of them (RFC 8601 section 3 leaves the number open)."""
    mx.dns.records[REVERSE, "PTR"] = tuple(f"h{n}.example.net" for n in range(200))
    asked = len(mx.dns.seen)
    assert words(take(mx))["iprev"] == "fail"
    assert len(mx.dns.seen) - asked < 40


# -- the budget ---------------------------------------------------------------------------------


def test_a_dead_name_server(mx_hasty: Receiver) -> None:
    """Nothing answers at all: the message is, within its budget, and only temporary errors."""
    for ending in ("example", "com", "arpa"):
        mx_hasty.dns.faults[f"*.{ending}"] = Fault.TIMEOUT
    got = take(mx_hasty)
    assert words(got) == {
        "dkim": "temperror", "spf": "temperror", "dmarc": "temperror", "arc": "fail",
        "iprev": "temperror",
    }  # fmt: skip
    assert got.seconds < LATE
    assert got.reply.code in ("continue", "accept")


def test_slow_answers_in_a_row(mx_hasty: Receiver) -> None:
    """A hundred names, each slow: the budget ends it, not the sum of them."""
    mx_hasty.dns.records["sender.example", "TXT"] = (b"v=spf1 include:n0.slow.example -all",)
    for n in range(9):
        text = f"v=spf1 mx:m{n}.slow.example include:n{n + 1}.slow.example ?all".encode()
        mx_hasty.dns.records[f"n{n}.slow.example", "TXT"] = (text,)
        mx_hasty.dns.records[f"m{n}.slow.example", "MX"] = tuple(
            (m, f"h{m}.m{n}.slow.example") for m in range(10)
        )
    mx_hasty.dns.faults["*.slow.example"] = Fault.TIMEOUT
    got = take(mx_hasty)
    assert words(got)["spf"] == "temperror"
    assert got.seconds < LATE


def test_slow_zones_of_a_forger_do_not_save_his_forgery(mx_hasty: Receiver) -> None:
    """Signatures by keys that nobody answers for, and the author's own policy all the same."""
    forged = mail([("From", " ceo@example.com"), ("Subject", " x")])
    for n in range(10):
        forged = signed(forged, tags={"d": f"z.silent{n}.example"})
        mx_hasty.dns.faults[f"*.silent{n}.example"] = Fault.TRUNCATE_MUTE  # one after the other
    mx_hasty.dns.records["example.com", "TXT"] = (b"v=spf1 include:spf.example.com -all",)
    mx_hasty.dns.records["spf.example.com", "TXT"] = (b"v=spf1 ip4:192.0.2.0/24 -all",)
    got = mx_hasty.take(forged.octets, sender="<ceo@example.com>", client=CLIENT)
    assert got.words("spf") == ["fail"]
    assert got.words("dmarc") == ["fail"]
    assert got.seconds < LATE


def test_a_dead_zone_does_not_hold_its_next_message(mx_hasty: Receiver) -> None:
    """What did not answer is remembered for a short time, and not asked again at once."""
    mx_hasty.dns.faults["*.dead.example"] = Fault.TIMEOUT
    mx_hasty.dns.faults["dead.example"] = Fault.TIMEOUT
    for n in range(4):
        mx_hasty.take(MESSAGE, sender=f"<ann@a{n}.zone.dead.example>", client=CLIENT)
    asked = len(mx_hasty.dns.seen)
    got = mx_hasty.take(MESSAGE, sender="<ann@last.zone.dead.example>", client=CLIENT)
    assert words(got)["spf"] == "temperror"
    assert not [name for name, _, _ in mx_hasty.dns.seen[asked:] if name.endswith("dead.example")]


def test_others_are_served_while_dns_is_slow(mx: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A message that waits for DNS holds neither the worker nor another connection."""
    held: list[Callable[[], None]] = []  # the answer that it waits for
    monkeypatch.setattr(DnsServer, "later", staticmethod(lambda _, call: held.append(call)))
    mx.dns.delays["sender.example"] = 1.0
    with mx.connect(CLIENT) as waiting, mx.connect(CLIENT) as other:
        waiting.mail("<ann@sender.example>")
        for name, value in message().fields:
            waiting.header(name, value.replace(b"\r\n", b"\n"))
        waiting.end_of_header()
        waiting.body(b"Hi.\r\n")
        waiting.send("E")
        wait_until(lambda: held, "the question")
        reply = other.message(MESSAGE, sender="<ann@example.com>")
        assert reply.inserted("Authentication-Results")
        waiting.socket.setblocking(False)
        with pytest.raises(BlockingIOError):  # the first is still waiting
            waiting.socket.recv(1)
        waiting.socket.settimeout(60)
        for call in held:
            call()
        assert waiting.answer().inserted("Authentication-Results")

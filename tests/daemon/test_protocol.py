"""The milter protocol against real libmilter, as Postfix and worse speak it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.milterclient import (
    ALL_STEPS,
    LEADING_SPACE,
    NO_REPLY,
    NOT_SENT,
    Closed,
    MilterClient,
    Reply,
)
from support.milterdaemon import Daemon

MESSAGE = b"From: a@b.example\nTo:c@d.example\nSubject:  folded\n\tonce\n\nhello\n"


def seen(reply: Reply) -> dict[str, Any]:
    (value,) = reply.inserted("X-Seen")
    found = json.loads(value)
    assert isinstance(found, dict)
    return found


def session(daemon: Daemon, **options: int) -> MilterClient:
    mta = MilterClient(daemon.address).negotiate(**options)
    mta.connect(macros={"daemon_name": "mx.example", "v": "Postfix 3.10"})
    mta.helo("h.example")
    return mta


@pytest.mark.parametrize("version", [6, 4, 3, 2])
def test_versions(shared: Daemon, version: int) -> None:
    """P-1: every version that Postfix speaks gives the same result."""
    with session(shared, version=version) as mta:
        reply = mta.message(MESSAGE)
    assert reply.code == "continue"
    found = seen(reply)
    assert found["address"] == "192.0.2.1"
    assert found["helo"] == "h.example"
    assert found["octets"] == 7
    exact = mta.steps & LEADING_SPACE
    assert found["fields"] == [
        "From: a@b.example\r\n",
        "To:c@d.example\r\n" if exact else "To: c@d.example\r\n",
        "Subject:  folded\r\n\tonce\r\n",
    ]
    assert bool(exact) == (version == 6)


def test_version_6_waits_for_nothing_before_the_end(shared: Daemon) -> None:
    with session(shared) as mta:
        assert mta.steps & LEADING_SPACE
        for command in "CHMLNB":
            assert mta.steps & NO_REPLY[command], command
        for command in "RTU":  # recipients, DATA and unknown commands: not even sent
            assert mta.steps & NOT_SENT[command], command


def test_actions_asked_for(shared: Daemon) -> None:
    """Y-7: add, change, quarantine, and no more."""
    with session(shared) as mta:
        assert mta.actions == 0x01 | 0x10 | 0x20


def test_leading_space_in_what_we_insert(shared: Daemon) -> None:
    """P-20: with P_HDR_LEADSPC the value starts with our own space, otherwise the MTA's."""
    message = b"From: a@b.example\nX-Do: insert=X-A:one\n\n"
    with session(shared) as mta:
        assert mta.message(message).inserted("X-A") == [" one"]
    with session(shared, steps=ALL_STEPS & ~LEADING_SPACE) as mta:
        assert mta.message(message).inserted("X-A") == ["one"]


def test_edits_keep_their_order(shared: Daemon) -> None:
    with session(shared) as mta:
        reply = mta.message(
            b"X-Do: delete=A:3;delete=A:1;insert=X-1:x;insert=X-2:y\nFrom: a@b.example\n\n"
        )
    assert [edit[:3] for edit in reply.edits] == [
        ("change", 3, "A"),
        ("change", 1, "A"),
        ("insert", 0, "X-1"),
        ("insert", 0, "X-2"),
        ("insert", 0, "X-Seen"),
    ]


@pytest.mark.parametrize(
    ("order", "code", "text", "quarantine"),
    [
        pytest.param("reject=100% no", "replycode", "550 5.7.1 100%% no", None, id="P-38-reject"),
        pytest.param("defer=later", "replycode", "451 4.7.0 later", None, id="defer"),
        pytest.param("hold=DMARC", "continue", "", "DMARC", id="P-40-hold"),
    ],
)
def test_replies(shared: Daemon, order: str, code: str, text: str, quarantine: str | None) -> None:
    with session(shared) as mta:
        reply = mta.message(b"X-Do: " + order.encode() + b"\n\n")
    assert (reply.code, reply.text, reply.quarantine) == (code, text, quarantine)


@pytest.mark.parametrize("order", ["raise-open", "raise-body", "raise-close", "exit"])
def test_a_bug_defers_and_the_connection_lives(shared: Daemon, order: str) -> None:
    """Y-3: one line in the log, with the queue id, and nothing of pymilter's."""
    before = len(shared.lines())
    with session(shared) as mta:
        reply = mta.message(b"X-Do: " + order.encode() + b"\n\nx\n", queue_id="4BUG")
        assert (reply.code, reply.text) == (
            "replycode",
            "451 4.3.0 internal error, please try again later",
        )
        assert mta.message(MESSAGE).code == "continue"
    shared.wait_for(lambda: len(shared.lines()) >= before + 2)
    bug, good = shared.lines()[before:]
    assert "queue_id=4BUG event=internal-error action=defer error=" in bug
    assert "queue_id=4XYZ role=inbound client=192.0.2.1" in good


def test_several_messages_and_aborts(shared: Daemon) -> None:
    """P-3, P-35: RSET between, before, twice, and in every state."""
    with session(shared) as mta:
        mta.abort()
        mta.mail("<one@b.example>")
        mta.abort()
        mta.abort()
        mta.mail("<two@b.example>")
        mta.header("From", b" two@b.example")
        mta.abort()
        first = seen(mta.message(MESSAGE, sender="<three@b.example>"))
        mta.abort()
        second = seen(mta.message(b"From: four@b.example\n\n", sender="<four@b.example>"))
        mta.quit()
    assert (first["sender"], len(first["fields"])) == ("three@b.example", 3)
    assert (second["sender"], second["fields"]) == (
        "four@b.example",
        ["From: four@b.example\r\n"],
    )
    assert second["address"] == "192.0.2.1"


def test_no_helo(shared: Daemon) -> None:
    """P-34"""
    with MilterClient(shared.address).negotiate() as mta:
        mta.connect()
        assert seen(mta.message(MESSAGE))["helo"] == ""


def test_a_second_helo_counts(shared: Daemon) -> None:
    with session(shared) as mta:
        mta.helo("after-starttls.example")
        assert seen(mta.message(MESSAGE))["helo"] == "after-starttls.example"


@pytest.mark.parametrize(
    ("address", "port", "name", "expected"),
    [
        pytest.param("192.0.2.7", 9, "c.example", ("192.0.2.7", "c.example", False), id="ipv4"),
        pytest.param("2001:db8::7", 9, "c.example", ("2001:db8::7", "c.example", False), id="ipv6"),
        pytest.param("IPv6:2001:db8::7", 9, "c", ("2001:db8::7", "c", False), id="prefix"),
        pytest.param("::ffff:192.0.2.7", 9, "c", ("192.0.2.7", "c", False), id="v4-mapped"),
        pytest.param("192.0.2.7", 9, "[192.0.2.7]", ("192.0.2.7", "", False), id="no-name"),
        pytest.param("127.0.0.1", 0, "localhost", ("127.0.0.1", "localhost", True), id="sendmail"),
        pytest.param("/run/x.sock", 0, "localhost", (None, "localhost", False), id="unix"),
        pytest.param(None, 0, "localhost", (None, "localhost", False), id="unknown-family"),
    ],
)
def test_clients(
    shared: Daemon, address: str | None, port: int, name: str, expected: tuple[object, ...]
) -> None:
    with MilterClient(shared.address).negotiate() as mta:
        mta.connect(name, address, port)
        found = seen(mta.message(MESSAGE))
    assert (found["address"], found["name"], found["local"]) == expected


def test_macros(shared: Daemon) -> None:
    with MilterClient(shared.address).negotiate() as mta:
        mta.connect(macros={"daemon_name": "ORIGINATING", "v": "Postfix 3.10"})
        mta.helo()
        given = {"auth_type": "PLAIN", "auth_authen": "ann", "mail_addr": "a@origin.example"}
        found = seen(mta.message(MESSAGE, sender="<a(b@x.example>", mail_macros=given))
    assert (found["daemon_name"], found["auth_type"], found["auth_user"]) == (
        "ORIGINATING",
        "PLAIN",
        "ann",
    )
    assert found["sender"] == "a@origin.example"
    assert found["macros"] == {"v": "Postfix 3.10"}


def test_authentication_does_not_outlive_its_message(shared: Daemon) -> None:
    """MAIL's macros are replaced as a whole: Postfix sends {mail_addr} with every MAIL."""
    with session(shared) as mta:
        login = {"auth_authen": "ann", "mail_addr": "a@b.example"}
        assert seen(mta.message(MESSAGE, mail_macros=login))["auth_user"] == "ann"
        without = {"mail_addr": "a@b.example"}
        assert seen(mta.message(MESSAGE, mail_macros=without))["auth_user"] == ""


def test_no_macros_at_all(shared: Daemon) -> None:
    with MilterClient(shared.address).negotiate() as mta:
        mta.connect()
        mta.helo()
        reply = mta.message(MESSAGE, sender="bare@b.example", queue_id=None)
    found = seen(reply)
    assert (found["daemon_name"], found["auth_user"], found["sender"]) == (
        "",
        "",
        "bare@b.example",
    )
    shared.wait_for(lambda: "queue_id=- role=inbound" in shared.lines()[-1])


def test_null_sender_and_smtputf8(shared: Daemon) -> None:
    with session(shared) as mta:
        found = seen(mta.message(MESSAGE, sender="<>", mail_macros={"mail_addr": ""}))
        assert found["sender"] == ""
    with session(shared) as mta:
        found = seen(mta.message(MESSAGE, sender="<ö@b.example>", params=["SMTPUTF8"]))
        assert (found["sender"], found["smtputf8"]) == ("ö@b.example", True)


def test_another_client_on_the_same_connection(shared: Daemon) -> None:
    """QUIT_NC and CONNECT: the new client inherits nothing, and header octets stay exact."""
    with session(shared) as mta:
        mta.message(MESSAGE, mail_macros={"auth_authen": "ann", "mail_addr": "a@b.example"})
        mta.quit_new_connection()
        mta.connect("[192.0.2.9]", "192.0.2.9")
        reply = mta.message(MESSAGE, sender="<x@y.example>")
        found = seen(reply)
    assert (found["address"], found["name"], found["helo"], found["auth_user"]) == (
        "192.0.2.9",
        "",
        "",
        "",
    )
    assert "To:c@d.example\r\n" in found["fields"]
    assert reply.inserted("X-Seen")[0].startswith(" ")


@pytest.mark.parametrize(
    "where", ["connect", "helo", "mail", "header-name", "header-value", "macro", "queue-id"]
)
def test_octets_that_are_not_utf8(shared: Daemon, where: str) -> None:
    """Y-4, Y-6: pymilter decodes some arguments strictly; none may cost the message."""
    bad = "x\udcff.example"
    with MilterClient(shared.address).negotiate() as mta:
        mta.connect(bad if where == "connect" else "c.example")
        mta.helo(bad if where == "helo" else "h.example")
        mta.mail(
            b"<a@\xff.example>" if where == "mail" else b"<a@b.example>",
            macros={"auth_authen": bad} if where == "macro" else None,
        )
        mta.header(b"X-\xff" if where == "header-name" else b"X-A", b" one")
        mta.header(b"X-B", b" \xff" if where == "header-value" else b" two")
        mta.end_of_header()
        mta.body(b"x\r\n")
        reply = mta.end({"i": bad} if where == "queue-id" else {"i": "4UTF"})
        assert mta.message(MESSAGE).code == "continue"
    if where == "queue-id":
        assert reply.text.startswith("451 4.3.0")
        return
    found = seen(reply)
    kept = [field.partition(":")[0] for field in found["fields"]]
    assert kept == (["X-B"] if where == "header-name" else ["X-A", "X-B"])
    assert found["helo"] == ("" if where == "helo" else "h.example")
    assert found["octets"] == 3


def test_raw_octets_in_a_value(shared: Daemon) -> None:
    with session(shared) as mta:
        found = seen(mta.message(b"Subject: \xe9 \xf0\x9f\x98\x80\nFrom: a@b.example\n\n"))
    assert found["fields"][0].encode("latin-1") == b"Subject: \xe9 \xf0\x9f\x98\x80\r\n"


def test_a_body_in_chunks(shared: Daemon) -> None:
    """P-2: chunk borders anywhere, NUL included."""
    with session(shared) as mta:
        mta.mail()
        mta.header("From", b" a@b.example")
        mta.end_of_header()
        mta.body(b"ab\r\n\0" * 1000, chunk=7)
        assert seen(mta.end())["octets"] == 5000


def test_a_header_that_never_ends_is_refused(shared: Daemon) -> None:
    with session(shared) as mta:
        mta.mail()
        for _ in range(80):
            mta.header("X", b" " + b"x" * 59000)
        mta.end_of_header()
        reply = mta.end({"i": "4BIG"})
        assert reply.text == "552 5.3.4 message header too large"
        assert mta.message(MESSAGE).code == "continue"


def test_an_mta_without_changes_is_refused(shared: Daemon) -> None:
    with MilterClient(shared.address) as mta, pytest.raises(Closed):
        mta.negotiate(actions=0x01)
    shared.wait_for(lambda: shared.events("negotiation-refused"))


@pytest.mark.parametrize(
    "garbage",
    [
        pytest.param(b"\xff\xff\xff\xffO", id="huge-length"),
        pytest.param(b"\0\0\0\0", id="no-command"),
        pytest.param(b"\0\0\0\1?", id="unknown-command"),
        pytest.param(b"\0\0\0\5O\0\0\0", id="short-negotiation"),
        pytest.param(b"GET / HTTP/1.0\r\n\r\n", id="http"),
        pytest.param(b"\0\0\0\1E", id="end-first"),
    ],
)
def test_garbage_harms_only_its_sender(shared: Daemon, garbage: bytes) -> None:
    with MilterClient(shared.address) as mta:
        mta.socket.sendall(garbage)
    with session(shared) as mta:
        assert mta.message(MESSAGE).code == "continue"


@pytest.mark.parametrize("steps", range(5))
def test_mta_that_goes_away(shared: Daemon, steps: int) -> None:
    mta = session(shared)
    if steps > 0:
        mta.mail()
    if steps > 1:
        mta.header("A", b" b")
    if steps > 2:
        mta.end_of_header()
    if steps > 3:
        mta.send("E")
    mta.close()
    with session(shared) as another:
        assert another.message(MESSAGE).code == "continue"


SCRIPT = """
conn = mt.connect("inet:{port}@127.0.0.1")
if conn == nil then error("no connection") end
if mt.conninfo(conn, "c.example", "192.0.2.1") ~= nil then error("conninfo") end
if mt.helo(conn, "h.example") ~= nil then error("helo") end
mt.macro(conn, SMFIC_MAIL, "i", "4LUA", "{{mail_addr}}", "a@b.example")
if mt.mailfrom(conn, "<a@b.example>") ~= nil then error("mail") end
if mt.header(conn, "From", "a@b.example") ~= nil then error("header") end
if mt.header(conn, "X-Do", "insert=X-A:one;delete=From:1") ~= nil then error("header") end
if mt.eoh(conn) ~= nil then error("eoh") end
if mt.bodystring(conn, "hello\\r\\n") ~= nil then error("body") end
if mt.eom(conn) ~= nil then error("eom") end
if mt.getreply(conn) ~= SMFIR_CONTINUE then error("reply " .. mt.getreply(conn)) end
if not mt.eom_check(conn, MT_HDRINSERT, "X-A") then error("no X-A") end
if not mt.eom_check(conn, MT_HDRDELETE, "From") then error("From still there") end
mt.disconnect(conn)
"""


def test_miltertest(shared: Daemon, tmp_path: Path) -> None:
    """Another implementation of the MTA's side: Debian's miltertest."""
    program = shutil.which("miltertest")
    if program is None:
        pytest.skip("miltertest is not installed (Debian package miltertest)")
    script = tmp_path / "script.lua"
    script.write_text(SCRIPT.format(port=shared.address[1]))
    done = subprocess.run(
        [program, "-s", str(script)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    shared.wait_for(lambda: any("queue_id=4LUA" in line for line in shared.lines()))

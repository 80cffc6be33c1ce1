"""What one connection says, collected: standards and lab facts of the milter side."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from postseal.daemon.session import FIELD_COST, HEADER_ROOM, Session, read_address, read_sender


def no_macro(_name: str) -> str | None:
    return None


@pytest.mark.parametrize(
    ("given", "address", "port"),
    [
        pytest.param(("192.0.2.1", 25), IPv4Address("192.0.2.1"), 25, id="ipv4"),
        pytest.param(("2001:db8::1", 25, 0, 0), IPv6Address("2001:db8::1"), 25, id="ipv6"),
        pytest.param(("IPv6:2001:db8::1", 1, 0, 0), IPv6Address("2001:db8::1"), 1, id="prefix"),
        pytest.param(("::ffff:192.0.2.1", 1, 0, 0), IPv4Address("192.0.2.1"), 1, id="v4-mapped"),
        pytest.param(("::1", 1, 0, 0), IPv6Address("::1"), 1, id="v6-loopback"),
        pytest.param("/run/x.sock", None, None, id="unix"),
        pytest.param(None, None, None, id="unknown-family"),
        pytest.param(("inet6:unknown", 1, 0, 0), None, None, id="unreadable"),
        pytest.param(("fe80::1%eth0", 1, 0, 0), None, None, id="scoped"),
        pytest.param(("192.0.2.1\0", 1), None, None, id="nul"),
        pytest.param(("192.0.2", 1), None, None, id="short"),
    ],
)
def test_address(given: object, address: object, port: int | None) -> None:
    assert read_address(given) == (address, port)


@pytest.mark.parametrize(
    ("raw", "sender"),
    [
        pytest.param(b"<a@b.example>", "a@b.example", id="P-30-smtpd-brackets"),
        pytest.param(b"a@b.example", "a@b.example", id="P-30-sendmail-without"),
        pytest.param(b"<>", "", id="P-30-null-smtpd"),
        pytest.param(b"", "", id="lab-1-null-sendmail"),
        pytest.param(b"<@r.example,@s.example:a@b.example>", "a@b.example", id="lab-2-route"),
        pytest.param(b'<"a>b"@c.example>', '"a>b"@c.example', id="quoted-bracket"),
        pytest.param(b"<a@b.example> trailing", "a@b.example", id="trailing-text"),
        pytest.param(b"<a@\xff.example>", "a@\ufffd.example", id="not-utf8"),
        pytest.param("<ö@b.example>".encode(), "ö@b.example", id="smtputf8"),
    ],
)
def test_sender(raw: bytes, sender: str) -> None:
    assert read_sender(raw) == sender


@pytest.mark.parametrize(
    ("raw", "told", "sender"),
    [
        pytest.param(b"<a(b@x.example>", "a@origin.example", "a@origin.example", id="lab-2-mta"),
        pytest.param(b"<a@x.example>", None, "a@x.example", id="no-macro"),
        pytest.param(b"<>", "old@x.example", "", id="null-stays-null"),
        pytest.param(b"", None, "", id="null-without-macro"),
        pytest.param(b"<a@x.example>", "<a@y.example>", "a@y.example", id="brackets-in-macro"),
    ],
)
def test_the_mta_reads_the_sender(raw: bytes, told: str | None, sender: str) -> None:
    session = Session(True)
    session.begin_message(raw)
    envelope = session.envelope({"{mail_addr}": told}.get)
    assert envelope.sender == sender


def test_smtputf8_parameter() -> None:
    session = Session(True)
    session.begin_message(b"<a@b.example>", (b"BODY=8BITMIME", b"smtputf8"))
    assert session.envelope(no_macro).smtputf8
    session.begin_message(b"<a@b.example>", (b"BODY=8BITMIME",))
    assert not session.envelope(no_macro).smtputf8


@pytest.mark.parametrize(
    ("name", "address", "local"),
    [
        pytest.param("localhost", ("127.0.0.1", 0), True, id="P-19-simulated"),
        pytest.param("localhost", ("127.0.0.1", 40000), False, id="a-real-local-client"),
        pytest.param("client.example", ("192.0.2.1", 0), False, id="unknown-port"),
        pytest.param("localhost", ("192.0.2.1", 0), False, id="claims-the-name"),
    ],
)
def test_local(name: str, address: object, local: bool) -> None:
    session = Session(True)
    session.begin_connection(name, address)
    assert session.client(no_macro).local is local


@pytest.mark.parametrize(
    ("name", "known"),
    [("mx.example", "mx.example"), ("[192.0.2.1]", ""), ("unknown", ""), ("", "")],
)
def test_only_a_verified_name_counts(name: str, known: str) -> None:
    session = Session(True)
    session.begin_connection(name, ("192.0.2.1", 1))
    assert session.client(no_macro).name == known


def test_macros() -> None:
    values = {
        "{daemon_name}": "ORIGINATING",
        "{auth_type}": "PLAIN",
        "{auth_authen}": "ann",
        "{daemon_port}": "587",
        "v": "Postfix",
    }
    client = Session(True).client(values.get, ["daemon_port", "v", "absent"])
    assert (client.daemon_name, client.auth_type, client.auth_user) == (
        "ORIGINATING",
        "PLAIN",
        "ann",
    )
    assert client.macros == {"daemon_port": "587", "v": "Postfix"}


def test_header_with_leading_space_is_exact() -> None:
    session = Session(True)
    for name, value in [("A", b"x"), ("B", b" y\n\tz"), ("C", b"  \xff"), ("D", b"")]:
        session.add(name, value)
    assert [one.simple for one in session.header()] == [
        b"A:x\r\n",
        b"B: y\r\n\tz\r\n",
        b"C:  \xff\r\n",
        b"D:\r\n",
    ]


def test_without_leading_space_one_is_assumed() -> None:
    """P-20: the MTA took one space away."""
    session = Session(False)
    session.add("A", b"x")
    session.add("B", b" y")
    assert [one.simple for one in session.header()] == [b"A: x\r\n", b"B:  y\r\n"]


def test_a_second_message_starts_clean() -> None:
    session = Session(True)
    session.begin_connection("c.example", ("192.0.2.1", 1))
    session.greet("helo.example")
    session.begin_message(b"<a@b.example>", (b"SMTPUTF8",))
    session.add("A", b"x")
    session.add("A", b"x" * HEADER_ROOM)
    assert session.overfull
    session.role = "inbound"
    session.begin_message()
    assert not session.overfull
    assert len(session.header()) == 0
    assert (session.role, session.work, session.fault) == ("", None, None)
    assert session.envelope(no_macro).sender == ""
    assert not session.envelope(no_macro).smtputf8
    assert session.client(no_macro).helo == "helo.example"
    session.add("B", b"y")  # the bound method is still this session's
    assert [one.name for one in session.header()] == [b"B"]
    assert len(session.header()) == 0  # handed over, not kept twice


def test_another_client_takes_its_place() -> None:
    """P-36: nothing of the client before XCLIENT may stay."""
    session = Session(True)
    session.begin_connection("localhost", ("127.0.0.1", 0))
    session.greet("helo.example")
    session.begin_message(b"<a@b.example>")
    session.begin_connection("[192.0.2.7]", ("192.0.2.7", 9))
    client = session.client(no_macro)
    assert (str(client.address), client.name, client.helo, client.local) == (
        "192.0.2.7",
        "",
        "",
        False,
    )
    assert not session.busy


class Resolver:
    closed = 0

    def close(self) -> None:
        self.closed += 1


def test_the_resolver_is_closed_once() -> None:
    session = Session(True)
    resolver = Resolver()
    session.resolver = resolver  # type: ignore[assignment]
    session.end_message()
    session.end_message()
    assert resolver.closed == 1


def test_recipients_are_bounded() -> None:
    session = Session(True)
    session.begin_message(b"<a@b.example>")
    for _ in range(HEADER_ROOM // FIELD_COST):
        session.add_recipient(b"<c@d.example>")
    assert session.overfull
    assert len(session.envelope(no_macro).recipients) < HEADER_ROOM // FIELD_COST


def test_recipients_belong_to_one_message() -> None:
    session = Session(True)
    session.begin_message(b"<a@b.example>")
    session.add_recipient(b"<c@d.example>")
    session.add_recipient(b"e@f.example")
    assert session.envelope(no_macro).recipients == ("c@d.example", "e@f.example")
    session.begin_message(b"<a@b.example>")
    assert session.envelope(no_macro).recipients == ()


def test_a_client_that_cannot_be_read_is_not_the_one_before(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """XCLIENT: one connection, another client.  A fault of ours must not lend it a good name."""

    def broken(_given: object) -> tuple[None, None]:
        raise MemoryError

    session = Session(leading_space=True)
    session.begin_connection("localhost", ("127.0.0.1", 0))
    session.greet("mx.example.com")
    assert session.client(no_macro).local
    monkeypatch.setattr("postseal.daemon.session.read_address", broken)
    with pytest.raises(MemoryError):
        session.begin_connection("evil.example", ("192.0.2.1", 25))
    client = session.client(no_macro)
    assert (client.address, client.name, client.helo, client.local) == (None, "", "", False)

"""Hard messages, signed behind a real Postfix, and judged by programs that are not ours."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest

from support import hardcorpus, verifiers
from support.daemon import Daemon
from support.mail import header_fields, message, unique
from support.sink import Delivered
from support.smtpclient import Pose
from support.world import INSIDE, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal")]

ANN = "ann@sign.example"
NOISE = 60


def delivered(world: World, corpus: dict[str, bytes], arguments: str = "") -> dict[str, bytes]:
    """The messages as they reach the next host."""
    pose = Pose(address=INSIDE)
    return {
        name: world.deliver(content, ANN, pose, arguments=arguments).content
        for name, content in corpus.items()
    }


def complaints(world: World, mails: dict[str, bytes]) -> dict[str, str]:
    """Every message that some verifier does not accept, and what that one said."""
    found = {}
    ours = {name: only_ours(content) for name, content in mails.items()}
    for name, content in ours.items():
        alone = verifiers.one_signature_each(content)
        if sorted(alone) != ["ed25519-sha256", "rsa-sha256"]:
            found[name] = f"signed with {sorted(alone)}"
        for algorithm, one in alone.items():
            said = verifiers.opendkim(one, world.nsd.port)
            if "succeeded" not in said:
                found[f"{name}, opendkim, {algorithm}"] = said
    for name, results in verifiers.mail_dkim_many(ours, world.nsd.port).items():
        # The version in Debian 12 does not know Ed25519.
        if "rsa-sha256=pass" not in results or any(one.endswith("=fail") for one in results):
            found[f"{name}, Mail::DKIM"] = str(results)
    if verifiers.has_mailauth():
        for name, results in verifiers.mailauth(ours, world.nsd.port).items():
            if results != ["sign.example=pass"] * 2:
                found[f"{name}, mailauth"] = str(results)
    return found


def only_ours(content: bytes) -> bytes:
    """The message without signatures that are not ours."""
    foreign = b"DKIM-Signature: v=1; a=rsa-sha256; d=x.example; s=s; h=from; bh=; b=\r\n"
    return content.replace(foreign, b"")


CORPUS: dict[str, Callable[[str], dict[str, bytes]]] = {
    "headers": hardcorpus.headers,
    "bodies": hardcorpus.bodies,
    "chunk-borders": hardcorpus.borders,
    "noise": partial(hardcorpus.noise, count=NOISE),
}


@pytest.mark.parametrize("corpus", CORPUS.values(), ids=CORPUS.keys())
def test_every_verifier_accepts(world: World, corpus: Callable[[str], dict[str, bytes]]) -> None:
    mails = delivered(world, corpus(ANN))
    assert len(mails) > 15
    assert complaints(world, mails) == {}


@pytest.mark.skipif(not verifiers.has_mailauth(), reason=f"mailauth is not at {verifiers.MAILAUTH}")
def test_mailauth_is_one_of_them(world: World) -> None:
    """Shown as skipped where the tests above did without it."""
    mails = delivered(world, {"one": message(ANN)})
    assert verifiers.mailauth(mails, world.nsd.port) == {"one": ["sign.example=pass"] * 2}
    # It calls a body that has changed neutral, so that nothing but pass will do.
    changed = {"one": mails["one"].replace(b"Hello", b"Hullo")}
    assert verifiers.mailauth(changed, world.nsd.port) == {"one": ["sign.example=neutral"] * 2}


def test_internationalised_addresses(world: World) -> None:
    corpus = {
        "author": message("Jürgen <jürgen@sign.example>"),
        "recipient": message(ANN, "Cc: Ñandú <ñandú@bücher.example>"),
        "reply-to": message(ANN, "Reply-To: <ä@sign.example>", body="größe\r\n".encode()),
    }
    assert complaints(world, delivered(world, corpus, " SMTPUTF8")) == {}


def test_mail_of_sendmail(world: World, fragile: Daemon) -> None:
    """Lines that end in LF, the last one perhaps not at all."""
    corpus = {
        "lf": message(ANN).replace(b"\r\n", b"\n"),
        "no-final-lf": message(ANN, body=b"the end").replace(b"\r\n", b"\n"),
        "empty": message(ANN, body=b"").replace(b"\r\n", b"\n"),
        "crlf": message(ANN),
    }
    assert complaints(world, dict(_by_sendmail(world, corpus.items()))) == {}
    assert fragile.log_text().count("origin=local") >= len(corpus)


def _by_sendmail(world: World, corpus: Iterable[tuple[str, bytes]]) -> Iterable[tuple[str, bytes]]:
    for name, content in corpus:
        recipient = f"{unique('r')}@rcpt.example"
        world.postfix.sendmail(content, ANN, recipient)
        yield name, world.sink.wait(recipient).content


def _log_line(world: World, mail: Delivered, normal: Daemon) -> str:
    """The daemon's line on a message, found by the queue id in Postfix's Received field."""
    queue_id = header_fields(mail.content, "Received")[0].partition(b" id ")[2].split(b";")[0]
    word = queue_id.split()[0].decode()
    return next(line for line in normal.log_text().splitlines() if f"queue_id={word} " in line)


@pytest.mark.parametrize(
    ("content", "risk", "where", "breaks"),
    [
        pytest.param(
            message(ANN, body=b"one\r\n" + b"x" * 1200 + b"\r\n"),
            "risks=long-body-line",
            "line 2 of the body",
            True,
            id="body-line",
        ),
        pytest.param(
            message(ANN, "Reply-To: " + "x" * 1100 + "@sign.example"),
            "risks=long-header-line",
            "field Reply-To",
            True,
            id="header-line",
        ),
        pytest.param(
            message(ANN, "X-Long: " + "x" * 1100), "signed=", "action=accept", False, id="unsigned"
        ),
        pytest.param(
            message(ANN, body="größe\r\n".encode()),
            "risks=eight-bit-body",
            "action=accept",
            False,
            id="8-bit-to-a-host-with-8bitmime",
        ),
    ],
)
def test_what_is_foretold_comes_true(
    world: World, normal: Daemon, content: bytes, risk: str, where: str, breaks: bool
) -> None:
    mail = world.deliver(content, ANN, Pose(address=INSIDE))
    line = _log_line(world, mail, normal)
    assert risk in line and where in line
    assert bool(complaints(world, {"one": mail.content})) is breaks


def test_a_stranger_with_our_from_is_in_the_log(world: World, normal: Daemon) -> None:
    mail = world.deliver(message(ANN), "eve@other.example", Pose(address="203.0.113.66"))
    line = _log_line(world, mail, normal)
    assert "role=inbound" in line and "signed=no reason=outside" in line

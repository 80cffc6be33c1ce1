"""What is off by default, switched on, through a real Postfix."""

from __future__ import annotations

import subprocess
from dataclasses import replace

import pytest

from support import results
from support.child import LOOPBACK
from support.mail import header_fields, message, unique
from support.postfix import HOST
from support.sink import Delivered
from support.smtpclient import Pose
from support.world import BAD_V4, GOOD_V4, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal", "options")]

_PERL = r"""
use strict; use warnings;
use Mail::DKIM::ARC::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
my ($address, $port) = @ARGV;
Mail::DKIM::DNS::resolver(
    Net::DNS::Resolver->new(nameservers => [$address], port => $port, recurse => 0));
binmode STDIN; local $/;
my $verifier = Mail::DKIM::ARC::Verifier->new;
$verifier->PRINT(<STDIN>); $verifier->CLOSE;
print $verifier->result;
"""
ARC = ["ARC-Seal", "ARC-Message-Signature", "ARC-Authentication-Results"]


def chain(content: bytes, port: int) -> str:
    """The verdict of Perl's Mail::DKIM on an ARC chain."""
    done = subprocess.run(
        ["perl", "-e", _PERL, LOOPBACK, str(port)],
        input=content,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode()


def below_the_set(delivered: Delivered) -> Delivered:
    """Without the ARC set of ours, which stands above everything."""
    _, mark, rest = delivered.content.partition(b"\r\nAuthentication-Results:")
    assert mark
    return replace(delivered, content=mark.lstrip() + rest)


def test_a_failure_is_marked_and_forged_marks_go(world: World) -> None:
    author = "ann@quarantine.example"
    content = message(author, "X-Postseal-Quarantine: no")
    delivered = world.deliver(content, author, Pose(address=BAD_V4), port="options")
    marks = header_fields(delivered.content, "X-Postseal-Quarantine")
    assert marks == [b"dmarc; quarantine.example asks for quarantine"]
    assert results.only(below_the_set(delivered), "dmarc").result == "fail"


def test_mail_that_passes_is_not_marked(world: World) -> None:
    author = "ann@quarantine.example"
    delivered = world.deliver(message(author), author, Pose(address=GOOD_V4), port="options")
    assert not header_fields(delivered.content, "X-Postseal-Quarantine")


def test_the_text_of_forged_results_is_kept(world: World) -> None:
    author = "ann@other.example"
    content = message(author, f"Authentication-Results: {HOST}; dmarc=pass\r\n\t(not so)")
    delivered = world.deliver(content, author, Pose(address=BAD_V4), port="options")
    kept = header_fields(delivered.content, "X-Removed-Authentication-Results")
    assert kept == [f"{HOST}; dmarc=pass (not so)".encode()]
    assert len(results.fields(delivered)) == 1


def test_helo_iprev_and_received_spf(world: World) -> None:
    author = "ann@good.example"
    delivered = world.deliver(
        message(author), author, Pose(address=GOOD_V4, helo="other.example"), port="options"
    )
    told = results.ours(below_the_set(delivered))
    assert [one.method for one in told] == ["iprev", "dkim", "spf", "spf", "dmarc"]
    assert [one.properties for one in told if one.method == "spf"] == [
        {"smtp.mailfrom": "good.example"},
        {"smtp.helo": "other.example"},
    ]
    [field] = header_fields(delivered.content, "Received-SPF")
    assert field.startswith(b"pass (")


def test_an_exemption_is_told(world: World) -> None:
    author = "ann@good.example"
    content = world.signers["other"].sign(message(author))
    delivered = world.deliver(content, author, Pose(address=BAD_V4), port="options")
    said = results.only(below_the_set(delivered), "dmarc")
    assert (said.result, said.reason) == ("fail", "local policy: other.example forwards for them")
    assert 'override="other.example forwards for them" row=1' in world.daemons["options"].log_text()
    without = world.send(message(author), author, Pose(address=BAD_V4), port="options")
    assert without.code == 550


def test_a_tightening_for_one_recipient(world: World) -> None:
    author = "ann@other.example"
    pose = Pose(address=BAD_V4)
    refused = world.send(message(author), author, pose, port="options", to="guarded@rcpt.example")
    assert (refused.code, refused.text[:5]) == (550, "5.7.1")
    taken = world.send(
        message(author), author, pose, port="options", to=f"{unique('r')}@rcpt.example"
    )
    assert taken.code == 250


@pytest.mark.parametrize("times", [1, 2, 3])
def test_our_sets_verify_elsewhere(world: World, times: int) -> None:
    """Each time through us adds one, on top of everything."""
    author = "ann@good.example"
    content = world.signers["good"].sign(message(author))
    for _ in range(times):
        delivered = world.deliver(content, author, Pose(address=GOOD_V4), port="options")
        content = delivered.content
    names = [line.partition(b":")[0].decode() for line in content.split(b"\r\n")
             if line.startswith(b"ARC-")]  # fmt: skip
    assert names == ARC * times
    assert content.startswith(b"ARC-Seal:")
    assert chain(content, world.nsd.port) == "pass"
    assert chain(content.replace(b"Hello", b"Hallo"), world.nsd.port) == "fail"
    if times > 1:
        assert results.only(below_the_set(delivered), "arc").result == "pass"

"""Programs that check DKIM signatures, and share no code with us nor with each other.

NAME
    verifiers - opendkim() and mail_dkim(), both asking the test's name server

GIVEN
    a message with CRLF line ends, and NSD's port.

SEE ALSO
    opendkim(8) -t, Mail::DKIM::Verifier(3pm)
"""

from __future__ import annotations

import subprocess
import tempfile
from pathlib import Path

from support.child import LOOPBACK

_UNBOUND = """\
server:
    do-not-query-localhost: no
    module-config: "iterator"
forward-zone:
    name: "."
    forward-addr: {address}@{port}
"""

_PERL = r"""
use strict; use warnings;
use Mail::DKIM::Verifier; use Mail::DKIM::DNS; use Net::DNS::Resolver;
my ($address, $port) = @ARGV;
Mail::DKIM::DNS::resolver(
    Net::DNS::Resolver->new(nameservers => [$address], port => $port, recurse => 0));
binmode STDIN; local $/;
my $verifier = Mail::DKIM::Verifier->new;
$verifier->PRINT(<STDIN>); $verifier->CLOSE;
print $_->algorithm, "=", $_->result, "\n" for $verifier->signatures;
"""


def mail_dkim(content: bytes, port: int) -> list[str]:
    """`ALGORITHM=RESULT` for each signature, top first, by Perl's Mail::DKIM."""
    done = subprocess.run(
        ["perl", "-e", _PERL, LOOPBACK, str(port)],
        input=content,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.decode().split()


def mail_dkim_knows_ed25519() -> bool:
    """Whether this Mail::DKIM has Ed25519 at all; Debian 12's has not."""
    code = "use Mail::DKIM::Algorithm::ed25519_sha256;"
    return subprocess.run(["perl", "-e", code], capture_output=True).returncode == 0


def opendkim(content: bytes, port: int) -> str:
    """What opendkim -t says of the message's one signature: `... succeeded` when it is good."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        (directory / "message").write_bytes(content)
        (directory / "unbound").write_text(_UNBOUND.format(address=LOOPBACK, port=port))
        (directory / "config").write_text(f"ResolverConfiguration {directory}/unbound\nSyslog no\n")
        done = subprocess.run(
            ["/usr/sbin/opendkim", "-x", directory / "config", "-t", directory / "message"],
            capture_output=True,
            text=True,
            check=True,
            timeout=60,
        )
    return done.stdout.strip() or done.stderr.strip()


def one_signature_each(content: bytes) -> dict[str, bytes]:
    """The message once for each of its signatures, with the others cut out, by algorithm."""
    head, end, body = content.partition(b"\r\n\r\n")
    fields = head.replace(b"\r\n ", b"\0 ").replace(b"\r\n\t", b"\0\t").split(b"\r\n")
    signatures = [one for one in fields if one.lower().startswith(b"dkim-signature:")]
    found = {}
    for signature in signatures:
        kept = [one for one in fields if one is signature or one not in signatures]
        algorithm = "ed25519-sha256" if b"a=ed25519-sha256" in signature else "rsa-sha256"
        found[algorithm] = b"\r\n".join(kept).replace(b"\0", b"\r\n") + end + body
    return found

"""Programs that check DKIM signatures, and share no code with us nor with each other.

NAME
    verifiers - opendkim(), mail_dkim() and mailauth(), all asking the test's name server

GIVEN
    a message with CRLF line ends, and NSD's port.  mail_dkim_many() and mailauth() take many
    messages at once, because starting an interpreter takes longer than verifying.

SEE ALSO
    opendkim(8) -t, Mail::DKIM::Verifier(3pm), npm's mailauth
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from support.child import LOOPBACK
from support.suites import downloads

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
my @files = @ARGV[2 .. $#ARGV];
for my $file (@files ? @files : "-") {
    my $in = \*STDIN;
    if (@files) { open($in, "<", $file) or die; }
    binmode $in; local $/;
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT(<$in>); $verifier->CLOSE;
    print join("\t", @files ? $file : (), map { $_->algorithm . "=" . $_->result }
        $verifier->signatures), "\n";
}
"""

_MAILAUTH = """
const fs = require('fs');
const { Resolver } = require('dns').promises;
const [where, server, ...files] = process.argv.slice(2);
const { authenticate } = require(where);
const dns = new Resolver();
dns.setServers([server]);
(async () => {
  for (const file of files) {
    const found = await authenticate(fs.readFileSync(file), {
      resolver: (name, type) => dns.resolve(name, type), ip: '192.0.2.1', helo: 'h.example',
      mta: 'mx.example', sender: '', minBitLength: 1024, disableBimi: true, disableArc: true,
      disableDmarc: true, trustReceived: false,
    });
    console.log([file, ...found.dkim.results.map(
      one => one.signingDomain + '=' + one.status.result)].join('\\t'));
  }
})();
"""
MAILAUTH = downloads() / "node_modules" / "mailauth"


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


def mail_dkim_many(contents: Mapping[str, bytes], port: int) -> dict[str, list[str]]:
    """As mail_dkim(), for messages by name."""
    return _by_name(["perl", "-e", _PERL, LOOPBACK, str(port)], contents)


def has_mailauth() -> bool:
    """Whether npm's mailauth is at hand."""
    return MAILAUTH.is_dir() and shutil.which("node") is not None


def mailauth(contents: Mapping[str, bytes], port: int) -> dict[str, list[str]]:
    """`DOMAIN=RESULT` for each signature of each message, top first."""
    with tempfile.TemporaryDirectory() as name:
        script = Path(name, "script.js")
        script.write_text(_MAILAUTH)
        return _by_name(["node", str(script), str(MAILAUTH), f"{LOOPBACK}:{port}"], contents)


def _by_name(command: list[str], contents: Mapping[str, bytes]) -> dict[str, list[str]]:
    """Run the command over files; it prints a line for each: its name and results, with tabs."""
    with tempfile.TemporaryDirectory() as directory:
        for name, content in contents.items():
            Path(directory, name).write_bytes(content)
        done = subprocess.run(
            [*command, *contents],
            cwd=directory,
            capture_output=True,
            check=True,
            text=True,
            timeout=300,
        )
    return {name: said for name, *said in (line.split("\t") for line in done.stdout.splitlines())}


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

"""What we sign is accepted by verifiers that share no code with us: Mail::DKIM, opendkim, mailauth.

All run offline, with the keys handed to them in a file.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postseal.core.dkim.sign import Options
from support.arcmail import ONE, sealed
from support.dkimmail import KEYS, Mail
from support.hardmail import ED_KEY, FORMS, HARD, RSA_KEY, with_signature
from support.suites import downloads

PERL = r"""
use strict; use warnings; no warnings 'redefine';
use Mail::DKIM::Verifier;
open(my $keys, '<', shift) or die; my %key = map { chomp; split / /, $_, 2 } <$keys>;
{ package Txt; sub type { 'TXT' } sub txtdata { $_[0]{text} }
  sub char_str_list { ($_[0]{text}) } }
*Mail::DKIM::DNS::query = sub {
  my $text = $key{lc $_[0]}; $@ = 'NXDOMAIN';
  return $text ? (bless { text => $text }, 'Txt') : ();
};
for my $file (@ARGV) {
  open(my $in, '<:raw', $file) or die; local $/; my $mail = <$in>;
  my $v = Mail::DKIM::Verifier->new(); $v->PRINT($mail); $v->CLOSE;
  print join("\t", $file, map { $_->result } $v->signatures), "\n";
}
"""


def has_mail_dkim() -> bool:
    if not shutil.which("perl"):
        return False
    asked = subprocess.run(["perl", "-MMail::DKIM", "-e1"], capture_output=True, check=False)
    return asked.returncode == 0


def signed_mail() -> dict[str, Mail]:
    """Every hard message in every form, with both keys."""
    made = {}
    for name, what in HARD.items():
        for header, body in FORMS:
            options = Options(header_relaxed=header, body_relaxed=body)
            form = f"{'rs'[not header]}{'rs'[not body]}"
            made[f"{name}-{form}"] = with_signature(what, RSA_KEY, ED_KEY, options)
    return made


def write(folder: Path, mails: dict[str, Mail], newline: bytes) -> list[str]:
    for name, what in mails.items():
        (folder / name).write_bytes(what.octets.replace(b"\r\n", newline))
    lines = [f"{name} {texts[0].decode()}\n" for (name, _), texts in KEYS.items()]
    (folder / "keys").write_text("".join(lines))
    return list(mails)


@pytest.mark.skipif(not has_mail_dkim(), reason="Perl's Mail::DKIM is not installed")
def test_mail_dkim_accepts(tmp_path: Path) -> None:
    mails = signed_mail()
    for form in ("rs", "ss"):  # it forgets the CRLF that simple adds; SMTP always ends in one
        del mails[f"no-final-crlf-{form}"]
    names = write(tmp_path, mails, b"\r\n")
    ran = subprocess.run(
        ["perl", "-e", PERL, "keys", *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = {name: results for name, *results in map(str.split, ran.stdout.splitlines())}
    assert len(said) == len(names) > 50
    # The version in Debian 12 does not know Ed25519.
    known = (["pass", "pass"], ["pass", "invalid"])
    assert {name: said[name] for name in names if said[name][:2] not in known} == {}


# What `opendkim -t` does to a message before its own verifier sees it.
NOT_READ_EXACTLY = {
    "no-final-crlf": "takes a last line without line end for another one",
    "from-line-odd": "does not read a name with a blank in it",
    "folded-sr": "drops the blank after the colon, which simple needs",
    "folded-ss": "drops the blank after the colon, which simple needs",
    "tight-sr": "adds a blank after the colon, which simple does not allow",
    "tight-ss": "adds a blank after the colon, which simple does not allow",
}


@pytest.mark.skipif(not shutil.which("opendkim"), reason="opendkim is not installed")
@pytest.mark.slow
def test_opendkim_accepts(tmp_path: Path) -> None:
    mails = {
        name: what
        for name, what in signed_mail().items()
        if not {name, name[:-3]} & NOT_READ_EXACTLY.keys()
    }
    names = write(tmp_path, mails, b"\n")
    (tmp_path / "conf").write_text(
        f"Mode v\nTestPublicKeys {tmp_path}/keys\nAlwaysAddARHeader yes\nAuthservID us.example\n"
        f"Socket local:{tmp_path}/socket\n"
    )
    said = {}
    for name in names:
        ran = subprocess.run(
            ["opendkim", "-x", "conf", "-t", name, "-v", "-v"],
            cwd=tmp_path,
            capture_output=True,
            timeout=60,
            check=False,
        )
        said[name] = re.findall(r"\tdkim=([a-z]+)", (ran.stdout + ran.stderr).decode("latin-1"))
    assert {name: results for name, results in said.items() if results[:2] != ["pass"] * 2} == {}


MAILAUTH = downloads() / "node_modules" / "mailauth"
SCRIPT = """
const fs = require('fs');
const [where, ...files] = process.argv.slice(2);
const { authenticate } = require(where);
const keys = new Map(fs.readFileSync('keys', 'utf8').split('\\n').map(line => {
  const at = line.indexOf(' '); return [line.slice(0, at), line.slice(at + 1)];
}));
const resolver = async (name, type) => {
  if (type === 'TXT' && keys.has(name)) return [[keys.get(name)]];
  throw Object.assign(new Error('none'), { code: 'ENOTFOUND' });
};
(async () => {
  for (const file of files) {
    const found = await authenticate(fs.readFileSync(file), {
      resolver, minBitLength: 1024, ip: '192.0.2.1', helo: 'h.example', mta: 'mx.example',
      sender: 'a@none.example', disableBimi: true, trustReceived: false,
    });
    console.log([file, ...found.dkim.results.map(one => one.status.result),
      'arc=' + (found.arc ? found.arc.status.result : 'none')].join('\\t'));
  }
})();
"""


@pytest.mark.skipif(
    not (shutil.which("node") and MAILAUTH.exists()), reason=f"npm's mailauth is not at {MAILAUTH}"
)
@pytest.mark.slow
def test_mailauth_accepts(tmp_path: Path) -> None:
    mails = signed_mail()
    second = sealed(ONE)  # with RSA: it knows Ed25519 for DKIM, but not for ARC
    mails |= {"arc-1": ONE, "arc-2": second, "arc-3": sealed(second)}
    names = write(tmp_path, mails, b"\r\n")
    (tmp_path / "script.js").write_text(SCRIPT)
    ran = subprocess.run(
        ["node", "script.js", str(MAILAUTH), *names],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    said = {name: results for name, *results in map(str.split, ran.stdout.splitlines())}
    assert len(said) == len(names)
    arcs = {name: said.pop(name)[-1] for name in names if name.startswith("arc-")}
    assert set(arcs.values()) == {"arc=pass"}
    assert {name: got for name, got in said.items() if got[:2] != ["pass"] * 2} == {}

"""Every known hole of other programs, tried on a running daemon: one row for each.

The id of a row names the CVE, or the program and its issue (ODM: OpenDMARC, ODK: OpenDKIM, AM:
authentication_milter).  Holes in what the daemon does not have stand at the end.

Without a row: SPF that passes for another tenant of a shared cloud.  What that cloud found
would have to be believed, and only hosts of one's own are ([upstream]).
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support.dkimmail import KEYS, RSA_PEM, RSA_RECORD, Mail, mail, signed
from support.receiver import FIELD, ID, Receiver, receiver
from support.sites import private

ROOT = Path(__file__).resolve().parents[2]
STRICT = b"v=DMARC1; p=reject; adkim=s; aspf=s"
CLIENT = "203.0.113.7"
LIE = "dkim=pass header.d=forged.example; spf=pass smtp.mailfrom=forged.example"

RECORDS = {
    **KEYS,
    ("s1._domainkey.evil.example", "TXT"): (RSA_RECORD,),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    ("_dmarc.strict.example", "TXT"): (STRICT,),
    ("_dmarc.ours.example", "TXT"): (b"v=DMARC1; p=reject",),
    ("_dmarc.bank.example", "TXT"): (b"v=DMARC1; p=reject",),
    ("evil.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("mail.strict.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("bank.example", "TXT"): (b"v=spf1 -all",),
    ("helo.bank.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("connect.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
}

Hole = Callable[[Receiver], None]
HOLES: dict[str, Hole] = {}


def hole(*names: str) -> Callable[[Hole], Hole]:
    """The function shows that these holes are not here."""

    def keep(function: Hole) -> Hole:
        for name in names:
            assert name not in HOLES
            HOLES[name] = function
        return function

    return keep


@pytest.fixture(scope="module")
def mx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Rejects what it may, and signs for ann of ours.example."""
    place = tmp_path_factory.mktemp("holes")
    private(place / "key.pem", RSA_PEM)
    config = f"""
[sign]
key_table = "csl:k=ours.example:s1:{place}/key.pem"
signing_table = "csl:ours.example=k"
sender_login = "csl:ann@ours.example=ann"
[dmarc]
reject = true
quarantine = "hold"
[from]
missing = "reject"
multiple = "reject"
[spf]
helo = true
"""
    place.chmod(0o755)
    # pytest's directories above belong to their user alone, and so do keys: the daemon reads
    # them before it becomes somebody else.
    with receiver(place, RECORDS, config=config) as running:
        yield running


def post(*fields: str, body: str = "x\r\n") -> bytes:
    return ("\r\n".join(fields) + "\r\n\r\n" + body).encode()


@hole("CVE-2019-16378")
def several_authors(mx: Receiver) -> None:
    """Every author domain is looked at, not the first alone."""
    for author in ("a@nothing.example, b@bank.example", "b@bank.example, a@nothing.example"):
        got = mx.take(post(f"From: {author}"), sender="<a@nothing.example>")
        assert got.reply.code == "replycode" and got.reply.text.startswith("550 5.7.1")
    got = mx.take(post("From: a@evil.example", "From: b@bank.example"), sender="<a@evil.example>")
    assert got.reply.code == "replycode"


@hole("CVE-2019-20790")
def helo_is_not_the_sender(mx: Receiver) -> None:
    """SPF of HELO, and Received-SPF of anybody, say nothing about the author."""
    got = mx.take(
        post("Received-SPF: pass (x) client-ip=203.0.113.7; envelope-from=a@bank.example",
             "From: a@bank.example"),
        sender="<a@bank.example>", helo="helo.bank.example",
    )  # fmt: skip
    assert got.words("spf") == ["fail", "pass"]  # of MAIL FROM, and of HELO
    assert got.reply.text.startswith("550 5.7.1")


@hole("CVE-2020-12272")
def names_with_parentheses(mx: Receiver) -> None:
    """d= that another program would read as something else is no name."""
    for domain in ("bank.example(.evil.example", "bank.example;.evil.example", "a.example\x01b"):
        made = signed(tags={"d": domain, "i": None})
        got = mx.take(made.octets, sender="<a@evil.example>")
        assert got.words("dkim") in ([], ["permerror"])
        assert got.reply.code == "replycode"
    got = mx.take(post("From: a@x.example"), sender="<a@bank.example(.evil.example>")
    assert got.words("spf")[0] == "none"


@hole("CVE-2021-34555", "CVE-2024-25768")
def malformed_from(mx: Receiver) -> None:
    """No From brings a worker down."""
    before = mx.daemon.workers()
    for value in ("", ",", "<", "@", "a@", "@b", "a@b,,c@d", "g:;", '"', "(", "<>", "a b c", "\\",
                  "a@b c@d", ":;,", "=?", "a@[", "<a@b", "a@b>", "a@.", "a@-", ";"):  # fmt: skip
        for fields in ((f"From: {value}",), (f"From: {value}", f"From: {value}")):
            assert mx.take(post(*fields)).reply.code in ("continue", "replycode")
    assert mx.daemon.workers() == before


@hole("ODM#441")
def thousands_of_results(mx: Receiver) -> None:
    """In the name of others and in ours."""
    for name in ("other.example", ID):
        value = f"{name};" + " dkim=pass header.d=a.example;" * 1900
        got = mx.take(post(f"{FIELD}: {value}", "From: a@x.example"))
        assert got.deleted == ([(FIELD, 1)] if name == ID else [])


FORGED = (
    f"{ID}; {LIE}", f"{ID} 1; {LIE}", f"(x){ID}; {LIE}", f"(a(b)){ID}(c); {LIE}",
    f'"{ID}"; {LIE}', f"{ID}/4XYZ; {LIE}", f"{ID.upper()}; {LIE}", f"{ID}.; {LIE}",
    f"\r\n {ID}\r\n ; {LIE}", f"{ID} {LIE}", f"{ID}; none", f'{ID}; =;"(', f"{ID}; x (",
)  # fmt: skip


@hole("CVE-2022-48521")
def forged_results(mx: Receiver) -> None:
    """All go, the last first: every index then still means the field it meant."""
    others = [f"{FIELD}: other.example; {LIE}"] * 3
    fields = [line for value in FORGED for line in (f"{FIELD}: {value}", others[0])]
    message = post(*fields, "From: a@x.example")
    indexes = [2 * n + 1 for n in reversed(range(len(FORGED)))]
    assert mx.take(message).deleted == [(FIELD, index) for index in indexes]
    # On the way out as well.
    with mx.connect() as mta:
        reply = mta.message(
            message.replace(b"a@x.example", b"ann@ours.example"),
            mail_macros={"auth_type": "PLAIN", "auth_authen": "ann"},
        )
    assert [index for kind, index, _, value in reply.edits if kind == "change"] == indexes
    assert len(reply.inserted("DKIM-Signature")) == 1


@hole("Composition kills", "ODM#191")
def parsers_that_differ(mx: Receiver) -> None:
    """What mail programs show as bank.example is never passed by evil.example."""
    for author in (
        "a@bank.example\x00.evil.example", "a@bank.example\\,@evil.example",
        "<a@bank.example>, <b@evil.example>", "<@evil.example,@x.example:a@bank.example>",
        "(<a@evil.example>\\)) <a@bank.example>", "<a@evil.example><a@bank.example>",
        "a@evil.example <a@bank.example>", "<a@evil.example>:<a@bank.example>",
        '"<a@evil.example>\\"" <a@bank.example>', "a@bank.example(.evil.example",
        "=?utf-8?b?YUBiYW5rLmV4YW1wbGU=?=@evil.example.bank.example,",
    ):  # fmt: skip
        message = post(f"From: {author}").replace(b"\0", b"\x01")
        got = mx.take(message, sender="<a@evil.example>")
        assert got.reply.code == "replycode" or got.words("dmarc") not in (["pass"],), author
    # The signature of a name that ends in a NUL for others.
    for selector in ("s1._domainkey.evil.example\x01", "s1\\000"):
        got = mx.take(signed(tags={"s": selector, "d": "bank.example", "i": None}).octets)
        assert got.words("dkim") in ([], ["permerror"])
    # An empty MAIL FROM: HELO is the identity, and aligns or not by its own name.
    got = mx.take(post("From: a@bank.example"), sender="<>", helo="evil.example")
    assert got.reply.code == "replycode"
    # Sender says nothing about the author.
    got = mx.take(post("Sender: a@evil.example", "From: a@bank.example"), sender="<a@evil.example>")
    assert got.reply.code == "replycode"


@hole("AM 4.2025")
def lax_addresses(mx: Receiver) -> None:
    """What is not one address list by the grammar is not half of one."""
    for author in ("a@bank.example b@evil.example", "x <a@evil.example> a@bank.example",
                   "a@evil.example; b@bank.example", "<a@bank.example", "a@bank.example>",
                   "a@bank..example", "a@@bank.example"):  # fmt: skip
        got = mx.take(post(f"From: {author}"), sender="<a@evil.example>")
        assert got.words("dmarc") != ["pass"], author


@hole("mail-auth 0.9.1")
def injection(mx: Receiver) -> None:
    """Nothing from the envelope breaks out of its value.  The reader of the tests is strict."""
    bad = 'a"; dkim=pass header.d=forged.example; x="'
    for sender in (f"<{bad}@evil.example>", f"<a@{bad}>", "<a@b\r\nX-Bad: 1>", "<a@(x) b>"):
        for helo in (bad, "a b;c", "(x)\r\n y"):
            got = mx.take(post("From: a@x.example"), sender=sender, helo=helo)
            assert got.words("dkim") == ["none"]
            assert [name for kind, _, name, _ in got.reply.edits if kind == "insert"] == [FIELD]


@hole("ODM#268", "ODM#354", "mailauth <5.0.0")
def strict_alignment(mx: Receiver) -> None:
    """adkim=s and aspf=s mean this very name."""
    got = mx.take(post("From: a@strict.example"), sender="<a@mail.strict.example>")
    assert got.reply.text.startswith("550 5.7.1")
    mx.dns.records["s1._domainkey.mail.strict.example", "TXT"] = (RSA_RECORD,)
    made = signed(mail([("From", " a@strict.example")]), tags={"d": "mail.strict.example"})
    assert mx.take(made.octets, sender="<>").reply.text.startswith("550 5.7.1")


@hole("ODM#70")
def merged_signatures(mx: Receiver) -> None:
    """A failure of the author's domain and a pass of another make no pass."""
    good = signed(mail([("From", " a@example.com")]), tags={"d": "evil.example"})
    name, value = signed(mail([("From", " a@example.com")])).fields[0]
    bad = Mail(((name, value.replace(b"b=", b"b=AAAA")), *good.fields), good.body)
    got = mx.take(bad.octets, sender="<a@evil.example>")
    assert got.reply.text.startswith("550 5.7.1")


@hole("l= attack")
def signed_length(mx: Receiver) -> None:
    """What was put behind the signed part takes the signature with it."""
    made = signed(tags={"l": "5"})
    got = mx.take(Mail(made.fields, made.body + b"<h1>Pay here</h1>\r\n").octets)
    assert got.reply.text.startswith("550 5.7.1")
    quiet = mail([("From", " a@x.example")])  # a domain without a policy, to see the word
    mx.dns.records["s1._domainkey.x.example", "TXT"] = (RSA_RECORD,)
    longer = signed(quiet, tags={"d": "x.example", "l": "5"})
    got = mx.take(Mail(longer.fields, longer.body + b"more\r\n").octets)
    assert (got.words("dkim"), got.words("dmarc")) == (["policy"], ["none"])


@hole("ODK#187")
def cross_user_signing(mx: Receiver) -> None:
    """A user's mail in another's name is not signed."""
    for author, user, count in (("ann", "ann", 1), ("bob", "ann", 0), ("ann", "bob", 0)):
        with mx.connect() as mta:
            reply = mta.message(
                post(f"From: {author}@ours.example"),
                mail_macros={"auth_type": "PLAIN", "auth_authen": user},
            )
        assert len(reply.inserted("DKIM-Signature")) == count


@hole("dkimpy-milter sign-all")
def our_own_name_from_outside(mx: Receiver) -> None:
    """Forged mail of our own domain is judged, not signed."""
    got = mx.take(post("From: ann@ours.example"), sender="<ann@ours.example>")
    assert got.reply.inserted("DKIM-Signature") == []
    assert got.reply.text.startswith("550 5.7.1")


@hole("pyspf-milter HELO")
def helo_is_what_helo_said(mx: Receiver) -> None:
    """Not the name that the client's address has."""
    with mx.connect(helo="evil.example") as mta:
        mta.connect("connect.example", CLIENT)
        mta.helo("helo.nothing.example")
        reply = mta.message(post("From: a@x.example"), sender="<>")
    (value,) = reply.inserted(FIELD)
    assert "spf=none" in value and "connect.example" not in value


@hole("CVE-2023-51764")
def smuggled_mail_without_from(mx: Receiver) -> None:
    """Mail without a From can be refused."""
    got = mx.take(post("X: y"))
    assert got.reply.text.startswith("550 5.7.1")


@hole("dkimpy: several From, no cap")
def sharp_edges_of_the_library(mx: Receiver) -> None:
    """Several From fields are not signed, and twenty signatures cost ten checks."""
    with mx.connect() as mta:
        reply = mta.message(
            post("From: ann@ours.example", "From: bob@ours.example"),
            mail_macros={"auth_type": "PLAIN", "auth_authen": "ann"},
        )
    assert reply.inserted("DKIM-Signature") == []
    made = signed()
    many = Mail((*[made.fields[0]] * 20, *made.fields[1:]), made.body)
    words = mx.take(many.octets).words("dkim")
    assert words.count("pass") == 10 and words.count("policy") == len(words) - 10


@pytest.mark.parametrize("name", HOLES)
def test_hole(mx: Receiver, name: str) -> None:
    kept = dict(mx.dns.records)
    HOLES[name](mx)
    mx.dns.records = kept


# -- holes that a message cannot try --------------------------------------------------------------


def imports(directory: Path) -> set[str]:
    """The top-level modules that anything below it imports."""
    found: set[str] = set()
    for path in directory.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Import):
                found |= {one.name.split(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                found.add(node.module.split(".")[0])
    return found


def test_hole_cve_2020_12460_no_xml_is_read() -> None:
    """OpenDMARC's parser of reports: there is none here, nor a library for one."""
    assert not imports(ROOT / "milter") & {"xml", "lxml", "defusedxml", "expat"}


@pytest.mark.slow
def test_hole_cve_2020_35766_no_name_in_tmp_is_known_beforehand() -> None:
    """OpenDKIM's tests wrote into /tmp/testkeys: ours write where nobody could be before."""
    known = [
        path.name
        for path in (ROOT / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Call)
        for argument in node.args
        if isinstance(argument, ast.Constant)
        and isinstance(argument.value, str)
        and argument.value.startswith("/tmp/")
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("open", "Path", "mkdir")
    ]
    assert known == []


@pytest.mark.parametrize("selector", ["a;touch x", "$(touch x)", "`touch x`", "a b", "../x", "-x"])
def test_hole_genkey_shell(selector: str, tmp_path: Path) -> None:
    """opendkim-genkey -s runs what it is given: ours takes labels alone, and runs nothing."""
    command = [sys.executable, "-m", "postseal_keys.genkey", f"--selector={selector}", "-d", "a.b"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={"PYTHONPATH": str(ROOT / "keys"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 64 and "error:" in done.stderr
    assert list(tmp_path.iterdir()) == []

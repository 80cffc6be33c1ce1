"""Messages that are hard to sign, and signing them with our signer.

HARD["folded"]; with_signature(HARD["folded"], RSA_KEY, ED_KEY, Options(...))
"""

from __future__ import annotations

from postseal.core.canon import BodyHasher
from postseal.core.dkim import sign
from postseal.core.dkim.sign import Options, SigningKey
from postseal.core.field import Field
from support.dkimmail import ED25519, FIELDS, NOW, RSA, Mail, mail, signed

RSA_KEY = sign.signing_key(RSA, "example.com", "s1")
ED_KEY = sign.signing_key(ED25519, "example.com", "ed")


def sign_it(what: Mail, key: SigningKey = RSA_KEY, options: Options | None = None) -> Field:
    options = options or Options()
    hasher = BodyHasher(options.body_key)
    hasher.update(what.body)
    return sign.sign(what.header, key, hasher.digest(), options, now=NOW)


def with_signature(what: Mail, *args: SigningKey | Options) -> Mail:
    keys = [arg for arg in args if isinstance(arg, SigningKey)] or [RSA_KEY]
    options = next((arg for arg in args if isinstance(arg, Options)), Options())
    made = [sign_it(what, key, options) for key in keys]
    return Mail((*[(f.name, f.value) for f in made], *what.fields), what.body)


HARD = {
    "plain": mail(FIELDS),
    "empty-body": mail(FIELDS, b""),
    "blank-lines": mail(FIELDS, b"\r\n\r\n \t\r\n\r\n"),
    "no-final-crlf": mail(FIELDS, b"a  b\t"),
    "dots": mail(FIELDS, b".\r\n..x\r\n"),
    "eight-bit": mail(
        [("From", " Jürgen <j@example.com>".encode()), ("Subject", b" \xff")], b"\xfc\r\n"
    ),
    "eai": mail([("From", " jürgen@bücher.example"), ("Subject", " ü")]),
    "folded": mail([("From", "\r\n Ann\r\n\t<a@example.com>"), ("Subject", " a \r\n  b ")]),
    "tight": mail([("From", "a@example.com"), ("Subject", "")]),
    "several-to": mail([*FIELDS, ("To", " c@example.com"), ("Cc", " d"), ("Cc", " e")]),
    "no-date": mail([("From", " a@example.com")]),
    "from-line-odd": mail([*FIELDS, ("X Y", " odd name"), ("D\xfc", " 8-bit name")]),
    "blank-before-colon": mail([*FIELDS, ("Date ", " now")]),
    "long-line": mail([*FIELDS, ("References", " " + "<x@example.com>" * 4000)]),
    "list": mail([*FIELDS, ("List-Id", " <l.example>"), ("List-Unsubscribe-Post", " One-Click")]),
    "signed-before": signed(FIELDS),
}
FORMS = [(True, True), (True, False), (False, True), (False, False)]

"""SPF records: text in, terms out, and back.  (RFC 7208)

NAME
    spfrecord - parse, write and locate every mistake of one SPF record

GIVES
    parse() a Record; mistakes() every syntax error with its column.
    str(record) is a record again: parse(str(record)) == record.

DOES NOT
    ask DNS (spfwalk does) or judge whether a correct record is wise (spflint does).

SEE ALSO
    RFC 7208 sections 4.5 (version), 4.6.1 and 5 to 7 (terms, macros).
"""

from __future__ import annotations

import difflib
import ipaddress
import re

from postseal_keys.spfterms import (
    CIDR_ALLOWED,
    MODIFIERS,
    NEEDS_DOMAIN,
    Kind,
    Mistake,
    Record,
    Term,
)

MAX_LENGTH = 65_535  # octets of RDATA: nothing longer can come out of DNS

_VERSION = re.compile(r"v=spf1(?= |\Z)", re.IGNORECASE)
_TERM = re.compile(r"[^ ]+")
_MODIFIER = re.compile(r"([A-Za-z][A-Za-z0-9_.-]*)=(.*)", re.DOTALL)
_MECHANISM = re.compile(r"([-+?~]?)([A-Za-z][A-Za-z0-9]*)([:/].*)?", re.DOTALL)
_CIDR = re.compile(r"(?P<name>.*?)(?:/(?P<four>\d+))?(?://(?P<six>\d+))?", re.DOTALL)
_MACRO = re.compile(r"%(?:\{(?P<letter>[A-Za-z])(?P<digits>\d*)[rR]?[-.+,/_=]*\}|[%_-])")
_TOPLABEL = re.compile(r"(?=.*[A-Za-z-])[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
_HOST = re.compile(r"[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*\.[A-Za-z][A-Za-z0-9-]*[A-Za-z0-9]\.?")
_ADDRESS_LIKE = re.compile(r"[0-9A-Fa-f:.]{3,45}(?:/\d{1,3})?")
_MACRO_LETTERS = frozenset("slodiphv")
_LETTERS = "the letters for macros are s, l, o, d, i, p, h and v"
_EXP_LETTERS = frozenset("crt")  # RFC 7208 section 7.2: only in the explanation text


class SpfError(ValueError):
    """The text is not a correct SPF record.  mistakes: all of them, left to right."""

    def __init__(self, mistakes: tuple[Mistake, ...]) -> None:
        self.mistakes = mistakes
        first = mistakes[0]
        super().__init__(f"column {first.column + 1}: {first.what}")


class _Bad(Exception):
    """One mistake inside a term; column counts from the term's first character."""

    def __init__(
        self, what: str, hint: str = "", at: int = 0, length: int = 0, instead: str | None = None
    ) -> None:
        self.what, self.hint, self.at, self.length = what, hint, at, length
        self.instead = instead
        super().__init__(what)


def is_spf(text: str) -> bool:
    """Would a receiver take this TXT record for SPF?  (RFC 7208 section 4.5)"""
    return _VERSION.match(text) is not None


def parse(text: str) -> Record:
    """Parse one record.  Raises SpfError, and nothing else."""
    record, found = examine(text)
    if found:
        raise SpfError(found)
    return record


def examine(text: str) -> tuple[Record, tuple[Mistake, ...]]:
    """The correct terms of text, and a Mistake for each of the others.  Never raises."""
    if len(text) > MAX_LENGTH:
        what = f"{len(text)} characters are more than a TXT record can hold"
        return Record(), (Mistake(column=MAX_LENGTH, length=1, what=what),)
    if not is_spf(text):
        return Record(), (_no_version(text),)
    terms: list[Term] = []
    found: list[Mistake] = []
    for match in _TERM.finditer(text, len("v=spf1")):
        word, column = match[0], match.start()
        try:
            term = _term(word, column)
            if term.kind in (Kind.REDIRECT, Kind.EXP) and any(
                other.kind is term.kind for other in terms
            ):
                what = f"{term.kind}= stands here for the second time"
                raise _Bad(what, "keep one of them")
            terms.append(term)
        except _Bad as bad:
            found.append(
                Mistake(
                    column=column + bad.at,
                    length=bad.length or max(1, len(word) - bad.at),
                    what=bad.what,
                    hint=bad.hint,
                    instead=bad.instead,
                )
            )
    return Record(terms=tuple(terms)), tuple(found)


def _no_version(text: str) -> Mistake:
    what = "an SPF record starts with v=spf1 and a space; receivers do not see this one"
    if text.lower().startswith("spf2.0/"):
        what = "this is a Sender ID record, which is historic and read by nobody"
        return Mistake(column=0, length=6, what=what, hint="publish one that starts with v=spf1")
    if text[:1] in ('"', "'", " ", "\t", "\ufeff"):
        return Mistake(column=0, length=1, what=what, hint="remove this character")
    same = next(
        (i for i, (a, b) in enumerate(zip(text.lower(), "v=spf1 ", strict=False)) if a != b),
        min(len(text), 6),
    )
    return Mistake(column=same, length=1, what=what, hint="write v=spf1 and a space")


_ODD = {
    "\N{EN DASH}": "-",
    "\N{EM DASH}": "-",
    "\N{MINUS SIGN}": "-",
    "\N{NON-BREAKING HYPHEN}": "-",
    "\N{HYPHEN}": "-",
    "\N{FULLWIDTH COLON}": ":",
    "\N{NO-BREAK SPACE}": " ",
    "\t": " ",
}


def _characters(word: str) -> None:
    """Only visible ASCII may stand in a term (sections 3.1, 7.1)."""
    for at, char in enumerate(word):
        if "!" <= char <= "~":
            continue
        good = _ODD.get(char)
        if good is not None:
            name = "a tab" if char == "\t" else f"U+{ord(char):04X}"
            shown = "a space" if good == " " else good
            fixed = " ".join("".join(_ODD.get(c, c) for c in word).split())
            raise _Bad(f"{name} where {shown} belongs", at=at, length=1, instead=fixed)
        raise _Bad(
            f"U+{ord(char):04X} is not visible ASCII",
            "write international domain names as A-labels (xn--…)",
            at=at,
            length=1,
        )


def _term(word: str, column: int) -> Term:
    _characters(word)
    modifier = _MODIFIER.fullmatch(word)
    bare = word.rstrip(";,")
    if bare != word and (modifier is None or modifier[1].lower() in ("redirect", "exp")):
        hint = f"write {bare}" if bare else "leave it out"
        what = "SPF terms are separated by spaces, and by nothing else"
        raise _Bad(what, hint, at=len(bare), instead=bare)
    if modifier is not None:
        return _modifier(modifier[1], modifier[2], word, column)
    match = _MECHANISM.fullmatch(word)
    if (bad := _bare(word)) is not None:
        raise bad
    if match is None:
        raise _Bad(*_unreadable(word))
    sign, name, rest = match[1], match[2].lower(), match[3] or ""
    if name not in _MECHANISMS:
        raise _unknown(sign, name, rest)
    kind = Kind(name)
    at = len(sign) + len(name)
    if kind in (Kind.IP4, Kind.IP6):
        return _address(kind, sign, rest, at, word, column)
    domain, four, six = _argument(kind, rest, at, word)
    return Term(
        kind=kind, qualifier=sign, domain=domain, four=four, six=six, column=column, text=word
    )


_MECHANISMS = frozenset(kind.value for kind in Kind if kind not in MODIFIERS)


def _modifier(name: str, value: str, word: str, column: int) -> Term:
    low = name.lower()
    at = len(name) + 1
    if low in ("redirect", "exp"):
        _domain_spec(value, at)
        return Term(kind=Kind(low), domain=value, column=column, text=word)
    _macros(value, at)
    return Term(kind=Kind.OTHER, name=name, domain=value, column=column, text=word)


def _unreadable(word: str) -> tuple[str, str]:
    if word[0] in "\"'" or word[-1] in "\"'":
        return (
            "a quotation mark inside the record",
            "quotation marks belong around the strings of a zone file, not into the text",
        )
    if word in ("-", "+", "~", "?"):
        return f"{word} stands alone", "write it without a space before the mechanism: -all"
    if word[-1] in "-+~?":
        return f"{word[-1]} stands behind the mechanism", f"write {word[-1]}{word[:-1]}"
    return "this is neither a mechanism nor a modifier", _KNOWN


def _bare(word: str) -> _Bad | None:
    """An address or a host without its mechanism."""
    what = "this is neither a mechanism nor a modifier"
    if _HOST.fullmatch(word):
        return _Bad(what, f"write a:{word} for a host, include:{word} for whoever may send there")
    if not _ADDRESS_LIKE.fullmatch(word):
        return None
    try:
        version = ipaddress.ip_interface(word).version
    except ValueError:
        return None
    right = f"ip{version}:{word}"
    return _Bad(what, f"write {right}", instead=right)


_KNOWN = "SPF knows all, a, mx, ip4, ip6, include, exists, redirect= and exp="
_COMMON = {
    "ip": Kind.IP4,
    "ipv4": Kind.IP4,
    "ipv6": Kind.IP6,
    "includes": Kind.INCLUDE,
    "incude": Kind.INCLUDE,
    "inlcude": Kind.INCLUDE,
    "mx1": Kind.MX,
    "al": Kind.ALL,
    "aall": Kind.ALL,
}


def _unknown(sign: str, name: str, rest: str) -> _Bad:
    what = f"there is no mechanism {name!r}"
    length = len(sign) + len(name)
    if name in ("redirect", "exp") and rest.startswith(":"):
        right = f"{name}={rest[1:]}"
        return _Bad(f"{name} takes = and not :", f"write {right}", instead=right, length=length + 1)
    close = difflib.get_close_matches(name, ("include", "exists", "redirect"), n=1, cutoff=0.8)
    close = [one for one in close if len(name) <= len(one) + 1]  # "mxinclude" is two words
    if close and close[0] == "redirect":
        right = f"redirect={rest[1:]}"
        return _Bad(what, f"write {right}", instead=right, length=length)
    meant = _COMMON.get(name) or (Kind(close[0]) if close else None)
    if meant in (Kind.IP4, Kind.IP6) and ":" in rest[1:]:
        meant = Kind.IP6
    if meant is not None:
        right = f"{sign}{meant}{rest}"
        return _Bad(what, f"write {right}", instead=right, length=length)
    if re.fullmatch(r"\d.*", name) is None and "." in rest:
        return _Bad(what, "a host or an address needs a:, ip4: or include: before it")
    return _Bad(what, _KNOWN, length=length)


def _address(kind: Kind, sign: str, rest: str, at: int, word: str, column: int) -> Term:
    value = rest[1:]
    if not rest.startswith(":") or not value:
        hint = f"write {kind}:{'192.0.2.1' if kind is Kind.IP4 else '2001:db8::1'}, for instance"
        raise _Bad(f"{kind} needs an address right behind it", hint, at=max(0, at - len(kind)))
    at += 1
    if "," in value or ";" in value:
        terms = [f"{sign}{kind}:{one}" for one in re.split("[,;]", value) if one]
        right = " ".join(terms)
        raise _Bad("a term holds one address", f"write {right}", at=at, instead=right)
    host, slash, prefix = value.partition("/")
    if kind is Kind.IP4 and ":" in host:
        right = f"{sign}ip6:{value}"
        raise _Bad("an IPv6 address after ip4:", f"write {right}", instead=right)
    if kind is Kind.IP6 and re.fullmatch(r"[\d.]+", host):
        right = f"{sign}ip4:{value}"
        raise _Bad("an IPv4 address after ip6:", f"write {right}", instead=right)
    try:
        address = (ipaddress.IPv4Address if kind is Kind.IP4 else ipaddress.IPv6Address)(host)
    except ValueError:
        short = re.fullmatch(r"\d+(\.\d+){0,2}\.?", host)
        hint = "all four numbers are needed" if short else f"for a host write a:{host}"
        raise _Bad(f"{host!r} is not an {_FAMILY[kind]} address", hint, at=at) from None
    if "%" in host:
        hint = f"write {kind}:{host.partition('%')[0]}"
        raise _Bad("an address with a zone index means nothing to others", hint, at=at)
    if slash:
        _prefix(prefix, 32 if kind is Kind.IP4 else 128, at + len(host) + 1)
    network = ipaddress.ip_interface(f"{address}/{prefix}" if slash else f"{address}")
    return Term(kind=kind, qualifier=sign, network=network, column=column, text=word)


_FAMILY = {Kind.IP4: "IPv4", Kind.IP6: "IPv6"}


def _prefix(digits: str, most: int, at: int) -> int:
    if not digits.isdigit() or (len(digits) > 1 and digits.startswith("0")):
        hint = f"a number from 0 to {most}"
        raise _Bad(f"{digits!r} is not a prefix length", hint, at=at, length=max(1, len(digits)))
    if len(digits) > 3 or int(digits) > most:
        hint = f"/{most} is a single address"
        raise _Bad(f"a prefix length is at most {most}", hint, at=at, length=len(digits))
    return int(digits)


def _argument(kind: Kind, rest: str, at: int, word: str) -> tuple[str, int | None, int | None]:
    """The domain-spec and prefix lengths behind a mechanism's name."""
    if kind is Kind.ALL and rest:
        raise _Bad("all takes no argument", f"write {word[:at]}", at=at, instead=word[:at])
    four = six = None
    domain = rest
    if kind in CIDR_ALLOWED:
        match = _CIDR.fullmatch(rest)
        if match is not None:
            domain = match["name"]
            if match["four"] is not None:
                four = _prefix(match["four"], 32, at + match.start("four"))
            if match["six"] is not None:
                six = _prefix(match["six"], 128, at + match.start("six"))
    if domain.startswith("/"):
        raise _Bad(f"{domain!r} is not a prefix length", "write /24, or //64 for IPv6", at=at)
    if domain.startswith(":"):
        _domain_spec(domain[1:], at + 1)
        return domain[1:], four, six
    if kind in NEEDS_DOMAIN:
        hint = f"write {kind}:example.com"
        raise _Bad(f"{kind} needs a domain", hint, at=max(0, at - len(kind)))
    return "", four, six


def _domain_spec(spec: str, at: int) -> None:
    """domain-spec = macro-string domain-end (section 7.1)."""
    if not spec:
        hint = "write it right behind, without a blank"
        raise _Bad("a domain name is missing here", hint, at=max(0, at - 1))
    end = _macros(spec, at)
    if end == len(spec) and spec.endswith(("}", "%%", "%_", "%-")):
        return  # ends in a macro-expand
    name = spec.removesuffix(".")
    top = name.rpartition(".")[2]
    if "." not in name:
        hint = "write the whole name, such as mail.example.com"
        raise _Bad(f"{spec!r} is not a full domain name", hint, at=at)
    if not _TOPLABEL.fullmatch(top):
        hint = "write the whole name, such as mail.example.com"
        if re.fullmatch(r"[\d.]+", name):
            hint = f"for an address write ip4:{name}"
        elif "@" in name:
            hint = "a domain, not an address"
        raise _Bad(f"{spec!r} does not end in a top-level domain", hint, at=at)
    if ".." in name or name.startswith("."):
        raise _Bad("an empty label in a domain name", "there is a dot too many", at=at)
    if any(len(label) > 63 for label in name.split(".") if "%" not in label):
        hint = "DNS has no such name: is it written right?"
        raise _Bad("a label of more than 63 characters", hint, at=at)


def _macros(text: str, at: int) -> int:
    """Check every "%" of a macro-string; the end of the last macro."""
    end = place = 0
    while (place := text.find("%", place)) >= 0:
        match = _MACRO.match(text, place)
        if match is None:
            hint = "a macro is written %{d}; a percent sign %%"
            raise _Bad("a % that starts no macro", hint, at=at + place, length=1)
        letter = (match["letter"] or "d").lower()
        if letter in _EXP_LETTERS:
            what = f"%{{{letter}}} is only allowed in the text that exp= points to"
            raise _Bad(what, _LETTERS, at=at + place, length=len(match[0]))
        if letter not in _MACRO_LETTERS:
            what = f"there is no macro {match[0]}"
            raise _Bad(what, _LETTERS, at=at + place, length=len(match[0]))
        if match["digits"] and not match["digits"].strip("0"):
            hint = "write 1 or more"
            raise _Bad("a macro cannot keep 0 labels", hint, at=at + place, length=len(match[0]))
        place = end = match.end()
    return end

"""Is a DMARC record right, current and wise?  What can be said without DNS.

NAME
    dmarclint - findings on one record, and the record to publish instead

GIVEN
    the text, and the domain whose policy it is (the name without _dmarc).

GIVES
    lint(): findings.  mended(): the record without mistakes and obsolete tags; "" when
    only its owner can know what was meant.

DOES NOT
    ask DNS: treewalk and reportauth.

SEE ALSO
    RFC 9989 sections 4.7, 4.8, 7.4 (p=reject), 9.3 (historic tags), A.6 (pct and t).
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator
from dataclasses import replace

from postseal_keys.dmarcrecord import (
    OBSOLETE,
    POLICIES,
    TAGS,
    TEXT_MAX,
    VERSION,
    DmarcError,
    Record,
    Tag,
    parse,
    scan,
    uris,
    valid,
)
from postseal_keys.findings import Finding, Harm, foremost, zone_line

REJECT = (
    "p=reject breaks mailing lists and forwarding for people who write from this domain:"
    " it should not be used for such domains, and never with SPF alone (RFC 9989 section 7.4)"
)
_NAMES = "|".join(sorted((*TAGS[1:], *OBSOLETE), key=len, reverse=True))
_POLICY_FIRST = re.compile(rf"\s*p\s*=\s*(?:{'|'.join(POLICIES)})\s*(?:;|\Z)", re.IGNORECASE)
_GLUED = re.compile(rf"(?<=[^;\s])[ \t]+(?=(?:{_NAMES})[ \t]*=)", re.IGNORECASE)
_COLON = re.compile(rf"((?:^|;)[ \t]*(?:{_NAMES}))[ \t]*:", re.IGNORECASE)
_ADDRESSES = re.compile(r"[ \t]*;[ \t]*(?=mailto:)", re.IGNORECASE)
_TYPOGRAPHIC = str.maketrans(dict.fromkeys("‘’“”„«»", "") | {"\u00a0": " "})
_WORDS = {"monitor": "none", "quarantined": "quarantine", "block": "reject"}


def lint(domain: str, text: str) -> list[Finding]:
    """Findings on one record, in the order of its text."""
    where = f"_dmarc.{domain}"
    better = mended(text)
    publish = (zone_line(where, better),) if better and better != text else ()
    left = {f.what for f in (*_each(better), *_whole(better))} if publish else set()
    found = list(_broken(text)) or [*_each(text), *_whole(text)]
    return foremost(
        replace(f, where=where, record=text, publish=() if f.what in left else publish)
        for f in found
    )


def looks_like(text: str) -> bool:
    """Whether a text at _dmarc was perhaps meant to be DMARC, though receivers ignore it."""
    return "dmarc" in text.lower() or _POLICY_FIRST.match(text) is not None


def mended(text: str) -> str:
    """The record to publish instead; "" when that is not certain."""
    if len(text) > TEXT_MAX:
        return ""
    text = _plain(text)
    tags = _tags(text)
    if tags is None or not text.isascii():
        return ""
    values: dict[str, str] = {}
    for tag in tags:
        name = _meant(tag.name)
        if name is None or name in values:
            if name is not None and values[name] != tag.value:
                return ""
            continue
        values[name] = tag.value
    for name in ("p", "sp", "np"):
        if name in values:
            right = _policy(values[name])
            if right is None:
                return ""
            values[name] = right
    better = _compose(values)
    return better if better.count("@") >= text.count("@") else ""  # no address gets lost


def _compose(values: dict[str, str]) -> str:
    percent = values.get("pct", "100").strip()
    for name in ("rua", "ruf"):
        if name in values:
            values[name] = ",".join(_address(part) for part in values[name].split(",") if part)
    drafted = "; ".join(
        f"{name}={values[name]}"
        for name in TAGS
        if name not in ("v", "p") and name in values and valid(name, values[name])
    )
    text = f"v={VERSION}; p={values.get('p', 'none')}; {drafted}"
    record = parse(text)
    enforced = any(policy not in (None, "none") for policy in (record.p, record.sp, record.np))
    if percent != "100" and percent.isdigit() and enforced:
        record = replace(record, t=True)
    if not enforced:
        record = replace(record, t=False)
    if not record.ruf:
        record = replace(record, fo=("0",))
    return str(record)


def _address(text: str) -> str:
    """A reporting address as a URI without the size suffix."""
    (first, *_) = uris(text) or (None,)
    bare = "".join(first.text.split()) if first else ""
    return f"mailto:{bare}" if "@" in bare and ":" not in bare else bare


def _meant(name: str) -> str | None:
    """The tag a name stands for; None when it is none we know."""
    if name in TAGS or name in OBSOLETE:
        return name
    for tag in TAGS:
        if sorted(tag) == sorted(name):  # two letters changed places
            return tag
    close = difflib.get_close_matches(name, [t for t in TAGS if len(t) > 2], n=1, cutoff=0.6)
    return close[0] if close else None


def _policy(value: str) -> str | None:
    low = value.lower()
    if low in POLICIES:
        return low
    close = difflib.get_close_matches(low, POLICIES, n=1, cutoff=0.7)
    return _WORDS.get(low) or (close[0] if close else None)


def _tags(text: str) -> list[Tag] | None:
    """The tags after v=, with the commonest damage undone; None if this is no DMARC at all."""
    if _POLICY_FIRST.match(text) and "v" not in {tag.name for tag in scan(text)}:
        text = f"v={VERSION}; {text}"
    if not any(tag.name == "v" and tag.value == VERSION for tag in scan(text)):
        undone = text.strip(" \t\"'").replace("\\;", ";").replace('" "', "")
        head, _, rest = undone.partition("=")
        word = rest.lstrip(" \t")
        if head.strip(" \t").lower() != "v" or word[:6].upper() != VERSION:
            return None
        tail = word[6:].lstrip(" \t,:;.")
        if ";" not in tail:
            tail = tail.replace(",", ";") if "rua" not in tail else _spaced(tail)
        text = f"v={VERSION}; {tail}"
    tags = scan(_separated(text))
    if tags[0].name != "v":  # v=DMARC1 stands further back
        tags.sort(key=lambda tag: tag.name != "v")
    return tags[1:] if all(tag.equals for tag in tags) else None


def _plain(text: str) -> str:
    """The text without what word processors make of quotation marks and blanks."""
    return text.translate(_TYPOGRAPHIC).strip(" \t\"'")


def _separated(text: str) -> str:
    """The text with ``;`` between tags, ``=`` in them and ``,`` between addresses."""
    text = _GLUED.sub("; ", text)
    text = _COLON.sub(r"\1=", text)
    return _ADDRESSES.sub(",", text)


def _spaced(tail: str) -> str:
    """Tags separated by blanks or commas: put semicolons where a name= begins."""
    out: list[str] = []
    for word in tail.replace(",", ", ").split():
        name = word.partition("=")[0].lower()
        starts = "=" in word and (name in TAGS or name in OBSOLETE)
        out.append(("; " if starts and out else "") + word)
    return "".join(out).replace(",;", ";")


def _broken(text: str) -> Iterator[Finding]:
    """Why receivers ignore the whole record; nothing when they do not."""
    try:
        parse(text)
        return
    except DmarcError:
        pass
    tags = scan(text)
    first = tags[0] if tags else None
    column, length, hint = 0, 1, "it begins exactly with v=DMARC1;"
    if first is not None and first.name == "v":
        column, length = first.value_column, len(first.value)
        if first.value.upper().startswith(VERSION):
            hint = "capital letters, and a semicolon after it: v=DMARC1;"
            if "\\" in text:
                hint = "there are no backslashes in a record: v=DMARC1;"
    elif any(tag.name == "v" for tag in tags):
        place = next(tag for tag in tags if tag.name == "v")
        column, length, hint = place.column, place.length, "v=DMARC1 must be the first tag"
    elif text[:1] in ('"', "'", "\\"):
        hint = "quotation marks belong around the strings of a zone file, not into the text"
    yield _on(
        Harm.ERROR,
        "dmarc-version",
        "receivers do not take this for a DMARC record and ignore it",
        hint,
        column,
        length,
    )


def _each(text: str) -> Iterator[Finding]:
    """Findings on single tags."""
    seen: set[str] = set()
    for index, tag in enumerate(scan(text)):
        if not tag.equals or not tag.value:
            yield _no_tag(tag, text[tag.column : tag.column + tag.length])
        elif tag.name in seen:
            what = f"{tag.name}= is there twice; receivers differ in what they make of it"
            yield _tag(tag, Harm.ERROR, "dmarc-tag-twice", what, "keep one of them")
        elif tag.name in OBSOLETE:
            yield _obsolete(tag)
        elif tag.name not in TAGS:
            meant = _meant(tag.name)
            hint = f"did you mean {meant}=?" if meant else "leave it out"
            harm = Harm.ERROR if meant else Harm.WARNING
            yield _tag(tag, harm, "dmarc-tag-unknown", f"{tag.name}= is unknown and ignored", hint)
        elif tag.name in ("rua", "ruf") and not _GLUED.search(tag.value):
            yield from _reports(tag)
        elif tag.name != "v" and not valid(tag.name, tag.value):
            yield _value(tag)
        elif tag.name == "p" and index != 1:
            what = "p= is not the second tag; readers of RFC 7489 want it there"
            yield _tag(tag, Harm.ADVICE, "dmarc-order", what, "write it right after v=DMARC1;")
        seen.add(tag.name)


def _no_tag(tag: Tag, piece: str) -> Finding:
    """What stands between two semicolons and is no tag; that a policy is ignored is an error."""
    hint, harm = "tags are separated by ;", Harm.WARNING
    if colon := _COLON.match(piece):
        name = colon[1].strip(" \t").lower()
        hint, harm = f"write = and not a colon: {name}=", Harm.ERROR
    elif piece.lower().startswith("mailto:"):
        hint = "addresses are separated by commas: rua=mailto:a@example.com,mailto:b@example.com"
    return _tag(tag, harm, "dmarc-syntax", f"{piece!r} is not name=value; it is ignored", hint)


def _obsolete(tag: Tag) -> Finding:
    """pct, rf and ri (RFC 9989 section 9.3, A.6)."""
    if tag.name != "pct":
        what = f"{tag.name}= is obsolete and ignored (RFC 9989)"
        return _tag(tag, Harm.ADVICE, "dmarc-obsolete", what, "leave it out")
    if tag.value == "100":
        what = "pct= is obsolete; 100 was the default"
        return _tag(tag, Harm.ADVICE, "dmarc-obsolete", what, "leave it out")
    if tag.value == "0":
        what = "pct=0 is obsolete: receivers by RFC 9989 apply the policy to all mail"
        return _tag(tag, Harm.WARNING, "dmarc-obsolete", what, "write t=y, which means the same")
    what = (
        f"pct={tag.value} is obsolete and has no successor: receivers by RFC 9989 apply the"
        " policy to all mail"
    )
    hint = "either t=y, which asks for one level less for all mail, or the policy without pct"
    return _tag(tag, Harm.WARNING, "dmarc-obsolete", what, hint)


_ALLOWED = {
    "adkim": "r or s",
    "aspf": "r or s",
    "t": "y or n",
    "psd": "y, n or u",
    "fo": "0 or 1, d and s, with colons between",
}


def _value(tag: Tag) -> Finding:
    glued = _GLUED.search(tag.value)
    if glued is not None:
        first, rest = tag.value[: glued.start()], tag.value[glued.end() :]
        what = f"there is no semicolon between {tag.name}={first} and {rest}"
        found = _tag(tag, Harm.ERROR, "dmarc-syntax", what, f"{tag.name}={first}; {rest}")
        return replace(found, column=tag.value_column + glued.start(), length=len(glued[0]))
    what = f"{tag.name}={tag.value} is not a value that {tag.name}= can have"
    if tag.name in ("p", "sp", "np"):
        what += "; receivers act as with p=none, or ignore the record if it has no rua="
        hint = f"one of {', '.join(POLICIES)}"
        found = _tag(tag, Harm.ERROR, "dmarc-value", what, hint)
    else:
        hint = f"{_ALLOWED.get(tag.name, 'see RFC 9989 section 4.7')}, or leave {tag.name}= out"
        found = _tag(tag, Harm.WARNING, "dmarc-value", f"{what}; the default is used", hint)
    return replace(found, column=tag.value_column, length=len(tag.value))


def _reports(tag: Tag) -> Iterator[Finding]:
    """rua= and ruf=: every URI."""
    for one in uris(tag.value):
        whole = one.text + one.suffix
        column = tag.value_column + max(0, tag.value.find(whole))
        if not one.valid:
            hint = "write mailto:name@example.com"
            if "," in tag.value or "!" in one.text:
                hint += "; a comma or ! inside an address is written %2C or %21"
            what = f"{tag.name}: {whole!r} is not a URI that reports can go to"
            found = _tag(tag, Harm.ERROR, "dmarc-uri", what, hint)
            yield replace(found, column=column, length=max(1, len(whole)))
        elif not one.host:
            what = f"{tag.name}: senders of reports need only support mailto:"
            hint = "add a mailto: address"
            found = _tag(tag, Harm.WARNING, "dmarc-uri-scheme", what, hint)
            yield replace(found, column=column, length=len(whole))
        if one.suffix:
            what = f"{tag.name}: the size limit {one.suffix} is obsolete and ignored (RFC 9989)"
            found = _tag(tag, Harm.ADVICE, "dmarc-obsolete", what, "leave it out")
            yield replace(found, column=column + len(one.text), length=len(one.suffix))


def _whole(text: str) -> Iterator[Finding]:
    """Findings on the record as a whole."""
    record = parse(text)
    names = {tag.name for tag in scan(_separated(text))}  # as meant: what is amiss is told once
    if "p" not in names:
        what = "there is no p=: receivers act as with p=none, readers of RFC 7489 ignore the record"
        hint = "say it: p=none"
        if names == {"v"}:
            hint += "; was there more? in a zone file a ; outside quotation marks starts a comment"
        yield _on(Harm.WARNING, "dmarc-no-policy", what, hint)
    yield from _strength(record)
    if not record.rua and "rua" not in names:
        what = "no rua=: nobody tells you who sends as this domain"
        yield _on(Harm.ADVICE, "dmarc-no-reports", what, "add rua=mailto:an address that reads XML")
    if "fo" in names and not record.ruf:
        yield _on(Harm.ADVICE, "dmarc-fo-unused", "fo= is ignored without ruf=", "leave it out")
    if record.psd == "y":
        what = "psd=y says that this is a public suffix, such as com"
        hint = "leave psd= out, or write psd=n for an organisation's own domain"
        yield _on(Harm.WARNING, "dmarc-psd", what, hint)
        if record.ruf:
            what = "failure reports are never sent for a public suffix (RFC 9991 section 2)"
            yield _on(Harm.ADVICE, "dmarc-psd-ruf", what, "leave ruf= out")


def _strength(record: Record) -> Iterator[Finding]:
    policy = record.asks()
    level = {name: rank for rank, name in enumerate(POLICIES)}
    if record.t and policy in ("none", "") and not (record.sp or record.np):
        yield _on(Harm.ADVICE, "dmarc-t-unused", "t=y changes nothing with p=none", "leave t= out")
    if policy == "reject" and not record.t:
        hint = (
            "p=quarantine for a domain people write from; p=reject for one that only machines use"
        )
        yield _on(Harm.WARNING, "dmarc-reject", REJECT, hint)
    for name in ("sp", "np"):
        value = getattr(record, name)
        if value is not None and policy and level[value] < level[policy]:
            what = f"{name}={value} lets others write from names below, where p={policy} would not"
            yield _on(
                Harm.WARNING, "dmarc-weak-below", what, f"leave {name}= out, or {name}={policy}"
            )


def _tag(tag: Tag, harm: Harm, code: str, what: str, hint: str = "") -> Finding:
    return _on(harm, code, what, hint, tag.column, tag.length)


def _on(
    harm: Harm, code: str, what: str, hint: str = "", column: int = -1, length: int = 1
) -> Finding:
    return Finding(
        harm=harm,
        code=code,
        where="",
        what=what if what.startswith("DMARC") else f"DMARC: {what}",
        hint=hint,
        column=column,
        length=max(1, length),
    )

"""Macros of an SPF domain-spec, as far as they can be known without a message.

NAME
    spfmacro - expand %{d} and %{o}; say so when a name depends on the message

SEE ALSO
    RFC 7208 section 7.
"""

from __future__ import annotations

import re

_MACRO = re.compile(r"%(?:\{([A-Za-z])(\d*)([rR]?)([-.+,/_=]*)\}|([%_-]))")
_ESCAPES = {"%": "%", "_": " ", "-": "%20"}
NAME_MAX = 253  # section 7.3: a longer result loses labels on the left


def expand(spec: str, domain: str, sender_domain: str) -> str | None:
    """The name that spec means; None when it needs the message or the client.

    domain: whose record it is (%{d}).  sender_domain: of the envelope sender (%{o}).
    """
    known = {"d": domain, "o": sender_domain}
    out: list[str] = []
    place = 0
    for match in _MACRO.finditer(spec):
        out.append(spec[place : match.start()])
        place = match.end()
        if match[5]:
            out.append(_ESCAPES[match[5]])
            continue
        value = known.get(match[1].lower())
        if value is None:
            return None
        out.append(_transform(value, match[2], bool(match[3]), match[4] or "."))
    name = ("".join(out) + spec[place:]).removesuffix(".")
    while len(name) > NAME_MAX and "." in name:
        name = name.partition(".")[2]
    return name


def _transform(value: str, digits: str, reverse: bool, delimiters: str) -> str:
    parts = re.split(f"[{re.escape(delimiters)}]", value)
    if reverse:
        parts.reverse()
    if digits:
        keep = int(digits[:4])  # more than any name has labels is as good as all
        parts = parts[-keep:] if keep else parts
    return ".".join(parts)

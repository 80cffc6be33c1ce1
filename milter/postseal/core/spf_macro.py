"""SPF macros: text with %{...} to the domain name that it stands for.

NAME
    spf_macro - expand a macro-string, check and expand a domain-spec

GIVEN
    the text of one term, and a function from macro letter to value.

GIVES
    the expanded text, or MacroError.  Linear in the text, and never asks for a
    value that the text does not use.

DOES NOT
    expand explanations: c, r and t are for those alone, and we never fetch any.

SEE ALSO
    RFC 7208 section 7.  pyspf has an expander of its own; it takes quadratic time,
    converts digits without bound and expands what is not evaluated.
"""

from __future__ import annotations

import re
from collections.abc import Callable

NAME_MAX = 253
_PARTS_MAX = 1000  # more right-hand parts than any value has

_TOKEN = re.compile(r"%(?:\{([a-zA-Z])([0-9]*)([rR]?)([-.+,/_=]*)\}|([%_-]))")
_FIXED = {"%": "%", "_": " ", "-": "%20"}
_LETTERS = frozenset("slodipvh")
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_LETTER_DIGIT = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")


class MacroError(ValueError):
    """Not a macro-string, or not a domain-spec."""


def expand(text: str, value: Callable[[str], str]) -> str:
    """Expand a macro-string.  Raises MacroError, and what value raises."""
    if not text.isprintable() or not text.isascii() or " " in text:
        raise MacroError("character that a macro-string cannot hold")
    if "%" not in text:
        return text
    parts: list[str] = []
    end = 0
    for token in _TOKEN.finditer(text):
        parts.append(_literal(text[end : token.start()]))
        letter, digits, reverse, delimiters, fixed = token.groups()
        parts.append(
            _FIXED[fixed] if fixed else _letter(letter, digits, bool(reverse), delimiters, value)
        )
        end = token.end()
    parts.append(_literal(text[end:]))
    return "".join(parts)


def domain_spec(text: str, value: Callable[[str], str]) -> str:
    """Check and expand a domain-spec to a name of at most 253 octets, without final dot.

    Labels are taken off the left until it fits (RFC 7208 section 7.3).  Raises
    MacroError, and what value raises.
    """
    if not text:
        raise MacroError("empty domain")
    _check_end(text)
    name = expand(text, value).removesuffix(".")
    excess = len(name) - NAME_MAX
    if excess > 0:  # cut at the first dot that leaves little enough
        cut = name.find(".", excess - 1)
        name = name[cut + 1 :] if cut >= 0 else name.rpartition(".")[2]
    return name


def _literal(text: str) -> str:
    if "%" in text:
        raise MacroError("% that begins no macro")
    return text


def _letter(
    letter: str, digits: str, reverse: bool, delimiters: str, value: Callable[[str], str]
) -> str:
    """One %{...}, in the order of RFC 7208 section 7.3: split, reverse, take, join, escape."""
    name = letter.lower()
    if name not in _LETTERS:
        raise MacroError(f"no macro {letter} in a domain")
    significant = digits.lstrip("0")
    if digits and not significant:
        raise MacroError("zero parts")
    result = value(name)
    if digits or reverse or delimiters:
        for delimiter in delimiters[1:]:
            result = result.replace(delimiter, delimiters[0])
        parts = result.split(delimiters[0] if delimiters else ".")
        if reverse:
            parts.reverse()
        if significant:
            parts = parts[-(int(significant) if len(significant) < 4 else _PARTS_MAX) :]
        result = ".".join(parts)
    return result if letter == name else _url_escaped(result)


def _url_escaped(text: str) -> str:
    """Everything outside RFC 3986's unreserved set as %XX, of UTF-8."""
    return "".join(
        chr(octet) if octet in _UNRESERVED else f"%{octet:02X}" for octet in text.encode()
    )


def _check_end(text: str) -> None:
    """domain-end: a macro, or a dot and a label that is not all digits."""
    tail = text[text.rfind("%") :] if "%" in text else text
    if token := _TOKEN.match(tail):
        tail = tail[token.end() :]
        if not tail:
            return
    elif text.endswith("%%"):  # the last % is the second of two
        return
    _, dot, label = tail.removesuffix(".").rpartition(".")
    low = label.lower()
    usable = (
        _LETTER_DIGIT.issuperset(low.replace("-", ""))
        and not low.isdigit()
        and low[:1] != "-"
        and low[-1:] not in ("-", "")
    )
    if not (dot and usable):
        raise MacroError("not a fully qualified domain name")

"""Domains and selectors as DNS names.

NAME
    names - check a domain or a selector and bring it into the form DNS wants

GIVEN
    text as a person writes it: any case, perhaps with a final dot, perhaps in
    a script other than Latin.

GIVES
    the name in A-labels, without the final dot; underscores are allowed
    (``_domainkey`` and many selectors have them).

DOES NOT
    ask DNS.  Raise anything but Problem.

SEE ALSO
    RFC 1035 section 2.3.4 (limits), RFC 5890 (A-labels), UTS 46, RFC 6376
    section 3.1 (selectors).
"""

from __future__ import annotations

import re

import idna

from postseal_keys.console import Problem

LABEL_MAX = 63  # octets, RFC 1035 section 2.3.4
NAME_MAX = 253  # octets of the text without the final dot; 255 on the wire
_INPUT_MAX = 1024  # characters looked at at all; keeps IDNA's tables away from floods

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?\Z")


def domain(text: str, *, keep_case: bool = False) -> str:
    """The domain in A-labels without final dot, lower-case unless keep_case.

    Raises Problem for anything that cannot be a name in DNS.
    """
    return _name(text, "domain", "give a name such as example.com", keep_case)


def selector(text: str, *, keep_case: bool = False) -> str:
    """The selector in A-labels; it may have several labels (RFC 6376 section 3.1)."""
    return _name(text, "selector", "use letters, digits and hyphens, such as mail2026", keep_case)


def key_name(selector_: str, domain_: str) -> str:
    """Where the key record lives: SELECTOR._domainkey.DOMAIN, without final dot."""
    name = f"{selector_}._domainkey.{domain_}"
    if len(name) > NAME_MAX:
        raise Problem(
            f"the name {name} has {len(name)} characters; DNS allows {NAME_MAX}",
            hint="use a shorter selector",
        )
    return name


def _name(text: str, what: str, hint: str, keep_case: bool) -> str:
    shown = text if len(text) <= 80 else text[:77] + "..."
    if len(text) > _INPUT_MAX:
        raise Problem(f"{what} '{shown}' has {len(text)} characters", hint=hint)
    ascii_text = text if text.isascii() else _a_labels(text, shown, what, hint)
    name = ascii_text.removesuffix(".")
    if not name:
        raise Problem(f"the {what} is empty", hint=hint)
    for label in name.split("."):
        _check_label(label, shown, what, hint)
    if len(name) > NAME_MAX:
        raise Problem(
            f"{what} '{shown}' has {len(name)} characters; DNS allows {NAME_MAX}", hint=hint
        )
    return name if keep_case else name.lower()


def _check_label(label: str, shown: str, what: str, hint: str) -> None:
    if not label:
        raise Problem(f"{what} '{shown}' has an empty part between two dots", hint=hint)
    if len(label) > LABEL_MAX:
        raise Problem(
            f"{what} '{shown}': the part '{label[:20]}...' has {len(label)} characters;"
            f" DNS allows {LABEL_MAX}",
            hint=hint,
        )
    if not _LABEL.match(label):
        raise Problem(f"{what} '{shown}': '{label}' is not possible in a DNS name", hint=hint)


def _a_labels(text: str, shown: str, what: str, hint: str) -> str:
    """The name with every label that is not ASCII as its A-label (UTS 46, then IDNA 2008)."""
    try:
        mapped = idna.uts46_remap(text, std3_rules=False, transitional=False)
        labels = [
            label if label.isascii() else idna.alabel(label).decode("ascii")
            for label in mapped.split(".")
        ]
    except (idna.IDNAError, UnicodeError) as error:
        raise Problem(
            f"{what} '{shown}' is not an internationalised name: {error}", hint=hint
        ) from None
    return ".".join(labels)

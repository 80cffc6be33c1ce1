"""Authentication-Results as another program reads them: the authres library.

NAME
    results - the fields of a delivered message, and what they say

DOES NOT
    use any code of Postseal.
"""

from __future__ import annotations

from dataclasses import dataclass

import authres

from support.mail import header_fields
from support.postfix import HOST
from support.sink import Delivered

_READER = authres.all_features()


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One result: dkim=pass reason="..." header.d=good.example ..."""

    method: str
    result: str
    reason: str
    properties: dict[str, str]


def fields(delivered: Delivered) -> list[str]:
    """The values of all Authentication-Results, top first."""
    found = header_fields(delivered.content, "Authentication-Results")
    return [value.decode("utf-8", "surrogateescape") for value in found]


def ours(delivered: Delivered) -> list[Said]:
    """All results under our name.  There must be exactly one field of ours, above all others."""
    first, *others = fields(delivered)
    assert delivered.content.startswith(b"Authentication-Results:"), delivered.content[:200]
    assert not [value for value in others if HOST in value.partition(";")[0].lower()], others
    header = _READER.parse(f"Authentication-Results: {first}")
    assert header.authserv_id == HOST
    return [
        Said(
            method=one.method,
            result=one.result,
            reason=one.reason or "",
            properties={f"{prop.type}.{prop.name}": prop.value for prop in one.properties},
        )
        for one in header.results
    ]


def said(delivered: Delivered, method: str) -> list[str]:
    """The result words of one method, in order."""
    return [one.result for one in ours(delivered) if one.method == method]


def only(delivered: Delivered, method: str) -> Said:
    """The one result of a method."""
    (one,) = (one for one in ours(delivered) if one.method == method)
    return one

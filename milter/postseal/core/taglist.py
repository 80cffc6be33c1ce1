"""Tag lists: the `name=value; name=value` of signatures, key records and ARC fields.

NAME
    taglist - read a tag list strictly, in linear time

GIVEN
    octets as they stand in a header field or a TXT record, folds included.

GIVES
    a dict in the order of the tags, names case-sensitive, values without the
    white space around them; or TagListError.

DOES NOT
    know any tag, or look into a value.

SEE ALSO
    RFC 6376 section 3.2, with errata 5070 (an empty value is legal); RFC 8616 section 3
    (UTF-8 in values).
"""

from __future__ import annotations

from collections.abc import Iterable

MAX_TAGS = 100  # no standard knows more than a dozen; what comes beyond is not a signature

FWS = b" \t\r\n"

_ALPHA = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
_ALPHA_SET = frozenset(_ALPHA)
_NAME = _ALPHA + b"0123456789_"
# Everything a tag list may hold: VALCHAR, FWS, "=" and ";", and the octets of UTF-8.
_LEGAL = bytes(range(0x21, 0x7F)) + FWS + bytes(range(0x80, 0x100))
_USUAL = {name: name.decode() for name in b"v a b bh c d h i l q s t x z k n p g cv".split()}


class TagListError(ValueError):
    """Not a tag list.  The message says what is wrong and repeats at most a tag's name."""


def parse(value: bytes, *, max_tags: int = MAX_TAGS) -> dict[str, bytes]:
    """The tags in order.  Raises TagListError, and nothing else.

    A name that occurs twice makes the whole list invalid (RFC 6376 section 3.2).
    """
    if value.translate(None, _LEGAL):
        raise TagListError("control character")
    if value.count(b";") > max_tags:
        raise TagListError(f"more than {max_tags} tags")
    specs = value.split(b";")
    if not specs[-1].strip(FWS):  # the one optional semicolon at the end
        specs.pop()
    try:  # as nearly all are
        pairs = [spec.split(b"=", 1) for spec in specs]
        tags = {_USUAL[name.strip(FWS)]: text.strip(FWS) for name, text in pairs}
    except (KeyError, ValueError):
        return _with_care(specs)
    return tags if len(tags) == len(specs) else _with_care(specs)


def _with_care(specs: Iterable[bytes]) -> dict[str, bytes]:
    """Tags with other names; or what is wrong."""
    tags: dict[str, bytes] = {}
    for spec in specs:
        raw, equals, text = spec.partition(b"=")
        name = _name(raw.strip(FWS))
        if not equals or not name:
            raise TagListError(f"no '=' after {name}" if name else "tag without a name")
        if name in tags:
            raise TagListError(f"tag {name} occurs twice")
        tags[name] = text.strip(FWS)
    return tags


def _name(raw: bytes) -> str:
    """The name of a tag; "" where there is none."""
    if not raw:
        return ""
    if len(raw) > 64 or raw[0] not in _ALPHA_SET or raw.translate(None, _NAME):
        raise TagListError("malformed tag name")
    return raw.decode("ascii")

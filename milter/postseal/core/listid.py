"""Which mailing list a message says it is of.

NAME
    listid - read the List-Id field

GIVES
    the identifier in lower case; "" when there is none, more than one, or it is not in
    the grammar.  Anybody can write one: it proves nothing by itself.

SEE ALSO
    RFC 2919 section 2.
"""

from __future__ import annotations

import re

from postseal.core.field import Header

_READ_MAX = 1000  # octets of the field, from its end, where the identifier is
_ID_MAX = 255  # RFC 2919 section 2
_ID = re.compile(rb"<([A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)+)>\s*\Z")


def list_id(header: Header) -> str:
    """The identifier, such as `announce.lists.example.org`.  Never raises."""
    if b"list-id" not in header:
        return ""
    fields = header.all(b"list-id")
    if len(fields) != 1:
        return ""
    found = _ID.search(fields[0].value[-_READ_MAX:])
    if found is None or len(found[1]) > _ID_MAX:
        return ""
    return found[1].lower().decode("ascii")

"""ARC: does a sealer we trust say that the message was good when it came to them?

NAME
    trust - voucher(): who among the trusted sealers testifies for the author

GIVEN
    what verify found, the sealers the operator trusts, the Author Domain.

GIVES
    the domain of the newest trusted sealer whose ARC-Authentication-Results say
    dmarc=pass for that author; "" when there is none.

DOES NOT
    believe anybody whose testimony went through the hands of somebody who is not
    trusted: the search ends at the first sealer that is not on the list.

SEE ALSO
    RFC 8617 sections 7.2 and 9.
"""

from __future__ import annotations

from collections.abc import Collection

from postseal.core.arc.verify import ArcResult, Status
from postseal.core.authres_upstream import Statement, statements
from postseal.core.names import BadDomain, ascii_domain


def voucher(found: ArcResult | None, trusted: Collection[str], author: str | None) -> str:
    """The sealer, in A-labels.  author: the Author Domain, None when in doubt.  Never raises."""
    if found is None or author is None or not trusted:
        return ""
    if found.status is not Status.PASS or not found.from_signed:
        return ""
    for sealer, said in zip(reversed(found.sealers), reversed(found.assessments), strict=True):
        if sealer.domain not in trusted:
            return ""
        if any(_passed(one, author) for one in statements(said)):
            return sealer.domain
    return ""


def _passed(one: Statement, author: str) -> bool:
    if (one.method, one.result) != ("dmarc", "pass"):
        return False
    try:
        return ascii_domain(one.get("header.from") or "") == author
    except BadDomain:
        return False

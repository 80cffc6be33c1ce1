"""The tables of postseal.toml that decide about mail from outside beyond its own policy.

NAME
    policy - Arc and Override

SEE ALSO
    conf/model.py, which puts the tables together; core/policy.py, which obeys.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from postseal.conf.kinds import Day, Domain, MaybePlace, Names, Words, listed
from postseal.conf.sections import Section

Domains = Annotated[tuple[Domain, ...], BeforeValidator(listed)]


class Arc(Section):
    """[arc]"""

    verify: bool = Field(
        default=True,
        description="Whether the ARC chain of mail that has one is verified and written as arc="
        " (RFC 8617 section 5.2). By itself a chain that passes means nothing.",
    )
    trusted_sealers: Domains = Field(
        default=(),
        description="Signing domains (d=) of sealers that are believed. Mail that fails DMARC is"
        " treated as if no policy had been asked for when its chain passes, the newest seals are"
        " all by domains listed here, and one of these says that DMARC had passed for the author"
        " when the message came to them. The result stays dmarc=fail, with a local policy as its"
        " reason.",
    )
    seal: bool = Field(
        default=False,
        description="Whether an ARC set is added to mail from outside, above every other field"
        " (RFC 8617 section 5.1). It is of use on hosts that forward mail unchanged. Nothing is"
        " added to a chain that has ended, or whose state DNS did not tell.",
    )
    domain: Domain = Field(default="", description="The domain to seal as (d=).")
    selector: Domain = Field(
        default="", description="The selector under which the key to seal with is published."
    )
    key: MaybePlace = Field(
        default=None,
        description="The private key to seal with, as in [[sign.key]].",
    )


class Override(Section):
    """[[override]]"""

    from_: Names = Field(
        default=(),
        alias="from",
        description="Author domains: example.org, or .example.org for all below it. With action"
        " accept every author must be covered, else one is enough.",
    )
    dkim: Names = Field(
        default=(),
        description="Signing domains (d=), written as in from: a signature by one of them must"
        " pass.",
    )
    client: Words = Field(
        default=(),
        description="Clients, written as in roles.internal_hosts. Behind roles.trusted_relays the"
        " true client is meant.",
    )
    list_id: Names = Field(
        default=(),
        description="Identifiers in the List-Id field (RFC 2919), written as in from. Anybody can"
        " write such a field: give dkim, client or arc as well.",
    )
    arc: Names = Field(
        default=(),
        description="ARC sealers (d=), written as in from: the chain must pass, cover From, and"
        " have its newest seal by one of them.",
    )
    recipient: Names = Field(
        default=(),
        description="Recipients: ann@example.net, example.net, or .example.net. A message has one"
        " verdict for all recipients, so all of them must be covered.",
    )
    dmarc: Annotated[
        tuple[Literal["fail", "none", "permerror", "temperror", "pass"], ...],
        BeforeValidator(listed),
    ] = Field(
        default=(),
        description="The DMARC results that the row is for. Empty means fail for hold and reject,"
        " and everything but pass for accept.",
    )
    action: Literal["accept", "hold", "reject"] = Field(
        description="accept takes the message as if no policy had been asked for, hold puts it into"
        " the hold queue, reject refuses it with 550 5.7.1."
    )
    until: Day = Field(
        default=None,
        description="The last day the row is in force, in UTC, as 2027-01-31. Afterwards it does"
        " nothing, and there is a warning at start. Left out, it stays in force.",
    )
    why: str = Field(
        min_length=1,
        max_length=120,
        pattern=r"^[ -~]*$",
        description="The reason, for the header, the log and your successor.",
    )

    @property
    def expires(self) -> int | None:
        """The second since 1970 from which the row does nothing."""
        return None if self.until is None else end_of(self.until)


def end_of(day: date) -> int:
    """The first second after that day, in UTC, since 1970."""
    return int(datetime.combine(day + timedelta(days=1), time(), UTC).timestamp())

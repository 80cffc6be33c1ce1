"""The tables of postseal.toml that decide about mail from outside beyond its own policy.

NAME
    policy - Arc

SEE ALSO
    conf/model.py, which puts the tables together; core/policy.py, which obeys.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from postseal.conf.kinds import Domain, MaybePlace, listed
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

"""The operator's decisions, as the core needs them.

NAME
    rules - one frozen value made from the configuration, shared by every message

SEE ALSO
    conf/model.py holds the same decisions as the administrator writes them;
    rulebook.py turns the one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postseal.core import spf
from postseal.core.dkim import sign, verify
from postseal.core.dmarc.suffix import Choice as Discovery
from postseal.core.dmarc.suffix import Suffixes
from postseal.core.overrides import Override
from postseal.core.roles import HostSet, NoHosts, Origins
from postseal.core.signing import ChooseBy, LoginTable


class OnFault(StrEnum):
    """What to do when something that should have worked did not."""

    ACCEPT = "accept"
    TEMPFAIL = "tempfail"


class OnBadFrom(StrEnum):
    """What to do with mail from outside whose From field names no single Author Domain."""

    ACCEPT = "accept"
    HOLD = "hold"
    REJECT = "reject"


class OnQuarantine(StrEnum):
    """What is done with mail that is to be looked at with suspicion."""

    NONE = "none"
    HOLD = "hold"
    HEADER = "header"


class Soften(StrEnum):
    """What a mailing list's mail that fails DMARC is treated as, at most."""

    OFF = "off"
    QUARANTINE = "quarantine"
    ACCEPT = "accept"


@dataclass(frozen=True, slots=True, kw_only=True)
class FromRules:
    """What a From field that cannot be used leads to."""

    missing: OnBadFrom = OnBadFrom.ACCEPT
    broken: OnBadFrom = OnBadFrom.ACCEPT
    multiple: OnBadFrom = OnBadFrom.ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class DmarcRules:
    """What a DMARC failure leads to.  All off: results are written, mail goes on."""

    enabled: bool = True
    discovery: Discovery = Discovery.TREEWALK
    suffixes: Suffixes | None = None  # needed by the other two ways of discovery
    quarantine: OnQuarantine = OnQuarantine.NONE
    reject: bool = False
    reject_text: str = "rejected by DMARC policy for {domain}"
    on_temperror: OnFault = OnFault.ACCEPT
    soften_lists: Soften = Soften.OFF


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRules:
    """What an error in one mechanism leads to, for mail that DMARC does not pass."""

    dkim_temperror: OnFault = OnFault.ACCEPT
    dkim_permerror: OnFault = OnFault.ACCEPT
    spf_temperror: OnFault = OnFault.ACCEPT
    spf_permerror: OnFault = OnFault.ACCEPT

    @property
    def any(self) -> bool:
        """Whether anything but acceptance can come of it."""
        return OnFault.TEMPFAIL in (
            self.dkim_temperror, self.dkim_permerror, self.spf_temperror, self.spf_permerror,
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamRules:
    """A host of ours in front of us, whose results may be used."""

    authserv_ids: frozenset[str] = frozenset()
    hosts: HostSet = field(default_factory=NoHosts)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcRules:
    """What ARC is used for."""

    enabled: bool = True  # verified and reported
    trusted: frozenset[str] = frozenset()  # d= of sealers that may outweigh a DMARC failure
    key: sign.SigningKey | None = None  # to seal with; None seals nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything the pipeline is told once and never changes."""

    authserv_id: str
    own_ids: frozenset[str]  # every id whose incoming results are removed, authserv_id included
    origins: Origins
    dkim: verify.Limits = field(default_factory=verify.Limits)
    spf: spf.Limits = field(default_factory=spf.Limits)
    spf_enabled: bool = True
    spf_helo: bool = False  # a result for HELO of its own
    spf_received: bool = False  # a Received-SPF field
    iprev: bool = False
    relays: HostSet | None = None  # whose Received fields are believed; None: nobody's
    arc: ArcRules = field(default_factory=ArcRules)
    upstream: UpstreamRules | None = None  # None: nobody's results are used
    keep_removed: str = ""  # name of the field that keeps a removed one's text; "" keeps none
    from_: FromRules = field(default_factory=FromRules)
    dmarc: DmarcRules = field(default_factory=DmarcRules)
    faults: FaultRules = field(default_factory=FaultRules)
    overrides: tuple[Override, ...] = ()
    signing: sign.Options = field(default_factory=sign.Options)
    on_signing_error: OnFault = OnFault.TEMPFAIL
    choose_by: ChooseBy = ChooseBy.FROM
    ours: frozenset[str] = frozenset()  # domains known to have keys here, to tell who uses them
    logins: LoginTable | None = None  # None: an authenticated user may write as anybody

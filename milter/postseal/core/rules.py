"""The operator's decisions, as the core needs them.

NAME
    rules - one frozen value made from the configuration, shared by every message

SEE ALSO
    conf/model.py holds the same decisions as the administrator writes them;
    wiring.py turns the one into the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postseal.core import spf
from postseal.core.dkim import sign, verify
from postseal.core.roles import Origins
from postseal.core.signing import LoginTable


class OnFault(StrEnum):
    """What to do when something that should have worked did not."""

    ACCEPT = "accept"
    TEMPFAIL = "tempfail"


class OnBadFrom(StrEnum):
    """What to do with mail from outside whose From field names no single Author Domain."""

    ACCEPT = "accept"
    HOLD = "hold"
    REJECT = "reject"


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
    hold_quarantine: bool = False
    reject: bool = False
    reject_text: str = "rejected by DMARC policy for {domain}"
    on_temperror: OnFault = OnFault.ACCEPT


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """Everything the pipeline is told once and never changes."""

    authserv_id: str
    own_ids: frozenset[str]  # every id whose incoming results are removed, authserv_id included
    origins: Origins
    dkim: verify.Limits = field(default_factory=verify.Limits)
    spf: spf.Limits = field(default_factory=spf.Limits)
    spf_enabled: bool = True
    from_: FromRules = field(default_factory=FromRules)
    dmarc: DmarcRules = field(default_factory=DmarcRules)
    signing: sign.Options = field(default_factory=sign.Options)
    on_signing_error: OnFault = OnFault.TEMPFAIL
    logins: LoginTable | None = None  # None: an authenticated user may write as anybody

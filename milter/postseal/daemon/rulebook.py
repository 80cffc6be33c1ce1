"""From Settings to Rules: the operator's decisions in the core's terms.

NAME
    rulebook - rules_of()

GIVEN
    a Site: the settings, and the lists that were read for them.

GIVES
    core.rules.Rules.

SEE ALSO
    conf/model.py (what may be written), core/rules.py (what the core is told).
"""

from __future__ import annotations

from collections.abc import Iterator

from postseal.conf.model import Settings, Sign
from postseal.core import spf
from postseal.core.dkim import headerlist, sign, verify
from postseal.core.dmarc.result import Status as Dmarc
from postseal.core.dmarc.suffix import Choice as Discovery
from postseal.core.overrides import Effect, Names, Override
from postseal.core.roles import MacroRule, Origins
from postseal.core.rules import (
    ArcRules,
    DmarcRules,
    FaultRules,
    FromRules,
    OnBadFrom,
    OnFault,
    OnQuarantine,
    Rules,
    Soften,
    UpstreamRules,
)
from postseal.core.signing import ChooseBy
from postseal.tables import site
from postseal.tables.chooser import DomainChooser, TableChooser


def rules_of(found: site.Site) -> Rules:
    """The operator's decisions in the core's terms."""
    settings = found.settings
    return Rules(
        authserv_id=settings.authserv_id,
        own_ids=frozenset({settings.authserv_id, *settings.extra_authserv_ids}),
        origins=_origins(found),
        dkim=verify.Limits(
            signatures=settings.verify.max_signatures,
            skew=settings.verify.clock_skew,
            min_rsa_bits=settings.verify.minimum_key_bits,
        ),
        spf=spf.Limits(lookups=settings.spf.lookups, voids=settings.spf.voids),
        spf_enabled=settings.spf.enabled,
        spf_helo=settings.spf.helo,
        spf_received=settings.spf.received_spf,
        iprev=settings.verify.iprev,
        relays=found.relays if settings.roles.trusted_relays else None,
        arc=ArcRules(
            enabled=settings.arc.verify,
            trusted=frozenset(settings.arc.trusted_sealers),
            key=found.arc_key,
        ),
        upstream=_upstream(found),
        keep_removed=settings.verify.keep_removed,
        from_=FromRules(
            missing=OnBadFrom(settings.from_.missing),
            broken=OnBadFrom(settings.from_.broken),
            multiple=OnBadFrom(settings.from_.multiple),
        ),
        dmarc=_dmarc(found),
        faults=_faults(settings),
        overrides=tuple(_overrides(found)),
        signing=_signing(settings.sign),
        choose_by=ChooseBy(settings.sign.choose_by),
        ours=_ours(found),
        on_signing_error=OnFault(settings.sign.on_signing_error),
        logins=found.logins,
    )


def _signing(told: Sign) -> sign.Options:
    header, _, body = told.canonicalization.partition("/")
    return sign.Options(
        header_relaxed=header == "relaxed",
        body_relaxed=body == "relaxed",
        signed=headerlist.adjust(headerlist.SIGNED, told.headers),
        oversigned=headerlist.adjust(headerlist.OVERSIGNED, told.oversign),
        expire_seconds=told.expire or None,
        self_check=sign.SelfCheck(told.self_check),
        watch=told.warn_risks,
    )


def _dmarc(found: site.Site) -> DmarcRules:
    told = found.settings.dmarc
    return DmarcRules(
        enabled=told.enabled,
        discovery=Discovery(told.discovery),
        suffixes=found.suffixes,
        quarantine=OnQuarantine(told.quarantine),
        reject=told.reject,
        reject_text=told.reject_text,
        on_temperror=OnFault(told.temperror),
        soften_lists=Soften(told.soften_lists),
    )


def _faults(settings: Settings) -> FaultRules:
    return FaultRules(
        dkim_temperror=OnFault(settings.verify.temperror),
        dkim_permerror=OnFault(settings.verify.permerror),
        spf_temperror=OnFault(settings.spf.temperror),
        spf_permerror=OnFault(settings.spf.permerror),
    )


def _ours(found: site.Site) -> frozenset[str]:
    """The domains whose use by strangers is told; databases are not asked for all they hold."""
    if isinstance(found.chooser, DomainChooser | TableChooser):
        return found.chooser.domains
    return frozenset()


def _upstream(found: site.Site) -> UpstreamRules | None:
    """None where no host is named, so that nothing is looked up for each message."""
    told = found.settings.upstream
    if not told.hosts:
        return None
    return UpstreamRules(authserv_ids=frozenset(told.authserv_ids), hosts=found.upstream)


def _overrides(found: site.Site) -> Iterator[Override]:
    """The rows, numbered from 1."""
    for number, (row, hosts) in enumerate(zip(found.overrides, found.clients, strict=True), 1):
        yield Override(
            number=number,
            effect=Effect(row.action),
            why=row.why,
            expires=row.expires,
            author=_names(row.from_),
            dkim=_names(row.dkim),
            client=hosts if row.client else None,
            list_id=_names(row.list_id),
            arc=_names(row.arc),
            recipient=_names(row.recipient),
            dmarc=frozenset(map(Dmarc, row.dmarc)),
        )


def _names(entries: tuple[str, ...]) -> Names | None:
    return Names(entries) if entries else None


def _origins(found: site.Site) -> Origins:
    roles = found.settings.roles
    return Origins(
        internal=found.internal,
        peers=found.peers,
        daemon_names=frozenset(roles.daemon_names),
        macros=tuple(map(MacroRule.parse, roles.macros)),
        never_sign=tuple(map(MacroRule.parse, roles.never_sign)),
        authenticated=roles.authenticated,
    )

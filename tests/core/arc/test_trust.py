"""trust: whose word about an author is taken, one row per way to misuse it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from postseal.core.arc.trust import voucher
from postseal.core.arc.verify import ArcResult, Sealer, Status, Why

GOOD = (
    b" i=1; mx.list.example; spf=pass smtp.mailfrom=a@x.example; dmarc=pass header.from=x.example"
)
SILENT = b" i=2; mx.fwd.example; arc=pass; dmarc=fail header.from=x.example"


def chain(*links: tuple[str, bytes]) -> ArcResult:
    """Sealers and what they say, oldest first."""
    return ArcResult(
        status=Status.PASS,
        why=Why.VALID,
        instances=len(links),
        highest=len(links),
        sealers=tuple(Sealer(domain=domain, selector="s") for domain, _ in links),
        assessments=tuple(said for _, said in links),
        from_signed=True,
    )


ONE = chain(("list.example", GOOD))
LIST, FORWARDER = "list.example", "fwd.example"


@pytest.mark.parametrize(
    ("found", "trusted", "sealer"),
    [
        pytest.param(ONE, {LIST}, LIST, id="one"),
        pytest.param(ONE, {FORWARDER}, "", id="nobody-trusted"),
        pytest.param(ONE, {f"x.{LIST}"}, "", id="another-name"),
        pytest.param(
            chain((LIST, GOOD), (FORWARDER, SILENT)), {LIST, FORWARDER}, LIST, id="two"
        ),
        pytest.param(
            chain((LIST, GOOD), (FORWARDER, SILENT)), {LIST}, "", id="through-other-hands"
        ),
        pytest.param(
            chain(("evil.example", GOOD), (FORWARDER, SILENT)), {FORWARDER}, "",
            id="testimony-of-a-stranger",
        ),
        pytest.param(
            chain(("evil.example", SILENT), (FORWARDER, GOOD)), {FORWARDER}, FORWARDER,
            id="a-stranger-before-is-no-matter",
        ),
        pytest.param(replace(ONE, status=Status.FAIL), {LIST}, "", id="chain-broken"),
        pytest.param(replace(ONE, from_signed=False), {LIST}, "", id="from-not-covered"),
        pytest.param(None, {LIST}, "", id="no-chain"),
    ],
)  # fmt: skip
def test_voucher(found: ArcResult | None, trusted: set[str], sealer: str) -> None:
    assert voucher(found, trusted, "x.example") == sealer


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"i=1; m; dmarc=fail header.from=x.example", id="fail"),
        pytest.param(b"i=1; m; dmarc=pass header.from=y.example", id="another-author"),
        pytest.param(b"i=1; m; dmarc=pass", id="nobody-named"),
        pytest.param(b"i=1; m; dkim=pass header.d=x.example", id="no-dmarc"),
        pytest.param(b"i=1; m; (dmarc=pass header.from=x.example)", id="in-a-comment"),
        pytest.param(b'i=1; m; dkim=fail reason="; dmarc=pass header.from=x.example"',
                     id="in-a-quoted-string"),
        pytest.param(b"i=1; m; dmarc=pass header.from=x.example header.from=y.example", id="two"),
        pytest.param(b"", id="empty"),
        pytest.param(b"(" * 5000, id="garbled"),
    ],
)  # fmt: skip
def test_only_dmarc_pass_for_the_author_is_testimony(said: bytes) -> None:
    assert voucher(chain((LIST, said)), {LIST}, "x.example") == ""


def test_an_author_in_doubt_has_no_voucher() -> None:
    assert voucher(ONE, {LIST}, None) == ""

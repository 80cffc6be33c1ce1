"""dmarc.result: the words are the RFC's."""

from __future__ import annotations

import pytest

from postseal.core.dmarc.record import Record
from postseal.core.dmarc.result import Result, Status, Why


def test_status_words_are_those_of_rfc_9989() -> None:
    """RFC 9989 section 9.1: the registered result names."""
    assert {status.value for status in Status} == {"none", "pass", "fail", "temperror", "permerror"}


def test_a_result_is_frozen_and_says_whether_it_is_a_test() -> None:
    result = Result(status=Status.NONE, why=Why.NO_RECORD)
    assert (result.testing, result.applied, result.each) == (False, None, ())
    assert result._replace(record=Record(t=True)).testing
    with pytest.raises(AttributeError):
        result.detail = "x"  # type: ignore[misc]

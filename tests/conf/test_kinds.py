"""Values given by programs and not by files: already in their final form."""

from __future__ import annotations

from postseal.conf.model import Settings, Verify
from postseal.conf.sections import Dns


def test_final_forms_are_accepted_as_they_are() -> None:
    made = Settings(socket_mode=0o600, socket="unix:/s", verify=Verify(clock_skew=60))
    assert made.socket_mode == 0o600
    assert Settings.model_validate(made.model_dump(by_alias=True)) == made


def test_waits_are_seconds_or_times() -> None:
    assert Dns.model_validate({"timeout": 0.5, "seconds": "1m"}) == Dns(timeout=0.5, seconds=60.0)
    assert Dns.model_validate({"timeout": 2}).timeout == 2.0

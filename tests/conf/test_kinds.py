"""Values given by programs and not by files: already in their final form."""

from __future__ import annotations

import pytest

from postseal.conf.kinds import credential, socket
from postseal.conf.model import Settings, Verify
from postseal.conf.sections import Dns


def test_final_forms_are_accepted_as_they_are() -> None:
    made = Settings(socket_mode=0o600, socket="unix:/s", verify=Verify(clock_skew=60))
    assert made.socket_mode == 0o600
    assert Settings.model_validate(made.model_dump(by_alias=True)) == made


def test_waits_are_seconds_or_times() -> None:
    assert Dns.model_validate({"timeout": 0.5, "seconds": "1m"}) == Dns(timeout=0.5, seconds=60.0)
    assert Dns.model_validate({"timeout": 2}).timeout == 2.0


def test_the_name_of_a_unix_socket_is_counted_in_octets() -> None:
    assert socket("unix:/" + "é" * 53) == "unix:/" + "é" * 53
    with pytest.raises(ValueError, match="at most 107 octets"):
        socket("unix:/" + "é" * 53 + "x")


@pytest.mark.parametrize("name", ["", ".", "..", "../k", "a/b", "a\0"])
def test_a_credential_is_a_file_right_below_its_directory(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    assert str(credential("credential:k")) == "/run/credentials/x/k"
    with pytest.raises(ValueError, match="is not the name of a credential"):
        credential(f"credential:{name}")

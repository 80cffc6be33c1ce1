"""The little of authres that the tests call."""

from typing import Any

def all_features() -> Any: ...

"""Rows from Redis or Valkey.

NAME
    keyvalue - RedisStore: values by prefix and key, or in one hash

GIVES
    rows, all keys in one command: MGET PREFIX+KEY..., or HMGET HASH KEY... .  A value
    of several lines is several rows, unless it holds a private key in PEM form.

SEE ALSO
    https://redis.readthedocs.io, an optional dependency: pip install postseal[redis].
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import NoPermissionError
from redis.retry import Retry

from postseal.tables.store import Author, Found, fault

AGAIN = Retry(NoBackoff(), 1)  # once, for a connection that was closed while it was idle


class RedisStore:
    """One database.  Connects at the first find(), after fork()."""

    def __init__(
        self,
        url: str,
        *,
        prefix: str = "",
        hash_name: str = "",
        password: str = "",
        timeout: float,
        connections: int,
    ) -> None:
        self._prefix = prefix
        self._hash = hash_name
        self._hide = [password]
        options: dict[str, Any] = {
            "retry": AGAIN,
            "socket_timeout": timeout,
            "socket_connect_timeout": timeout,
            "max_connections": connections,
            "decode_responses": True,
            "encoding_errors": "replace",
            **({"password": password} if password else {}),
        }
        self._client = redis.Redis.from_url(url, **options)

    def find(self, keys: Sequence[str], _author: Author, /) -> Found:
        try:
            if self._hash:
                values = self._client.hmget(self._hash, list(keys))
            else:
                values = self._client.mget([f"{self._prefix}{key}" for key in keys])
        except (redis.RedisError, ValueError) as error:
            lasting = type(error) in (redis.ResponseError, NoPermissionError, ValueError)
            raise fault(error, self._hide, lasting=lasting) from None
        assert isinstance(values, list)
        return [
            (key, line.strip())
            for key, value in zip(keys, values, strict=True)
            for line in _lines(str(value or ""))
            if line.strip()
        ]

    def close(self) -> None:
        self._client.close()


def _lines(value: str) -> list[str]:
    return [value] if "-----BEGIN" in value else value.splitlines()

"""The little of dkimpy that we call."""

from typing import Any

class DomainSigner:
    headers: list[tuple[bytes, bytes]]
    signature_algorithm: bytes
    hasher: Any
    debug_content: bool
    linesep: bytes
    def gen_header(
        self,
        fields: list[tuple[bytes, bytes]],
        include_headers: list[bytes],
        canon_policy: Any,
        header_name: bytes,
        pk: Any,
        standardize: bool = False,
    ) -> bytes: ...

class DKIM(DomainSigner):
    def __init__(self, message: bytes | None = None) -> None: ...
    def verify(self, idx: int = 0, dnsfunc: Any = None) -> bool: ...

def sign(
    message: bytes,
    selector: bytes,
    domain: bytes,
    privkey: bytes,
    *,
    canonicalize: tuple[bytes, bytes] = ...,
    signature_algorithm: bytes = ...,
    include_headers: list[bytes] | None = ...,
) -> bytes: ...

from collections.abc import Collection, Mapping, Sequence

from postseal.core.field import Field

def octets(
    index: Mapping[bytes, Sequence[Field]],
    names: Collection[bytes],
    field: Field,
    relaxed: bool,
    /,
) -> bytes: ...

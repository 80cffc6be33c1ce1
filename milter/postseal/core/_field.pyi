from collections.abc import Iterable
from typing import final

from postseal.core.field import PlainField
from postseal.core.intake import PlainIntake

@final
class Field(PlainField): ...

@final
class Intake(PlainIntake): ...

def index(fields: Iterable[Field], /) -> dict[bytes, list[Field]]: ...

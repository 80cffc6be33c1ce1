# The part of pyspf that spf_plain, spf_query and the tests stand on.

class PermError(Exception):
    def __init__(self, msg: str, mech: str | None = None, ext: object = None) -> None: ...

class TempError(Exception):
    def __init__(self, msg: str, mech: str | None = None, ext: object = None) -> None: ...

class query:
    l: str
    o: str
    d: str
    p: str | None
    lookups: int
    void_lookups: int
    mechanism: str | None
    def __init__(
        self,
        i: str,
        s: str,
        h: str,
        local: str | None = None,
        receiver: str | None = None,
        strict: bool | int = True,
        timeout: float = 20,
        verbose: bool = False,
        querytime: float = 0,
    ) -> None: ...
    def check(self, spf: str | None = None) -> tuple[str, int, str]: ...
    def check0(self, spf: str | None, recursion: int) -> tuple[str, int, str]: ...
    def check1(self, spf: str | None, domain: str, recursion: int) -> tuple[str, int, str]: ...
    def validate_mechanism(self, mech: str) -> tuple[str, str, str, int, str]: ...
    def getp(self) -> str: ...

"""A socket in the two ways it is written.

NAME
    sockets - libmilter's form as Postfix's

SEE ALSO
    smfi_setconn in libmilter; MILTER_README of Postfix; kinds.socket() reads both.
"""

from __future__ import annotations

QUEUE = "/var/spool/postfix/"


def postfix_form(socket: str) -> str:
    """inet:PORT@HOST as inet:HOST:PORT; a unix socket from Postfix's own directory.

    Postfix has no inet6: and wants IPv6 addresses in brackets; without a host it is
    this host.  Its programs work in QUEUE, whether they run in a chroot or not, so that
    the path from there is right for both.
    """
    family, _, rest = socket.partition(":")
    if family not in ("inet", "inet6"):
        return f"unix:{rest.removeprefix(QUEUE)}"
    port, _, host = rest.partition("@")
    if not host:
        host = "::1" if family == "inet6" else "127.0.0.1"
    return f"inet:[{host}]:{port}" if ":" in host else f"inet:{host}:{port}"

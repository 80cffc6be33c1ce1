"""Who sent the message, and with which envelope: frozen facts from the milter session.

NAME
    transaction - Client and Envelope, what is known before the first header field
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address
from types import MappingProxyType
from typing import NamedTuple

Address = IPv4Address | IPv6Address


class Client(NamedTuple):
    """The SMTP client of this message.

    address is None when the milter was told none (a unix socket, an unreadable
    form); an IPv4-mapped IPv6 address has been turned into IPv4.  local is true
    for mail that never came through smtpd: sendmail(1), Postfix's own bounces.
    """

    address: Address | None = None
    name: str = ""  # verified host name, "" when the MTA could not verify one
    helo: str = ""  # as typed by the client; "" when there was none
    daemon_name: str = ""  # {daemon_name}
    auth_type: str = ""  # {auth_type}
    auth_user: str = ""  # {auth_authen}
    local: bool = False
    macros: Mapping[str, str] = MappingProxyType({})


class Envelope(NamedTuple):
    """MAIL FROM and RCPT TO as the MTA understood them.

    sender is `local@domain` without angle brackets, "" for the null reverse-path.
    It is the MTA's own reading ({mail_addr}) where there is one, because that is
    what will be delivered; what the client typed may differ in the domain.
    """

    sender: str = ""
    recipients: tuple[str, ...] = ()
    smtputf8: bool = False

"""What a DNS packet would cost a full parser, known before it gets it.

NAME
    resolver_weight - is_heavy(): whether to read the packet at all

GIVEN
    a packet, where its records begin, and how many its header promises.

GIVES
    True when dnspython would be busy with it for longer than a tenth of a second.

DOES NOT
    judge the packet's form: what is malformed is as heavy as what stands before that.

WHY
    Whoever publishes a record writes the names in it, and compression makes four thousand
    names of 120 labels out of one packet.  dnspython takes time in the square of the labels of
    each, and Python's lock all the while: such an answer to `mx` or `ptr` of an SPF record
    stopped a worker for a quarter of a minute.

SEE ALSO
    resolver_wire; RFC 1035 section 4.1.4 (compression).
"""

from __future__ import annotations

import struct

MAX_WEIGHT = 100_000
_RECORD = 100  # what a record costs without names, in squared labels: some 50 microseconds
_STEPS = 128  # labels and pointers of one name: no name has more labels
# Where a name stands among the data of a record: NS, CNAME, SOA, PTR, MX, DNAME.  Resolvers
# add no others to an answer of the kinds we ask for, unless we wanted DNSSEC.
_NAME_AT = {2: 0, 5: 0, 6: 0, 12: 0, 15: 2, 39: 0}
_RR = struct.Struct(">HHIH")


def is_heavy(packet: bytes, pos: int, count: int) -> bool:
    """Whether these count records from pos on are more than MAX_WEIGHT.  Never raises."""
    weight = 0
    try:
        for _ in range(count):
            steps, pos = _name(packet, pos)
            number, _, _, size = _RR.unpack_from(packet, pos)
            pos += _RR.size
            weight += _RECORD + steps * steps + 2 * size  # an octet may be a string of its own
            if number in _NAME_AT:
                steps, _ = _name(packet, pos + _NAME_AT[number])
                weight += steps * steps
            if weight > MAX_WEIGHT:
                return True
            pos += size
    except (IndexError, struct.error):  # a full parser stops there, too
        pass
    return False


def _name(packet: bytes, pos: int) -> tuple[int, int]:
    """Labels and pointers of the name at pos, _STEPS at most, and what follows it."""
    after = 0
    for steps in range(_STEPS):
        size = packet[pos]
        if size >= 0xC0:
            after = after or pos + 2
            pos = (size & 0x3F) << 8 | packet[pos + 1]
        elif size:
            pos += 1 + size
        else:
            return steps, after or pos + 1
    return _STEPS, after or pos

"""ARC (RFC 8617): verify the chain, and add to it.

    chain    the ARC sets of a header, read and checked
    verify   the signatures of a chain: start reading here
    seal     a new set

ARC is on its way to Historic.  It is verified because forwarders still seal, and what it
says counts for nothing unless the operator trusts the sealer.
"""

"""DKIM (RFC 6376): sign, and verify.

    signature, values   a DKIM-Signature field, read strictly
    keyrecord           the TXT record with the public key
    headerhash          which fields are hashed, and how
    crypto              the arithmetic, OpenSSL's
    verify              all of these together: start reading here
    headerlist          what we sign
    compose             the field put together, by dkimpy
    sign                these together
    survival            what later hops will break

Body hashes are in core/canon, because ARC wants them too.
"""

"""Postseal: one mail-authentication daemon for Postfix.

It signs outbound mail with DKIM, verifies inbound DKIM and SPF, evaluates DMARC
(RFC 9989) and writes Authentication-Results (RFC 8601).

Start reading at `core/pipeline.py`: the way of one message, on one screen.
"""

__version__ = "0.1.0"

"""Postseal's key tools: key pairs, and the text that goes into DNS.

Usable without libmilter: nothing here imports the daemon.
"""

__version__ = "0.1.0"

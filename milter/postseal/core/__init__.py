"""The core: message in, verdict out.

No socket, file, clock, log or libmilter in here; what is needed from the world
(resolver, time, keys) is passed in.
"""

"""Property tests here are reproducible, and never fail because the machine was busy."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("postseal", deadline=None, derandomize=True)
settings.load_profile("postseal")

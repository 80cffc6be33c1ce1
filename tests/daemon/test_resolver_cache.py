"""Bounds of the cache; how long things are kept is in test_resolver."""

from __future__ import annotations

from postseal.core.resolver import Answer, DnsFault, Kind
from postseal.daemon.resolver_cache import Cache, CacheLimits


def answer(name: str, octets: int = 10, ttl: int = 300) -> Answer:
    return Answer(name, Kind.TXT, (b"x" * octets,), True, ttl)


def test_entries_are_bounded_and_the_oldest_goes() -> None:
    cache = Cache(CacheLimits(entries=100))
    for number in range(1000):
        cache.put((f"n{number}", Kind.TXT), answer(f"n{number}"), 0.0)
    assert len(cache) == 100
    assert cache.get(("n899", Kind.TXT), 1.0) is None
    assert cache.get(("n900", Kind.TXT), 1.0) == answer("n900")


def test_octets_are_bounded() -> None:
    cache = Cache(CacheLimits(octets=1 << 20))
    for number in range(1000):
        cache.put((f"n{number}", Kind.TXT), answer(f"n{number}", 10_000), 0.0)
    assert 0 < cache.octets <= 1 << 20
    assert 50 < len(cache) < 105


def test_one_answer_does_not_push_out_all_others() -> None:
    cache = Cache(CacheLimits(octets=1 << 20))
    cache.put(("big", Kind.TXT), answer("big", 70_000), 0.0)
    assert len(cache) == 0


def test_writing_again_counts_once_and_makes_young() -> None:
    cache = Cache(CacheLimits(entries=2))
    for name in ("a", "b", "a", "c"):
        cache.put((name, Kind.TXT), answer(name), 0.0)
    assert cache.get(("b", Kind.TXT), 0.0) is None
    assert cache.get(("a", Kind.TXT), 0.0) is not None
    single = Cache(CacheLimits())
    single.put(("a", Kind.TXT), answer("a"), 0.0)
    octets = single.octets
    single.put(("a", Kind.TXT), answer("a"), 0.0)
    assert single.octets == octets


def test_nothing_is_kept_for_no_time() -> None:
    cache = Cache(CacheLimits(failure_ttl=0.0, negative_ttl=0))
    cache.put(("a", Kind.TXT), answer("a", ttl=0), 0.0)
    cache.put(("b", Kind.TXT), DnsFault.TIMEOUT, 0.0)
    cache.put(("c", Kind.TXT), Answer("c", Kind.TXT, (), False, 300), 0.0)
    assert len(cache) == 0


def test_no_entries_is_no_cache() -> None:
    cache = Cache(CacheLimits(entries=0))
    cache.put(("a", Kind.TXT), answer("a"), 0.0)
    assert (len(cache), cache.octets) == (0, 0)

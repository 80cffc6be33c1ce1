"""Every seed and finding, and some mutations of each: always the same ones."""

from __future__ import annotations

import random

import pytest

from fuzz.corpus import SEEDS, inputs, mutate
from fuzz.targets import TARGETS

MUTATIONS = 120  # of all inputs of a target together; contrib/fuzz.sh makes millions


def test_every_target_has_seeds() -> None:
    assert {path.name for path in SEEDS.iterdir()} == TARGETS.keys()


@pytest.mark.parametrize("name", sorted(TARGETS))
def test_target(name: str) -> None:
    pool = [path.read_bytes() for path in inputs(name)]
    rng = random.Random(f"postseal {name}")
    for data in [*pool, *(mutate(rng, rng.choice(pool), pool) for _ in range(MUTATIONS))]:
        try:
            TARGETS[name](data)
        except Exception as error:
            error.add_note(f"input: {data!r}")
            raise

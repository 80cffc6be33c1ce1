"""The command-line reader, row by row and against Getopt::Long itself."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Sequence

import pytest
from hypothesis import settings

from postseal_keys import genkey_options, options
from postseal_keys.console import Problem
from postseal_keys.options import Option, Takes, Values

TABLE = (
    Option(short="a", long="append", takes=Takes.SWITCH),
    Option(short="b", long="bits", takes=Takes.NUMBER, value="N", default="2048"),
    Option(short="d", long="domain", takes=Takes.TEXT, value="NAME", default="localhost"),
    Option(long="dry-run"),
    Option(short="v", long="verbose", takes=Takes.COUNT),
    Option(short="S"),
)


@pytest.mark.parametrize(
    ("argv", "key", "value"),
    [
        pytest.param([], "bits", 2048, id="default"),
        pytest.param(["-b1024"], "bits", 1024, id="attached"),
        pytest.param(["-b", "1024"], "bits", 1024, id="apart"),
        pytest.param(["--bits=1024"], "bits", 1024, id="equals"),
        pytest.param(["--BITS", "1024"], "bits", 1024, id="long-names-in-any-case"),
        pytest.param(["-vb1024"], "bits", 1024, id="bundle-ends-in-value"),
        pytest.param(["-b1024vv"], "verbose", 2, id="bundle-goes-on-after-number"),
        pytest.param(["-vvSv"], "verbose", 3, id="counted"),
        pytest.param(["-d", "-v"], "domain", "-v", id="a-value-may-begin-with-a-dash"),
        pytest.param(["-d", ""], "domain", "", id="an-empty-word-is-a-value"),
        pytest.param(["--dom", "x"], "domain", "x", id="abbreviated"),
        pytest.param(["--domain=a=b"], "domain", "a=b", id="second-equals-is-value"),
        pytest.param(["-a", "--no-append"], "append", False, id="no-form"),
        pytest.param(["-a", "--noappend"], "append", False, id="no-form-without-dash"),
        pytest.param(["-a", "--no-app"], "append", False, id="no-form-abbreviated"),
        pytest.param(["-a", "--n"], "append", False, id="several-names-of-one-option"),
        pytest.param(["x", "-S", "y"], "S", True, id="options-may-follow-arguments"),
        pytest.param(["--", "-S"], "S", False, id="double-dash-ends-options"),
        pytest.param(["+domain", "x"], "domain", "x", id="plus"),
    ],
)
def test_reading(argv: list[str], key: str, value: object) -> None:
    values = options.parse(argv, TABLE)
    found = {"bits": values.count, "verbose": values.count, "domain": values.optional}
    assert found.get(key, values.flag)(key) == value


@pytest.mark.parametrize(
    "argv",
    [
        pytest.param(["-x"], id="unknown-short"),
        pytest.param(["--nonsense"], id="unknown-long"),
        pytest.param(["--d"], id="short-name-as-long-lacks-its-value"),
        pytest.param(["--do"], id="abbreviated-lacks-its-value"),
        pytest.param(["--dr=1"], id="takes-no-value"),
        pytest.param(["-b"], id="value-missing"),
        pytest.param(["--bits="], id="value-empty"),
        pytest.param(["-b", "x"], id="not-a-number"),
        pytest.param(["-b", "1" * 5000], id="a-flood-of-digits"),
        pytest.param(["--dr-"], id="longer-than-the-name"),
        pytest.param(["+"], id="plus-alone"),
    ],
)
def test_refused(argv: list[str]) -> None:
    with pytest.raises(Problem) as caught:
        options.parse(argv, TABLE, code=1)
    assert caught.value.code == 1
    assert caught.value.hint


def test_an_ambiguous_abbreviation_names_what_it_could_be() -> None:
    table = (*TABLE, Option(long="dropped"))
    with pytest.raises(Problem, match="--dropped, --dry-run"):
        options.parse(["--dr"], table)


def test_an_option_given_several_times() -> None:
    table = (Option(short="s", long="server", takes=Takes.TEXTS, value="A", default="x"),)
    assert options.parse([], table).texts("server") == ("x",)
    assert options.parse(["-sa", "--server=b", "-s", "c"], table).texts("server") == ("a", "b", "c")


def test_arguments_are_kept() -> None:
    assert options.parse(["a", "-S", "-", "--", "-b"], TABLE).arguments == ("a", "-", "-b")


@pytest.mark.parametrize("table", [TABLE, genkey_options.OPTIONS])
def test_help_names_every_option(table: Sequence[Option]) -> None:
    text = options.help_text("tool [options]", "What it does.", table, {"tool -v": "an example"})
    for option in table:
        assert (f"--{option.long}" if option.long else f"-{option.short}") in text.replace(
            "[no-]", ""
        )
    assert max(map(len, text.splitlines())) <= 100


# opendkim-genkey's options as its script declares them, and what it prints of them.
PERL = r"""
use Getopt::Long; Getopt::Long::Configure("bundling");
open(STDERR, ">", "/dev/null");
while (my $line = <STDIN>) {
    chomp $line;
    local @ARGV = map { pack("H*", substr($_, 1)) } split / /, $line;
    my ($a, $b, $D, $d, $h, $help, $n, $r, $s, $S, $sub, $t, $v, $V)
        = (0, 2048, ".", "localhost", "sha256", 0, undef, 0, "default", 0, 1, 0, 0, 0);
    my $ok = GetOptions('a|append-domain!' => \$a, 'b|bits=i' => \$b, 'D|directory=s' => \$D,
        'd|domain=s' => \$d, 'h|hash-algorithms=s' => \$h, 'help!' => \$help, 'n|note=s' => \$n,
        'r|restrict!' => \$r, 's|selector=s' => \$s, 'S!' => \$S, 'subdomains!' => \$sub,
        't|testmode!' => \$t, 'v|verbose+' => \$v, 'V|version!' => \$V);
    print join(",", $ok ? 1 : 0, map { defined $_ ? unpack("H*", $_) : "-" }
        ($a, $b, $D, $d, $h, $help, $n, $r, $s, $S, $sub, $t, $v, $V)), "\n";
}
"""
ORDER = [
    "append-domain",
    "bits",
    "directory",
    "domain",
    "hash-algorithms",
    "help",
    "note",
    "restrict",
    "selector",
    "S",
    "subdomains",
    "testmode",
    "verbose",
    "version",
]
OURS_ALONE = {
    "type", "ed25519", "ed25519-selector", "from-key", "format", "ttl", "owner", "group", "force",
}  # fmt: skip
SHARED = tuple(o for o in genkey_options.OPTIONS if o.key not in OURS_ALONE)

LONGS = [
    "append-domain",
    "bits",
    "directory",
    "domain",
    "hash-algorithms",
    "help",
    "note",
    "restrict",
    "selector",
    "subdomains",
    "testmode",
    "verbose",
    "version",
    "S",
    "no",
    "nonsense",
]
SHORTS = "abDdhnrsStvVxN-="
WORDS = ["x", "", "-", "--", "1024", "-5", "+7", "example.com", "-d", "a=b", "-S", "+t", "+"]


def _words(rng: random.Random) -> list[str]:
    """A command line that is likely to be nearly right."""
    argv = []
    for _ in range(rng.randrange(1, 6)):
        match rng.randrange(4):
            case 0:
                argv.append("-" + "".join(rng.choices(SHORTS, k=rng.randrange(1, 4))))
            case 1:
                name = rng.choice(LONGS)
                name = rng.choice(["", "", "no", "no-"]) + name[: rng.randrange(1, len(name) + 1)]
                name = name.upper() if rng.random() < 0.1 else name
                argv.append("--" + name + rng.choice(["", "", "=x", "=12", "="]))
            case 2:
                argv.append("-" + rng.choice("abdhnsv") + rng.choice(["1024", "12v", "x", "=1"]))
            case _:
                argv.append(rng.choice(WORDS))
    return argv


def _getopt_long(lines: Sequence[Sequence[str]]) -> list[str]:
    given = "\n".join(" ".join("x" + word.encode().hex() for word in words) for words in lines)
    done = subprocess.run(
        ["perl", "-e", PERL], input=given + "\n", capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def _read_by(argv: Sequence[str], table: Sequence[Option]) -> str:
    """What _getopt_long prints, from our reader."""
    try:
        values = options.parse(argv, table)
    except Problem:
        return "0"
    kinds = {option.key: option.takes for option in table}
    return ",".join(["1", *(_hex(values, key, kinds[key]) for key in ORDER)])


def _hex(values: Values, key: str, takes: Takes) -> str:
    if takes is Takes.TEXT:
        text = values.optional(key)
        return "-" if text is None else text.encode().hex()
    number = values.count(key) if takes in (Takes.NUMBER, Takes.COUNT) else int(values.flag(key))
    return str(number).encode().hex()


@pytest.mark.skipif(shutil.which("perl") is None, reason="needs perl (package perl-base)")
def test_getopt_long_reads_the_same() -> None:
    rng = random.Random(6376)
    lines = [_words(rng) for _ in range(60 * settings().max_examples)]
    theirs = _getopt_long(lines)
    assert len(theirs) == len(lines)
    accepted = 0
    for argv, line in zip(lines, theirs, strict=True):
        accepted += line.startswith("1")
        expected = line if line.startswith("1") else "0"
        assert _read_by(argv, SHARED) == expected, argv
        if line.startswith("1"):  # our own options take nothing from theirs
            assert _read_by(argv, genkey_options.OPTIONS) == expected, argv
    assert len(lines) / 4 < accepted < len(lines) / 6 * 5, "the sample should hold many of both"


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("--domian", "--domain?"),
        ("--DOMIAN=x", "--domain?"),
        ("--verbos1", "--verbose?"),
        ("--dryrun", "--dry-run?"),
        ("--zzz", ""),
        ("-x", ""),
    ],
)
def test_a_slip_of_the_finger(word: str, meant: str) -> None:
    with pytest.raises(Problem) as caught:
        options.parse([word], TABLE)
    assert word in caught.value.message and meant in caught.value.hint
    assert ("did you mean" in caught.value.hint) is bool(meant)

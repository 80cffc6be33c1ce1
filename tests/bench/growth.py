"""Does a message cost the same however much else there is?

    sh contrib/bench.sh growth [--minutes N] [--messages N] [--small] [--only PART,...] [--out DIR]

NAME
    growth - Postseal alone: many domains, many signatures, large messages on many
    connections, and a long run

GIVES
    a table for each part, and growth.json:
    domains     CPU per message with 10 to 100,000 domains in the tables, and memory
    signatures  CPU per message with 1 to 20 signatures to verify and to make
    memory      the peak with 5 MB messages on 1 to 512 connections
    long        CPU and memory over minutes of mixed mail on 64 connections; "written" is
                what each process has for itself, once a step is over

DOES NOT
    assert: what grows is there to be seen.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from bench import corpus, proctree
from bench.lab import Lab, Processors, bound, build
from bench.servers import (
    DKIM_PASS,
    NAMESERVER,
    SIGNED,
    Place,
    Server,
    also_signing,
    postseal,
    postseal_config,
)

Rows = list[dict[str, float | int | str]]


class Bench:
    """What the parts share."""

    def __init__(self, lab: Lab, place: Place, options: argparse.Namespace) -> None:
        self.lab = lab
        self.place = place
        self.minutes: float = options.minutes
        self.messages: int = options.messages
        self.sizes = "2k-" if options.small else ""

    def drive(
        self, server: Server, connections: int, messages: int, only: str = "", corpus_name: str = ""
    ) -> tuple[float, float]:
        """Send messages; gives CPU ms per message and the peak memory in MB."""
        directory = self.place.corpus.directory / (corpus_name or server.corpus)
        command = [str(self.place.tools / "load"), "-1", "-c", str(connections)]
        command += ["-n", str(messages), *(["-o", only] if only else [])]
        for pattern in server.expected:
            command += ["-e", pattern]
        command += [str(server.socket), str(directory)]
        roots = self.lab.pids(server)
        with proctree.watched(roots) as peak:
            before = proctree.cpu(roots)
            others = self.lab.processors.others
            done = subprocess.run(bound(command, others), stdout=subprocess.PIPE, check=True)
            time.sleep(0.1)
            used = proctree.cpu(roots) - before
        told = json.loads(done.stdout)
        if told["errors"] + told["unmet"] + told["refused"]:
            raise RuntimeError(f"{server.name}: {told}")
        return used * 1000 / messages, peak.megabytes

    def often(self, server: Server, messages: int, only: str, name: str = "") -> float:
        """The median of five runs on 8 connections, after one to warm up."""
        self.drive(server, 8, messages // 2, only, name)
        return median(self.drive(server, 8, messages, only, name)[0] for _ in range(5))


def domains(bench: Bench) -> Rows:
    """Tables of many domains; the mail is always that of the same twenty."""
    rows: Rows = []
    servers: list[tuple[int, Server]] = []
    for count in (10, 1_000, 10_000, 100_000):
        server = postseal(bench.place, f"domains-{count}", NAMESERVER, _tables(bench.place, count))
        began = time.monotonic()
        bench.lab.start(server)
        rows.append({"domains": count, "start s": round(time.monotonic() - began, 1)})
        servers.append((count, also_signing(server)))
    for row, (_, server) in zip(rows, servers, strict=True):
        row["sign, CPU ms"] = round(bench.often(server, 600, "2k-"), 3)
        row["memory MB"] = round(proctree.memory(bench.lab.pids(server)))
        bench.lab.stop(server.name.removesuffix("-sign"))
    return rows


def _tables(place: Place, count: int) -> tuple[Path, Path]:
    """count rows, those of the corpus last; one key file for all the others."""
    keys = place.corpus.directory / "keys"
    filler = [f"filler{number}.example" for number in range(count - len(corpus.DOMAINS))]
    table = [f"{name} {name}:{corpus.SELECTOR}:{place.corpus.key}\n" for name in filler]
    table += [f"{name} {name}:{corpus.SELECTOR}:{keys / name}.rsa\n" for name in corpus.DOMAINS]
    senders = [f"*@{name} {name}\n" for name in [*filler, *corpus.DOMAINS]]
    return (
        place.file(f"keytable-{count}", "".join(table)),
        place.file(f"signingtable-{count}", "".join(senders)),
    )


def signatures(bench: Bench) -> Rows:
    """One domain's mail with n signatures by the same key, and n keys to sign it with."""
    rows: Rows = []
    domain = corpus.DOMAINS[0]
    outbound = bench.place.corpus.directory / "outbound"
    lines = (outbound / "manifest").read_text().splitlines()
    source = outbound / next(
        line.split("\t")[0] for line in lines if line.startswith("2k-") and f"\t{domain}\t" in line
    )
    for count in (1, 5, 10, 20):
        name = f"signed-{count}"
        corpus.write_signed(bench.place.corpus, name, source, domain, count)
        corpus.write_plain(bench.place.corpus, f"plain-{count}", source, domain)
        config = postseal_config(bench.place, name, NAMESERVER, bench.place.tables())
        head, _, rest = config.partition("[sign]")
        tail = rest.partition("[dmarc]")[2]
        key = f'[[sign.key]]\nselector = "{{}}"\nfile = "{bench.place.corpus.key}"\n'
        made = "".join(key.format(f"s{number}") for number in range(count))
        text = f'{head}[verify]\nmax_signatures = 20\n[sign]\ndomain = "{domain}"\n{made}'
        path = bench.place.file(f"{name}.toml", f"{text}[dmarc]{tail}")
        base = postseal(bench.place, name, NAMESERVER)
        server = replace(base, argv=(*base.argv[:-1], str(path)), expected=(DKIM_PASS,))
        path.write_text(f"{text}[dmarc]{tail}")
        bench.lab.start(server)
        signing = replace(also_signing(server), expected=(SIGNED,))
        rows.append(
            {
                "signatures": count,
                "verify, CPU ms": round(bench.often(server, 400, "", name), 3),
                "sign, CPU ms": round(bench.often(signing, 300, "", f"plain-{count}"), 3),
            }
        )
        bench.lab.stop(name)
    return rows


def memory(bench: Bench) -> Rows:
    """Nothing but 5 MB messages."""
    rows: Rows = []
    for connections in (1, 8, 64, 512):
        server = postseal(bench.place, f"memory-{connections}", NAMESERVER)
        bench.lab.start(server)
        idle = proctree.memory(bench.lab.pids(server))
        _, peak = bench.drive(server, connections, max(20, connections), "5000k-")
        rows.append(
            {
                "connections": connections,
                "idle MB": round(idle),
                "peak MB": round(peak),
                "MB per connection": round((peak - idle) / connections, 2),
            }
        )
        bench.lab.stop(server.name)
    return rows


def long(bench: Bench) -> Rows:
    """Mixed mail without end, both ways, on 64 connections."""
    rows: Rows = []
    server = postseal(bench.place, "long", NAMESERVER)
    bench.lab.start(server)
    signing = also_signing(server)
    began, total = time.monotonic(), 0
    step = 50_000 if bench.sizes else 10_000
    while total < bench.messages and (not rows or time.monotonic() - began < bench.minutes * 60):
        verify, peak = bench.drive(server, 64, step * 8 // 10, bench.sizes)
        sign, peak_sign = bench.drive(signing, 64, step * 2 // 10, bench.sizes)
        total += step
        rows.append(
            {
                "messages": total,
                "minutes": round((time.monotonic() - began) / 60, 1),
                "verify, CPU ms": round(verify, 3),
                "sign, CPU ms": round(sign, 3),
                "memory MB": round(max(peak, peak_sign), 1),
                "written MB": round(proctree.own(bench.lab.pids(server)), 2),
            }
        )
    bench.lab.stop("long")
    return rows


PARTS: dict[str, Callable[[Bench], Rows]] = {
    "domains": domains,
    "signatures": signatures,
    "memory": memory,
    "long": long,
}


def table(rows: Rows) -> str:
    """As markdown."""
    names = list(rows[0])
    lines = [" | ".join(["", *names, ""]).strip(), "|---" * len(names) + "|"]
    lines += [" | ".join(["", *(str(row[name]) for name in names), ""]).strip() for row in rows]
    return "\n".join(lines)


def main() -> int:
    """Measure each part."""
    parser = argparse.ArgumentParser(prog="bench.sh growth")
    parser.add_argument("--minutes", type=float, default=5.0, help="of the long run")
    parser.add_argument("--messages", type=int, default=10**9, help="at most, in the long run")
    parser.add_argument("--small", action="store_true", help="nothing but 2 KB in the long run")
    parser.add_argument("--only", default="", help="parts, by commas")
    parser.add_argument("--out", type=Path, default=Path("state/bench"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    wanted = options.only.split(",") if options.only else list(PARTS)
    found: dict[str, Rows] = {}
    with tempfile.TemporaryDirectory(prefix="postseal-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        build(directory)
        made = corpus.make(directory / "corpus")
        place = Place(directory=directory, corpus=made, tools=directory)
        processors = Processors.found()
        print(f"{processors}\n", flush=True)
        with Lab(directory, processors) as lab:
            lab.serve_dns(made.records)
            bench = Bench(lab, place, options)
            for part in wanted:
                found[part] = PARTS[part](bench)
                print(f"{part}\n\n{table(found[part])}\n", flush=True)
    (options.out / "growth.json").write_text(json.dumps(found, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""postseal-genkey: make a DKIM key pair and the record that publishes it.

NAME
    genkey - a drop-in for opendkim-genkey

GIVEN
    the command line; with --from-key, the file of an existing private key.

GIVES
    SELECTOR.private and SELECTOR.txt in the chosen directory, both or neither;
    records on standard output where --format or --from-key asks for them.

DOES NOT
    start a shell or a program.  Print a private key.  Replace a file without
    --force.  Exit: main() returns the status.

SEE ALSO
    postseal-genkey(1), which lists what differs from opendkim-genkey.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from postseal_keys import __version__, formats, genkey_options, keypair, names, records, store
from postseal_keys.console import DATAERR, IOERR, OK, USAGE, Problem, run, tell, warn
from postseal_keys.formats import Format, TxtRecord
from postseal_keys.genkey_options import EXAMPLES, OPTIONS
from postseal_keys.keypair import Kind, PrivateKey
from postseal_keys.options import Values, help_text, parse

PROG = "postseal-genkey"
BAD_OPTION = 1  # opendkim-genkey's status for a command line it cannot read
NO_DIRECTORY = 2  # and for a directory it cannot enter

MANUAL = genkey_options.MANUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """One key that is wanted, and the selector it goes by."""

    kind: Kind
    selector: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; argv is without the program's name."""
    return run(PROG, lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    values = parse(argv, OPTIONS, code=BAD_OPTION)
    for word in values.arguments:  # as opendkim-genkey; but who writes one meant something
        warn(PROG, f"'{word[:40]}' is ignored", "the domain is given with -d, the selector with -s")
    if values.flag("help"):
        usage = f"{PROG} [options]"
        print(help_text(usage, genkey_options.ABOUT, OPTIONS, EXAMPLES), end="")
        return OK
    if values.flag("version"):
        print(f"{PROG} v{__version__}")
        return OK
    if values.text("format") == "list":
        print(formats.listing(), end="")
        return OK
    if values.optional("from-key") is not None:
        return _show(values)
    return _make(values)


def _make(values: Values) -> int:
    """New keys, their files, and the records in the form that was asked for."""
    domain = _domain(values)
    shown = _format(values, domain)
    wishes = _wishes(values)
    _check_names(wishes, domain)
    directory = values.text("directory")
    _enter(directory)
    owner = store.find_owner(values.optional("owner"), values.optional("group"))
    names_ = [f"{wish.selector}.{end}" for wish in wishes for end in ("private", "txt")]
    force = values.flag("force")
    if not force:
        store.refuse_existing(directory, names_)

    files: list[store.NewFile] = []
    published: list[TxtRecord] = []
    for wish in wishes:
        _tell(values, "generating private key")
        key = keypair.make(wish.kind, values.count("bits"))
        record = _record(values, key, wish.selector, domain)
        published.append(record)
        text = formats.FORMATS["zone"].render([record])
        private = store.NewFile(name=f"{wish.selector}.private", data=keypair.pem(key), owner=owner)
        files += [private, store.NewFile(name=f"{wish.selector}.txt", data=text.encode("ascii"))]
        _warn_about(key)
    _warn_about_hashes(values)
    store.write(directory, files, force=force)
    for wish in wishes:
        _tell(values, f"private key written to {wish.selector}.private")
        _tell(values, f"DNS TXT record written to {wish.selector}.txt")
    if shown:
        _print_late(shown.render(published), directory)
    return OK


def _print_late(text: str, directory: str) -> None:
    """Print what is in the files too: when that fails, they are there all the same."""
    try:
        print(text, end="", flush=True)
    except BrokenPipeError:
        raise  # whoever reads has enough
    except OSError as error:
        raise Problem(
            f"standard output: {error.strerror}; the files are in {directory}, the record is not"
            " printed",
            hint="print it with --from-key SELECTOR.private",
            code=IOERR,
        ) from None


def _show(values: Values) -> int:
    """The record of a key that exists; nothing is written."""
    for name in ("type", "bits", "ed25519", "owner", "group", "force", "directory"):
        if values.given(name):
            raise Problem(
                f"--{name} has no meaning with --from-key",
                hint="--from-key prints a record and writes no file",
            )
    domain = _domain(values)
    shown = _format(values, domain) or formats.FORMATS["zone"]
    key = _existing_key(values.text("from-key"))
    selector = names.selector(values.text("selector"), keep_case=True)
    _check_names([Wish(kind=keypair.kind(key), selector=selector)], domain)
    record = _record(values, key, selector, domain)
    _warn_about(key)
    _warn_about_hashes(values)
    print(shown.render([record]), end="")
    return OK


def _existing_key(path: str) -> PrivateKey:
    if path != "-":
        return keypair.load_file(path)
    return keypair.load(sys.stdin.buffer.read(keypair.FILE_MAX + 1), where="standard input")


def _domain(values: Values) -> str:
    """The domain as it goes into the record's name; empty when -d '' says so."""
    text = values.text("domain")
    return names.domain(text, keep_case=True) if text else ""


def _format(values: Values, domain: str) -> Format | None:
    """The format that was asked for, if one was; checked before anything is made."""
    name = values.optional("format")
    found = None if name is None else formats.find(name)
    named = domain and values.given("domain")
    if found and found.absolute and not named:
        raise Problem(f"the format {found.name} needs the domain", hint="give it with --domain")
    if values.flag("append-domain") and not domain:
        raise Problem("--append-domain needs a domain", hint="give it with --domain")
    return found


def _wishes(values: Values) -> list[Wish]:
    """Which keys to make.  Of two, the Ed25519 key gets a selector of its own."""
    selector = names.selector(values.text("selector"), keep_case=True)
    other = values.optional("ed25519-selector")
    kind = values.text("type")
    if values.flag("ed25519"):
        if values.given("type") and kind != Kind.ED25519:
            raise Problem("--ed25519 contradicts --type", hint="--type both makes both kinds")
        kind = Kind.ED25519.value
    if other is not None and kind != "both":
        raise Problem("--ed25519-selector is for --type both", hint="use --selector")
    match kind:
        case Kind.RSA | Kind.ED25519:
            return [Wish(kind=Kind(kind), selector=selector)]
        case "both":
            second = names.selector(other or f"{selector}-ed25519", keep_case=True)
            if second.lower() == selector.lower():
                raise Problem(
                    "the two keys need two selectors",
                    hint="give them with --selector and --ed25519-selector",
                )
            return [
                Wish(kind=Kind.RSA, selector=selector),
                Wish(kind=Kind.ED25519, selector=second),
            ]
        case _:
            raise Problem(f"there is no key type '{kind[:40]}'", hint="rsa, ed25519 or both")


def _check_names(wishes: Sequence[Wish], domain: str) -> None:
    for wish in wishes:
        names.key_name(wish.selector, domain or "localhost")


def _enter(directory: str) -> None:
    """Say early, and with opendkim-genkey's status, that the directory is no good."""
    if not os.path.isdir(directory):  # noqa: PTH112 - Path("") would mean "."
        what = "not a directory" if os.path.lexists(directory) else "no such directory"
        raise Problem(
            f"'{directory}': {what}",
            hint="make it first: mkdir -p -m 700 DIRECTORY",
            code=NO_DIRECTORY,
        )


def _record(values: Values, key: PrivateKey, selector: str, domain: str) -> TxtRecord:
    """What is to be published for the key, with the tags the options ask for."""
    exact = values.flag("S") or not values.flag("subdomains")
    hashes = values.text("hash-algorithms")
    record = records.KeyRecord(
        public=keypair.public_text(key),
        kind=keypair.kind(key).value,
        hashes=tuple(word.strip() for word in hashes.split(":")) if hashes else (),
        flags=("y",) * values.flag("testmode") + ("s",) * exact,
        services=("email",) if values.flag("restrict") else (),
        note=values.text("note"),
    )
    text = str(record)
    if len(text) > records.TEXT_MAX // 16:
        raise Problem("the record is too long for DNS", hint="use a shorter note", code=DATAERR)
    ttl = values.count("ttl") if values.given("ttl") else None
    if ttl is not None and not 0 <= ttl < 2**31:
        raise Problem(f"--ttl: {ttl} is not possible", hint="seconds, such as 3600", code=USAGE)
    zone, below = _zone(values, domain)
    return TxtRecord(
        host=f"{selector}._domainkey{below}",
        zone=zone,
        text=text,
        ttl=ttl,
        comment=f"----- DKIM key {selector} for {domain}" if domain else "",
        absolute=values.flag("append-domain"),
    )


def _zone(values: Values, domain: str) -> tuple[str, str]:
    """The zone the record goes into, and what stands between it and the domain: ".news"."""
    zone = values.optional("zone")
    if zone is None:
        return domain, ""
    zone = names.domain(zone, keep_case=True)
    if not f".{domain}".lower().endswith(f".{zone}".lower()):
        raise Problem(f"{domain or 'no domain'} is not in the zone {zone}", hint="--domain says it")
    below = domain[: len(domain) - len(zone)].removesuffix(".")
    return zone, f".{below}" if below else ""


def _warn_about(key: PrivateKey) -> None:
    if warning := keypair.strength_warning(key):
        warn(PROG, warning)


def _warn_about_hashes(values: Values) -> None:
    hashes = values.text("hash-algorithms")
    if hashes and "sha256" not in (word.strip() for word in hashes.split(":")):
        warn(
            PROG,
            f"h={hashes[:40]} allows no hash that verifiers still accept (RFC 8301 section 3.1)",
            "leave --hash-algorithms out, or put sha256 in",
        )


def _tell(values: Values, text: str) -> None:
    if values.count("verbose"):
        tell(PROG, text)


if __name__ == "__main__":
    sys.exit(main())

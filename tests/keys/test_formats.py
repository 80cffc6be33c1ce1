"""Every format, read back by a library that reads it.  Real servers: test_formats_*."""

from __future__ import annotations

import importlib
import io
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Sequence
from typing import Any

import dns.rdatatype
import dns.zone
import hcl2
import pytest
from dns.rdtypes.ANY.TXT import TXT
from hypothesis import given
from hypothesis import strategies as st

from postseal_keys import formats, records
from postseal_keys.console import Problem
from postseal_keys.formats import FORMATS, TxtRecord
from support.txtsamples import APEX, AWKWARD, SAMPLES, TTL, ZONE

yaml = importlib.import_module("yaml")  # it has no types

ALL = [*SAMPLES.values(), AWKWARD, APEX]
Found = dict[str, tuple[str, int]]  # full name -> joined text, time to live

TEXTS = st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=126), max_size=600)


def _wanted(given_: Sequence[TxtRecord]) -> Found:
    return {record.name: (record.text, record.seconds) for record in given_}


def _strings(content: str) -> str:
    """Quoted character-strings (RFC 1035 section 5.1) joined, each checked for its length."""
    record = dns.rdata.from_text("IN", "TXT", content)
    assert isinstance(record, TXT)
    assert all(len(string) <= 255 for string in record.strings)
    return b"".join(record.strings).decode("ascii")


def _zone(text: str) -> Found:
    head = (
        f"$ORIGIN {ZONE}.\n$TTL 1\n@ IN SOA ns.invalid. h.invalid. 1 1 1 1 1\n@ IN NS ns.invalid.\n"
    )
    zone = dns.zone.from_text(head + text, ZONE, relativize=False)
    found: Found = {}
    for name, rdataset in zone.iterate_rdatasets(dns.rdatatype.TXT):
        (record,) = rdataset
        assert isinstance(record, TXT)
        joined = b"".join(record.strings).decode("ascii")
        found[name.to_text(omit_final_dot=True)] = (joined, rdataset.ttl)
    return found


def _plain(text: str) -> Found:
    found: Found = {}
    for block in text.split("\n\n"):
        fields = dict(re.split(r":\s+", line, maxsplit=1) for line in block.strip().splitlines())
        assert fields["Type"] == "TXT"
        full = fields["Full name"]
        assert full == (ZONE if fields["Host"] == "@" else f"{fields['Host']}.{ZONE}")
        found[full] = (fields["Value"], int(fields["TTL"]))
    return found


def _nsupdate(text: str) -> Found:
    *lines, send = text.splitlines()
    assert send == "send"
    deletes = [line.split()[2] for line in lines if line.startswith("update delete ")]
    found: Found = {}
    for line in lines[len(deletes) :]:
        update, add, name, ttl, txt, content = line.split(" ", 5)
        assert (update, add, txt) == ("update", "add", "TXT")
        found[name.removesuffix(".")] = (_strings(content), int(ttl))
    assert [name.removesuffix(".") for name in deletes] == list(found)
    return found


def _powerdns(text: str) -> Found:
    found: Found = {}
    for rrset in json.loads(text)["rrsets"]:
        assert (rrset["type"], rrset["changetype"]) == ("TXT", "REPLACE")
        (record,) = rrset["records"]
        assert record["disabled"] is False and rrset["name"].endswith(".")
        found[rrset["name"][:-1]] = (_strings(record["content"]), rrset["ttl"])
    return found


def _route53(text: str) -> Found:
    found: Found = {}
    for change in json.loads(text)["Changes"]:
        rrset = change["ResourceRecordSet"]
        assert (change["Action"], rrset["Type"]) == ("UPSERT", "TXT")
        (record,) = rrset["ResourceRecords"]
        found[rrset["Name"].removesuffix(".")] = (_strings(record["Value"]), rrset["TTL"])
    return found


def _cloudflare(text: str) -> Found:
    body = json.loads(text)
    found: Found = {}
    for record in body.get("posts", [body]):
        assert record["type"] == "TXT"
        found[record["name"]] = (_strings(record["content"]), record["ttl"])
    return found


def _hcl_resources(text: str, kind: str) -> list[dict[str, Any]]:
    """The attributes of all resources of that kind, strings unquoted."""
    resources = []
    for block in hcl2.load(io.StringIO(text))["resource"]:
        for type_, labels in block.items():
            assert type_.strip('"') == kind
            for label, attributes in labels.items():
                assert re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", label.strip('"'))
                resources.append({"label": label, **attributes})
    assert len({one["label"] for one in resources}) == len(resources)
    return resources


def _hcl_string(value: str) -> str:
    """A quoted HCL template without interpolation as the text Terraform would use.

    python-hcl2 gives strings as they are written; these are HCL's escapes.
    """
    assert value.startswith('"') and value.endswith('"')
    meanings = {"$${": "${", "%%{": "%{", '\\"': '"', "\\\\": "\\"}
    body = value[1:-1]
    assert not re.search(r"(?<!\$)\$\{|(?<!%)%\{", body), "a template would be evaluated"
    return re.sub(r'\$\$\{|%%\{|\\"|\\\\', lambda match: meanings[match[0]], body)


def _terraform_route53(text: str) -> Found:
    found: Found = {}
    for one in _hcl_resources(text, "aws_route53_record"):
        (value,) = one["records"]
        # the provider puts the outer quotes
        inside = re.sub(r'((?:[^"\\]|\\.)*)""', r'\1" "', _hcl_string(value))
        joined = _strings(f'"{inside}"')
        found[_hcl_string(one["name"])] = (joined, int(one["ttl"]))
    return found


def _terraform_cloudflare(text: str) -> Found:
    return {
        _hcl_string(one["name"]): (_strings(_hcl_string(one["content"])), int(one["ttl"]))
        for one in _hcl_resources(text, "cloudflare_dns_record")
    }


def _octodns(text: str) -> Found:
    entries = yaml.safe_load(text)
    natural = sorted(entries, key=lambda host: re.sub("[0-9]+", lambda m: f"{m[0]:0>9}", host))
    assert list(entries) == natural, "OctoDNS refuses a file that is not in natural order"
    found: Found = {}
    for host, entry in entries.items():
        assert entry["type"] == "TXT"
        assert not re.search(r"(?<!\\);", entry["value"]), "OctoDNS: unescaped ;"
        name = f"{host}.{ZONE}" if host else ZONE
        found[name] = (entry["value"].replace("\\;", ";"), entry["ttl"])
    return found


DNSCONTROL = """
const seen = [];
const TTL = (seconds) => ({ttl: seconds});
const TXT = (host, text, ...more) => ({host, text, ...Object.assign({}, ...more)});
const D_EXTEND = (zone, ...rest) => rest.forEach((one) => seen.push({zone, ...one}));
require("vm").runInNewContext(require("fs").readFileSync(0, "utf8"), {D_EXTEND, TXT, TTL});
console.log(JSON.stringify(seen));
"""


def _dnscontrol(text: str) -> Found:
    """Run by node, with DNSControl's three functions in place of DNSControl."""
    done = subprocess.run(
        ["node", "-e", DNSCONTROL], input=text, capture_output=True, text=True, check=True
    )
    return {
        one["zone"] if one["host"] == "@" else f"{one['host']}.{one['zone']}": (
            one["text"],
            one["ttl"],
        )
        for one in json.loads(done.stdout)
    }


def _tinydns(text: str) -> Found:
    found: Found = {}
    for line in text.splitlines():
        name, data, ttl = line.removeprefix("'").split(":")
        octets = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), data)
        found[name] = (octets, int(ttl))
    return found


READERS: dict[str, Callable[[str], Found]] = {
    "zone": _zone,
    "line": _zone,
    "plain": _plain,
    "nsupdate": _nsupdate,
    "powerdns": _powerdns,
    "route53": _route53,
    "cloudflare": _cloudflare,
    "terraform-route53": _terraform_route53,
    "terraform-cloudflare": _terraform_cloudflare,
    "octodns": _octodns,
    "tinydns": _tinydns,
}


def _node(name: str) -> None:
    if name == "dnscontrol" and shutil.which("node") is None:
        pytest.skip("needs node (package nodejs)")


def test_every_format_has_a_reader() -> None:
    """dnsmasq is read by dnsmasq, in test_formats_servers."""
    assert set(READERS) | {"dnsmasq", "dnscontrol"} == set(FORMATS)


@pytest.mark.parametrize("name", [*READERS, "dnscontrol"])
@pytest.mark.parametrize("together", [False, True], ids=["one", "many"])
def test_what_went_in_comes_out(name: str, together: bool) -> None:
    _node(name)
    read = READERS.get(name, _dnscontrol)
    for given_ in [ALL] if together else [[record] for record in ALL]:
        text = FORMATS[name].render(given_)
        assert text.isascii() and text.endswith("\n")
        assert read(text) == _wanted(given_)


@pytest.mark.parametrize("name", READERS)
@given(texts=st.lists(TEXTS, min_size=1, max_size=3))
def test_any_printable_text_comes_out(name: str, texts: list[str]) -> None:
    given_ = [
        TxtRecord(host=f"h{number}", zone=ZONE, text=text, ttl=TTL)
        for number, text in enumerate(texts)
        if name != "plain" or (text.strip() == text and text)
    ]
    if given_:
        assert READERS[name](FORMATS[name].render(given_)) == _wanted(given_)


def test_without_a_ttl_the_zone_file_has_none() -> None:
    record = TxtRecord(host="h", zone=ZONE, text="x")
    assert FORMATS["zone"].render([record]) == 'h\tIN\tTXT\t( "x" ) \n'
    assert " 3600 " in FORMATS["line"].render([record])


def test_every_format_explains_itself_in_a_line() -> None:
    listing = formats.listing().splitlines()
    assert len(listing) == len(FORMATS) == 13
    assert all(
        len(line) <= 100 and format_.about
        for line, format_ in zip(listing, FORMATS.values(), strict=True)
    )


def test_an_unknown_format() -> None:
    with pytest.raises(Problem, match="no format 'x'") as caught:
        formats.find("x")
    assert "--format list" in caught.value.hint


def test_octodns_gets_numbers_in_the_order_of_numbers() -> None:
    hosts = ["s10", "s2", "2026", "s2.x10", "s2.x9", "", "s"]
    text = FORMATS["octodns"].render([TxtRecord(host=h, zone=ZONE, text="x") for h in hosts])
    assert list(yaml.safe_load(text)) == ["", "2026", "s", "s2", "s2.x9", "s2.x10", "s10"]


def test_two_zones_are_two_transactions() -> None:
    """nsupdate sends what belongs to one zone at a time."""
    other = TxtRecord(host="a", zone="example.org", text="x")
    text = FORMATS["nsupdate"].render([SAMPLES["ed25519"], other])
    assert text.count("send\n") == 2
    text = FORMATS["dnscontrol"].render([SAMPLES["ed25519"], SAMPLES["ed25519"], other])
    assert text.count("D_EXTEND(") == 2
    assert not re.search(r",\s*\)", text), "ECMAScript 5 has no comma after the last argument"


def test_too_much_for_dnsmasq_is_refused() -> None:
    record = TxtRecord(host="h", zone=ZONE, text="x" * 1100)
    with pytest.raises(Problem, match=r"too long for a line of dnsmasq"):
        FORMATS["dnsmasq"].render([record])


def test_terraform_names_stay_apart() -> None:
    twins = [TxtRecord(host=host, zone=ZONE, text="x") for host in ("a-b", "a_b", "a.b")]
    for name in ("terraform-route53", "terraform-cloudflare"):
        labels = re.findall(r'" "([a-z0-9_]+)" \{', FORMATS[name].render(twins))
        assert len(set(labels)) == 3


def test_the_zone_file_of_every_key_parses_as_a_key() -> None:
    for name, record in SAMPLES.items():
        joined, _ = _zone(FORMATS["zone"].render([record]))[f"{name}._domainkey.{ZONE}"]
        assert str(records.parse(joined)) == record.text

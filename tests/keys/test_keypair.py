"""Key pairs: ours sign and verify with others, others' are read by us."""

from __future__ import annotations

import base64
import importlib
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from postseal_keys import keypair
from postseal_keys.console import DATAERR, NOINPUT, Problem
from postseal_keys.keypair import Kind, PrivateKey
from postseal_keys.records import KeyRecord

dkimpy = importlib.import_module("dkim")  # all of it, not what the daemon's stub names

MAIL = b"From: a@example.com\r\nSubject: x\r\nDate: Fri, 20 Nov 2026 12:00:00 +0000\r\n\r\nHi\r\n"

# RFC 8463 appendix A.2: the private key, and what p= must be.
PUBLISHED_SEED = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
PUBLISHED_PUBLIC = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="

KEYS = {
    "rsa-1024": keypair.make(Kind.RSA, 1024),
    "rsa-2048": keypair.make(Kind.RSA, 2048),
    "rsa-odd": keypair.make(Kind.RSA, 1536 + 8),
    "ed25519": keypair.make(Kind.ED25519),
}


@pytest.fixture(params=list(KEYS))
def key(request: pytest.FixtureRequest) -> PrivateKey:
    return KEYS[request.param]


def _openssl(*words: str, given: bytes) -> bytes:
    done = subprocess.run(["openssl", *words], input=given, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


def test_a_key_we_make_signs_and_verifies_with_dkimpy(key: PrivateKey) -> None:
    algorithm = b"rsa-sha256"
    private = keypair.pem(key)
    if keypair.kind(key) is Kind.ED25519:
        algorithm = b"ed25519-sha256"
        raw = key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        private = base64.b64encode(raw)  # the form dkimpy reads
    record = str(KeyRecord(public=keypair.public_text(key), kind=keypair.kind(key)))
    header = dkimpy.sign(MAIL, b"s", b"example.com", private, signature_algorithm=algorithm)

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s._domainkey.example.com."
        return record.encode("ascii")

    assert dkimpy.verify(header + MAIL, dnsfunc=dns)
    assert not dkimpy.verify(header + MAIL.replace(b"Hi", b"Ho"), dnsfunc=dns)


@settings(max_examples=10)
@given(bits=st.integers(keypair.RSA_MIN, 1600))
def test_rsa_keys_of_any_size_sign_and_verify(bits: int) -> None:
    """Also those whose size is no multiple of eight."""
    key = keypair.make(Kind.RSA, bits)
    assert isinstance(key, rsa.RSAPrivateKey) and key.key_size == bits
    test_a_key_we_make_signs_and_verifies_with_dkimpy(key)
    test_openssl_derives_the_same_public_key(key)


def test_openssl_derives_the_same_public_key(key: PrivateKey) -> None:
    der = _openssl("pkey", "-pubout", "-outform", "DER", given=keypair.pem(key))
    if keypair.kind(key) is Kind.ED25519:
        der = der[-32:]  # the last field of SubjectPublicKeyInfo is the bare key
    assert base64.b64encode(der).decode("ascii") == keypair.public_text(key)


def test_a_key_we_make_signs_and_verifies_with_openssl(key: PrivateKey, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(keypair.pem(key))
    (tmp_path / "data").write_bytes(MAIL)
    public = _openssl("pkey", "-pubout", given=keypair.pem(key))
    (tmp_path / "public").write_bytes(public)
    digest = () if keypair.kind(key) is Kind.ED25519 else ("-rawin", "-digest", "sha256")
    raw = digest or ("-rawin",)
    data = str(tmp_path / "data")
    signature = _openssl(
        "pkeyutl", "-sign", "-inkey", str(tmp_path / "key"), *raw, "-in", data, given=b""
    )
    (tmp_path / "signature").write_bytes(signature)
    verify = ("pkeyutl", "-verify", "-pubin", "-inkey", str(tmp_path / "public"), *raw)
    said = _openssl(*verify, "-in", data, "-sigfile", str(tmp_path / "signature"), given=b"")
    assert b"Successfully" in said


def test_pkcs8_out(key: PrivateKey) -> None:
    assert keypair.pem(key).startswith(b"-----BEGIN PRIVATE KEY-----\n")


@pytest.mark.parametrize(
    "encoding", [pytest.param(form, id=form) for form in ("pkcs8", "pkcs1", "der", "base64-der")]
)
def test_every_form_of_a_key_is_read(key: PrivateKey, encoding: str) -> None:
    data = keypair.pem(key)
    if encoding == "pkcs1":
        if keypair.kind(key) is Kind.ED25519:
            return  # PKCS#1 is for RSA alone
        data = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
        assert b"BEGIN RSA PRIVATE KEY" in data
    elif encoding != "pkcs8":
        data = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
        data = base64.encodebytes(data) if encoding == "base64-der" else data
    assert keypair.public_text(keypair.load(data)) == keypair.public_text(key)


def test_dkimpys_bare_seed_is_read() -> None:
    key = keypair.load(PUBLISHED_SEED + b"\n")
    assert keypair.kind(key) is Kind.ED25519
    assert keypair.public_text(key) == PUBLISHED_PUBLIC


def test_a_password_protected_key_is_named_as_such() -> None:
    secret = BestAvailableEncryption(b"secret")
    data = KEYS["rsa-1024"].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, secret)
    with pytest.raises(Problem, match="encrypted") as caught:
        keypair.load(data, where="k.private")
    assert caught.value.code == DATAERR


def _ec_key() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _public_key() -> bytes:
    return _openssl("pkey", "-pubout", given=keypair.pem(KEYS["rsa-1024"]))


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"hello", id="text"),
        pytest.param(b"\x00" * 100, id="binary"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", id="pem"),
        pytest.param(keypair.pem(KEYS["rsa-2048"])[:800], id="cut"),
        pytest.param(b"A" * 70000, id="too-long"),
        pytest.param(base64.b64encode(b"x" * 31), id="short-seed"),
        pytest.param(_ec_key(), id="elliptic-curve"),
        pytest.param(_public_key(), id="public-key"),
    ],
)
def test_what_is_no_key_is_refused_without_showing_it(data: bytes) -> None:
    with pytest.raises(Problem) as caught:
        keypair.load(data, where="k.private")
    assert caught.value.code == DATAERR
    assert caught.value.message.startswith("k.private: ")
    assert b"AAAA" not in caught.value.message.encode() + caught.value.hint.encode()


def test_a_short_rsa_key_is_refused() -> None:
    """RFC 8301 section 3.2: signers use 1024 bits at least."""
    try:
        numbers = _openssl("genrsa", "768", given=b"")
    except AssertionError:
        pytest.skip("this OpenSSL makes no RSA key of 768 bits")
    with pytest.raises(Problem):
        keypair.load(numbers)


@pytest.mark.parametrize("bits", [0, -1, 512, 1023, 4097, 10**9])
def test_sizes_out_of_range_are_refused_before_any_work(bits: int) -> None:
    with pytest.raises(Problem, match="not possible"):
        keypair.make(Kind.RSA, bits)


def test_the_exponent_is_the_usual_one() -> None:
    key = KEYS["rsa-1024"]
    assert isinstance(key, rsa.RSAPrivateKey)
    assert key.public_key().public_numbers().e == 65537


def test_a_missing_file_is_no_input(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        keypair.load_file(tmp_path / "none")
    assert caught.value.code == NOINPUT
    assert str(tmp_path / "none") in caught.value.message


@pytest.mark.parametrize(
    ("name", "warns"),
    [("rsa-1024", True), ("rsa-odd", True), ("rsa-2048", False), ("ed25519", False)],
)
def test_weak_keys_are_warned_about(name: str, warns: bool) -> None:
    assert bool(keypair.strength_warning(KEYS[name])) is warns


def test_importing_the_module_is_light() -> None:
    """The daemon loads it; it must not bring DNS or IDNA along."""
    script = (
        "import sys; import postseal_keys.keypair\n"
        "print([m for m in ('dns', 'idna', 'pydantic', 'subprocess', 'asyncio', 'postseal')"
        " if m in sys.modules])"
    )
    keys = str(Path(__file__).resolve().parents[2] / "keys")
    done = subprocess.run(
        [sys.executable, "-S", "-c", f"import sys; sys.path[:0] = {[keys, *sys.path]!r}\n{script}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("last", b"\n \t\r", ids=["newline", "space", "tab", "return"])
def test_a_binary_key_may_end_in_what_looks_like_white_space(last: int) -> None:
    seed = bytes([7] * 31 + [last])
    key = Ed25519PrivateKey.from_private_bytes(seed)
    der = key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    assert der[-1] == last
    for form in (der, seed):
        assert keypair.public_text(keypair.load(form)) == keypair.public_text(key)


def test_a_trial_finds_a_damaged_key(tmp_path: Path) -> None:
    """The public half is whole, and so is the encoding: only a signature shows it."""
    key = keypair.make(Kind.RSA, 1024)
    assert isinstance(key, rsa.RSAPrivateKey)
    numbers = key.private_numbers()
    bent = rsa.RSAPrivateNumbers(
        p=numbers.p,
        q=numbers.q,
        d=numbers.d ^ 2,
        dmp1=numbers.dmp1 ^ 2,
        dmq1=numbers.dmq1 ^ 2,
        iqmp=numbers.iqmp,
        public_numbers=numbers.public_numbers,
    )
    path = tmp_path / "bent"
    path.write_bytes(keypair.pem(bent.private_key(unsafe_skip_rsa_key_validation=True)))
    with pytest.raises(Problem):
        keypair.load_file(path)
    with pytest.raises(Problem):
        keypair.load_file(path, trial=True)
    path.write_bytes(keypair.pem(key))
    assert keypair.public_text(keypair.load_file(path, trial=True)) == keypair.public_text(key)

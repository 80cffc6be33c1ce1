"""The same servers with TLS: a certificate for 127.0.0.1, by an authority that is made here.

    with tlsservers.running("ldaps", tmp_path) as server:
        server.authority            # the certificate to trust, in PEM
        server.url("senders", trusted=server.authority)

Kinds: postgresql, mariadb, rediss, ldaps, and starttls, which is LDAP's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import redis
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from support import storeservers
from support.child import LOOPBACK, free_port
from support.storeservers import ADMIN, COLUMNS, PASSWORD, SUFFIX, Server, table_name

KINDS = ("postgresql", "mariadb", "rediss", "ldaps", "starttls")
PROGRAMS = {"rediss": "redis", "ldaps": "ldap", "starttls": "ldap"}  # kinds of storeservers
DAY = timedelta(days=1)
KEY_USES = {
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
    "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
}  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def make(folder: Path) -> Path:
    """ca.pem, server.pem and server.key in folder; gives the first one."""
    authority, key = generate_private_key(SECP256R1()), generate_private_key(SECP256R1())
    now = datetime.now(UTC)
    issuer = f"authority {x509.random_serial_number()}"

    mine = x509.SubjectKeyIdentifier.from_public_key(authority.public_key())
    by = x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(mine)
    signs = {"key_cert_sign": True, "crl_sign": True}
    others = dict.fromkeys(KEY_USES - signs.keys(), False)

    def certificate(subject: str, public: Any, *extensions: Any) -> bytes:
        made = (
            x509.CertificateBuilder(_name(issuer), _name(subject), public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + DAY)
            .add_extension(by, critical=False)  # Python 3.13 asks for it
            .add_extension(
                x509.BasicConstraints(ca=public == authority.public_key(), path_length=None), True
            )
        )
        for extension in extensions:
            made = made.add_extension(extension, isinstance(extension, x509.KeyUsage))
        return made.sign(authority, SHA256()).public_bytes(Encoding.PEM)

    usage = x509.KeyUsage(**signs, **others)
    (folder / "ca.pem").write_bytes(certificate(issuer, authority.public_key(), mine, usage))
    named = x509.SubjectAlternativeName([x509.IPAddress(ip_address(LOOPBACK))])
    (folder / "server.pem").write_bytes(certificate("server", key.public_key(), named))
    (folder / "server.key").touch(0o600)
    (folder / "server.key").write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    )
    return folder / "ca.pem"


class Tls(Server):
    """What is added to a server; each class below is one with its own kind."""

    authority: Path

    def prepare(self) -> None:
        self.authority = make(self.directory)
        self.tls_port = free_port()
        super().prepare()

    def trusting(self, table: str, authority: Path) -> str:
        """The address of a table, with that authority trusted where an address can say so."""
        raise NotImplementedError


class Postgresql(Tls, storeservers.Postgresql):
    def argv(self) -> list[str | Path]:
        place = self.directory
        told = (f"ssl_cert_file={place}/server.pem", f"ssl_key_file={place}/server.key", "ssl=on")
        return [*super().argv(), *(word for one in told for word in ("-c", one))]

    def trusting(self, table: str, authority: Path) -> str:
        name, *values = COLUMNS[table]
        return (
            f"{self.base()}?sslmode=verify-full&sslrootcert={authority}"
            f"&table={table_name(table)}&key={name}&value={','.join(values)}"
        )


class Mariadb(Tls, storeservers.Mariadb):
    def argv(self) -> list[str | Path]:
        place = self.directory
        return [
            *super().argv(), f"--ssl-cert={place}/server.pem", f"--ssl-key={place}/server.key",
        ]  # fmt: skip

    def trusting(self, table: str, authority: Path) -> str:
        name, *values = COLUMNS[table]
        return (
            f"{self.base()}?ssl_ca={authority}"
            f"&table={table_name(table)}&key={name}&value={','.join(values)}"
        )


class Rediss(Tls, storeservers.Redis):
    """Without TLS it listens on a port of its own, for the tests to fill it."""

    def argv(self) -> list[str | Path]:
        place = self.directory
        return [
            *super().argv(), "--tls-port", str(self.tls_port), "--tls-auth-clients", "no",
            "--tls-cert-file", place / "server.pem", "--tls-key-file", place / "server.key",
            "--tls-ca-cert-file", self.authority,
        ]  # fmt: skip

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORD)

    def trusting(self, table: str, authority: Path) -> str:
        return (
            f"rediss://{LOOPBACK}:{self.tls_port}/0?ssl_ca_certs={authority}&prefix=dkim:{table}:"
        )


class Ldaps(Tls, storeservers.Ldap):
    """Whom it trusts, an LDAP client reads from LDAPTLS_CACERT or ldap.conf(5)."""

    extension = ""

    def config(self) -> str:
        place = self.directory
        return (
            f"TLSCertificateFile {place}/server.pem\nTLSCertificateKeyFile {place}/server.key\n"
            f"TLSCACertificateFile {self.authority}\n{super().config()}"
        )

    def argv(self) -> list[str | Path]:
        *before, _place, flag, file = super().argv()
        places = f"ldap://{LOOPBACK}:{self.port} ldaps://{LOOPBACK}:{self.tls_port}"
        return [*before, places, flag, file]

    def place(self) -> str:
        return f"ldaps://{LOOPBACK}:{self.tls_port}"

    def trusting(self, table: str, authority: Path) -> str:
        who = ADMIN.replace(",", "%2C")
        return (
            f"{self.place()}/ou={table},{SUFFIX}?description?one?(mail=$d)?bindname={who}"
            f"{self.extension}"
        )


class StartTls(Ldaps):
    extension = ",x-starttls"

    def place(self) -> str:
        return f"ldap://{LOOPBACK}:{self.port}"


MADE: dict[str, type[Tls]] = {
    "postgresql": Postgresql,
    "mariadb": Mariadb,
    "rediss": Rediss,
    "ldaps": Ldaps,
    "starttls": StartTls,
}


def missing(kind: str) -> str:
    """The program that is not installed; "" when all is there."""
    return storeservers.missing(PROGRAMS.get(kind, kind))


@contextmanager
def running(kind: str, directory: Path) -> Iterator[Tls]:
    """The server, until the end of the with statement."""
    place = directory / kind
    place.mkdir(parents=True)
    server = MADE[kind](place)
    try:
        yield server
    finally:
        server.stop()

"""Issues certificates and kubeconfigs: one authority, one certificate for each client and server."""

import base64
import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=365)
RENEWED_BEFORE = dt.timedelta(days=30)
"""A certificate that expires sooner is issued again at the next start."""

KEY_BITS = 2048


@dataclass(frozen=True, kw_only=True)
class Subject:
    """The subject of a certificate: for Kubernetes, the common name is a user, an organization a group."""

    name: str
    common_name: str
    groups: Sequence[str] = ()
    hosts: Sequence[str] = ()
    """Names and addresses of a server; empty for a client."""


@dataclass(frozen=True, kw_only=True)
class Authority:
    """The lab's certificate authority, with all certificates in one folder."""

    folder: Path

    @property
    def certificate(self) -> Path:
        """The authority's own certificate."""
        return self.folder / "ca.crt"

    def path(self, name: str, suffix: str) -> Path:
        """Return a file of a subject: `crt` or `key`."""
        return self.folder / f"{name}.{suffix}"

    def ensure(self, subjects: Sequence[Subject]) -> None:
        """Issue the certificates that are missing, expiring or of another subject."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not self.path("ca", "key").exists() or _expires_soon(self.certificate):
            for old in self.folder.glob("*.crt"):
                old.unlink()
            self._sign(Subject(name="ca", common_name="mesh-lab"), itself=True)
        if not self.path("service-accounts", "key").exists():
            # Signs service accounts' tokens; with a key of its own they stay valid after a renewal.
            self._write_key("service-accounts")
        for subject in subjects:
            if not self._has(subject):
                self._sign(subject)

    def kubeconfig(self, path: Path, subject: str, server: str) -> None:
        """Write a kubeconfig with one context, `lab`, for a subject; only its owner can read it."""

        def embedded(file: Path) -> str:
            return base64.b64encode(file.read_bytes()).decode()

        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "lab",
                    "cluster": {
                        "server": server,
                        "certificate-authority-data": embedded(self.certificate),
                    },
                }
            ],
            "users": [
                {
                    "name": subject,
                    "user": {
                        "client-certificate-data": embedded(self.path(subject, "crt")),
                        "client-key-data": embedded(self.path(subject, "key")),
                    },
                }
            ],
            "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": subject}}],
            "current-context": "lab",
        }
        write_private(path, yaml.safe_dump(document).encode())

    def _has(self, subject: Subject) -> bool:
        certificate = self.path(subject.name, "crt")
        if not (certificate.exists() and self.path(subject.name, "key").exists()) or _expires_soon(
            certificate
        ):
            return False
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
        return loaded.subject == _name(subject) and _hosts(loaded) == set(subject.hosts)

    def _sign(self, subject: Subject, *, itself: bool = False) -> None:
        key = self._write_key(subject.name)
        issuer_key = key if itself else _load_key(self.path("ca", "key"))
        issuer = (
            _name(subject)
            if itself
            else x509.load_pem_x509_certificate(self.certificate.read_bytes()).subject
        )
        now = dt.datetime.now(dt.UTC)
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(minutes=5))
            .not_valid_after(now + LIFETIME)
            .add_extension(x509.BasicConstraints(ca=itself, path_length=None), critical=True)
        )
        if not itself:
            usages = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if subject.hosts:
            names = [_general_name(host) for host in subject.hosts]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(issuer_key, hashes.SHA256())
        write_private(self.path(subject.name, "crt"), certificate.public_bytes(serialization.Encoding.PEM))

    def _write_key(self, name: str) -> rsa.RSAPrivateKey:
        key = rsa.generate_private_key(public_exponent=65537, key_size=KEY_BITS)
        write_private(
            self.path(name, "key"),
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            ),
        )
        return key


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner can read, in one step."""
    scratch = path.with_name(path.name + ".part")
    scratch.unlink(missing_ok=True)
    scratch.touch(mode=0o600)
    scratch.write_bytes(content)
    scratch.rename(path)


def _name(subject: Subject) -> x509.Name:
    attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, group) for group in subject.groups]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, subject.common_name)])


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _hosts(certificate: x509.Certificate) -> set[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return set()
    return {str(name.value) for name in names}


def _expires_soon(certificate: Path) -> bool:
    if not certificate.exists():
        return True
    try:
        loaded = x509.load_pem_x509_certificate(certificate.read_bytes())
    except ValueError:
        return True  # half written, because the disk was full or the machine went down
    return loaded.not_valid_after_utc - dt.datetime.now(dt.UTC) < RENEWED_BEFORE


def _load_key(path: Path) -> rsa.RSAPrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError(f"{path} holds no RSA key")
    return key

"""Certificates for servers and clients, of an authority that lives as long as a test."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

LIFETIME = timedelta(hours=2)


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Signs what it is asked for, and keeps everything in one folder."""

    folder: Path
    name: str
    _key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))

    def __post_init__(self) -> None:
        """Write the authority's own certificate."""
        own = self._signed(self.name, self._key.public_key(), x509.BasicConstraints(ca=True, path_length=0))
        self.certificate.write_bytes(own)

    @property
    def certificate(self) -> Path:
        """What proves its signatures."""
        return self.folder / f"{self.name}.crt"

    def issue(self, name: str, *hosts: str) -> tuple[Path, Path]:
        """Make a certificate for some hosts, or for a client, and return it with its key."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts or (name,)])
        paths = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        paths[0].write_bytes(self._signed(name, key.public_key(), names))
        paths[1].write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return paths

    def _signed(self, name: str, key: ec.EllipticCurvePublicKey, extension: x509.ExtensionType) -> bytes:
        now = datetime.now(UTC)
        subject, issuer = (
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, self.name)
        )
        certificate = x509.CertificateBuilder(
            issuer, subject, key, x509.random_serial_number(), now - timedelta(minutes=5), now + LIFETIME
        ).add_extension(extension, critical=isinstance(extension, x509.BasicConstraints))
        return certificate.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

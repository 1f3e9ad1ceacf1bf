import base64
import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from cryptography import x509
from cryptography.x509.oid import NameOID

from lab.node import pki
from lab.node.control_plane import SUBJECTS
from lab.node.pki import Authority, Subject

SERVER = Subject(name="etcd", common_name="etcd", hosts=("127.0.0.1", "localhost"))
ADMIN = Subject(name="admin", common_name="admin", groups=("system:masters", "people"))


@pytest.fixture(scope="module", autouse=True)
def small_keys() -> Iterator[None]:
    """Keys that are quick to make; the tests are about everything else."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pki, "KEY_BITS", 1024)
        yield


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority with a server and a client."""
    made = Authority(folder=tmp_path / "pki")
    made.ensure([SERVER, ADMIN])
    return made


def certificate(authority: Authority, name: str) -> x509.Certificate:
    """A certificate, read from its file."""
    return x509.load_pem_x509_certificate(authority.path(name, "crt").read_bytes())


def serials(authority: Authority) -> dict[str, int]:
    """Which certificates are there; a renewed one has another serial number."""
    names = [path.stem for path in authority.folder.glob("*.crt")]
    return {name: certificate(authority, name).serial_number for name in names}


def greet(authority: Authority, host: str) -> str:
    """A client of the authority greets the server under a name; returns the client's name as it arrived."""
    ssl_server, ssl_client = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for context, name in ((ssl_server, "etcd"), (ssl_client, "admin")):
        context.load_verify_locations(authority.certificate)
        context.set_ciphers("DEFAULT@SECLEVEL=0")  # for the small keys of these tests
        context.load_cert_chain(authority.path(name, "crt"), authority.path(name, "key"))
        context.verify_mode = ssl.CERT_REQUIRED
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = ssl_client.wrap_bio(back, there, server_hostname=host)
    server = ssl_server.wrap_bio(there, back, server_side=True)
    for _ in range(3):
        for side in (client, server):
            try:
                side.do_handshake()
            except ssl.SSLWantReadError:
                continue
    subject = (server.getpeercert() or {})["subject"]
    return next(value for part in subject for name, value in part if name == "commonName")  # type: ignore[str-unpack]


def test_all_that_it_signed_is_trusted_by_whoever_trusts_it(authority: Authority) -> None:
    """The chain verifies: signature and issuer are those of the authority, which signed itself."""
    root = certificate(authority, "ca")
    for name in ("ca", "etcd", "admin"):
        certificate(authority, name).verify_directly_issued_by(root)


def test_only_the_authority_can_sign(authority: Authority) -> None:
    """A client's key cannot sign further certificates."""
    for name, can in (("ca", True), ("etcd", False), ("admin", False)):
        limits = certificate(authority, name).extensions.get_extension_for_class(x509.BasicConstraints)
        assert limits.value.ca is can
        assert limits.critical


@pytest.mark.parametrize("host", SERVER.hosts)
def test_client_and_server_accept_each_other(authority: Authority, host: str) -> None:
    """A real handshake, with both certificates asked for, under each name and address of the server."""
    assert greet(authority, host) == "admin"


def test_a_server_is_not_accepted_under_another_name(authority: Authority) -> None:
    """The certificate holds for its own names and addresses only."""
    with pytest.raises(ssl.SSLCertVerificationError, match="kubernetes"):
        greet(authority, "kubernetes")


def test_groups_are_organizations(authority: Authority) -> None:
    """Kubernetes reads a user's groups from there: that is how the administrator is one."""
    subject = certificate(authority, "admin").subject
    organizations = [part.value for part in subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)]
    assert organizations == ["system:masters", "people"]


def test_the_labs_own_subjects() -> None:
    """One administrator; the kubelet is a node; the API server answers to its Service's names."""
    subjects = {subject.name: subject for subject in SUBJECTS}
    assert [name for name, subject in subjects.items() if "system:masters" in subject.groups] == ["admin"]
    assert subjects["kubelet"].common_name == "system:node:lab"
    assert subjects["kubelet"].groups == ("system:nodes",)
    assert {"127.0.0.1", "10.96.0.1", "kubernetes.default.svc"} <= set(subjects["kube-apiserver"].hosts)


def test_only_the_owner_can_read_them(authority: Authority) -> None:
    """Keys and certificates are open to their owner only, and so is the folder."""
    assert authority.folder.stat().st_mode & 0o777 == 0o700
    for path in authority.folder.iterdir():
        assert path.stat().st_mode & 0o777 == 0o600, path


def test_valid_certificates_stay(authority: Authority) -> None:
    """A second start renews nothing, and so restarts nothing."""
    before = {path: path.read_bytes() for path in authority.folder.iterdir()}
    authority.ensure([SERVER, ADMIN])
    assert {path: path.read_bytes() for path in authority.folder.iterdir()} == before


@pytest.mark.parametrize(
    "changed",
    [
        Subject(name="etcd", common_name="etcd", hosts=("127.0.0.1", "localhost", "lab")),
        Subject(name="etcd", common_name="etcd2", hosts=SERVER.hosts),
        Subject(name="etcd", common_name="etcd", hosts=SERVER.hosts, groups=("stores",)),
    ],
)
def test_the_certificate_of_a_changed_subject_is_issued_again(authority: Authority, changed: Subject) -> None:
    """Only that one: a new address of the API server changes no client."""
    before = serials(authority)
    authority.ensure([changed, ADMIN])
    after = serials(authority)
    assert {name for name in before if before[name] != after[name]} == {"etcd"}


@pytest.mark.parametrize("broken", ["missing certificate", "missing key", "empty certificate"])
def test_broken_files_are_issued_again(authority: Authority, broken: str) -> None:
    """Whatever happened to the files of one subject, the next start repairs them."""
    before = serials(authority)
    path = authority.path("etcd", "key" if broken == "missing key" else "crt")
    path.write_bytes(b"") if broken.startswith("empty") else path.unlink()
    authority.ensure([SERVER, ADMIN])
    after = serials(authority)
    assert {name for name in before if before[name] != after[name]} == {"etcd"}
    assert greet(authority, "localhost") == "admin"


def test_what_expires_soon_is_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lab that is started now and then never meets an expired certificate."""
    authority = Authority(folder=tmp_path)
    authority.ensure([SERVER])
    with monkeypatch.context() as short:
        short.setattr(pki, "LIFETIME", pki.RENEWED_BEFORE - dt.timedelta(days=1))
        authority.ensure([ADMIN])
    before = serials(authority)
    authority.ensure([SERVER, ADMIN])
    after = serials(authority)
    assert {name for name in before if before[name] != after[name]} == {"admin"}


@pytest.mark.parametrize("suffix", ["crt", "key"])
def test_without_the_authority_all_is_signed_again_but_tokens_stay_valid(
    authority: Authority, suffix: str
) -> None:
    """A new authority makes new certificates; the key of the service accounts' tokens is no part of it."""
    before, tokens = serials(authority), authority.path("service-accounts", "key").read_bytes()
    authority.path("ca", suffix).unlink()
    authority.ensure([SERVER, ADMIN])
    after = serials(authority)
    assert {name for name in before if before[name] != after[name]} == {"ca", "etcd", "admin"}
    assert authority.path("service-accounts", "key").read_bytes() == tokens
    assert greet(authority, "127.0.0.1") == "admin"


def test_kubeconfig_has_the_one_context_lab(authority: Authority, tmp_path: Path) -> None:
    """`kubernetes:context: lab` finds the cluster, with all certificates inside the one private file."""
    path = tmp_path / "kubeconfig"
    authority.kubeconfig(path, "admin", "https://127.0.0.1:6443")
    document = yaml.safe_load(path.read_text())
    cluster, user = document["clusters"][0]["cluster"], document["users"][0]["user"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert document["contexts"] == [{"name": "lab", "context": {"cluster": "lab", "user": "admin"}}]
    assert document["current-context"] == "lab"
    assert cluster["server"] == "https://127.0.0.1:6443"
    for embedded, file in (
        (cluster["certificate-authority-data"], authority.certificate),
        (user["client-certificate-data"], authority.path("admin", "crt")),
        (user["client-key-data"], authority.path("admin", "key")),
    ):
        assert base64.b64decode(embedded) == file.read_bytes()


def test_a_private_file_takes_the_place_of_an_open_one(tmp_path: Path) -> None:
    """What was readable by others is not any more, and no scratch file is left."""
    path = tmp_path / "kubeconfig"
    path.touch(mode=0o644)
    pki.write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]

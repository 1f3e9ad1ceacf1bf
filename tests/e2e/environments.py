"""The project's own environments: dev as `make up` makes it, staging and prod beside it during tests."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from tests.e2e.certificates import Authority
from tests.e2e.conftest import CHECKOUT, Shell

PROD = "prod.example.com"
SECRET = "springbootapp-prod"  # noqa: S105 (its name)
YES = "--yes --skip-preview"
BESIDE_DEV = ("staging", "prod")


@contextmanager
def side_by_side(authority: Authority) -> Iterator[Shell]:
    """All three up at the same time; the two that `make up` does not make go at the end.

    Args:
        authority: who signs prod's certificate.
    """
    shell = Shell(folder=CHECKOUT)
    certificate, key = authority.issue("prod", PROD)
    shell.run(
        f"kubectl create secret tls {SECRET} -n istio-system --cert {certificate} --key {key} "
        "--dry-run=client -o yaml | kubectl apply -f -"
    )
    for stack in BESIDE_DEV:
        shell.run(f"pulumi stack select --create {stack}")
    _both(shell, "up")
    yield shell
    with _prods_word_taken_back(shell):
        _both(shell, "destroy")
    shell.run(f"kubectl delete secret {SECRET} -n istio-system")


def _both(shell: Shell, command: str) -> None:
    """Two terminals at once: the stacks have nothing in common but the cluster."""
    with ThreadPoolExecutor() as terminals:
        list(terminals.map(lambda stack: shell.run(f"pulumi {command} --stack {stack} {YES}"), BESIDE_DEV))


@contextmanager
def _prods_word_taken_back(shell: Shell) -> Iterator[None]:
    """Let prod be destroyed, by what docs/operations.md says; its stack file is as before afterwards."""
    stack_file = CHECKOUT / "Pulumi.prod.yaml"
    before = stack_file.read_text()
    try:
        shell.run("pulumi config set --stack prod --path mesh-app:protected false")
        shell.run("pulumi up --stack prod --yes --skip-preview")
        yield
    finally:
        stack_file.write_text(before)

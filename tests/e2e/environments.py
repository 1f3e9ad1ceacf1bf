"""The project's own environments: dev as `make up` makes it, staging and prod beside it during tests."""

from collections.abc import Iterator
from contextlib import contextmanager

from tests.e2e.certificates import Authority
from tests.e2e.conftest import CHECKOUT, Shell

PROD = "prod.example.com"
SECRET = "springbootapp-prod"  # noqa: S105 (its name)


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
    for stack in ("staging", "prod"):
        shell.run(f"pulumi stack select --create {stack}")
        shell.run(f"pulumi up --stack {stack} --yes --skip-preview")
    yield shell
    with _prods_word_taken_back(shell):
        for stack in ("staging", "prod"):
            shell.run(f"pulumi destroy --stack {stack} --yes --skip-preview")
    shell.run(f"kubectl delete secret {SECRET} -n istio-system")


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

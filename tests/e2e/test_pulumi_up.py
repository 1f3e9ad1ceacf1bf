"""After `source .lab/env` everything works as with Pulumi's own installation on any cluster."""

import pytest

from tests.e2e.conftest import Shell
from tests.e2e.traffic import ask, ask_until

URL = "http://127.0.0.1:31380/hello"


def test_nothing_to_do_right_after_up(shell: Shell) -> None:
    """Preview shows no change; so does refresh, whose exit code alone says so."""
    assert (
        "to create"
        not in shell.run("pulumi preview --stack dev --expect-no-changes --non-interactive").stdout
    )
    shell.run("pulumi refresh --stack dev --preview-only --expect-no-changes --run-program --non-interactive")


def test_a_weight_change_touches_the_routes_alone(shell: Shell) -> None:
    """Law 1: the VirtualServices and nothing else; the split follows, and goes back."""
    try:
        shell.run("cp Pulumi.dev.yaml .lab/Pulumi.dev.yaml.before")
        for version, weight in (("v1", 50), ("v2", 50)):
            shell.run(f"pulumi config set --stack dev --path mesh-app:weights.{version} {weight}")
        preview = shell.json("pulumi preview --stack dev --json --non-interactive")
        changed = [step["urn"] for step in preview["steps"] if step["op"] not in {"same", "read"}]
        assert {urn.partition("VirtualService::")[2] for urn in changed} == {
            "springbootapp",
            "springbootapp.mesh",
        }, changed
        shell.run("pulumi up --stack dev --yes --skip-preview")
        answers = ask(URL, 400)
        assert set(answers) == {"v1", "v2"}, answers
        # 400 fair coins: 5 standard deviations are 50.
        assert 150 <= answers["v2"] <= 250, answers
    finally:
        shell.run("mv .lab/Pulumi.dev.yaml.before Pulumi.dev.yaml")
        shell.run("pulumi up --stack dev --yes --skip-preview")
    assert ask_until(URL, 50, lambda answers: set(answers) == {"v1"}) == {"v1": 50}


@pytest.mark.parametrize("round_", [1, 2])
def test_destroy_and_up_again(shell: Shell, round_: int) -> None:
    """Twice in a row: destroy leaves no namespace and no port, up brings the walkthrough back."""
    shell.run("pulumi destroy --stack dev --yes --skip-preview")
    assert shell.run("kubectl get namespace springistiodemo", check=False).returncode
    shell.run("pulumi up --stack dev --yes --skip-preview")
    assert ask_until(URL, 50, lambda answers: set(answers) == {"v1"}) == {"v1": 50}, f"round {round_}"


def test_plain_refresh_keeps_the_stack_true(shell: Shell) -> None:
    """`pulumi refresh` finds nothing to take over from the cluster."""
    said = shell.run("pulumi refresh --stack dev --yes --run-program --non-interactive").stdout
    assert "updated" not in said

"""The policy pack, run by Pulumi itself in previews of real stacks."""

import json
import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
import yaml

from mesh_rules.catalogue import RULES
from tests.e2e.conftest import CHECKOUT, Shell
from tests.e2e.rule_violations import ADVISORY, BEGINNING, MANDATORY, NOT_YET_KNOWN

PACK = CHECKOUT / "policy"
BROKEN = re.compile(r"- \[(mandatory|advisory)\] +([\w-]+)")


@pytest.fixture(scope="module")
def elsewhere(_lab_is_up: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """Another team's project, with a stack `prod` that is only ever previewed."""
    shell = Shell(folder=tmp_path_factory.mktemp("elsewhere"))
    project = {"name": "elsewhere", "runtime": "python"}
    (shell.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
    shell.run("pulumi stack select --create prod --non-interactive")
    shell.run("pulumi config set kubernetes:context lab --stack prod")
    yield shell
    shell.run("pulumi stack rm --yes --stack prod")


def preview(shell: Shell, program: str, *options: str) -> CompletedProcess[str]:
    """Preview a program with the policy pack."""
    (shell.folder / "__main__.py").write_text(BEGINNING + program)
    words = " ".join(options)
    return shell.run(
        f"pulumi preview --stack prod --non-interactive --policy-pack {PACK} {words}", check=False
    )


def broken(done: CompletedProcess[str]) -> set[tuple[str, str]]:
    """List the rules that a preview reports as broken, with their levels."""
    return {(level, name) for level, name in BROKEN.findall(done.stdout)}


def test_the_walkthrough_breaks_no_rule(shell: Shell) -> None:
    """The command of the document, on the dev stack as it is."""
    done = shell.run("pulumi preview --policy-pack policy --stack dev --non-interactive")
    assert "✅ mesh-rules@" in done.stdout, done.stdout
    assert broken(done) == set()


def test_istio_itself_breaks_no_mandatory_rule(shell: Shell) -> None:
    """Istio's own charts break advisory rules at most."""
    done = shell.run(
        "cd mesh-platform && pulumi preview --policy-pack ../policy --stack lab --non-interactive"
    )
    assert "mesh-rules@" in done.stdout
    assert {name for level, name in broken(done) if level == "mandatory"} == set()


def test_there_is_a_program_that_breaks_each_mandatory_rule() -> None:
    """A new rule needs one too."""
    assert set(MANDATORY) == {rule.name for rule in RULES if rule.level == "mandatory"}


@pytest.mark.parametrize("rule", MANDATORY)
def test_a_stack_that_breaks_a_mandatory_rule_is_stopped(elsewhere: Shell, rule: str) -> None:
    """By this rule and no other, with a fix."""
    done = preview(elsewhere, MANDATORY[rule])
    assert done.returncode != 0
    assert {name for level, name in broken(done) if level == "mandatory"} == {rule}, done.stdout
    assert re.search(r"  path   .+\n +value  .+\n +fix    .+\n", done.stdout), done.stdout


def test_advisory_rules_are_shown_and_stop_nothing(elsewhere: Shell) -> None:
    """All of them, in one stack."""
    done = preview(elsewhere, ADVISORY)
    assert done.returncode == 0, done.stdout
    assert broken(done) == {("advisory", rule.name) for rule in RULES if rule.level == "advisory"}


def test_what_a_preview_does_not_know_stops_nothing(elsewhere: Shell) -> None:
    """Weights, subsets, images, resources and labels from a resource that does not exist yet."""
    done = preview(elsewhere, NOT_YET_KNOWN)
    assert done.returncode == 0, done.stdout
    assert {name for level, name in broken(done) if level == "mandatory"} == set()


def test_the_config_sets_levels_exceptions_and_production_stacks(elsewhere: Shell) -> None:
    """A level changes one rule, an exception one object, and neither changes anything else."""
    config = elsewhere.folder / "rules.json"
    option = f"--policy-pack-config {config}"
    config.write_text(json.dumps({"weights-sum-to-100": "advisory"}))
    done = preview(elsewhere, MANDATORY["weights-sum-to-100"], option)
    assert done.returncode == 0, done.stdout
    assert broken(done) == {("advisory", "weights-sum-to-100")}

    config.write_text(json.dumps({"not-root": {"exempt": ["Deployment shop/cart"]}}))
    assert preview(elsewhere, MANDATORY["not-root"], option).returncode == 0
    config.write_text(json.dumps({"not-root": {"exempt": ["Deployment shop/other"]}}))
    assert ("mandatory", "not-root") in broken(preview(elsewhere, MANDATORY["not-root"], option))

    config.write_text(json.dumps({"mtls-not-disabled": {"production": ["live"]}}))
    assert preview(elsewhere, MANDATORY["mtls-not-disabled"], option).returncode == 0

"""The policy pack, run by Pulumi itself in previews of real stacks."""

import json
import re
from collections.abc import Iterator
from subprocess import CompletedProcess

import pytest
import yaml

from mesh_rules.catalogue import LAWS
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
    """Preview a program under the laws."""
    (shell.folder / "__main__.py").write_text(BEGINNING + program)
    words = " ".join(options)
    return shell.run(
        f"pulumi preview --stack prod --non-interactive --policy-pack {PACK} {words}", check=False
    )


def broken(done: CompletedProcess[str]) -> set[tuple[str, str]]:
    """List the laws that a preview shows as broken, with their levels."""
    return {(level, name) for level, name in BROKEN.findall(done.stdout)}


def test_the_walkthrough_obeys(shell: Shell) -> None:
    """The command of the document, on the dev stack as it is."""
    done = shell.run("pulumi preview --policy-pack policy --stack dev --non-interactive")
    assert "✅ mesh-laws@" in done.stdout, done.stdout
    assert broken(done) == set()


def test_istio_itself_breaks_no_mandatory_law(shell: Shell) -> None:
    """The platform's charts, as they come from Istio; what they leave open is advice."""
    done = shell.run(
        "cd mesh-platform && pulumi preview --policy-pack ../policy --stack lab --non-interactive"
    )
    assert "mesh-laws@" in done.stdout
    assert {name for level, name in broken(done) if level == "mandatory"} == set()


def test_there_is_a_lawbreaker_for_each_mandatory_law() -> None:
    """None is forgotten when a law is added."""
    assert set(MANDATORY) == {rule.name for rule in LAWS if rule.level == "mandatory"}


@pytest.mark.parametrize("rule", MANDATORY)
def test_a_stack_that_breaks_a_mandatory_law_is_stopped(elsewhere: Shell, rule: str) -> None:
    """By this law and no other, with what to do."""
    done = preview(elsewhere, MANDATORY[rule])
    assert done.returncode != 0
    assert {name for level, name in broken(done) if level == "mandatory"} == {rule}, done.stdout
    assert re.search(r"  path   .+\n +value  .+\n +mend   .+\n", done.stdout), done.stdout


def test_advisory_laws_are_shown_and_stop_nothing(elsewhere: Shell) -> None:
    """All of them, in one stack."""
    done = preview(elsewhere, ADVISORY)
    assert done.returncode == 0, done.stdout
    assert broken(done) == {("advisory", rule.name) for rule in LAWS if rule.level == "advisory"}


def test_what_a_preview_does_not_know_stops_nothing(elsewhere: Shell) -> None:
    """Weights, subsets, images, resources and labels that come out of a resource still to be made."""
    done = preview(elsewhere, NOT_YET_KNOWN)
    assert done.returncode == 0, done.stdout
    assert {name for level, name in broken(done) if level == "mandatory"} == set()


def test_the_config_sets_levels_exceptions_and_what_production_is(elsewhere: Shell) -> None:
    """A level changes one law, an exception one object, and neither changes anything else."""
    config = elsewhere.folder / "laws.json"
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

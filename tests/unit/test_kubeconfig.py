"""A wrong context is told by name, beside all other faults of the stack file."""

from pathlib import Path

import pytest

from components.settings import kubeconfig
from components.settings.errors import ConfigError
from components.settings.load import parse
from tests.unit.stacks import with_changes

FILE = "contexts: [{name: lab, context: {cluster: lab}}, {name: prod, context: {cluster: prod}}]"


def test_a_context_that_the_kubeconfig_lacks_is_a_fault() -> None:
    """The message names the context, those there are and the next command, beside the other faults."""
    config = {**with_changes(weights__v1=90), "kubernetes:context": "prdo"}
    with pytest.raises(ConfigError) as error:
        parse(config, contexts={"lab", "prod"})
    sum_, context = sorted(error.value.issues, key=lambda fault: fault.code)
    assert (sum_.code, context.code, str(context.path)) == ("MESH101", "MESH130", "kubernetes:context")
    assert "lab, prod" in context.rule
    assert "kubectl config get-contexts" in context.fix


def test_contexts_come_from_every_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Found as kubectl finds them: every file of the list, missing ones passed over."""
    (tmp_path / "a").write_text(FILE)
    (tmp_path / "b").write_text("contexts: [{name: other, context: {}}]")
    monkeypatch.setenv("KUBECONFIG", f"{tmp_path}/a:{tmp_path}/missing:{tmp_path}/b")
    assert kubeconfig.contexts() == {"lab", "prod", "other"}


@pytest.mark.parametrize("content", [None, "{", "[]", "text"])
def test_without_a_readable_kubeconfig_nothing_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    """A cluster may be reached in other ways: the provider then says what it lacks."""
    if content is not None:
        (tmp_path / "config").write_text(content)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    assert kubeconfig.contexts() is None
    assert parse(with_changes(), contexts=kubeconfig.contexts()).cluster.context == "lab"

"""From a stack file to settings: what is taken, what is made of it, and how all faults come at once."""

import json
from pathlib import Path

import pulumi
import pytest
import yaml
from pulumi.runtime import config as pulumi_config

from components.model.stack import Revision, ServicesFile, StackFile
from components.schema.issues import Path as Place
from components.schema.issues import assign
from components.schema.type_hints import keys_of
from components.settings import load
from components.settings.errors import ConfigError
from components.settings.load import parse
from tests.unit.stacks import GONE, WALKTHROUGH, issues, several, stack, with_changes

ROOT = Path(__file__).parents[2]


def test_the_walkthrough_is_taken_as_it_stands() -> None:
    """Each key of the stack file arrives in its place, and what it leaves out has its default."""
    read = stack()
    (service,) = read.services
    assert (read.cluster.context, read.cluster.identity) == ("lab", "lab")
    assert (read.namespace.name, read.namespace.injection) == ("springistiodemo", "enabled")
    assert (service.app.port, service.app.shown_path) == (8080, "/hello")
    assert {name: service.image(name) for name in service.versions} == {
        "v1": "xjk27400861/springbootapp:42",
        "v2": "xjk27400861/springbootapp:43",
    }
    assert (read.ingress.service, read.ingress.selector) == (
        "istio-system/istio-ingressgateway",
        {"istio": "ingressgateway"},
    )


def test_a_stored_zero_is_a_zero_and_a_missing_version_is_one_too() -> None:
    """No weight is ever made up: what is not said is 0, and 0 stays 0."""
    (service,) = stack(versions__v3={"tag": "44"}, weights={"v1": 0, "v2": 100}).services
    assert service.split == {"v1": 0, "v2": 100, "v3": 0}


def test_numbers_come_as_yaml_and_json_write_them() -> None:
    """10.0 is 10 where JSON made it so; a tag that `pulumi config set` stored as a number is text again."""
    (service,) = stack(weights={"v1": 90.0, "v2": 10}, versions__v2__tag=44).services
    assert service.split == {"v1": 90, "v2": 10}
    assert all(type(weight) is int for weight in service.split.values())
    assert service.versions["v2"].tag == "44"


def test_a_digest_names_the_image_in_its_own_way() -> None:
    """With a digest the pods run exactly these bytes."""
    digest = "sha256:" + "0" * 64
    (service,) = stack(versions__v2={"digest": digest}).services
    assert service.image("v2") == f"xjk27400861/springbootapp@{digest}"


@pytest.mark.parametrize("injection", ["enabled", "disabled", "manual", "ambient"])
def test_injection_is_one_of_four_words(injection: str) -> None:
    """The four ways without a revision; of callers in an ambient mesh none follows routes."""
    mesh = {"mesh": False} if injection == "ambient" else {}
    assert stack(namespace__injection=injection, **mesh).namespace.injection == injection


def test_injection_can_name_a_revision() -> None:
    """The fifth way."""
    assert stack(namespace__injection={"revision": "canary"}).namespace.injection == Revision(
        revision="canary"
    )


@pytest.mark.parametrize(
    "image",
    [
        "nginx",
        "library/nginx",
        "localhost/app",
        "localhost:5000/app",
        "registry:5000/team/app",
        "ghcr.io/a/b_c-d.e",
    ],
)
def test_image_repositories_of_all_kinds_are_taken(image: str) -> None:
    """With and without a registry, a port, folders."""
    assert not issues(app__image=image)


@pytest.mark.parametrize(
    "image", ["", "App", "app:1", "a/b@sha256:00", "a//b", "/a", "a/", "ghcr.io/Team/app", "a b", "a\n"]
)
def test_what_is_no_image_repository_is_refused(image: str) -> None:
    """Capitals, tags, digests, empty parts and spaces stop before a pod cannot start."""
    assert [issue.code for issue in issues(app__image=image)] == ["MESH006"]


@pytest.mark.parametrize(
    "host", ["*", "*.com", "*.example.com", "shop.example.com", "a-b.c1", "xn--bcher-kva.example"]
)
def test_hosts_that_istio_takes_are_taken(host: str) -> None:
    """All, a domain, or one host."""
    assert not issues(gateway__hosts=[host])


@pytest.mark.parametrize(
    "host", ["", "localhost", "a.*", "*a.b", "127.0.0.1", "A.b", "a..b", ".a.b", "a.b.", "ns/a.b", "*.*"]
)
def test_hosts_that_istio_refuses_are_refused(host: str) -> None:
    """Short names, partial wildcards, addresses, capitals."""
    assert [issue.code for issue in issues(gateway__hosts=[host])] == ["MESH006"]


def test_all_faults_come_at_once() -> None:
    """One run names every mistake, those between values among them, each with its code and place."""
    with pytest.raises(ConfigError) as caught:
        stack(
            app__prot=1,
            namespace__name="Demo",
            versions__v2__tag=4.1,
            weights={"v1": 90, "v2": 20},
            kubernetes_context=GONE,
        )
    found = {(issue.code, str(issue.path)) for issue in caught.value.issues}
    assert found == {
        ("MESH001", "mesh-app:app.prot"),
        ("MESH006", "mesh-app:namespace.name"),
        ("MESH008", "mesh-app:versions.v2.tag"),
        ("MESH101", "mesh-app:weights"),
        ("MESH002", "kubernetes:context"),
    }
    assert "5 errors" in str(caught.value)


def test_a_value_with_a_fault_of_its_own_is_told_once() -> None:
    """A weight that is no number, of a version that is not there: a rule shows no value that nobody read."""
    assert [issue.code for issue in issues(weights={"v1": 100, "v9": "x"})] == ["MESH003"]
    half = {
        "name": "a",
        "to": "v1",
        "rewrite": {"uriRegex": {"match": "/(a)"}},
        "cookies": {"b": {"exact": 0.5}},
    }
    assert [issue.code for issue in issues(routes=[half])] == ["MESH008", "MESH002"]


def test_a_fault_shows_code_place_value_rule_and_mend() -> None:
    """The message is complete: nobody has to look anything up."""
    with pytest.raises(pulumi.RunError) as caught:
        stack(weights={"v1": 90, "v2": 20})
    assert str(caught.value) == (
        "the stack's configuration has 1 error; nothing was changed\n\n"
        "MESH101  mesh-app:weights\n"
        "  value  {v1: 90, v2: 20}\n"
        "  rule   the weights of all versions must sum to 100; these sum to 110\n"
        "  fix    pulumi config set --path 'mesh-app:weights.v1' 80"
    )


def test_the_nearest_key_is_named() -> None:
    """A slip of the finger is mended by pasting two commands."""
    (issue,) = issues(app__paht="/x")
    assert issue.fix == (
        "pulumi config rm --path 'mesh-app:app.paht'; pulumi config set --path 'mesh-app:app.path' /x"
    )


@pytest.mark.parametrize("value", [{}, [], None, False])
def test_an_unknown_key_is_told_of_though_there_is_nothing_in_it(value: object) -> None:
    """It was meant to say something; there is nothing to move to where it belongs."""
    (issue,) = issues(gatway=value)
    assert (issue.code, str(issue.path)) == ("MESH001", "mesh-app:gatway")
    assert issue.fix.startswith("pulumi config rm --path 'mesh-app:gatway'")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("true", "--type string true"),
        ("-x", "-- -x"),
        ("a b", "'a b'"),
        (True, "true"),
        (2, "2"),
        (0.5, "--type float 0.5"),
    ],
)
def test_a_command_gives_the_value_that_is_meant(value: object, said: str) -> None:
    """Pulumi guesses the type of what it is given, and takes a dash for an option."""
    assert assign(Place() / "mirror", value) == f"pulumi config set --path 'mesh-app:mirror' {said}"


def test_the_project_file_declares_every_key() -> None:
    """Pulumi checks the types that the model knows, and no default of the project says anything."""
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text(encoding="utf-8"))["config"]
    assert set(project) == keys_of(StackFile).keys() | keys_of(ServicesFile).keys()
    defaults = {f"mesh-app:{key}": declared["default"] for key, declared in project.items()}
    # Pulumi hands a scalar over as text, and the program undoes that before it parses.
    defaults["mesh-app:mesh"] = json.loads(defaults["mesh-app:mesh"])
    assert parse({**defaults, **WALKTHROUGH}) == stack()
    services = with_changes(**several())
    assert parse({**defaults, **services}) == parse(services)


def test_an_empty_default_of_the_project_file_counts_as_absent() -> None:
    """Pulumi.yaml gives every key an empty default, so that the program's own message is the one shown."""
    assert [(f.code, str(f.path)) for f in issues(app={})] == [("MESH002", "mesh-app:app")]
    assert stack(gateway={}).services[0].gateway.hosts == ("*",)


def test_configuration_is_read_as_pulumi_hands_it_over() -> None:
    """Objects come as JSON text, and a context that looks like a number stays text."""
    config = with_changes(kubernetes_context="1.5")
    pulumi_config.set_all_config(
        {k: v if isinstance(v, str) else json.dumps(v) for k, v in config.items()}, []
    )
    read = load.read()
    assert read.cluster.context == "1.5"
    assert read.services == stack().services


def test_an_encrypted_key_is_refused() -> None:
    """What goes into a plain Kubernetes object is no secret any more."""
    config = {k: v if isinstance(v, str) else json.dumps(v) for k, v in WALKTHROUGH.items()}
    pulumi_config.set_all_config(config, ["mesh-app:app"])
    with pytest.raises(ConfigError, match="MESH110  mesh-app:app") as caught:
        load.read()
    assert "springbootapp" not in str(caught.value)

"""Whose an object is, and that a stack takes over none that another owner made. `kubectl` is a script."""

import asyncio
import re
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest

from components.model import stack_identity
from components.resources.existing_namespace import labels_of_own
from components.rollout import hooks, ownership
from components.rollout.live_objects import former_managers
from components.rollout.ownership import Ownership
from components.settings.errors import ConfigError, OwnershipError
from tests.unit.kubectl import install
from tests.unit.stacks import several, stack

OWN = stack_identity.identity("mesh-app", "dev")
OTHER = stack_identity.identity("mesh-app", "prod")
NAMESPACE = "springistiodemo"
PULUMI = {"app.kubernetes.io/managed-by": "pulumi"}


@pytest.fixture(autouse=True)
def program(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stack dev runs an update."""
    monkeypatch.setattr(pulumi, "get_project", lambda: "mesh-app")
    monkeypatch.setattr(pulumi, "get_stack", lambda: "dev")
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: False)


def thing(
    kind: str, name: str, api: str = "v1", place: str = NAMESPACE, **metadata: object
) -> dict[str, Any]:
    where = {"namespace": place} if place else {}
    return {"apiVersion": api, "kind": kind, "metadata": {"name": name, **where, **metadata}}


def namespace(**metadata: object) -> dict[str, Any]:
    return thing("Namespace", NAMESPACE, "v1", "", **metadata)


def declare(
    owner: Ownership,
    wanted: dict[str, Any],
    **options: Any,  # noqa: ANN401 (those of a resource)
) -> pulumi.ResourceTransformationResult | None:
    """Let the program declare an object."""
    group = wanted["apiVersion"] if "/" in wanted["apiVersion"] else f"core/{wanted['apiVersion']}"
    return owner._own(  # noqa: SLF001 (Pulumi calls it for each resource)
        pulumi.ResourceTransformationArgs(
            resource=None,  # type: ignore[arg-type]
            type_=f"kubernetes:{group}:{wanted['kind']}",
            name="resource",
            props=wanted,
            opts=pulumi.ResourceOptions(**options),
        )
    )


def create(owner: Ownership, wanted: dict[str, Any]) -> None:
    """Come to where the engine is about to create a declared object."""
    asyncio.run(owner._is_free(SimpleNamespace(new_inputs=wanted)))  # type: ignore[arg-type] # noqa: SLF001


@pytest.mark.parametrize(
    ("project", "name"), [("mesh-app", "dev"), ("p" * 100, "s" * 100), ("_-x", "a.b"), ("a.b", "c_")]
)
def test_the_identity_is_the_value_of_a_label(project: str, name: str) -> None:
    """Of every project and stack that Pulumi takes."""
    value = stack_identity.identity(project, name)
    assert re.fullmatch(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?", value)


def test_no_two_stacks_have_one_identity() -> None:
    """Not where the dots fall otherwise, nor where only the end of a long name differs."""
    pairs = [("a.b", "c"), ("a", "b.c"), ("p" * 90, "s1"), ("p" * 90, "s2"), ("a-b", "c"), ("a", "b-c")]
    assert len({stack_identity.identity(*each) for each in pairs}) == len(pairs)


@pytest.mark.usefixtures("unbound")
def test_every_object_is_marked_and_no_pod() -> None:
    """Labels that the component gave stay; the template of pods would make new pods."""
    wanted = thing("Deployment", "web-v1", api="apps/v1", labels={"app": "web"})
    wanted["spec"] = {"template": {"metadata": {"labels": {"app": "web"}}}}
    declared = declare(Ownership(stack()), wanted)
    assert declared
    props: Any = declared.props
    assert props["metadata"]["labels"] == {"app": "web", stack_identity.LABEL: OWN}
    assert props["spec"] == wanted["spec"]


@pytest.fixture
def unbound(monkeypatch: pytest.MonkeyPatch) -> None:
    """No engine calls a hook."""
    monkeypatch.setattr(ownership, "is_outside_engine", lambda: True)


@pytest.mark.usefixtures("unbound")
def test_what_is_read_or_no_object_is_not_marked() -> None:
    """The gateway's own Service, components and providers."""
    owner = Ownership(stack())
    assert declare(owner, thing("Service", "gateway"), id="istio-system/gateway") is None
    other = pulumi.ResourceTransformationArgs(
        resource=None,  # type: ignore[arg-type]
        type_="mesh:index:MeshNamespace",
        name="x",
        props={},
        opts=pulumi.ResourceOptions(),
    )
    assert owner._own(other) is None  # noqa: SLF001 (Pulumi calls it for each resource)


def test_the_engine_asks_before_it_creates_also_in_a_preview(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the same hooks for all resources, before those that the component binds; the other comes after."""
    made: list[SimpleNamespace] = []

    def hook(name: str, function: object, options: object = None) -> SimpleNamespace:
        made.append(SimpleNamespace(name=name, function=function, options=options))
        return made[-1]

    monkeypatch.setattr(hooks, "is_outside_engine", lambda: False)
    monkeypatch.setattr("components.rollout.ownership.is_outside_engine", lambda: False)
    monkeypatch.setattr(pulumi, "ResourceHook", hook)
    owner = Ownership(stack())
    theirs: Any = SimpleNamespace()
    bound = [
        declare(owner, thing("Service", "a")),
        declare(owner, thing("Service", "b"), hooks=pulumi.ResourceHookBinding(before_create=[theirs])),
    ]
    before, after = made
    assert before.options.on_dry_run
    assert after.options is None
    assert before.function == owner._is_free  # noqa: SLF001 (what the hook calls)
    assert after.function == owner._is_alone  # noqa: SLF001 (what the hook calls)
    found: list[Any] = [each.opts.hooks for each in bound if each and each.opts.hooks]
    assert [each.before_create for each in found] == [[before], [before, theirs]]
    assert [each.after_create for each in found] == [[after], [after]]


def note(manager: str, second: int, operation: str = "Apply") -> dict[str, str]:
    return {"manager": manager, "operation": operation, "time": f"2026-11-30T10:00:0{second}Z"}


def test_what_an_interrupted_update_claims_is_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its provider is gone, with the name in which it applied; of a hand or a webhook nothing is dropped."""
    notes = [
        note("pulumi-kubernetes-new", 5),
        note("pulumi-kubernetes-old", 1),
        note("pulumi-kubernetes-new", 6, "Update"),
        note("argocd", 2),
    ]
    live = namespace(labels={stack_identity.LABEL: OWN}, managedFields=notes)
    kubectl = install(monkeypatch, live)
    owner = Ownership(stack())

    async def created(wanted: dict[str, Any]) -> None:
        args: Any = SimpleNamespace(new_inputs=wanted)
        await owner._is_free(args)  # noqa: SLF001 (the engine calls it)
        await owner._is_alone(args)  # noqa: SLF001 (the engine calls it)

    asyncio.run(created(namespace()))
    applied = [words for words in kubectl.asked if words[0] == "apply"]
    assert [each[-1] for each in applied] == ["--field-manager=pulumi-kubernetes-old"]
    # Of an object that was not there before nothing is asked once more.
    kubectl.asked.clear()
    asyncio.run(created(thing("Service", "new")))
    assert len(kubectl.asked) == 1


@pytest.mark.parametrize(
    ("notes", "former"),
    [
        ([], []),
        ([note("pulumi-kubernetes-a", 1)], []),
        ([note("pulumi-kubernetes-a", 1), note("pulumi-kubernetes-b", 2)], ["pulumi-kubernetes-a"]),
        (
            [{"manager": "pulumi-kubernetes-b", "operation": "Apply"}, note("pulumi-kubernetes-a", 1)],
            ["pulumi-kubernetes-a"],
        ),
        ([{"manager": f"pulumi-kubernetes-{each}", "operation": "Apply"} for each in "ab"], []),
    ],
)
def test_the_provider_of_now_keeps_its_claims(notes: list[dict[str, str]], former: list[str]) -> None:
    """An application that changed nothing has no time, and is the one of now."""
    assert former_managers({"metadata": {"managedFields": notes}}) == former


def test_claims_that_cannot_be_dropped_stop_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The object is made by then."""
    kubectl = install(monkeypatch, namespace(labels={stack_identity.LABEL: OWN}))
    owner = Ownership(stack())

    async def created() -> None:
        args: Any = SimpleNamespace(new_inputs=namespace())
        await owner._is_free(args)  # noqa: SLF001 (the engine calls it)
        kubectl.pod_issue = "forbidden"
        await owner._is_alone(args)  # noqa: SLF001 (the engine calls it)

    asyncio.run(created())


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_namespace_of_another_owner_is_not_taken_over(
    dry_run: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a preview nor by an update; the message has both ways on."""
    monkeypatch.setattr(pulumi.runtime, "is_dry_run", lambda: dry_run)
    install(monkeypatch, namespace())
    with pytest.raises(OwnershipError) as told:
        create(Ownership(stack()), namespace())
    (issue,) = told.value.issues
    assert (issue.code, str(issue.path), issue.value) == ("MESH205", "mesh-app:namespace.name", NAMESPACE)
    assert "pulumi config set --path 'mesh-app:namespace.existing' true" in issue.fix
    assert f"python -m operations adopt --stack dev --context lab --namespace {NAMESPACE}" in issue.fix


def test_an_object_of_another_owner_is_not_taken_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever made it: a person, another tool, another stack."""
    marks: Any = (
        ({}, "has no label"),
        ({stack_identity.LABEL: OTHER}, f"stack {OTHER}"),
        (PULUMI, "managed by pulumi"),
    )
    for labels, description in marks:
        live = thing("Deployment", "springbootapp-v1", api="apps/v1", labels=labels)
        install(monkeypatch, live)
        with pytest.raises(OwnershipError) as told:
            create(Ownership(stack()), live)
        (issue,) = told.value.issues
        assert (issue.code, str(issue.path)) == ("MESH206", "mesh-app:app.name")
        assert f"Deployment {NAMESPACE}/springbootapp-v1" in issue.rule
        assert description in issue.rule
        assert "operations adopt --stack dev" in issue.fix
        assert f"delete deployment springbootapp-v1 --namespace {NAMESPACE}" in issue.fix


def test_the_place_of_an_object_is_its_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there are several; and what belongs to none is the ingress'."""
    for name, place in (("cart", "services.cart"), ("shop-v1", "services.shop"), ("x", "ingress.extraPorts")):
        install(monkeypatch, thing("Service", name))
        with pytest.raises(OwnershipError) as told:
            create(Ownership(stack(**several())), thing("Service", name))
        assert str(told.value.issues[0].path) == f"mesh-app:{place}"


@pytest.mark.usefixtures("unbound")
def test_one_report_has_all_that_surely_is_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked of kubectl once. What an older version of the program made may be in the state."""
    taken = thing("Service", "springbootapp", labels={stack_identity.LABEL: OTHER})
    older = thing("ServiceAccount", "springbootapp", labels=PULUMI)
    own = thing("Deployment", "springbootapp-v1", api="apps/v1", labels={stack_identity.LABEL: OWN})
    kubectl = install(monkeypatch, namespace(), taken, older, own)
    owner = Ownership(stack())
    for each in (namespace(), taken, older, own, thing("Secret", "free")):
        declare(owner, {**each, "metadata": {**each["metadata"], "labels": {}}})

    async def wave() -> list[BaseException | None]:
        wanted = (namespace(), own, thing("Secret", "free"))
        calls = [owner._is_free(SimpleNamespace(new_inputs=each)) for each in wanted]  # type: ignore[arg-type] # noqa: SLF001
        return await asyncio.gather(*calls, return_exceptions=True)

    first, *others = asyncio.run(wave())
    assert isinstance(first, OwnershipError)
    assert [issue.code for issue in first.issues] == ["MESH205", "MESH206"]
    # Nothing else is created either, and the report is there once.
    assert [isinstance(each, OwnershipError) and not each.issues for each in others] == [True, True]
    assert len(kubectl.asked) == 1


def test_what_this_stack_made_is_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """An update that was interrupted made it, and the next one goes on with it."""
    install(monkeypatch, namespace(labels={stack_identity.LABEL: OWN}))
    create(Ownership(stack()), namespace())


def test_what_does_not_exist_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind that the cluster does not serve has no objects."""
    install(monkeypatch, unserved="HTTPRoute Gateway")
    owner = Ownership(stack())
    create(owner, thing("HTTPRoute", "springbootapp", api="gateway.networking.k8s.io/v1"))
    create(owner, namespace())


def test_an_object_that_is_being_deleted_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """Applied meanwhile it would be gone a moment later. One that stays stops the update."""
    monkeypatch.setattr(ownership, "POLL_SECONDS", 0.01)
    leaving = namespace(deletionTimestamp="2026-11-30T00:00:00Z", finalizers=["kubernetes"])
    kubectl = install(monkeypatch, leaving)
    monkeypatch.setattr(pulumi.log, "info", lambda _: kubectl.objects.clear())
    create(Ownership(stack()), namespace())
    assert len(kubectl.asked) == 2
    monkeypatch.setattr(ownership, "GONE_SECONDS", -1)
    install(monkeypatch, leaving)
    with pytest.raises(OwnershipError, match=r"(?s)MESH208.*held by kubernetes"):
        create(Ownership(stack()), namespace())


def test_where_nobody_can_tell_nothing_is_created(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to read, for one."""
    kubectl = install(monkeypatch)
    kubectl.pod_issue = "namespaces is forbidden"
    with pytest.raises(OwnershipError, match=r"(?s)MESH209.*namespaces is forbidden"):
        create(Ownership(stack()), namespace())


EXISTING = {"namespace__existing": True}


def refused(**changes: object) -> str:
    with pytest.raises(ConfigError) as told:
        labels_of_own(stack(**EXISTING, **changes))
    (issue,) = told.value.issues
    return f"{issue.code} {issue.path}\n{issue.rule}\n{issue.fix}"


def test_an_existing_namespace_has_to_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says how to make it, and how to let the stack do so."""
    install(monkeypatch)
    said = refused()
    assert said.startswith("MESH207 mesh-app:namespace.name")
    assert f"kubectl --context lab create namespace {NAMESPACE}" in said
    assert "pulumi config rm --path 'mesh-app:namespace.existing'" in said
    kubectl = install(monkeypatch, namespace(deletionTimestamp="2026-11-30T00:00:00Z"))
    assert refused().startswith("MESH257 mesh-app:namespace.name")
    kubectl.pod_issue = "namespaces is forbidden"
    assert refused().startswith("MESH209 ")


@pytest.mark.parametrize(
    ("injection", "labels", "overrules"),
    [
        ("enabled", {}, False),
        ("enabled", {"istio-injection": "enabled"}, False),
        ("enabled", {"istio.io/rev": "stable"}, False),
        ("enabled", {"istio-injection": "disabled"}, True),
        ("disabled", {"istio-injection": "enabled"}, False),
        ("manual", {"istio-injection": "disabled"}, False),
        ({"revision": "canary"}, {"istio.io/rev": "canary"}, False),
        ({"revision": "canary"}, {"istio.io/rev": "stable"}, True),
        ({"revision": "canary"}, {"istio-injection": "enabled"}, True),
    ],
)
def test_labels_of_an_existing_namespace_must_not_overrule_the_stack_file(
    injection: object,
    labels: dict[str, str],
    overrules: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without proxies, or with another revision's, the pods would not be what the stack file says."""
    install(monkeypatch, namespace(labels=labels))
    if overrules:
        assert refused(namespace__injection=injection).startswith("MESH255 mesh-app:namespace.injection")
    else:
        assert labels_of_own(stack(**EXISTING, namespace__injection=injection)) is None


def test_a_pod_that_asks_for_a_sidecar_must_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The namespace's `disabled` comes before the pod's label."""
    install(monkeypatch, namespace(labels={"istio-injection": "disabled"}))
    said = refused(namespace__injection="manual", versions__v1__sidecar=True)
    assert said.startswith("MESH255 mesh-app:namespace.injection")


@pytest.mark.parametrize(
    ("labels", "services", "is_own"),
    [
        ({stack_identity.LABEL: OWN}, None, True),
        (PULUMI, PULUMI, True),
        (PULUMI, None, False),
        (PULUMI, {**PULUMI, stack_identity.LABEL: OWN}, False),
        ({}, PULUMI, False),
        ({**PULUMI, stack_identity.LABEL: OTHER}, PULUMI, False),
        ({**PULUMI, stack_identity.LABEL: stack_identity.NO_STACK}, PULUMI, False),
    ],
)
def test_a_namespace_that_this_stack_created_is_known(
    labels: dict[str, str],
    services: dict[str, str] | None,
    is_own: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is let go of in two updates: taken for another's at once, it would be deleted.

    An older version of the program marked neither it nor what is in it. Another program of Pulumi's made one
    that looks so, and nothing of this stack is in it.
    """
    live = namespace(labels={**labels, "istio-injection": "enabled"})
    inside = [] if services is None else [thing("Service", "springbootapp", labels=services)]
    install(monkeypatch, live, *inside)
    assert labels_of_own(stack(**EXISTING)) == ({"istio-injection": "enabled"} if is_own else None)


def test_one_that_only_looks_like_it_is_not_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine would create it: then it is in no state of this stack's."""
    install(monkeypatch, namespace(labels=PULUMI))
    with pytest.raises(OwnershipError, match=rf"(?s)MESH256.*{stack_identity.LABEL}=none"):
        create(Ownership(stack(**EXISTING)), namespace())


@pytest.mark.usefixtures("unbound")
def test_a_namespace_that_is_let_go_of_loses_its_mark() -> None:
    """The next update takes it for another owner's."""
    declared = declare(Ownership(stack(**EXISTING)), namespace(labels={"a": "b"}), retain_on_delete=True)
    assert declared
    props: Any = declared.props
    assert props["metadata"]["labels"] == {"a": "b"}


def test_while_objects_are_adopted_only_the_one_that_is_created_is_judged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The others are in the state already, and get their identity by the update that creates the rest."""
    install(monkeypatch, thing("Deployment", "web-v1"))
    monkeypatch.setenv("MESH_APP_ADOPTS", "true")
    owner = Ownership(stack())
    declare(owner, thing("Deployment", "web-v1"))
    create(owner, thing("ServiceAccount", "web"))
    with pytest.raises(OwnershipError):
        create(owner, thing("Deployment", "web-v1"))

"""`python -m operations`: what a team does with a stack besides `pulumi up`."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from operations.adoption.command import Request, adopt
from operations.canary import command as canary_command
from operations.canary.journal.inbox import Command
from operations.drift import command as drift_command
from operations.errors import OperationError
from operations.kube.manifests import as_json, as_yaml, manifests
from operations.pulumi_stack.program import declare
from operations.pulumi_stack.project import Project
from operations.recovery.command import recover
from operations.traffic import command as traffic_command

commands = typer.Typer(
    add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__
)

Stack = Annotated[str, typer.Option("--stack", "-s", help="The stack, whose file is Pulumi.STACK.yaml.")]
Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The project's folder, or one below it.")]


class Output(StrEnum):
    """How manifests are written."""

    yaml = "yaml"
    json = "json"


@commands.command()
def render(
    stack: Stack,
    output: Annotated[Output, typer.Option("--output", "-o", help="A YAML stream, or one JSON List.")] = (
        Output.yaml
    ),
    cwd: Folder = Path(),
) -> None:
    """Print the exact manifests that `pulumi up` applies, in its order: no cluster, no backend, no pulumi.

    To see what would change: `… | kubectl diff --server-side --field-manager=pulumi -f -`. A namespace that
    is yet to come makes kubectl refuse what stands in it.
    """
    with _reporting():
        objects = manifests(declare(Project.at(cwd), stack))
        sys.stdout.write(as_yaml(objects) if output is Output.yaml else as_json(objects) + "\n")


@commands.command(name="adopt")
def adopt_(
    *,
    stack: Stack,
    context: Annotated[str, typer.Option(help="The kubeconfig context of the cluster where it runs.")],
    files: Annotated[list[Path] | None, typer.Option("--file", "-f", help="Hand-kept YAML.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="A live namespace.")] = None,
    app: Annotated[str | None, typer.Option(help="The Service, where there are several.")] = None,
    probe: Annotated[str | None, typer.Option(help="The path that answers 200 in a ready pod.")] = None,
    ingress: Annotated[
        str, typer.Option(help="The ingress gateway's Service.")
    ] = "istio-system/istio-ingressgateway",
    address: Annotated[str | None, typer.Option(help="Where the ingress is reached from here.")] = None,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Write an existing stack file anew.")] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Take the objects over, after showing all.")
    ] = False,
    cwd: Folder = Path(),
) -> None:
    """Write the stack file that declares what a team keeps by hand, and take the running objects over.

    Without --yes it only writes the stack file and says what would happen. With it, running objects become
    the stack's own in place, new ones are made, and those that they replace are deleted last, so that no
    request is lost. If it is interrupted, the same command goes on.
    """
    with _reporting():
        request = Request(
            stack=stack,
            context=context,
            files=files or (),
            namespace=namespace,
            app=app,
            probe=probe,
            ingress=ingress,
            address=address,
            rewrite=rewrite,
            yes=yes,
        )
        adopt(Project.at(cwd), request, Console(highlight=False, soft_wrap=True, markup=False))


@commands.command()
def drift(
    *,
    stack: Stack,
    json: Annotated[bool, typer.Option("--json", help="For machines: one JSON document.")] = False,
    fix: Annotated[
        bool, typer.Option("--fix", help="Put everything back, after showing what that is.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix: do not ask.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Compare every live object of a stack, whole, with what it declares; exit 0: clean, 7: drift.

    Also what nobody declared and touches the stack's hosts or pods. Exit 1: it could not be told, because
    the cluster, the backend or the stack file did not answer. A check reads and changes nothing.

    --fix says what it will do, asks, and does it in the order that loses no request, in Pulumi's state too.
    What others made is reported and never deleted.
    """
    with _reporting():
        request = drift_command.Request(stack=stack, json=json, fix=fix, yes=yes)
        # With --json standard output is for the machine alone.
        console = Console(highlight=False, markup=False, stderr=json)
        status = drift_command.drift(Project.at(cwd), request, console, _confirm)
    raise typer.Exit(status)


@commands.command()
def traffic(
    *,
    stack: Stack,
    service: Annotated[str | None, typer.Option(help="One of several services; else all.")] = None,
    window: Annotated[float, typer.Option(min=1, help="Seconds that the figures are of.")] = 60,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Again every 2 s, until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="For machines: JSON, a line for each look.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Show what the mesh does now: weight, measured share, rate, success, percentiles and ready pods.

    For each version of each service, by the figures of the callers' proxies, as the canary judges them.
    Exit 1: there are no figures, and the reason is said.
    """
    with _reporting():
        request = traffic_command.Request(stack=stack, service=service, window=window, watch=watch, json=json)
        console = Console(highlight=False, markup=False)
        seen = traffic_command.traffic(Project.at(cwd), request, console)
    raise typer.Exit(seen)


@commands.command(name="recover")
def recover_(
    *,
    stack: Stack,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Do it without asking, after showing all.")
    ] = False,
    cwd: Folder = Path(),
) -> None:
    """Bring stack and cluster to what the stack file says, whatever interrupted the last update.

    A lock that was left behind, operations that may have happened or not, a state that cannot be read,
    helpers of a pulumi that is gone: each is shown, then put in order, and `pulumi up` does the rest. If an
    update runs, this says whose, and touches nothing. If it is interrupted itself, the same command goes on.
    """
    with _reporting():
        console = Console(highlight=False, soft_wrap=True, markup=False)
        agreed = None if yes else (lambda: typer.confirm("go on?"))
        recover(Project.at(cwd), stack, report_line=console.print, agreed=agreed)


@commands.command()
def canary(
    *,
    stack: Stack,
    to: Annotated[str | None, typer.Option(help="The version that gets the traffic.")] = None,
    service: Annotated[str | None, typer.Option(help="The service, where there are several.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show plan and changes, do nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Say where the stack's canary stands.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Let the running canary stay at its step.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Let a paused one go on, or one that was stopped or killed.")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Give the new version everything now, and judge no more.")
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Have everybody back now.")] = False,
    report: Annotated[Path | None, typer.Option(help="Where to leave the report.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without asking.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Give a new version its traffic step by step, as the stack file plans it, and take it back if it is bad.

    Every step is a pulumi up. Exit 0: promoted; 1: it could not be done; 3: rolled back; 4: aborted by hand;
    5: stopped with the weights as they are; 6: the same, for lack of figures. After 5 and 6, and after a
    kill, --resume goes on.
    """
    wishes = {Command.pause: pause, Command.resume: resume, Command.promote: promote, Command.abort: abort}
    asked = [command for command, is_asked in wishes.items() if is_asked]
    with _reporting():
        if len(asked) + status + bool(to) > 1:
            raise OperationError(
                "--to, --status, --pause, --resume, --promote and --abort are different commands",
                fix="name one of them",
            )
        request = canary_command.Request(
            stack=stack,
            to=to,
            service=service,
            preview=preview,
            command=asked[0] if asked else None,
            status=status,
            yes=yes,
            report=report,
        )
        # A line of a log is one line, however long.
        console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
        ended = canary_command.canary(Project.at(cwd), request, console)
    raise typer.Exit(ended)


def _confirm(question: str) -> bool:
    if not sys.stdin.isatty():
        raise OperationError("nobody is there to ask, and nothing was changed", fix="the same with --yes")
    return typer.confirm(question, err=True)


@contextmanager
def _reporting() -> Iterator[None]:
    """Say what is wrong in words, on standard error and with an exit code."""
    try:
        yield
    except OperationError as error:
        # Not wrapped: a command that is broken in two cannot be pasted.
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None

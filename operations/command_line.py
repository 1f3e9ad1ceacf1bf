"""`python -m operations`: commands for a stack besides `pulumi up`."""

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

Stack = Annotated[str, typer.Option("--stack", "-s", help="The stack, with the file Pulumi.STACK.yaml.")]
Folder = Annotated[Path, typer.Option("--cwd", "-C", help="The project's folder, or a subfolder.")]


class Output(StrEnum):
    """The output format of manifests."""

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
    """Print the manifests that `pulumi up` applies, in its order, without a cluster, a backend or pulumi.

    To see what would change: `… | kubectl diff --server-side --field-manager=pulumi -f -`. kubectl rejects
    objects in a namespace that does not exist yet.
    """
    with _reporting():
        objects = manifests(declare(Project.at(cwd), stack))
        sys.stdout.write(as_yaml(objects) if output is Output.yaml else as_json(objects) + "\n")


@commands.command(name="adopt")
def adopt_(
    *,
    stack: Stack,
    context: Annotated[str, typer.Option(help="The kubeconfig context of the running objects.")],
    files: Annotated[list[Path] | None, typer.Option("--file", "-f", help="A YAML file of the team.")] = None,
    namespace: Annotated[str | None, typer.Option("--namespace", "-n", help="A live namespace.")] = None,
    app: Annotated[str | None, typer.Option(help="The Service, if there are several.")] = None,
    probe: Annotated[str | None, typer.Option(help="The path that returns 200 in a ready pod.")] = None,
    ingress: Annotated[
        str, typer.Option(help="The ingress gateway's Service.")
    ] = "istio-system/istio-ingressgateway",
    address: Annotated[str | None, typer.Option(help="The address of the ingress.")] = None,
    rewrite: Annotated[bool, typer.Option("--rewrite", help="Overwrite an existing stack file.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Adopt the objects without confirmation.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Write a stack file for the objects of an app, and adopt them into the stack.

    Without --yes it only writes the stack file and shows what would change. With --yes, it imports the
    running objects in place, creates new ones, and deletes the replaced ones last, so that no request is
    lost. If it is interrupted, the same command resumes.
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
    json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    fix: Annotated[bool, typer.Option("--fix", help="Revert the drift, after showing the changes.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="With --fix: no confirmation.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Compare all live objects of a stack with what it declares; exit code 0: no drift, 7: drift.

    Also reports foreign objects that affect the stack's hosts or pods. Exit code 1: the check failed,
    because of the cluster, the backend or the stack file. A check changes nothing.

    --fix shows its changes, asks for confirmation, and applies them in an order that loses no request, also
    to Pulumi's state. Foreign objects are reported and never deleted.
    """
    with _reporting():
        request = drift_command.Request(stack=stack, json=json, fix=fix, yes=yes)
        # With --json, standard output contains nothing but the document.
        console = Console(highlight=False, markup=False, stderr=json)
        status = drift_command.drift(Project.at(cwd), request, console, _confirm)
    raise typer.Exit(status)


@commands.command()
def traffic(
    *,
    stack: Stack,
    service: Annotated[str | None, typer.Option(help="One of several services; by default all.")] = None,
    window: Annotated[float, typer.Option(min=1, help="Seconds over which requests are measured.")] = 60,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Repeat every 2 s until Ctrl-C.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON, a line for each sample.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Show the traffic of each version: weight, measured share, rate, success, percentiles and ready pods.

    The metrics are those of the callers' proxies, which the canary judges too. Exit code 1: there are no
    metrics; the output has the reason.
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
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Continue without confirmation.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Repair a stack after an interrupted update, and deploy its stack file.

    Shows and repairs a lock that was not released, pending operations, a state that cannot be read, and
    plugins of a pulumi that has ended; then runs `pulumi up`. If an update is running, it reports the user
    and changes nothing. If it is interrupted, the same command resumes.
    """
    with _reporting():
        console = Console(highlight=False, soft_wrap=True, markup=False)
        agreed = None if yes else (lambda: typer.confirm("continue?"))
        recover(Project.at(cwd), stack, report_line=console.print, agreed=agreed)


@commands.command()
def canary(
    *,
    stack: Stack,
    to: Annotated[str | None, typer.Option(help="The version to release.")] = None,
    service: Annotated[str | None, typer.Option(help="The service, if there are several.")] = None,
    preview: Annotated[bool, typer.Option("--preview", help="Show plan and changes, do nothing.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show the status of the stack's canary.")] = False,
    pause: Annotated[bool, typer.Option("--pause", help="Pause the running canary at its step.")] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Resume a canary that was paused, stopped or killed.")
    ] = False,
    promote: Annotated[
        bool, typer.Option("--promote", help="Send all traffic to the new version now, without analysis.")
    ] = False,
    abort: Annotated[bool, typer.Option("--abort", help="Roll back now.")] = False,
    report: Annotated[Path | None, typer.Option(help="The file for the report.")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Begin without confirmation.")] = False,
    cwd: Folder = Path(),
) -> None:
    """Shift traffic to a new version step by step, as planned in the stack file; roll back if it is bad.

    Every step is a pulumi up. Exit code 0: promoted; 1: failed; 3: rolled back; 4: aborted with --abort;
    5: stopped with the weights unchanged; 6: the same, without metrics. After 5 and 6, and after a kill,
    --resume continues.
    """
    options = {Command.pause: pause, Command.resume: resume, Command.promote: promote, Command.abort: abort}
    asked = [command for command, is_asked in options.items() if is_asked]
    with _reporting():
        if len(asked) + status + bool(to) > 1:
            raise OperationError(
                "--to, --status, --pause, --resume, --promote and --abort exclude each other",
                fix="use one of them",
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
        # Lines of a log are not wrapped.
        console = Console(highlight=False, markup=False, soft_wrap=not sys.stdout.isatty())
        ended = canary_command.canary(Project.at(cwd), request, console)
    raise typer.Exit(ended)


def _confirm(question: str) -> bool:
    if not sys.stdin.isatty():
        raise OperationError("there is no terminal to confirm; nothing was changed", fix="add --yes")
    return typer.confirm(question, err=True)


@contextmanager
def _reporting() -> Iterator[None]:
    """Print an OperationError to standard error, and exit with 1."""
    try:
        yield
    except OperationError as error:
        # Not wrapped, so that commands can be copied.
        Console(stderr=True, highlight=False, soft_wrap=True).print(str(error), style="red", markup=False)
        raise typer.Exit(1) from None

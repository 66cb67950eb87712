"""The command `darkroom`: its subcommands, exit codes and errors."""

import os
import signal
from importlib.metadata import version
from types import FrameType
from typing import Annotated, NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError
from typer.exceptions import TyperException
from typer.rich_utils import rich_format_error

from darkroom import output
from darkroom.cost import cost
from darkroom.dlq import dlq
from darkroom.doctor import doctor
from darkroom.errors import Exit, OperatorError, explain
from darkroom.reconcile import reconcile
from darkroom.replay import replay
from darkroom.resources import read_outputs
from darkroom.status import list_images, status
from darkroom.upload import upload

app = typer.Typer(
    name="darkroom",
    help="Operate an image pipeline on AWS, or where AWS_ENDPOINT_URL points to. The command uses the AWS credentials, "
    "profile and region of the environment. It finds the pipeline by its name (--name or DARKROOM_NAME), or by "
    "Terraform's outputs (--outputs).",
    epilog="Exit codes: 0 done; 1 failed; 2 usage error; 3 done, and found something to look at; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # joins the lines of a paragraph
)
app.command("status")(status)
app.command("list")(list_images)
app.command("upload")(upload)
app.add_typer(dlq, name="dlq")
app.command("replay")(replay)
app.command("reconcile")(reconcile)
app.command("doctor")(doctor)
app.command("cost")(cost)


def _print_version(asked: bool) -> None:
    if asked:
        output.say(f"darkroom {version('darkroom')}")
        raise typer.Exit


@app.callback()
def _find_pipeline(
    outputs: Annotated[
        typer.FileText | None,
        typer.Option(
            encoding="utf-8",
            metavar="FILE",
            help="Find the pipeline, and its region, by what `terraform output -json` printed into this file; - is "
            "standard input.",
        ),
    ] = None,
    _version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    if outputs:
        os.environ["DARKROOM_NAME"], os.environ["AWS_REGION"] = read_outputs(outputs.read())


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    usual = signal.signal(signal.SIGINT, _interrupted)
    try:
        code = typer.main.get_command(app).main(arguments, prog_name="darkroom", standalone_mode=False)
        return int(code or Exit.DONE)
    except _Interrupted:
        output.warn("interrupted")
        return Exit.INTERRUPTED
    except typer.Abort:
        output.warn("aborted")
    except TyperException as error:  # usage errors
        error.message = output.escape(error.message)
        rich_format_error(error)  # type: ignore[arg-type] # Typer does not export the narrower class
        return error.exit_code
    except OperatorError as error:
        output.warn(f"error: {error}")
    except (BotoCoreError, ClientError) as error:
        output.warn(f"error: {explain(error)}")
    finally:
        signal.signal(signal.SIGINT, usual)
    return Exit.FAILED


class _Interrupted(SystemExit):
    """Ctrl-C while nothing is being changed. Typer ends with 1 for a KeyboardInterrupt."""


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Interrupted

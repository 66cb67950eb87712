"""The command `darkroom`: its subcommands, and how it ends."""

import signal
from types import FrameType
from typing import NoReturn

import typer
from botocore.exceptions import BotoCoreError, ClientError

from darkroom import output
from darkroom.cost import cost
from darkroom.dlq import dlq
from darkroom.doctor import doctor
from darkroom.errors import Exit, OperatorError, explain
from darkroom.reconcile import reconcile
from darkroom.replay import replay
from darkroom.status import list_images, status
from darkroom.upload import upload


def _end(code: Exit | None, **_: object) -> NoReturn:
    """What a subcommand returns is the exit code."""
    raise typer.Exit(code or Exit.DONE)


app = typer.Typer(
    name="darkroom",
    help="Operate an image pipeline: on AWS, or wherever AWS_ENDPOINT_URL points. It uses the AWS credentials, "
    "profile and region of the environment, and finds the pipeline by its name (--name or DARKROOM_NAME).",
    epilog="Exit codes: 0 done; 1 failed; 2 not understood; 3 done, and found something to look at; 130 interrupted.",
    no_args_is_help=True,
    add_completion=False,
    result_callback=_end,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # whose paragraphs are not broken where the source's lines end
)
app.command("status")(status)
app.command("list")(list_images)
app.command("upload")(upload)
app.add_typer(dlq, name="dlq")
app.command("replay")(replay)
app.command("reconcile")(reconcile)
app.command("doctor")(doctor)
app.command("cost")(cost)


def main(arguments: list[str] | None = None) -> int:
    """Run the command and return its exit code."""
    usual = signal.signal(signal.SIGINT, _interrupted)
    try:
        typer.main.get_command(app)(arguments, prog_name="darkroom")
    except _Interrupted:
        output.warn("interrupted")
        return Exit.INTERRUPTED
    except SystemExit as end:
        return int(end.code or 0)
    except OperatorError as error:
        output.warn(f"error: {error}")
    except (BotoCoreError, ClientError) as error:
        output.warn(f"error: {explain(error)}")
    finally:
        signal.signal(signal.SIGINT, usual)
    return Exit.FAILED


class _Interrupted(SystemExit):
    """Ctrl-C where nothing is being changed; Typer would end with 1."""


def _interrupted(_number: int, _frame: FrameType | None) -> NoReturn:
    raise _Interrupted

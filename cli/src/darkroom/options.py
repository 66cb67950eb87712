"""Options that several subcommands have."""

from typing import Annotated

import typer

Name = Annotated[
    str,
    typer.Option(
        envvar="DARKROOM_NAME",
        help="Name of the pipeline: the variable `name` that Terraform applied.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]

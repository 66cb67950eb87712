"""What the command ends with: its exit codes, and errors that say what to do."""

from __future__ import annotations

from enum import IntEnum

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConfigParseError,
    ConnectionError,  # noqa: A004 - botocore's
    CredentialRetrievalError,
    HTTPClientError,
    InvalidRegionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSLError,
    SSOError,
    TokenRetrievalError,
)


class Exit(IntEnum):
    """Exit codes; the usage of a command that cannot be understood is Typer's, 2."""

    DONE = 0
    FAILED = 1
    FOUND = 3  # done as asked, and there is something to look at
    INTERRUPTED = 130


class OperatorError(Exception):
    """The command cannot do what it was asked for; the message is a sentence that says what to do."""


NO_ANSWER = "look at AWS_REGION, at AWS_ENDPOINT_URL if it is set, and whether the network lets it through"

_WHAT_TO_DO: tuple[tuple[type[BotoCoreError], str], ...] = (
    (NoCredentialsError, "set AWS_PROFILE, or log in (`aws sso login`)"),
    (NoRegionError, "set AWS_REGION, or a region in the profile"),
    (ProfileNotFound, "set AWS_PROFILE to one that `aws configure list-profiles` shows"),
    (InvalidRegionError, "set AWS_REGION to the region that the pipeline was applied in"),
    (ConfigParseError, "mend that file, or name another one in AWS_CONFIG_FILE"),
    (PartialCredentialsError, "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
    (CredentialRetrievalError, "look at AWS_PROFILE, or log in (`aws sso login`)"),
    (SSOError, "log in again (`aws sso login`)"),
    (TokenRetrievalError, "log in again (`aws sso login`)"),
    (SSLError, "name the certificate to trust in AWS_CA_BUNDLE, if AWS_ENDPOINT_URL is meant"),
    (ConnectionError, NO_ANSWER),
    (HTTPClientError, NO_ANSWER),
)
_CODES = {
    "AccessDenied": "these credentials may not do this: use others, or have it allowed",
    "AuthorizationError": "these credentials may not do this: use others, or have it allowed",
    "403": "these credentials may not do this: use others, or have it allowed",
    "KmsAccessDenied": "these credentials may not use the pipeline's key: use others, or have it allowed",
    "ExpiredToken": "log in again (`aws sso login`)",
    "InvalidAccessKeyId": "look at AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "InvalidClientTokenId": "look at AWS_PROFILE and AWS_ACCESS_KEY_ID",
    "SignatureDoesNotMatch": "look at AWS_PROFILE and AWS_SECRET_ACCESS_KEY",
    "InvalidSignature": "look at AWS_PROFILE and AWS_SECRET_ACCESS_KEY",
    "RequestTimeTooSkewed": "set this machine's clock",
    "UnrecognizedClient": "look at AWS_PROFILE and AWS_ACCESS_KEY_ID",
}


def explain(error: BotoCoreError | ClientError) -> str:
    """What went wrong between here and AWS, and what to do about it."""
    if isinstance(error, ClientError):
        advice = _CODES.get(code_of(error).removesuffix("Exception"))
    else:
        advice = next((advice for kind, advice in _WHAT_TO_DO if isinstance(error, kind)), None)
    return f"{error}: {advice}" if advice else str(error)


def code_of(error: ClientError) -> str:
    """AWS's short name of an error."""
    return error.response.get("Error", {}).get("Code", "")

"""Exit codes of the command, and errors with what to do about them."""

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
    """Exit codes. Usage errors end with Typer's 2."""

    DONE = 0
    FAILED = 1
    FOUND = 3  # done, and there is something to look at
    INTERRUPTED = 130


class OperatorError(Exception):
    """Failure of a command. The message says what happened and what to do."""


NO_ANSWER = "check AWS_REGION, AWS_ENDPOINT_URL if it is set, and the network"

_WHAT_TO_DO: tuple[tuple[type[BotoCoreError], str], ...] = (
    (NoCredentialsError, "set AWS_PROFILE, or log in (`aws sso login`)"),
    (NoRegionError, "set AWS_REGION, or a region in the profile"),
    (ProfileNotFound, "set AWS_PROFILE to a profile that `aws configure list-profiles` shows"),
    (InvalidRegionError, "set AWS_REGION to the region in which the pipeline was applied"),
    (ConfigParseError, "fix that file, or set AWS_CONFIG_FILE to another one"),
    (PartialCredentialsError, "set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE"),
    (CredentialRetrievalError, "check AWS_PROFILE, or log in (`aws sso login`)"),
    (SSOError, "log in again (`aws sso login`)"),
    (TokenRetrievalError, "log in again (`aws sso login`)"),
    (SSLError, "if AWS_ENDPOINT_URL is right, set AWS_CA_BUNDLE to the certificate to trust"),
    (ConnectionError, NO_ANSWER),
    (HTTPClientError, NO_ANSWER),
)
_REFUSED = "these credentials may not do this: use others, or have it allowed"
_WRONG_KEY = "check AWS_PROFILE and AWS_ACCESS_KEY_ID"
_WRONG_SIGNATURE = "check AWS_PROFILE and AWS_SECRET_ACCESS_KEY"
_CODES = {
    "AccessDenied": _REFUSED,
    "AuthorizationError": _REFUSED,
    "403": _REFUSED,
    "KmsAccessDenied": "these credentials may not use the pipeline's key: use others, or have it allowed",
    "ExpiredToken": "log in again (`aws sso login`)",
    "InvalidAccessKeyId": _WRONG_KEY,
    "InvalidClientTokenId": _WRONG_KEY,
    "SignatureDoesNotMatch": _WRONG_SIGNATURE,
    "InvalidSignature": _WRONG_SIGNATURE,
    "RequestTimeTooSkewed": "set this machine's clock",
    "UnrecognizedClient": _WRONG_KEY,
}


def explain(error: BotoCoreError | ClientError) -> str:
    """Return AWS's error message and what to do about it."""
    if isinstance(error, ClientError):
        advice = _CODES.get(code_of(error).removesuffix("Exception"))
    else:
        advice = next((advice for kind, advice in _WHAT_TO_DO if isinstance(error, kind)), None)
    return f"{error}: {advice}" if advice else str(error)


def code_of(error: ClientError) -> str:
    """Return AWS's code of an error."""
    return error.response.get("Error", {}).get("Code", "")

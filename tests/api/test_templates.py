"""The mapping templates, rendered: whose keys they make, what they refuse, what callers get to see."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote_plus

import pytest

from api.hostile import HOSTILE
from api.rendering import Rendered, patterns, principals, render

ID = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f"
VERSION = "3HL4kqtJlcpXroDTDmpUMLUo"
SEQUENCER = "006B0B09E8B476E46300000000000000"
UPLOADED = "2026-11-21T18:00:00Z"

ERROR = {
    "refusal": '{"error": {"code": "not_found"}}',
    "unavailable": '{"error": {"code": "unavailable"}}',
    "internal": '{"error": {"code": "internal"}}',
}

# What DynamoDB refuses: no key, no condition.
REFUSED = ({"TableName": "images", "Key": {}}, {"TableName": "images"})

READS = ("get_image.request", "list.request", "versions.request")
OVERRIDES = ("get_variant.request", "delete_image.request")


def item(owner: str = "alice", **changes: Any) -> dict[str, Any]:
    """A record as DynamoDB returns it."""
    return {
        "image_id": {"S": f"{owner}/{ID}"},
        "record": {"S": "current"},
        "status": {"S": "Processed"},
        "version": {"S": VERSION},
        "uploaded_at": {"S": UPLOADED},
        "recorded_at": {"S": "2026-11-21T18:00:05.123Z"},
        "original": {"M": {"bytes": {"N": "9"}, "width": {"N": "4"}, "height": {"N": "3"}, "format": {"S": "jpeg"}}},
        "reason": {"NULL": True},
        "variants": {
            "L": [
                {
                    "M": {
                        "name": {"S": name},
                        "key": {"S": f"{owner}/{ID}/{VERSION}/{name}.jpg"},
                        "width": {"N": "2"},
                        "height": {"N": "1"},
                        "bytes": {"N": "7"},
                        "content_type": {"S": "image/jpeg"},
                    }
                }
                for name in ("thumbnail", "web")
            ]
        },
        **changes,
    }


# Requests


def test_get_asks_for_the_callers_own_image() -> None:
    rendered = render("get_image.request", parameters={"id": ID})
    assert rendered.json == {
        "TableName": "images",
        "Key": {"image_id": {"S": f"alice/{ID}"}, "record": {"S": "current"}},
        "ConsistentRead": True,
    }


def test_list_asks_for_the_callers_own_images() -> None:
    rendered = render("list.request")
    assert rendered.json["ExpressionAttributeValues"] == {":owner": {"S": "alice"}}
    assert rendered.json["Limit"] == 20
    assert rendered.json["ScanIndexForward"] is False
    assert "ExclusiveStartKey" not in rendered.json


@pytest.mark.parametrize("limit", ["1", "9", "10", "99", "100"])
@pytest.mark.parametrize("name", ["list.request", "versions.request"])
def test_a_limit_is_taken(name: str, limit: str) -> None:
    assert render(name, parameters={"id": ID, "limit": limit}).json["Limit"] == int(limit)


@pytest.mark.parametrize("limit", ["0", "-1", "101", "1000", "1e1", "010", " 5", "5 ", "\u0665", "ten", "1\n"])
@pytest.mark.parametrize("name", ["list.request", "versions.request"])
def test_another_limit_is_refused(name: str, limit: str) -> None:
    assert render(name, parameters={"id": ID, "limit": limit}).json in REFUSED


def test_a_token_continues_in_the_callers_own_images() -> None:
    rendered = render("list.request", parameters={"next": f"{UPLOADED}_alice%2F{ID}"})
    assert rendered.json["ExclusiveStartKey"] == {
        "listed_owner": {"S": "alice"},
        "listed_at": {"S": UPLOADED},
        "image_id": {"S": f"alice/{ID}"},
        "record": {"S": "current"},
    }


def test_a_token_continues_in_the_image_that_is_asked_for() -> None:
    rendered = render("versions.request", parameters={"id": ID, "next": f"{SEQUENCER}_{VERSION}"})
    assert rendered.json["ExclusiveStartKey"] == {
        "image_id": {"S": f"alice/{ID}"},
        "sequencer": {"S": SEQUENCER},
        "record": {"S": f"version#{VERSION}"},
    }


FORGED = [
    "bob",
    f"bob/{ID}",
    f'{UPLOADED}_{ID}"}}, "listed_owner": {{"S": "bob"}}',
    json.dumps({"listed_owner": {"S": "bob"}, "image_id": {"S": f"bob/{ID}"}}),
    f"{UPLOADED}_{ID}%",
    f"{UPLOADED}_{ID}%zz",
    f"{UPLOADED} {ID}",
    f"{SEQUENCER}_{VERSION}\n",
    f"{SEQUENCER}_../{VERSION}",
    f"{SEQUENCER.lower()}_{VERSION}",
    f"$context.apiId_{ID}",
    "\x00" * 30,
]


@pytest.mark.parametrize("text", FORGED)
@pytest.mark.parametrize("name", ["list.request", "versions.request"])
def test_a_forged_token_is_refused(name: str, text: str) -> None:
    assert render(name, parameters={"id": ID, "next": text}).json in REFUSED


@pytest.mark.parametrize(
    "place", [f"bob/{ID}", f"{ID}/..", f"{ID}_{ID}", "%22%7D%2C%22x%22%3A%7B%22S%22%3A%22", "%0A%FF"]
)
def test_a_token_names_a_place_and_never_an_owner(place: str) -> None:
    query = render("list.request", parameters={"next": f"{UPLOADED}_{place}"}).json
    assert query["ExpressionAttributeValues"] == {":owner": {"S": "alice"}}
    assert query["ExclusiveStartKey"] == {
        "listed_owner": {"S": "alice"},
        "listed_at": {"S": UPLOADED},
        "image_id": {"S": unquote_plus(place)},
        "record": {"S": "current"},
    }


def test_the_variant_is_looked_for_under_the_caller() -> None:
    rendered = render("get_variant.request", parameters={"id": ID, "version": VERSION, "variant": "thumbnail.jpg"})
    assert rendered.request["path"] == {
        "bucket": "processed-bucket",
        "owner": "alice",
        "id": ID,
        "version": VERSION,
        "variant": "thumbnail.jpg",
    }
    assert not rendered.text.strip()


def test_the_deletion_is_of_the_callers_own_image() -> None:
    rendered = render("delete_image.request", parameters={"id": ID})
    assert rendered.request["path"] == {"bucket": "originals-bucket", "owner": "alice", "id": ID}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_id_makes_no_request(text: str) -> None:
    for name in ("get_image.request", "versions.request"):
        assert render(name, parameters={"id": text}).json in REFUSED
    for name in OVERRIDES:
        parameters = {"id": text, "version": VERSION, "variant": "thumbnail.jpg"}
        assert render(name, parameters=parameters).request["path"] == {}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_version_variant_or_token_makes_no_request(text: str) -> None:
    for part in ("version", "variant"):
        parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg", part: text}
        rendered = render("get_variant.request", parameters=parameters)
        assert rendered.request["path"] == {} or (part == "version" and harmless(text))
    for name in ("list.request", "versions.request"):
        for part in ("next", "limit"):
            if text:
                assert render(name, parameters={"id": ID, part: text}).json in REFUSED


def harmless(text: str) -> bool:
    """It is a version's name that no version has: letters, digits and dots, and no step up."""
    return text.isascii() and all(character.isalnum() or character in "._-" for character in text) and len(text) > 2


NOBODIES = [
    None,
    "",
    ".",
    "..",
    "/",
    "a/b",
    "alice/",
    "../bob",
    "a b",
    'a"b',
    "a\\b",
    "a\nb",
    "{a}",
    "$a",
    "a" * 129,
    "é",
]


@pytest.mark.parametrize("owner", NOBODIES)
def test_an_owner_that_cannot_be_one_part_of_a_key_is_refused(owner: str | None) -> None:
    parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg"}
    for name in READS:
        assert render(name, owner=owner, parameters=parameters).json in REFUSED
    for name in OVERRIDES:
        assert render(name, owner=owner, parameters=parameters).request["path"] == {}
    upload = render("post_upload.request", owner=owner, body={"content_type": "image/jpeg"})
    assert upload.json == {"owner": "", "content_type": "image/jpeg"}


OWNERS = [
    "AIDACKCEVSQ6C2EXAMPLE",
    "AROADBQP57FF2AEXAMPLE:alice@example.com",
    "us-east-1:52b6d3e0-2c5a-4c1b-8a0e-0c5a0b1e7c0f",
    ID,
    "a1b2c3d4e5",
]


@pytest.mark.parametrize("owner", OWNERS)
def test_what_authorizers_call_callers_is_taken(owner: str) -> None:
    assert render("get_image.request", owner=owner, parameters={"id": ID}).json["Key"]["image_id"] == {
        "S": f"{owner}/{ID}"
    }


IDENTITY = "eu-central-1:52b6d3e0-2c5a-4c1b-8a0e-0c5a0b1e7c0f"
ROLE = "AROADBQP57FF2AEXAMPLE"


def signed(user: str, identity: str | None = None) -> dict[str, Any]:
    """What API Gateway tells of a request with AWS's signature."""
    arn = f"arn:aws:sts::123456789012:assumed-role/{user}"
    return {"identity": {"user": user, "caller": user, "userArn": arn, "cognitoIdentityId": identity}}


CALLERS = [
    ("AWS_IAM", signed("AIDACKCEVSQ6C2EXAMPLE"), "AIDACKCEVSQ6C2EXAMPLE"),  # a user
    ("AWS_IAM", signed(f"{ROLE}:alice@example.com"), f"{ROLE}:alice@example.com"),  # a role's session
    ("AWS_IAM", signed("123456789012:alice"), "123456789012:alice"),  # a federated user
    ("AWS_IAM", signed("123456789012"), "123456789012"),  # the account's root
    ("COGNITO_IDENTITY", signed(f"{ROLE}:CognitoIdentityCredentials", IDENTITY), IDENTITY),
    ("COGNITO_USER_POOLS", {"authorizer": {"claims": {"sub": ID, "cognito:username": "bob"}}}, ID),
    ("LAMBDA", {"authorizer": {"principalId": "alice", "claims": {"sub": "bob"}}}, "alice"),
    ("API_KEY", {"identity": {"apiKeyId": "a1b2c3d4e5", "apiKey": "secret"}}, "a1b2c3d4e5"),
]


def owners(authorization: str, told: dict[str, Any]) -> set[str]:
    """Whose every key is that the templates make for a caller."""
    parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg"}

    def made(name: str, **more: Any) -> Rendered:
        return render(name, parameters=parameters, authorization=authorization, told=told, **more)

    return {
        made("get_image.request").json["Key"].get("image_id", {"S": "/"})["S"].removesuffix(f"/{ID}"),
        made("list.request").json.get("ExpressionAttributeValues", {":owner": {"S": "/"}})[":owner"]["S"],
        made("versions.request")
        .json.get("ExpressionAttributeValues", {":id": {"S": "/"}})[":id"]["S"]
        .removesuffix(f"/{ID}"),
        *(made(name).request["path"].get("owner", "/") for name in OVERRIDES),
        made("post_upload.request", body={"content_type": "image/jpeg"}).json["owner"] or "/",
    }


@pytest.mark.parametrize(("authorization", "told", "owner"), CALLERS)
def test_the_owner_is_whoever_the_authorization_says(authorization: str, told: dict[str, Any], owner: str) -> None:
    assert owners(authorization, told) == {owner}


def test_there_is_a_caller_of_each_authorization() -> None:
    assert {authorization for authorization, _, _ in CALLERS} == set(principals())


@pytest.mark.parametrize(
    ("authorization", "told"),
    [
        ("AWS_IAM", signed("")),
        ("COGNITO_IDENTITY", signed(f"{ROLE}:alice")),  # AWS's signature, but of no identity
        ("COGNITO_USER_POOLS", {"authorizer": {}}),
        ("LAMBDA", {}),
        ("API_KEY", {"identity": {}}),
    ],
)
def test_whom_the_authorization_does_not_name_owns_nothing(authorization: str, told: dict[str, Any]) -> None:
    assert owners(authorization, told) == {"/"}


@pytest.mark.parametrize(
    "session", ["bob", "a=b", "x,y", "x.y@z", "_-", "AIDACKCEVSQ6C2EXAMPLE", "123456789012", "a" * 64]
)
def test_no_name_of_a_session_makes_another_principal_of_a_role(session: str) -> None:
    (owner,) = owners("AWS_IAM", signed(f"{ROLE}:{session}"))
    assert owner == f"{ROLE}:{session}"
    assert owner.split(":")[0] == ROLE


# Responses


def test_a_record_is_shown() -> None:
    shown = render("get_image.response", body={"Item": item()}, path=f"/v1/images/{ID}").json
    assert shown == {
        "id": ID,
        "status": "Processed",
        "version": VERSION,
        "uploaded_at": UPLOADED,
        "recorded_at": "2026-11-21T18:00:05.123Z",
        "original": {"bytes": 9, "width": 4, "height": 3, "format": "jpeg"},
        "variants": [
            {
                "name": name,
                "url": f"/v1/images/{ID}/{VERSION}/{name}.jpg",
                "width": 2,
                "height": 1,
                "bytes": 7,
                "content_type": "image/jpeg",
            }
            for name in ("thumbnail", "web")
        ],
    }


def test_a_rejection_is_shown_with_its_reason() -> None:
    rejected = item(
        status={"S": "Rejected"},
        original={"M": {"bytes": {"N": "9"}}},
        reason={"M": {"code": {"S": "unreadable_image"}, "message": {"S": 'it\'s "broken"\\\n\u2028'}}},
        variants={"NULL": True},
    )
    shown = render("get_image.response", body={"Item": rejected}).json
    assert shown["reason"] == {"code": "unreadable_image", "message": 'it\'s "broken"\\\n\u2028'}
    assert shown["original"] == {"bytes": 9}
    assert shown["variants"] == []


def test_a_deletion_is_shown() -> None:
    deleted = item(status={"S": "Deleted"}, deleted_at={"S": UPLOADED})
    del deleted["variants"]
    shown = render("get_image.response", body={"Item": deleted}).json
    assert (shown["status"], shown["deleted_at"], shown["variants"]) == ("Deleted", UPLOADED, [])


def test_no_record_is_not_found() -> None:
    rendered = render("get_image.response", body={})
    assert rendered.response["status"] == 404
    assert rendered.json["error"]["code"] == "not_found"


@pytest.mark.parametrize("text", HOSTILE)
def test_whatever_a_record_holds_stays_a_text(text: str) -> None:
    rejected = item(status={"S": "Rejected"}, reason={"M": {"code": {"S": "unreadable_image"}, "message": {"S": text}}})
    assert render("get_image.response", body={"Item": rejected}).json["reason"]["message"] == text


def test_a_list_is_shown_with_the_next_pages_token() -> None:
    last = {"listed_owner": {"S": "alice"}, "listed_at": {"S": UPLOADED}, "image_id": {"S": f"alice/{ID}"}}
    rendered = render("list.response", body={"Items": [item(), item()], "LastEvaluatedKey": last})
    assert [image["id"] for image in rendered.json["images"]] == [ID, ID]
    assert rendered.json["images"][0]["variants"][0]["url"] == f"/v1/images/{ID}/{VERSION}/thumbnail.jpg"
    again = render("list.request", parameters={"next": rendered.json["next"]})
    assert again.json["ExclusiveStartKey"]["image_id"] == {"S": f"alice/{ID}"}


def test_a_list_leaves_out_what_has_no_id_here() -> None:
    foreign = item(image_id={"S": "holiday/beach.jpg"})
    rendered = render("list.response", body={"Items": [foreign, item(), foreign]})
    assert [image["id"] for image in rendered.json["images"]] == [ID]
    assert "next" not in rendered.json


KEYS = [text for text in HOSTILE if len(text.encode()) <= 1024]  # S3 allows no longer ones


@pytest.mark.parametrize("key", ["holiday/beach.jpg", 'a"b/c.jpg', f"alice/alice/{ID}", *KEYS])
def test_a_page_may_end_at_an_image_that_has_no_id_here(key: str) -> None:
    last = {"listed_owner": {"S": "alice"}, "listed_at": {"S": UPLOADED}, "image_id": {"S": key}}
    rendered = render("list.response", body={"Items": [item(image_id={"S": key})], "LastEvaluatedKey": last})
    assert rendered.json["images"] == []
    if not key:
        assert "next" not in rendered.json
        return
    again = render("list.request", parameters={"next": rendered.json["next"]})
    assert again.json["ExclusiveStartKey"]["image_id"] == {"S": key}


def test_an_empty_list_is_one() -> None:
    assert render("list.response", body={"Items": []}).json == {"images": []}


def test_versions_are_shown_with_the_next_pages_token() -> None:
    last = {"image_id": {"S": f"alice/{ID}"}, "sequencer": {"S": SEQUENCER}, "record": {"S": f"version#{VERSION}"}}
    rendered = render(
        "versions.response",
        body={"Items": [item(), item()], "LastEvaluatedKey": last},
        path=f"/v1/images/{ID}/versions",
    )
    assert [version["version"] for version in rendered.json["versions"]] == [VERSION, VERSION]
    assert rendered.json["versions"][0]["variants"][0]["url"] == f"/v1/images/{ID}/{VERSION}/thumbnail.jpg"
    again = render("versions.request", parameters={"id": ID, "next": rendered.json["next"]})
    assert again.json["ExclusiveStartKey"]["record"] == {"S": f"version#{VERSION}"}


def test_no_versions_are_not_found() -> None:
    assert render("versions.response", body={"Items": []}).response["status"] == 404


@pytest.mark.parametrize("stage", ["versions", "uploads", "images"])
def test_a_stage_may_be_called_like_a_part_of_a_path(stage: str) -> None:
    """Or what a domain's mapping puts before the path."""
    shown = render("versions.response", body={"Items": [item()]}, path=f"/{stage}/images/{ID}/versions").json
    assert shown["versions"][0]["variants"][0]["url"] == f"/{stage}/images/{ID}/{VERSION}/thumbnail.jpg"
    form = {"id": ID, "url": "https://s3/x", "fields": {}, "expires_in": 300}
    assert (
        render("post_upload.response", body=form, path=f"/{stage}/uploads").json["status_url"]
        == f"/{stage}/images/{ID}"
    )


def test_an_upload_says_where_to_look() -> None:
    rendered = render("post_image.response")
    assert rendered.json == {"id": rendered_id(rendered), "status_url": f"/v1/images/{rendered_id(rendered)}"}
    assert rendered.response["header"]["Location"] == rendered.json["status_url"]


def rendered_id(rendered: Rendered) -> str:
    identity: str = rendered.json["id"]
    return identity


def test_a_form_is_passed_on() -> None:
    form = {"id": ID, "url": "https://s3/x", "fields": {"key": f"alice/{ID}", "it's": '"'}, "expires_in": 300}
    shown = render("post_upload.response", body=form, path="/v1/uploads").json
    assert shown == {**form, "status_url": f"/v1/images/{ID}"}


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_what_a_form_is_asked_for_stays_a_text(text: str) -> None:
    asked = {"content_type": text, "name": text}
    assert render("post_upload.request", body=asked).json == {"owner": "alice", **asked}


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("com.amazon.coral.validate#ValidationException", None, "not_found"),
        ("com.amazonaws.dynamodb.v20120810#AccessDeniedException", 500, "internal"),
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", 500, "internal"),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", 503, "unavailable"),
        ("com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", 503, "unavailable"),
        ("com.amazon.coral.availability#ThrottlingException", 503, "unavailable"),
        ("", 500, "internal"),
    ],
)
def test_what_dynamodb_finds_invalid_is_the_callers_and_the_rest_is_ours(
    kind: str, status: int | None, code: str
) -> None:
    rendered = render("table_error.response", body={"__type": kind, "message": "arn:aws:secret"}, terraform=ERROR)
    assert rendered.response.get("status") == status
    assert rendered.response["header"] == ({"Retry-After": "1"} if status == 503 else {})
    assert rendered.json["error"]["code"] == code
    assert "arn:" not in rendered.text


def test_the_function_takes_the_same_owners() -> None:
    from presign_upload import forms  # noqa: PLC0415 - private, and compared here alone

    assert forms._OWNER.pattern == patterns()["owner"]  # noqa: SLF001

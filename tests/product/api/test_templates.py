"""The mapping templates, rendered: whose keys they make, what they refuse, what callers get to see."""

from __future__ import annotations

import base64
import json
import re
from re import _constants, _parser  # Python's parser, because Java's is not available
from typing import Any
from urllib.parse import unquote_plus

import pytest

from scripts import ROOT
from tests.product.api.rendering import EXTENDED_ID, TEMPLATES, Rendered, foreign_keys, patterns, principals, render
from tests.support.hostile_names import HOSTILE

ID = "0c5a0b1e-7c0f-4d57-9a53-1f2f3c4d5e6f"
VERSION = "3HL4kqtJlcpXroDTDmpUMLUo"
SEQUENCER = "006B0B09E8B476E46300000000000000"
UPLOADED = "2026-11-21T18:00:00Z"

# An invalid query for DynamoDB: no key, no condition.
REFUSED = (
    {"TableName": "images", "Key": {}},
    {"TableName": "images", "IndexName": "by_owner"},
    {"TableName": "images", "IndexName": "by_sequencer"},
)

READS = ("get_image.request", "list.request", "versions.request")
OVERRIDES = ("get_variant.request", "delete_image.request")


def item(owner: str = "alice", **changes: Any) -> dict[str, Any]:
    """Return a record as DynamoDB returns it."""
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
    more = name == "versions.request"  # which looks one version ahead
    assert render(name, parameters={"id": ID, "limit": limit}).json["Limit"] == int(limit) + more


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


def test_token_continues_in_the_same_image() -> None:
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
    if re.fullmatch("[A-Za-z0-9_-]{8,64}", text):  # an id that no image has
        assert render("get_image.request", parameters={"id": text}).json["Key"]["image_id"] == {"S": f"alice/{text}"}
        return
    for name in ("get_image.request", "versions.request"):
        assert render(name, parameters={"id": text}).json in REFUSED
    for name in OVERRIDES:
        parameters = {"id": text, "version": VERSION, "variant": "thumbnail.jpg"}
        assert render(name, parameters=parameters).request["path"] == {}


@pytest.mark.parametrize("identity", [ID, EXTENDED_ID, "4a1b2c3d"])
def test_minted_ids_match_the_pattern(identity: str) -> None:
    """By presign_upload, by API Gateway, and by LocalStack in its place."""
    assert render("get_image.request", parameters={"id": identity}).json["Key"]["image_id"] == {
        "S": f"alice/{identity}"
    }
    assert render("delete_image.request", parameters={"id": identity}).request["path"]["id"] == identity


def test_headers_are_not_parameters() -> None:
    headers = {
        "limit": "1",
        "next": f"{UPLOADED}_alice%2F{ID}",
        "id": ID,
        "version": VERSION,
        "variant": "thumbnail.jpg",
    }
    assert render("list.request", headers=headers).json == render("list.request").json
    assert render("versions.request", headers=headers).json in REFUSED
    assert render("get_image.request", headers=headers).json in REFUSED
    assert render("get_variant.request", headers=headers).request["path"] == {}


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_value_makes_no_request(text: str) -> None:
    for part in ("version", "variant"):
        parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg", part: text}
        rendered = render("get_variant.request", parameters=parameters)
        assert rendered.request["path"] == {} or (part == "version" and harmless(text))
    for name in ("list.request", "versions.request"):
        for part in ("next", "limit"):
            if text:
                assert render(name, parameters={"id": ID, part: text}).json in REFUSED


def harmless(text: str) -> bool:
    """Return True for the form of a version that does not exist: letters, digits and dots, without a parent path."""
    return text.isascii() and all(character.isalnum() or character in "._-" for character in text) and len(text) > 2


NOBODIES = [
    None,
    "",
    "auth0|5f7c8ec7c33c6c004bbafe82",
    "alice+photos",
    f"{'AROADBQP57FF2AEXAMPLE'}:alice+photos@example.com",
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
def test_owner_must_be_one_part_of_a_key(owner: str | None) -> None:
    parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg"}
    for name in READS:
        assert render(name, owner=owner, parameters=parameters).json in REFUSED
    for name in OVERRIDES:
        assert render(name, owner=owner, parameters=parameters).request["path"] == {}
    assert render("post_upload.request", owner=owner, body={"content_type": "image/jpeg"}).json["owner"] == ""


ANSWERS = {
    "error.response": "<Error><Code>AccessDenied</Code></Error>",
    "table_error.response": {"__type": "com.amazon.coral.validate#ValidationException"},
    "post_image.response": "",
    "post_image.refused": "<Error><Code>AccessDenied</Code><Message>no</Message></Error>",
    "post_upload.response": {"error": "invalid_body"},
}


@pytest.mark.parametrize("owner", NOBODIES)
@pytest.mark.parametrize("name", ANSWERS)
def test_invalid_owner_is_forbidden(name: str, owner: str | None) -> None:
    """The service answers so to the requests above, on every route."""
    rendered = render(name, owner=owner, body=ANSWERS[name])
    assert rendered.response.get("status", 403) == 403
    assert rendered.json == {"error": {"code": "forbidden"}}
    assert render(name, body=ANSWERS[name]).json != rendered.json


def test_s3_refuses_keys_of_invalid_owners() -> None:
    """POST /images has no template, so wildcards refuse them: for ASCII both are equivalent."""
    foreign = [re.sub(r"&\{(.)\}", r"[\1]", key) for key in foreign_keys()]

    def refused(owner: str) -> bool:
        return any(wildcard(pattern).fullmatch(f"{owner}/{EXTENDED_ID}") for pattern in foreign)

    ascii_owners = [text for text in [*HOSTILE, *OWNERS, *NOBODIES] if text and re.fullmatch("[ -~]+", text)]
    owners = [
        *ascii_owners,
        *map(chr, range(32, 127)),
        *(f"a{chr(code)}b" for code in range(32, 127)),
        "a" * 128,
        "a" * 129,
    ]
    assert {owner for owner in owners if refused(owner)} == {
        owner for owner in owners if not re.fullmatch(patterns()["owner"], owner)
    }


def wildcard(pattern: str) -> re.Pattern[str]:
    """Return a pattern of IAM as a regular expression; [x] is x itself."""
    parts = re.findall(r"\[(.)\]|(.)", pattern)
    return re.compile(
        "".join({"*": ".*", "?": "."}.get(any_, re.escape(any_)) if any_ else re.escape(self) for self, any_ in parts)
    )


def test_the_hash_of_an_empty_body_is_denied() -> None:
    denied = (
        "<Error><Code>AccessDenied</Code><Message>User: arn:aws:sts::123456789012:assumed-role/darkroom-api is not "
        "authorized to perform: s3:PutObject on resource: &quot;arn&quot; with an explicit deny in an identity-based "
        "policy</Message></Error>"
    )
    rendered = render("post_image.refused", body=denied)
    assert (rendered.response["status"], rendered.json) == (400, {"error": {"code": "empty"}})
    rendered = render("post_image.refused", body="<Error><Code>AccessDenied</Code></Error>")
    assert (rendered.response["status"], rendered.json) == (500, {"error": {"code": "internal"}})


OWNERS = [
    "AIDACKCEVSQ6C2EXAMPLE",
    "AROADBQP57FF2AEXAMPLE:alice@example.com",
    "us-east-1:52b6d3e0-2c5a-4c1b-8a0e-0c5a0b1e7c0f",
    ID,
    "a1b2c3d4e5",
]


@pytest.mark.parametrize("owner", OWNERS)
def test_authorizers_names_of_callers_are_accepted(owner: str) -> None:
    assert render("get_image.request", owner=owner, parameters={"id": ID}).json["Key"]["image_id"] == {
        "S": f"{owner}/{ID}"
    }


IDENTITY = "eu-central-1:52b6d3e0-2c5a-4c1b-8a0e-0c5a0b1e7c0f"
ROLE = "AROADBQP57FF2AEXAMPLE"


def signed(user: str, identity: str | None = None) -> dict[str, Any]:
    """Return the $context of a request with AWS's signature."""
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


def owners(authorization: str, caller: dict[str, Any]) -> set[str]:
    """Return the owners in all keys that the templates build for a caller."""
    parameters = {"id": ID, "version": VERSION, "variant": "thumbnail.jpg"}

    def made(name: str, **more: Any) -> Rendered:
        return render(name, parameters=parameters, authorization=authorization, caller=caller, **more)

    return {
        made("get_image.request").json["Key"].get("image_id", {"S": "/"})["S"].removesuffix(f"/{ID}"),
        made("list.request").json.get("ExpressionAttributeValues", {":owner": {"S": "/"}})[":owner"]["S"],
        made("versions.request")
        .json.get("ExpressionAttributeValues", {":id": {"S": "/"}})[":id"]["S"]
        .removesuffix(f"/{ID}"),
        *(made(name).request["path"].get("owner", "/") for name in OVERRIDES),
        made("post_upload.request").json["owner"] or "/",
    }


@pytest.mark.parametrize(("authorization", "caller", "owner"), CALLERS)
def test_owner_is_the_authorized_caller(authorization: str, caller: dict[str, Any], owner: str) -> None:
    assert owners(authorization, caller) == {owner}


def test_every_authorization_has_a_caller() -> None:
    assert {authorization for authorization, _, _ in CALLERS} == set(principals())


@pytest.mark.parametrize(
    ("authorization", "caller"),
    [
        ("AWS_IAM", signed("")),
        ("COGNITO_IDENTITY", signed(f"{ROLE}:alice")),  # AWS's signature, but of no identity
        ("COGNITO_USER_POOLS", {"authorizer": {}}),
        ("LAMBDA", {}),
        ("API_KEY", {"identity": {}}),
    ],
)
def test_unidentified_caller_owns_nothing(authorization: str, caller: dict[str, Any]) -> None:
    assert owners(authorization, caller) == {"/"}


@pytest.mark.parametrize(
    "session", ["bob", "a=b", "x,y", "x.y@z", "_-", "AIDACKCEVSQ6C2EXAMPLE", "123456789012", "a" * 64]
)
def test_session_name_cannot_imitate_another_role(session: str) -> None:
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
def test_values_of_a_record_stay_texts(text: str) -> None:
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
def test_page_can_end_at_an_image_without_an_id(key: str) -> None:
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


def test_versions_have_the_token_of_the_next_page() -> None:
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


@pytest.mark.parametrize("parameters", [{}, {"limit": "5"}, {"next": f"{SEQUENCER}_{VERSION}"}])
def test_an_image_without_versions_is_not_found(parameters: dict[str, str]) -> None:
    rendered = render("versions.response", parameters=parameters, body={"Items": []})
    assert rendered.response["status"] == 404
    assert rendered.json["error"]["code"] == "not_found"


@pytest.mark.parametrize("count", range(1, 6))
def test_a_token_is_given_only_if_a_version_follows(count: int) -> None:
    """DynamoDB is asked for one more than fits, so no page of a known image is empty."""
    versions = [f"version-{number}" for number in range(count)]
    items = [
        item(version={"S": name}, record={"S": f"version#{name}"}, sequencer={"S": SEQUENCER}) for name in versions
    ][:4]
    body = {"Items": items, **({"LastEvaluatedKey": items[-1]} if len(items) == 4 else {})}
    shown = render("versions.response", parameters={"limit": "3"}, body=body, path=f"/v1/images/{ID}/versions").json
    assert [version["version"] for version in shown["versions"]] == versions[:3]
    assert shown.get("next") == (f"{SEQUENCER}_version-2" if count > 3 else None)


@pytest.mark.parametrize("slashes", ["", "/", "//"])
def test_urls_have_no_trailing_slash(slashes: str) -> None:
    rendered = render("post_image.response", path=f"/v1/images{slashes}")
    assert rendered.response["header"]["Location"] == rendered.json["status_url"] == f"/v1/images/{EXTENDED_ID}"
    shown = render("list.response", body={"Items": [item()]}, path=f"/v1/images{slashes}").json["images"]
    shown.append(render("get_image.response", body={"Item": item()}, path=f"/v1/images/{ID}{slashes}").json)
    shown += render("versions.response", body={"Items": [item()]}, path=f"/v1/images/{ID}/versions{slashes}").json[
        "versions"
    ]
    assert [image["variants"][0]["url"] for image in shown] == [f"/v1/images/{ID}/{VERSION}/thumbnail.jpg"] * 3
    form = {"id": ID, "url": "https://s3/x", "fields": {}, "expires_in_seconds": 300}
    shown = render("post_upload.response", body=form, path=f"/v1/uploads{slashes}").json
    assert shown["status_url"] == f"/v1/images/{ID}"


@pytest.mark.parametrize("stage", ["versions", "uploads", "images"])
def test_a_stage_may_be_called_like_a_part_of_a_path(stage: str) -> None:
    """Or what a domain's mapping puts before the path."""
    shown = render("versions.response", body={"Items": [item()]}, path=f"/{stage}/images/{ID}/versions").json
    assert shown["versions"][0]["variants"][0]["url"] == f"/{stage}/images/{ID}/{VERSION}/thumbnail.jpg"
    form = {"id": ID, "url": "https://s3/x", "fields": {}, "expires_in_seconds": 300}
    assert (
        render("post_upload.response", body=form, path=f"/{stage}/uploads").json["status_url"]
        == f"/{stage}/images/{ID}"
    )


def test_an_upload_says_where_to_look() -> None:
    rendered = render("post_image.response")
    assert rendered.json == {"id": EXTENDED_ID, "status_url": f"/v1/images/{EXTENDED_ID}"}
    assert rendered.response["header"]["Location"] == rendered.json["status_url"]


def test_a_form_is_passed_on() -> None:
    form = {"id": ID, "url": "https://s3/x", "fields": {"key": f"alice/{ID}", "it's": '"'}, "expires_in_seconds": 300}
    shown = render("post_upload.response", body=form, path="/v1/uploads").json
    assert shown == {**form, "status_url": f"/v1/images/{ID}"}


@pytest.mark.parametrize("text", [text for text in HOSTILE if text])
def test_a_body_reaches_the_function_unchanged(text: str) -> None:
    asked = json.dumps({"content_type": "image/png", "name": text}, ensure_ascii=False)
    for body in (asked, text):
        rendered = render("post_upload.request", body=body, text=True).json
        assert rendered == {"owner": "alice", "body": body if len(body) <= 4096 else ""}
    encoded = render("post_upload.request", body=asked).json["body"]
    assert encoded == "" or base64.b64decode(encoded).decode() == asked


def test_refusal_is_a_400_and_other_errors_are_a_500() -> None:
    refused = render("post_upload.response", body={"error": "invalid_body"})
    assert (refused.response["status"], refused.json) == (400, {"error": {"code": "refusal"}})
    for answer in ({}, {"message": "Too large"}, {"error": "other"}):
        failed = render("post_upload.response", body=answer)
        assert (failed.response["status"], failed.json) == (500, {"error": {"code": "internal"}})


BODIES = {
    "get_image.response": {"Item": item()},
    "list.response": {"Items": [item()]},
    "versions.response": {"Items": [item()]},
    "post_upload.response": {"id": ID, "url": "https://s3/x", "fields": {"a": "ü"}, "expires_in_seconds": 300},
    "table_error.response": {"__type": "com.amazon.coral.validate#ValidationException"},
}


@pytest.mark.parametrize("name", BODIES)
def test_a_body_may_be_text_or_base64(name: str) -> None:
    assert render(name, body=BODIES[name], text=True).meaning == render(name, body=BODIES[name]).meaning


def test_every_template_that_reads_a_body_takes_both() -> None:
    """No template reads JSON but by body.vtl: $input.path and $input.json do not see through base64."""
    texts = {path.stem: path.read_text() for path in TEMPLATES.glob("*.vtl")}
    assert not [name for name, text in texts.items() if re.search(r"\$!?input\.(path|json)\(", text)]
    assert {name for name, text in texts.items() if "${body}" in text} == set(BODIES)
    assert {name for name, text in texts.items() if "input.body" in text} == {
        "body", "post_image.refused", "post_upload.request",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("com.amazon.coral.validate#ValidationException", None, "refusal"),
        ("com.amazonaws.dynamodb.v20120810#AccessDeniedException", 500, "internal"),
        ("com.amazonaws.dynamodb.v20120810#ResourceNotFoundException", 500, "internal"),
        ("com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException", 503, "unavailable"),
        ("com.amazonaws.dynamodb.v20120810#RequestLimitExceeded", 503, "unavailable"),
        ("com.amazon.coral.availability#ThrottlingException", 503, "unavailable"),
        ("", 500, "internal"),
    ],
)
def test_only_validation_errors_are_the_callers(kind: str, status: int | None, code: str) -> None:
    rendered = render("table_error.response", body={"__type": kind, "message": "arn:aws:secret"})
    assert rendered.response.get("status") == status
    assert rendered.response["header"] == ({"Retry-After": "1"} if status == 503 else {})
    assert rendered.json["error"]["code"] == code
    assert "arn:" not in rendered.text


def test_the_function_takes_the_same_owners() -> None:
    from presign_upload import forms  # noqa: PLC0415 - private, and compared here alone

    assert forms._OWNER.pattern == patterns()["owner"]  # noqa: SLF001


# Regular expressions


def regular_expressions() -> dict[str, str]:
    """Return every pattern that Java evaluates, by its place."""
    found = {f"api_patterns.{name}": pattern for name, pattern in patterns().items()}
    for path in TEMPLATES.glob("*.vtl"):
        for pattern in re.findall(r"""(?:matches|replaceAll)\(["'](.*?)["'][,)]""", path.read_text()):
            if "${" not in pattern:
                found[f"{path.name} {pattern}"] = pattern
    terraform = (ROOT / "terraform" / "7_serve.tf").read_text()
    for pattern in re.findall(r'^\s*"([^"]+)"\s+= (?:\{ status|local\.api_)', terraform, re.MULTILINE):
        found[f"response {pattern}"] = pattern.replace("\\\\", "\\")
    return found


CHARACTERS = {_constants.ANY, _constants.IN, _constants.LITERAL, _constants.NOT_LITERAL}
REPEATS = {_constants.MAX_REPEAT, _constants.MIN_REPEAT, _constants.POSSESSIVE_REPEAT}


def repeats_a_group(pattern: str) -> bool:
    """Return True if more than a character is repeated: Java then needs more of its stack with each repetition."""

    def found(parsed: Any) -> bool:
        for operation, argument in parsed:
            if operation in REPEATS:
                _, most, repeated = argument
                if most > 1 and [part for part, _ in repeated] not in [[one] for one in CHARACTERS]:
                    return True
            inner = argument if isinstance(argument, tuple | list) else ()
            parts = [part for one in inner for part in (one if isinstance(one, list) else [one])]
            if any(found(part) for part in parts if isinstance(part, _parser.SubPattern)):
                return True
        return False

    return found(_parser.parse(pattern))


def test_every_kind_of_regular_expression_is_found() -> None:
    places = set(regular_expressions())
    assert {"api_patterns.image_token", "post_image.response.vtl /+$"} < places
    assert r"response [\\s\\S]+" in places
    assert any("ThrottlingException" in place for place in places)


@pytest.mark.parametrize("place", regular_expressions())
def test_no_regular_expression_repeats_a_group(place: str) -> None:
    assert not repeats_a_group(regular_expressions()[place])


@pytest.mark.parametrize(
    "pattern",
    [
        "(a|b)*",
        "(ab)+",
        "(?:ab){1,9}",
        "x([A-Z]|%[0-9]{2}){1,3072}",
        "(.|\\n)+",
        "(a(b)){2}",
        "(?>ab)+",
        "(a?)*",
        "(?=(a|b)+)",
        "(?:x|(ab)+)?",
    ],
)
def test_a_repeated_group_is_found(pattern: str) -> None:
    assert repeats_a_group(pattern)


@pytest.mark.parametrize("token", ["image_token", "version_token"])
def test_the_longest_token_overflows_no_stack(token: str) -> None:
    """Velocity has a stack of 512 kB here."""
    name, longest = {
        "image_token": ("list.request", f"{UPLOADED}_" + "%C3" * 1024),
        "version_token": ("versions.request", f"{SEQUENCER}_" + "a" * 200),
    }[token]
    assert re.fullmatch(patterns()[token], longest)
    assert "ExclusiveStartKey" in render(name, parameters={"id": ID, "next": longest}).json

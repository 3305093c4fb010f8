"""Lets schemathesis call every operation of the API with credentials that may and with ids that exist.

ANTIN_PLAN names a JSON file: for each operationId its Authorization header and one request that must succeed. That request is sent
once, as the operation's first call; afterwards everything is generated but the credentials and, most of the time, the path.
"""

import base64
import json
import os
import random

import schemathesis

with open(os.environ["ANTIN_PLAN"], encoding="utf-8") as f:
    PLAN = json.load(f)
FIRST = set(PLAN)
CHOICE = random.Random(20261124)


@schemathesis.serializer("application/pdf", "application/pkcs7-signature", "application/pkcs7-mime")
def as_bytes(context, value):
    return value if isinstance(value, bytes) else str(value).encode()


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    plan = PLAN[operation]
    if plan["authorization"]:
        case.headers["Authorization"] = plan["authorization"]
    if operation in FIRST:
        FIRST.discard(operation)
        case.path_parameters = dict(plan["path"])
        case.query = dict(plan["query"])
        case.headers.update(plan["headers"])
        for name in ("Range", "If-Range", "If-None-Match", "If-Match", "Content-Digest", "Repr-Digest"):
            if name not in plan["headers"]:
                case.headers.pop(name, None)
        if plan["raw"]:
            case.media_type, case.body = plan["type"], base64.b64decode(plan["raw"])
        elif plan["body"] is not None:
            case.media_type, case.body = plan["type"], plan["body"]
    elif plan["path"] and CHOICE.random() < 0.7:
        case.path_parameters = dict(plan["path"])

"""Published vectors: signatures that MoMo itself, or its own sample code, has made."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from payments.gateways.momo import signing
from payments.gateways.momo.config import Keys

_DEFAULT = Path(__file__).parent.parent / "vectors"
_FIELDS = {
    "ipn_or_redirect": signing.RESULT_FIELDS,
    "create_request": signing.CREATE_FIELDS,
    "query_request": signing.QUERY_FIELDS,
    "refund_request": signing.REFUND_FIELDS,
    "refund_query_request": signing.QUERY_FIELDS,
    "confirm_request": signing.CONFIRM_FIELDS,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    named = [Path(name) for name in metafunc.config.getoption("--vectors")]
    found = [
        vector
        for path in named or sorted(_DEFAULT.glob("*.json"))
        for vector in json.loads(path.read_text()).get("vectors", [])
        if vector["gateway"] == "momo"
    ]
    if "result" in metafunc.fixturenames:
        found = [vector for vector in found if vector["operation"] == "ipn_or_redirect"]
    (name,) = {"vector", "result"} & set(metafunc.fixturenames)
    metafunc.parametrize(name, found, ids=[vector["id"] for vector in found])


def test_text_and_signature_are_momos(vector: dict[str, Any]) -> None:
    keys = Keys(vector["access_key"], vector["secret"])
    fields = _FIELDS[vector["operation"]]
    assert signing.canonical(fields, vector["params"], keys.access_key) == vector["canonical"]
    assert signing.sign(fields, vector["params"], keys) == vector["expected_signature"]


def test_result_is_genuine_as_fields_and_as_a_query_string(result: dict[str, Any]) -> None:
    keys = Keys(result["access_key"], result["secret"])
    other = Keys(result["access_key"], "another secret")
    from_url = dict(parse_qsl(result["query_string"], keep_blank_values=True))
    from_body = {**result["params"], "signature": result["expected_signature"].upper()}
    for fields in (from_url, from_body):
        assert signing.is_genuine(fields, [other, keys])
        assert not signing.is_genuine(fields, [other])

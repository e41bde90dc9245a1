"""Form bodies as the SDKs and as people write them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.stripe.errors import StripeError
from sandbox.stripe.forms import decode
from sandbox.stripe.gateway import sign


class TestDecode:
    @pytest.mark.parametrize(
        ("wire", "tree"),
        [
            ("foo=7", {"foo": "7"}),
            ("x=%20&%20=x", {"x": " ", " ": "x"}),
            ("x=%2c&%2c=x", {"x": ",", ",": "x"}),
            ("m1[k1]=v1&m1[k2]=v2&m2[k1]=v1", {"m1": {"k1": "v1", "k2": "v2"}, "m2": {"k1": "v1"}}),
            ("a[]=1&a[]=2", {"a": ["1", "2"]}),
            ("a[0]=1&a[1]=2", {"a": ["1", "2"]}),
            ("a%5B0%5D%5Bb%5D=1", {"a": [{"b": "1"}]}),
            (
                "o[][k1]=1_1&o[][k2]=1_2&o[][k1]=2_1&o[][k2]=2_2",
                {"o": [{"k1": "1_1", "k2": "1_2"}, {"k1": "2_1", "k2": "2_2"}]},
            ),
            ("o[k1][]=v1&o[k1][]=v2", {"o": {"k1": ["v1", "v2"]}}),
            (
                "o[][k1][]=1&o[][k1][]=2&o[][k2][key]=3&o[][k3]=4",
                {"o": [{"k1": ["1", "2"], "k2": {"key": "3"}, "k3": "4"}]},
            ),
            ("metadata[old]=", {"metadata": {"old": ""}}),
            ("metadata[0]=x", {"metadata": {"0": "x"}}),
            ("a[metadata][7]=x", {"a": {"metadata": {"7": "x"}}}),
            ("items[1][0]=3&items[1][1]=4&items[0][foo]=b", {"items": [{"foo": "b"}, ["3", "4"]]}),
        ],
    )
    def test_builds_the_tree(self, wire: str, tree: dict[str, Any]) -> None:
        assert decode(wire) == tree

    @pytest.mark.parametrize("wire", ["a=1&a[b]=2", "a[0]=1&a[]=2", "[a]=1", "a[b=1", "a=%ff"])
    def test_refuses_what_has_no_shape(self, wire: str) -> None:
        with pytest.raises(StripeError):
            decode(wire)

    def test_refuses_endless_nesting(self) -> None:
        with pytest.raises(StripeError, match="nested too deeply"):
            decode("a" + "[b]" * 50 + "=1")


class TestSign:
    def test_equals_the_official_sdks_signature(self) -> None:
        payload = (
            b'{\n  "id": "evt_test_webhook",\n  "object": "event",\n'
            b'  "data": { "object": { "id": "rdr_123", "object": "terminal.reader" } }\n}'
        )
        assert sign(payload, 1700000000, "whsec_test_secret") == (
            "3bfab77baf5f7b6991a46c9b53b6547d7afc56148b10468fcad9f35c1992ffbd"
        )

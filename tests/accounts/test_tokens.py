"""Sign-in for client apps: good tokens, forged ones, and somebody who guesses."""

import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
import time_machine
from axes.models import AccessAttempt
from django.conf import settings
from rest_framework.test import APIClient
from rest_framework_simplejwt.tokens import RefreshToken

from accounts.models import User
from durable.ids import uuid7
from tests.factories import PASSWORD, UserFactory

pytestmark = pytest.mark.django_db(transaction=True)

# The windows of the limits begin with the minute.
MIDDLE_OF_A_MINUTE = datetime(2026, 11, 22, 3, 30, 20, tzinfo=UTC)
KEY = str(settings.SIMPLE_JWT["SIGNING_KEY"])


@pytest.fixture
def guest() -> APIClient:
    """A client from an address of its own, so that one test's limit is not another's."""
    number = uuid7().int & 0xFFFFFF
    address = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
    return APIClient(REMOTE_ADDR=address)


def sign_in(client: APIClient, username: str, password: str, **headers: str) -> Any:
    credentials = {"username": username, "password": password}
    return client.post("/auth/token", credentials, headers=headers)


def claims(user: User, **changes: Any) -> dict[str, Any]:
    now = datetime.now(tz=UTC)
    return {
        "token_type": "access",
        "exp": now + timedelta(minutes=5),
        "iat": now,
        "jti": uuid7().hex,
        "sub": str(user.pk),
        "aud": "payments-api",
        "iss": "payments",
    } | changes


def bearer(client: APIClient, token: str) -> Any:
    return client.get("/orders", headers={"Authorization": f"Bearer {token}"})


class TestAuthToken:
    def test_gives_a_pair_that_opens_the_api(self, guest: APIClient, shopper: User) -> None:
        answer = sign_in(guest, "shopper", PASSWORD)
        assert answer.status_code == 200
        assert set(answer.json()) == {"access", "refresh"}
        assert bearer(guest, answer.json()["access"]).status_code == 200

    @pytest.mark.parametrize(
        ("username", "password"), [("shopper", "wrong"), ("nobody", PASSWORD), ("SHOPPER", "")]
    )
    def test_tells_a_wrong_name_and_a_wrong_password_alike(
        self, guest: APIClient, shopper: User, username: str, password: str
    ) -> None:
        answer = sign_in(guest, username, password or "x")
        assert answer.status_code == 401
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "authentication_failed"
        assert answer.json()["detail"] == ("No active account found with the given credentials")

    def test_knows_nobody_who_was_switched_off(self, guest: APIClient) -> None:
        UserFactory.create(username="gone", is_active=False)
        assert sign_in(guest, "gone", PASSWORD).status_code == 401

    @pytest.mark.parametrize("body", [{}, {"username": "shopper"}, {"username": 1, "password": []}])
    def test_wants_both(self, guest: APIClient, body: dict[str, Any]) -> None:
        answer = guest.post("/auth/token", body)
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid")

    def test_answers_with_redis_down(
        self, guest: APIClient, shopper: User, redis_down: None
    ) -> None:
        assert sign_in(guest, "shopper", PASSWORD).status_code == 200


class TestLockout:
    def test_shuts_out_who_guesses_even_with_the_right_password(
        self, guest: APIClient, shopper: User
    ) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(guest, "shopper", "guess")
        answer = sign_in(guest, "shopper", PASSWORD)
        assert answer.status_code == 429
        assert answer.headers["Content-Type"] == "application/problem+json"
        assert "access" not in answer.json()
        assert AccessAttempt.objects.get().failures_since_start >= settings.AXES_FAILURE_LIMIT

    def test_does_not_shut_out_the_owner_elsewhere(self, guest: APIClient, shopper: User) -> None:
        for _ in range(settings.AXES_FAILURE_LIMIT):
            sign_in(guest, "shopper", "guess")
        elsewhere = APIClient(REMOTE_ADDR="192.0.2.7")
        assert sign_in(elsewhere, "shopper", PASSWORD).status_code == 200

    def test_keeps_no_password_that_was_tried(self, guest: APIClient, shopper: User) -> None:
        sign_in(guest, "shopper", "my secret guess")
        attempt = AccessAttempt.objects.get()
        kept = f"{attempt.get_data} {attempt.post_data} {attempt.path_info}"
        assert "my secret guess" not in kept


class TestRateLimit:
    @time_machine.travel(MIDDLE_OF_A_MINUTE, tick=False)
    def test_answers_429_with_the_time_to_wait(self, guest: APIClient) -> None:
        answers = [sign_in(guest, f"nobody-{n}", "x") for n in range(31)]
        assert {answer.status_code for answer in answers[:30]} == {401}
        assert (answers[30].status_code, answers[30].json()["code"]) == (429, "rate_limited")
        assert int(answers[30].headers["Retry-After"]) >= 1

    @time_machine.travel(MIDDLE_OF_A_MINUTE, tick=False)
    def test_is_not_slipped_by_a_header_that_anybody_can_send(self, guest: APIClient) -> None:
        header = "X-Forwarded-For"
        answers = [
            sign_in(guest, f"nobody-{n}", "x", **{header: f"203.0.113.{n}"}) for n in range(31)
        ]
        assert answers[30].status_code == 429


class TestRefresh:
    def test_gives_a_new_pair_once(self, guest: APIClient, shopper: User) -> None:
        first = sign_in(guest, "shopper", PASSWORD).json()
        second = guest.post("/auth/token/refresh", {"refresh": first["refresh"]})
        assert second.status_code == 200
        assert second.json()["refresh"] != first["refresh"]
        again = guest.post("/auth/token/refresh", {"refresh": first["refresh"]})
        assert (again.status_code, again.json()["code"]) == (401, "invalid_token")

    def test_takes_no_access_token(self, guest: APIClient, shopper: User) -> None:
        access = sign_in(guest, "shopper", PASSWORD).json()["access"]
        assert guest.post("/auth/token/refresh", {"refresh": access}).status_code == 401


def _none(user: User) -> str:
    head = {"alg": "none", "typ": "JWT"}
    body = claims(user) | {"exp": 4_000_000_000, "iat": 1_700_000_000}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()) for part in (head, body)]
    return b".".join(part.rstrip(b"=") for part in parts).decode() + "."


def _signed(user: User, key: str = KEY, **changes: Any) -> str:
    wanted = claims(user, **changes)
    kept = {name: value for name, value in wanted.items() if value is not None}
    return jwt.encode(kept, key, algorithm="HS256")


def _past() -> datetime:
    return datetime.now(tz=UTC) - timedelta(minutes=1)


FORGED: dict[str, Callable[[User], str]] = {
    "no algorithm": _none,
    "another key": lambda user: _signed(user, key="x" * 64),
    "the site's own secret key": lambda user: _signed(user, key=settings.SECRET_KEY),
    "the default of a library": lambda user: _signed(user, key="secret"),
    "another algorithm": lambda user: jwt.encode(claims(user), KEY, algorithm="HS512"),
    "a key id that is a path": lambda user: jwt.encode(
        claims(user), "\0", algorithm="HS256", headers={"kid": "/dev/null"}
    ),
    "an own key in the header": lambda user: jwt.encode(
        claims(user), "mine" * 16, algorithm="HS256",
        headers={"jwk": {"kty": "oct", "k": "bWluZQ"}, "jku": "https://evil.example/"},
    ),
    "a refresh token": lambda user: str(RefreshToken.for_user(user)),
    "another audience": lambda user: _signed(user, aud="shop"),
    "no audience": lambda user: _signed(user, aud=None),
    "another issuer": lambda user: _signed(user, iss="shop"),
    "no issuer": lambda user: _signed(user, iss=None),
    "expired": lambda user: _signed(user, exp=_past()),
    "no expiry": lambda user: _signed(user, exp=None),
    "not yet valid": lambda user: _signed(user, nbf=datetime.now(tz=UTC) + timedelta(hours=1)),
    "no kind": lambda user: _signed(user, token_type=None),
    "no holder": lambda user: _signed(user, sub=None),
    "a holder that is no id": lambda user: _signed(user, sub="admin"),
    "no id": lambda user: _signed(user, jti=None),
    "a changed holder": lambda user: _changed(_signed(user)),
    "a cut signature": lambda user: _signed(user)[:-1],
    "nothing": lambda user: "",
    "no token at all": lambda user: "x.y.z",
    "not ASCII": lambda user: "é",
}  # fmt: skip


def _changed(token: str) -> str:
    head, body, signature = token.split(".")
    members = json.loads(base64.urlsafe_b64decode(body + "=="))
    members["sub"] = str(uuid7())
    forged = base64.urlsafe_b64encode(json.dumps(members).encode()).rstrip(b"=").decode()
    return f"{head}.{forged}.{signature}"


class TestForgedTokens:
    @pytest.mark.filterwarnings("ignore:The HMAC key is")
    def test_open_nothing(self, guest: APIClient, shopper: User, subtests: pytest.Subtests) -> None:
        assert bearer(guest, _signed(shopper)).status_code == 200
        for name, forge in FORGED.items():
            with subtests.test(name):
                answer = bearer(guest, forge(shopper))
                assert answer.status_code == 401
                assert answer.headers["Content-Type"] == "application/problem+json"
                assert "results" not in answer.json()

    @pytest.mark.parametrize("scheme", ["Basic", "Token", "bearerx", "Bearer Bearer"])
    def test_nor_does_another_scheme(self, guest: APIClient, shopper: User, scheme: str) -> None:
        header = {"Authorization": f"{scheme} {_signed(shopper)}"}
        assert guest.get("/orders", headers=header).status_code == 401

    def test_nor_does_a_token_in_the_address(self, guest: APIClient, shopper: User) -> None:
        token = _signed(shopper)
        assert guest.get(f"/orders?access_token={token}&token={token}").status_code == 401

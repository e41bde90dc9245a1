"""Who is acting, and in which request: carried beside the call, not through every signature."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """``kind`` is user, client, link, gateway or system; ``id`` says which one."""

    kind: str
    id: str = ""


SYSTEM = Actor("system")

_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)
_request_id: ContextVar[str] = ContextVar("request_id", default="")


def current_actor() -> Actor:
    """Who is acting now; ``SYSTEM`` where nobody said."""
    return _actor.get()


def current_request_id() -> str:
    """The id of the request or task at work; "" outside of both."""
    return _request_id.get()


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Everything recorded inside is recorded as done by ``actor``."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)


def set_actor(actor: Actor) -> None:
    """From here to the end of the request ``actor`` is acting: a token has said who it is."""
    _actor.set(actor)


@contextmanager
def in_request(request_id: str) -> Iterator[None]:
    """Everything recorded inside carries ``request_id``."""
    token = _request_id.set(request_id)
    try:
        yield
    finally:
        _request_id.reset(token)

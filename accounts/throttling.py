"""Rate limits: counted exactly in Redis, and out of the way when Redis is down.

DRF's own counters read, change and write back, so requests at the same moment are counted
once. Here each is one atomic increment of the counter of its time window.
"""

import logging
import time

from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle
from rest_framework.views import APIView

from accounts.client_ip import client_ip

logger = logging.getLogger(__name__)


class WindowThrottle(SimpleRateThrottle):
    """So many requests in a fixed window, for each user, or each address without one."""

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count this request; False when it is one too many."""
        return self.has_room(_who(request))

    def has_room(self, who: str) -> bool:
        """Count a request of ``who``; False when it is one too many."""
        limit, seconds = self.parse_rate(self.rate)
        if limit is None or seconds is None:
            return True
        self._window_ends_in = seconds - time.time() % seconds
        try:
            count = self._count(who, seconds)
        except RedisError as error:
            # A limit protects us from too much work; being down would be no work at all. The
            # guard against guessed passwords is in the database and stays.
            logger.warning("throttle_not_counted", extra={"error": type(error).__name__})
            return True
        return count <= limit

    def wait(self) -> float:
        """Seconds until the window ends."""
        return float(self._window_ends_in)

    def _count(self, who: str, seconds: int) -> int:
        window = int(time.time() // seconds)
        key = f"throttle:{self.scope}:{who}:{window}"
        try:
            return int(cache.incr(key))
        except ValueError:
            # The first of its window: whoever adds the counter, each request counts itself.
            cache.add(key, 0, timeout=seconds * 2)
            return int(cache.incr(key))


def _who(request: Request) -> str:
    holder = getattr(request.user, "user_id", None)
    return str(holder) if holder else client_ip(request._request)


class TokenThrottle(WindowThrottle):
    """Signing in."""

    scope = "token"


class WriteThrottle(WindowThrottle):
    """Creating orders and payments."""

    scope = "writes"

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Reading is not limited."""
        return request.method == "GET" or super().allow_request(request, view)


class FormThrottle(WindowThrottle):
    """Sending forms of the pages, counted for each address."""

    scope = "forms"

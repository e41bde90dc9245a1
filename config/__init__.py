"""Settings, URLs, the Celery app, error handling: the wiring, which may import every app."""

from config.celery import app as celery_app

__all__ = ("celery_app",)

"""Shared fixtures. Suites that need no Django run without it (``-p no:django``)."""

import os

pytest_plugins = ["tests.fixtures"] if "DJANGO_SETTINGS_MODULE" in os.environ else []

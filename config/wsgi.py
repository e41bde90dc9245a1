"""The WSGI application that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

from config.garbage import leave_alone_what_is_loaded

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

application = get_wsgi_application()
leave_alone_what_is_loaded()

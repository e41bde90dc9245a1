"""Who may sign in: shoppers and staff."""

from django.contrib.auth.models import AbstractUser
from django.db import models

from durable.ids import uuid7


class User(AbstractUser):
    """A person with a password. Staff are users in a role group (see ``roles.py``)."""

    id = models.UUIDField(primary_key=True, default=uuid7, editable=False)
    phone = models.CharField(max_length=20, blank=True)
    # "en" or "vi": the language of the messages we send; pages follow the browser's choice.
    locale = models.CharField(max_length=5, blank=True)

"""What the project stores of its users itself."""

from django.db import models


class Customer(models.Model):
    """A user of the bot."""

    telegram_id = models.BigIntegerField(primary_key=True)
    name = models.CharField(max_length=200)
    messages = models.PositiveIntegerField(default=0)
    has_blocked = models.BooleanField(default=False)

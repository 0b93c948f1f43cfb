"""The settings of the project."""

import os

SECRET_KEY = "only for tests"
USE_TZ = True
INSTALLED_APPS = ["shop"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": os.environ["SHOP_DATABASE"]},
}

TELEGRAM_BOT_TOKEN = os.environ["TELEGRAM_BOT_TOKEN"]
# Telegram's Bot API server, or Rollcall in front of it.
TELEGRAM_API_URL = os.environ["TELEGRAM_API_URL"]

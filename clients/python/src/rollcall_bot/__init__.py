"""Sends a copy of a Telegram bot's updates to Rollcall, which records the bot's users.

``Rollcall().attach(application)`` is all that a bot needs.
"""

from .client import Rollcall

__all__ = ["Rollcall"]

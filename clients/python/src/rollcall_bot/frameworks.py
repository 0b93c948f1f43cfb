"""The hooks of the bot frameworks, and their updates as Telegram sent them."""

import sys
from typing import Any, Callable, Dict, Optional

# What a framework's hook does with each update: its JSON value, and the id of the bot that got it.
Take = Callable[[Dict[str, Any], Optional[int]], None]

# Lists that Telegram may send empty. python-telegram-bot leaves out every empty list.
LISTS = {
    "poll_answer": ["option_ids", "option_persistent_ids"],
    "message_reaction": ["old_reaction", "new_reaction"],
    "message_reaction_count": ["reactions"],
}
# What python-telegram-bot adds to messages as false. Telegram sends it only if it is true.
DEFAULTS = {
    "delete_chat_photo",
    "group_chat_created",
    "supergroup_chat_created",
    "channel_chat_created",
}


def attach(framework: object, take: Take) -> None:
    """Calls ``take`` with each update that the framework gets.

    Raises TypeError if it is neither an ``Application`` of python-telegram-bot nor a ``Dispatcher``
    of aiogram.
    """
    packages = {cls.__module__.split(".")[0] for cls in type(framework).__mro__}
    if "telegram" in packages and hasattr(framework, "add_handler"):
        attach_telegram(framework, take)
    elif "aiogram" in packages and hasattr(framework, "update"):
        attach_aiogram(framework, take)
    else:
        raise TypeError(
            "expected an Application of python-telegram-bot or a Dispatcher of aiogram, not "
            + type(framework).__name__
        )


def attach_telegram(application: Any, take: Take) -> None:
    """Before all handlers of an Application of python-telegram-bot."""
    from telegram import Update
    from telegram.ext import TypeHandler

    async def record(update: Any, context: Any) -> None:
        take(raw(update), context.bot.id)

    application.add_handler(TypeHandler(Update, record), group=-sys.maxsize)


def attach_aiogram(dispatcher: Any, take: Take) -> None:
    """Before all handlers of a Dispatcher of aiogram."""

    async def record(handler: Any, event: Any, data: Dict[str, Any]) -> Any:
        take(raw(event), event.bot.id if event.bot else None)
        return await handler(event, data)

    async def never(event: Any) -> bool:
        return False

    dispatcher.update.outer_middleware(record)
    # aiogram asks Telegram only for the kinds of updates that have a handler. This one says who blocks
    # the bot; the handler takes none of them.
    dispatcher.my_chat_member.register(never, never)


def raw(update: Any) -> Any:
    """An update of either framework as Telegram sent it. Anything else stays as it is."""
    package = type(update).__module__.split(".")[0]
    if package == "telegram":
        value = without_defaults(update.to_dict())
        for kind, lists in LISTS.items():
            if kind in value:
                for name in lists:
                    value[kind].setdefault(name, [])
        return value
    if package == "aiogram":
        return update.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return update


def without_defaults(value: Any) -> Any:
    """A JSON value without what python-telegram-bot has added to it."""
    if isinstance(value, dict):
        return {
            name: without_defaults(part)
            for name, part in value.items()
            if not (name in DEFAULTS and part is False)
        }
    if isinstance(value, list):
        return [without_defaults(part) for part in value]
    return value

"""The bot, with python-telegram-bot."""

import asyncio

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db.models import F
from telegram import Update
from telegram.error import BadRequest, Forbidden, NetworkError
from telegram.ext import Application, CommandHandler, MessageHandler, filters

from shop.models import Customer


class Command(BaseCommand):
    """`manage.py bot`"""

    help = "Run the bot"

    def add_arguments(self, parser):
        parser.add_argument("--webhook", type=int, metavar="PORT", help="take updates at this port")

    def handle(self, *args, webhook, **options):
        builder = Application.builder().token(settings.TELEGRAM_BOT_TOKEN)
        application = builder.base_url(settings.TELEGRAM_API_URL + "/bot").build()
        application.add_handler(CommandHandler("call", call))
        application.add_handler(MessageHandler(filters.TEXT, answer))
        if webhook is None:
            application.run_polling(allowed_updates=Update.ALL_TYPES, bootstrap_retries=-1)
        else:
            application.run_webhook(
                listen="127.0.0.1",
                port=webhook,
                url_path="hook",
                webhook_url=f"http://127.0.0.1:{webhook}/hook",
                secret_token="between_us",
                bootstrap_retries=-1,
            )


async def answer(update, context):
    """Counts a message, and answers with the number."""
    user, text = update.effective_user, update.message.text
    customer, _ = await Customer.objects.aget_or_create(
        telegram_id=user.id, defaults={"name": user.first_name}
    )
    customer.messages = F("messages") + 1
    await customer.asave()
    await customer.arefresh_from_db()
    await send(context.bot, user.id, f"{customer.messages}: {text}")


async def call(update, context):
    """Writes to another customer: `/call ID`."""
    telegram_id = int(context.args[0])
    try:
        await send(context.bot, telegram_id, "come back")
        found = "called"
    except Forbidden:
        await Customer.objects.filter(telegram_id=telegram_id).aupdate(has_blocked=True)
        found = "gone"
    await send(context.bot, update.effective_user.id, f"{telegram_id}: {found}")


async def send(bot, chat_id, text):
    """Sends a message. While the Bot API server is away, it tries again."""
    while True:
        try:
            return await bot.send_message(chat_id, text)
        except BadRequest:
            raise
        except NetworkError:
            await asyncio.sleep(0.1)

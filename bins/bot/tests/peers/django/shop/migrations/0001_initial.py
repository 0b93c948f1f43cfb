"""Creates the table of customers."""

from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("telegram_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("name", models.CharField(max_length=200)),
                ("messages", models.PositiveIntegerField(default=0)),
                ("has_blocked", models.BooleanField(default=False)),
            ],
        ),
    ]

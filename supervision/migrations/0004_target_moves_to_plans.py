"""Hand the model of the province's tasks down to plans; its table stays as it is."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("plans", "0005_rulings_and_targets"),
        ("supervision", "0003_report_versions_and_issue_numbers"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[],
            state_operations=[migrations.DeleteModel(name="Target")],
        ),
    ]

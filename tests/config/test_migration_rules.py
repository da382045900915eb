import pytest
from django.contrib.postgres.operations import AddConstraintNotValid, AddIndexConcurrently
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.models import Q

from config.migration_rules import all_faults, faults_of

CHECK = models.CheckConstraint(condition=Q(amount__gte=0), name="amount_positive")
INDEX = models.Index(fields=["amount"], name="amount_index")
NEW_TABLE = migrations.CreateModel("Thing", [("id", models.BigAutoField(primary_key=True))])


@pytest.fixture(scope="module")
def loader():
    return MigrationLoader(None)


def faults(loader, *operations):
    """What the rules say of a migration of payments that does this to the models of today."""
    migration = migrations.Migration("9999_next", "payments")
    migration.operations = operations
    return list(faults_of(migration, before=loader.project_state()))


class TestFaults:
    @pytest.mark.parametrize(
        ("operation", "words"),
        [
            (migrations.AddField("order", "colour", models.CharField(max_length=9, default="")), "give it db_default"),
            (migrations.AddField("order", "colour", models.TextField(null=True, db_index=True)), "makes an index"),
            (migrations.RemoveField("order", "amount"), "drops"),
            (migrations.DeleteModel("order"), "drops"),
            (migrations.RenameField("order", "amount", "sum"), "renames"),
            (migrations.RenameModel("order", "purchase"), "renames"),
            (migrations.AlterField("order", "amount", models.IntegerField()), "from bigint to integer"),
            (migrations.AlterField("order", "currency", models.CharField(max_length=1)), "changes the type"),
            (migrations.AlterField("order", "paid_at", models.DateTimeField()), "forbids NULL"),
            (migrations.AddIndex("order", INDEX), "AddIndexConcurrently"),
            (migrations.AddConstraint("order", CHECK), "AddConstraintNotValid"),
            (migrations.SeparateDatabaseAndState([migrations.RemoveField("order", "amount")], []), "drops"),
        ],
        ids=lambda value: value if isinstance(value, str) else type(value).__name__,
    )  # fmt: skip
    def test_names_what_the_version_of_before_would_stumble_over(self, loader, operation, words):
        [told] = faults(loader, operation)

        assert told.startswith("payments 9999_next: “")
        assert words in told

    @pytest.mark.parametrize(
        "operations",
        [
            [migrations.AddField("order", "colour", models.CharField(max_length=9, default="", db_default=""))],
            [migrations.AddField("order", "colour", models.TextField(null=True))],
            [migrations.AlterField("order", "currency", models.CharField(max_length=30))],
            [AddIndexConcurrently("order", INDEX), AddConstraintNotValid("order", CHECK)],
            [NEW_TABLE, migrations.AddField("thing", "amount", models.IntegerField()),
             migrations.AddIndex("thing", INDEX)],
            [migrations.SeparateDatabaseAndState([], [migrations.RemoveField("order", "amount")])],
        ],
        ids=["default of the database", "null", "longer text", "without locks", "new table", "state alone"],
    )  # fmt: skip
    def test_lets_pass_what_only_adds(self, loader, operations):
        assert faults(loader, *operations) == []


class TestAllFaults:
    def test_has_nothing_to_say_of_ours(self):
        assert list(all_faults()) == []

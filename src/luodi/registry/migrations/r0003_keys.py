"""Keys: who may ask a service; rows are added, never changed or removed."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = {
    "keys": ("prefix", "name", "hash", "rights", "created"),
    "revocations": ("prefix", "reason", "revoked"),
}


def upgrade() -> None:
    """Make the tables, and the triggers that keep their rows as they were written."""
    for table, columns in TABLES.items():
        op.create_table(
            table,
            sa.Column("id", sa.Integer, primary_key=True),
            *(sa.Column(name, sa.Text, nullable=False) for name in columns),
        )
        op.create_index(f"{table}_prefix", table, ["prefix"], unique=True)
        if op.get_context().dialect.name != "sqlite":
            continue
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed'); END"
            )


def downgrade() -> None:
    """Without keys, nobody outside this machine may ask."""
    for table in TABLES:
        op.drop_table(table)

"""Routes: who answers beside a model's champion; rows are added, never changed or removed."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, and the triggers that keep its rows as they were written."""
    op.create_table(
        "routes",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("model", sa.Text, sa.ForeignKey("models.name"), nullable=False),
        sa.Column("route", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("changed", sa.Text, nullable=False),
    )
    if op.get_context().dialect.name == "sqlite":
        for act in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER routes_no_{act.lower()} BEFORE {act} ON routes "
                "BEGIN SELECT RAISE(ABORT, 'rows of routes are never changed'); END"
            )


def downgrade() -> None:
    """Without routes, every model's champion answers alone."""
    op.drop_table("routes")

"""The steps that bring an older registry up to this version's tables, run by Alembic."""

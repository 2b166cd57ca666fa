"""The registry's tables as they are now; `migrations/` brings older ones here.

Imported only by functions of this room: SQLAlchemy is heavy.
"""

from sqlalchemy import Column, ForeignKey, Integer, MetaData, Table, Text

metadata = MetaData()

models = Table(
    "models",
    metadata,
    Column("name", Text, primary_key=True),
    Column("created", Text),
)
versions = Table(
    "versions",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", Text, ForeignKey("models.name")),
    Column("version", Text),
    Column("digest", Text),
    Column("bundle", Text),
    Column("run", Text),
    Column("created", Text),
    Column("metrics", Text),
    Column("verdict", Text),
)
aliases = Table(
    "aliases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", Text),
    Column("alias", Text),
    Column("version", Text),
    Column("changed", Text),
)
openings = Table(
    "openings",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("fingerprint", Text),
    Column("run", Text),
    Column("digest", Text),
    Column("opened", Text),
)
routes = Table(
    "routes",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("model", Text, ForeignKey("models.name")),
    Column("route", Text),
    Column("reason", Text),
    Column("changed", Text),
)
keys = Table(
    "keys",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("prefix", Text),
    Column("name", Text),
    Column("hash", Text),
    Column("rights", Text),
    Column("created", Text),
)
revocations = Table(
    "revocations",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("prefix", Text),
    Column("reason", Text),
    Column("revoked", Text),
)
acts = Table(
    "acts",
    metadata,
    Column("sequence", Integer, primary_key=True),
    Column("time", Text),
    Column("kind", Text),
    Column("model", Text),
    Column("version", Text),
    Column("body", Text),
    Column("previous", Text),
    Column("hash", Text),
)

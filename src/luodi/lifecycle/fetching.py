"""A project's sources from afar, fetched again because someone asked."""

from __future__ import annotations

from luodi.contracts import JsonValue
from luodi.lifecycle.stages import Observer
from luodi.project.home import home_folder
from luodi.project.schema import Project
from luodi.project.sources import members


def refresh(project: Project, observer: Observer) -> list[dict[str, JsonValue]]:
    """Fetch each of them anew; what was fetched before stays until the new is whole.

    Returns:
        Each with its table, source, number of files, bytes and moment.

    Raises:
        DataError, MissingPartError: when one cannot be had.
    """
    from luodi.data.fetching import Access, fetch

    data = project.data
    access = Access(home_folder(project.root), project.root, data.allow_private, refresh=True)
    fetched: list[dict[str, JsonValue]] = []
    for name, source in (("data", data.source), ("test", data.test), ("valid", data.valid)):
        for kind in members(source) if source is not None else ():
            if not kind.remote:
                continue
            manifest = fetch(kind, access, observer.begin("collect"))
            fetched.append(
                {
                    "table": name,
                    "source": str(kind),
                    "files": len(manifest.objects),
                    "bytes": sum(item.bytes for item in manifest.objects),
                    "when": manifest.when,
                }
            )
    return fetched

"""Serve the few built files of the npm packages, and nothing else of node_modules."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.finders import BaseFinder
from django.core.files.storage import FileSystemStorage, Storage

# The maps are for developers, but collecting fails when a file that another names is missing.
FILES = {
    "altcha/altcha.css": "altcha/dist_external/altcha.css",
    "altcha/altcha.js": "altcha/dist_external/altcha.js",
    "altcha/worker.js": "altcha/dist_external/worker.js",
    "bootstrap/css/bootstrap.min.css": "bootstrap/dist/css/bootstrap.min.css",
    "bootstrap/css/bootstrap.min.css.map": "bootstrap/dist/css/bootstrap.min.css.map",
    "htmx/htmx.min.js": "htmx.org/dist/htmx.min.js",
    "ol/ol.js": "ol/dist/ol.js",
    "ol/ol.js.map": "ol/dist/ol.js.map",
    "ol/ol.css": "ol/ol.css",
}


class _RenamingStorage(FileSystemStorage):
    """Answer to the static path, read the package's file."""

    def path(self, name: str) -> str:
        return super().path(FILES[name])


class BrowserLibraryFinder(BaseFinder):
    """Find the listed files under node_modules by their static path."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.storage = _RenamingStorage(location=settings.BASE_DIR / "node_modules")
        super().__init__(*args, **kwargs)

    def find(self, path: str, find_all: bool = False, **_: Any) -> Any:
        """Return the file's path, or a list of one with `find_all`; [] when it is not ours."""
        if path not in FILES or not self.storage.exists(path):
            return []
        found = self.storage.path(path)
        return [found] if find_all else found

    def list(self, _ignore_patterns: Any) -> Iterator[tuple[str, Storage]]:
        """Yield each listed file with the storage that reads it."""
        for path in FILES:
            yield path, self.storage

"""A client as anybody has it: python-tuf's own updater, which reads a repository's folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tuf.api.exceptions import DownloadHTTPError
from tuf.ngclient import FetcherInterface, Updater


class FolderFetcher(FetcherInterface):
    """Addresses are paths."""

    def _fetch(self, url: str) -> Iterator[bytes]:
        try:
            yield Path(url).read_bytes()
        except OSError as error:
            raise DownloadHTTPError(str(error), 404) from error


class Client:
    """Trusts what it got first, and remembers what it has seen."""

    def __init__(self, home: Path, repository: Path, root: bytes | None = None) -> None:
        self.home = home
        self.repository = repository
        self.root = root if root is not None else (repository / "metadata" / "1.root.json").read_bytes()

    def updater(self) -> Updater:
        """Refreshed; raises what python-tuf raises."""
        for folder in ("metadata", "targets"):
            (self.home / folder).mkdir(parents=True, exist_ok=True)
        updater = Updater(
            str(self.home / "metadata"),
            f"{self.repository}/metadata/",
            str(self.home / "targets"),
            f"{self.repository}/targets/",
            fetcher=FolderFetcher(),
            bootstrap=self.root,
        )
        updater.refresh()
        return updater

    def offered(self, path: str) -> int | None:
        """The release counter of what is at the target path, downloaded and verified; None if there is nothing."""
        updater = self.updater()
        found = updater.get_targetinfo(path)
        if found is None:
            return None
        updater.download_target(found)
        counter: int = found.custom["ductwatch"]["release_counter"]
        return counter

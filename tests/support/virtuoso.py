"""Virtuoso 7, the store of every real stack, as a real store for the tests."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.support.servers import REQUEST_TIMEOUT, Store, StoreError
from tests.support.sockets import free_port

CONFIGURATION = Path(__file__).with_name("virtuoso.ini")


class Virtuoso(Store):
    """The `virtuoso-t` binary of the Debian package; its data survives `stop` and `start`."""

    name = "virtuoso"
    query_path = update_path = shared_path = "/sparql"

    def __init__(self) -> None:
        super().__init__()
        self.sql_port = free_port()
        self._granted = False

    def _command(self) -> list[str]:
        template = CONFIGURATION.read_text(encoding="utf-8")
        ini = self.folder / "virtuoso.ini"
        ini.write_text(
            template.format(folder=self.folder, port=self.port, sql_port=self.sql_port),
            encoding="utf-8",
        )
        # A killed process leaves its lock file, which would prevent the next start.
        (self.folder / "virtuoso.lck").unlink(missing_ok=True)
        return ["virtuoso-t", "+foreground", "+configfile", str(ini)]

    def start(self) -> None:
        """Start the process, and the first time allow updates over HTTP."""
        super().start()
        if not self._granted:
            self.sql('GRANT SPARQL_UPDATE TO "SPARQL"')
            self._granted = True

    def sql(self, statement: str, timeout: float = REQUEST_TIMEOUT) -> str:
        """Run one SQL statement as administrator and return its output."""
        done = subprocess.run(
            ["isql-vt", f"127.0.0.1:{self.sql_port}", "dba", "dba", "ERRORS=STDOUT"],
            input=f"{statement};\n",
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )
        if done.returncode != 0 or "*** Error" in done.stdout:
            raise StoreError(f"{statement}: {done.stdout}{done.stderr}")
        return done.stdout


def virtuoso_available() -> bool:
    """Return whether the Debian package virtuoso-opensource-7 is installed."""
    return all(shutil.which(binary) for binary in ("virtuoso-t", "isql-vt"))

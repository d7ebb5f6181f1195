"""Authorities and certificates for tests, made by the program `openssl`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import NamedTuple

_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


class Certificate(NamedTuple):
    """PEM files of a certificate and its key."""

    certificate: str
    key: str


class Authority:
    """A certificate authority in a folder of its own."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder / name
        self._folder.mkdir()
        self.files = Certificate(str(self._folder / "ca.pem"), str(self._folder / "ca.key"))
        _openssl(
            "req", "-x509", *_KEY, "-keyout", self.files.key, "-out", self.files.certificate,
            "-days", "2", "-subj", f"/CN={name}", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
        )  # fmt: skip

    def sign(self, name: str, subject_alternative_name: str, days: int = 2) -> Certificate:
        """A certificate that is valid for so many days; expired where they are negative."""
        made = Certificate(str(self._folder / f"{name}.pem"), str(self._folder / f"{name}.key"))
        request = str(self._folder / f"{name}.csr")
        _openssl(
            "req", *_KEY, "-keyout", made.key, "-out", request, "-subj", f"/CN={name}",
            "-addext", f"subjectAltName={subject_alternative_name}",
        )  # fmt: skip
        _openssl(
            "x509", "-req", "-in", request, "-CA", self.files.certificate,
            "-CAkey", self.files.key, "-CAcreateserial", "-copy_extensions", "copyall",
            "-days", str(days), "-out", made.certificate,
        )  # fmt: skip
        return made


def _openssl(*arguments: str) -> None:
    subprocess.run(["openssl", *arguments], check=True, capture_output=True, timeout=30)

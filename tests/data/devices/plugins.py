"""Tests that need Guitarix's plugins, where it is installed."""

import shutil
import subprocess

import pytest

from data.devices import lv2


def _is_installed() -> bool:
    if shutil.which("lv2apply") is None or shutil.which("lv2info") is None:
        return False
    known = ["lv2info", lv2.EFFECTS["ds1"].uri]
    return subprocess.run(known, capture_output=True, check=False).returncode == 0


needs_plugins = pytest.mark.skipif(
    not _is_installed(),
    reason="needs the Debian packages guitarix-lv2 and lilv-utils: make system",
)

"""Packages of npm: installed once, into a folder of their own."""

import shutil
import subprocess
from pathlib import Path


class Unavailable(Exception):
    """The package cannot be had here; the text says why."""


def install(folder, package):
    """The folder below `folder` of `package` ("name@version"), which is installed unless it is
    there. Raises Unavailable."""
    name = package.rpartition("@")[0]
    installed = Path(folder) / "node_modules" / name
    if shutil.which("node") is None:
        raise Unavailable("there is no node (Debian's package nodejs)")
    done = Path(folder) / "installed"
    if done.exists() and done.read_text() == package:
        return installed
    npm = shutil.which("npm")
    if npm is None:
        raise Unavailable("there is no npm (Debian's package npm)")
    Path(folder).mkdir(parents=True, exist_ok=True)
    try:
        run = subprocess.run(
            [npm, "install", "--prefix", folder, "--ignore-scripts", "--no-audit", "--no-fund",
             "--no-save", "--no-package-lock", "--fetch-retries=1", package], cwd=folder,
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"npm did not get {package} within 120 s") from None
    if run.returncode or not installed.is_dir():
        raise Unavailable(f"npm could not install {package}: {run.stderr.strip()[-500:]}")
    done.write_text(package)
    return installed

"""Installed size and number of packages of `.[all]` in a fresh virtual environment.

    python bench/size.py [EXTRAS]        EXTRAS: all (the default), local, "" for none

Needs the network (or a cache of pip) and about half a minute. pip and setuptools, which every environment has, are not counted.
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
GOAL_MB, GOAL_PACKAGES = 280, 42
PEERS_MB = (112, 980)
"""The smallest and the largest of the voice frameworks that were measured when the goal was set."""
NOT_OURS = {"pip", "setuptools", "wheel"}


def installed(python: Path) -> dict[str, int]:
    """Bytes of each installed package, by its record of files."""
    code = """
import json
from importlib.metadata import distributions
print(json.dumps({d.name: sum(p.stat().st_size for f in d.files or () if (p := f.locate()).is_file()) for d in distributions()}))
"""
    told = subprocess.run([python, "-c", code], check=True, capture_output=True, text=True).stdout
    return {name: size for name, size in json.loads(told).items() if name not in NOT_OURS}


def main() -> int:
    extras = sys.argv[1] if len(sys.argv) > 1 else "all"
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([sys.executable, "-m", "venv", folder], check=True)
        python = Path(folder) / ("Scripts" if sys.platform == "win32" else "bin") / "python"
        target = f"{ROOT}[{extras}]" if extras else str(ROOT)
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", target], check=True)
        packages = installed(python)
    total_mb = sum(packages.values()) / 1e6
    for name, size in sorted(packages.items(), key=lambda item: -item[1])[:10]:
        print(f"  {size / 1e6:7.1f} MB  {name}")
    print(
        f"voice[{extras}]: {total_mb:.0f} MB in {len(packages)} packages; goal {GOAL_MB} MB in {GOAL_PACKAGES}; peers {PEERS_MB[0]}-{PEERS_MB[1]} MB"
    )
    return total_mb > GOAL_MB or len(packages) > GOAL_PACKAGES


if __name__ == "__main__":
    sys.exit(main())

"""Where the repository is, and the wheel that was built last."""

import pathlib

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> pathlib.Path:
    """The repository."""
    return ROOT


@pytest.fixture(scope="session")
def wheel() -> pathlib.Path:
    """The newest wheel."""
    wheels = sorted((ROOT / ".cache" / "wheels").rglob("*.whl"), key=lambda path: path.stat().st_mtime)
    assert wheels, "no wheel in .cache/wheels: `make build` makes one"
    return wheels[-1]

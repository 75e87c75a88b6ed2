"""The fixture `chart_registry`: an empty registry for each test."""

from collections.abc import Iterator

import pytest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from chartoci.testing import Registry


@pytest.fixture
def chart_registry() -> "Iterator[Registry]":
    """An empty registry on loopback, open to everybody: `chart_registry.host` stands in references."""
    from chartoci.testing import Registry

    with Registry() as registry:
        yield registry

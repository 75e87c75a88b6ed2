"""Blobs in pieces, where what stands before a real registry refuses the whole."""

import os
import pathlib

import chartoci
import pytest
from conftest import registries

LIMIT = 128 << 10  # so that the first size of pieces that is tried is refused, too
SIZE = 700_000


@pytest.fixture(scope="session")
def charts_of_some_size(tmp_path_factory) -> list[chartoci.Packaged]:
    """Charts that do not become smaller."""
    packed = []
    for number in range(2):
        directory = tmp_path_factory.mktemp("large") / "large"
        directory.mkdir()
        (directory / "Chart.yaml").write_text(f"apiVersion: v2\nname: large\nversion: 1.{number}.0\n")
        (directory / "noise.bin").write_bytes(os.urandom(SIZE))
        packed.append(chartoci.package(directory))
    return packed


def before(front: str, registry, directory: pathlib.Path, breaks: int = 0):
    """What stands before the registry."""
    if front == "nginx":
        if reason := registries.missing("nginx"):
            pytest.skip(reason)
        return registries.Nginx(registry, directory / "nginx", LIMIT)
    return registries.Behind(registry, "http://pieces.test", LIMIT, breaks)


@pytest.mark.parametrize("front", ["a proxy", "nginx"])
@pytest.mark.parametrize("kind", ["anonymous", "distribution", "go-containerregistry", "serve"])
def test_what_is_refused_as_a_whole_goes_up_in_pieces_and_the_next_at_once(
    kind, front, registry_of, charts_of_some_size, tmp_path
) -> None:
    registry = registry_of(kind)
    with before(front, registry, tmp_path) as proxy, chartoci.Client(credentials=None) as client:
        target, refused = f"oci://{proxy.host}/pieces/{front.replace(' ', '-')}", 0
        for packed in charts_of_some_size:
            seen = len(proxy.log)
            pushed = client.push(packed, target)
            assert client.open(pushed.reference).data == packed.data
            log = [line.split() for line in proxy.log[seen:]]
            pieces = [status for method, _, status in log if method == "PATCH" and status != "413"]
            assert len(pieces) >= len(packed.data) // LIMIT and set(pieces) == {"202"}
            refused = [method for method, _, status in log if status == "413"]
            # The whole, then pieces of 256 KiB; then it is known.
            assert refused == ([] if seen else ["PUT", "PATCH"])


@pytest.mark.parametrize("kind", ["anonymous", "distribution", "serve"])
def test_a_piece_that_breaks_off_comes_again(kind, registry_of, charts_of_some_size, tmp_path) -> None:
    registry = registry_of(kind)
    with before("a proxy", registry, tmp_path, breaks=2) as proxy, chartoci.Client(credentials=None) as client:
        pushed = client.push(charts_of_some_size[0], f"oci://{proxy.host}/pieces/broken")
        assert client.open(pushed.reference).data == charts_of_some_size[0].data
        assert len([line for line in proxy.log if line.endswith(" broken")]) == 2

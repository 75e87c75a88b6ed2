"""Copy, delete and referrers against real registries."""

import chartoci
import pytest


def clients(registry) -> chartoci.Client:
    return chartoci.Client(credentials=registry.credentials, ca_file=getattr(registry, "ca", None))


def test_a_chart_is_copied_deleted_and_has_no_referrers(registry, typical) -> None:
    with clients(registry) as client:
        pushed = client.push(typical, f"oci://{registry.host}/verbs")
        name = str(pushed.reference).rpartition(":")[0]
        moved = client.copy(pushed.reference, f"oci://{registry.host}/elsewhere/{name.rpartition('/')[2]}:copied")
        assert moved.digest == pushed.digest
        assert {blob.state for blob in moved.blobs} == {"mounted"}
        client.copy(pushed.reference, f"{name}:stable")
        assert client.resolve(f"{name}:stable").digest == pushed.digest
        assert client.referrers(pushed.reference) == []
        try:
            client.delete(f"{name}:stable")
        except chartoci.ConflictError as error:
            # distribution 2.8 cannot delete a tag alone, and another tag has this manifest.
            assert pushed.tag in str(error)
        else:
            assert client.tags(name) == [pushed.tag]
        client.delete(moved.reference)
        with pytest.raises(chartoci.NotFoundError):
            client.resolve(moved.reference)
        client.delete(f"{name}@{pushed.digest}")
        with pytest.raises(chartoci.NotFoundError):
            client.resolve(pushed.reference)


def test_a_chart_is_copied_between_registries_of_two_kinds(registry_of, typical) -> None:
    first, second = registry_of("serve"), registry_of("token")
    answer = {first.host: first.credentials, second.host: second.credentials}
    with chartoci.Client(credentials=lambda query: answer[query.registry]) as client:
        pushed = client.push(typical, f"oci://{first.host}/verbs")
        copied = client.copy(pushed.reference, f"oci://{second.host}/mirror/chart:1")
        back = client.copy(copied.reference, f"oci://{first.host}/back/chart:1")
        assert back.digest == copied.digest == pushed.digest
        assert client.open(back.reference).digest == client.open(pushed.reference).digest

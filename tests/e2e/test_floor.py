"""How many requests a push and a pull cost: the floor of the protocol, counted by the registry itself."""

import base64
import json

import chartoci
import pytest

# Where credentials are given, one request goes first to be challenged; where they may lie in a file, nobody knows.
GIVEN, IN_A_FILE = "given", "in a file"


def client_for(registry, where, directory):
    """A client that finds the registry's credentials there."""
    if where == GIVEN:
        return chartoci.Client(credentials=registry.credentials)
    secret = base64.b64encode(":".join(registry.credentials).encode()).decode()
    config = directory / "config.json"
    config.write_text(json.dumps({"auths": {registry.host: {"auth": secret}}}))
    return chartoci.Client(registry_config=config)


def test_anonymous_push_costs_five_requests_a_second_one_three_and_a_pull_two(registry_of, typical, tmp_path):
    registry = registry_of("anonymous")
    with chartoci.Client(credentials=None) as client:
        registry.requests()
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 5, seen
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 3, seen
        client.pull(f"oci://{registry.host}/floor/typical:1.2.3", tmp_path)
        assert len(seen := registry.requests()) == 2, seen


@pytest.mark.parametrize(
    ("kind", "where", "cold"),
    [("htpasswd", GIVEN, 6), ("htpasswd", IN_A_FILE, 7), ("token", GIVEN, 7), ("token", IN_A_FILE, 8)],
)
def test_credentials_cost_few_requests_once_and_none_more_afterwards(kind, where, cold, registry_of, typical, tmp_path):
    registry, target = registry_of(kind), f"floor-{where.replace(' ', '-')}"
    with client_for(registry, where, tmp_path) as client:
        registry.requests()
        client.push(typical.read_bytes(), f"oci://{registry.host}/{target}")
        assert len(seen := registry.requests()) == cold, seen
        client.push(typical.read_bytes(), f"oci://{registry.host}/{target}")
        assert len(seen := registry.requests()) == 3, seen
        client.pull(f"oci://{registry.host}/{target}/typical:1.2.3", tmp_path)
        assert len(seen := registry.requests()) == 2, seen

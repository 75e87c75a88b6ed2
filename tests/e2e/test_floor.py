"""How many requests a push and a pull cost: the floor of the protocol, counted by the registry itself."""

import chartoci


def client_for(registry, **options):
    return chartoci.Client(credentials=registry.credentials, ca_file=registry.ca, **options)


def test_anonymous_push_costs_five_requests_a_second_one_three_and_a_pull_two(registry_of, typical, tmp_path):
    registry = registry_of("anonymous")
    with client_for(registry) as client:
        registry.requests()
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 5, seen
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 3, seen
        client.pull(f"oci://{registry.host}/floor/typical:1.2.3", tmp_path)
        assert len(seen := registry.requests()) == 2, seen


def test_basic_push_costs_seven_requests_cold_and_three_for_the_same_again(registry_of, typical):
    registry = registry_of("htpasswd")
    with client_for(registry) as client:
        registry.requests()
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 7, seen
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 3, seen


def test_bearer_push_costs_at_most_eight_requests_cold_and_three_for_the_same_again(registry_of, typical, tmp_path):
    registry = registry_of("token")
    with client_for(registry) as client:
        registry.requests()
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert 7 <= len(seen := registry.requests()) <= 8, seen
        client.push(typical.read_bytes(), f"oci://{registry.host}/floor")
        assert len(seen := registry.requests()) == 3, seen
        client.pull(f"oci://{registry.host}/floor/typical:1.2.3", tmp_path)
        assert len(seen := registry.requests()) <= 3, seen

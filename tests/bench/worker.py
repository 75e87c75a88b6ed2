"""One program under measurement, in a process of its own: reads commands, one JSON document a line, and answers in kind.

`worker.py TOOL HOST`, where TOOL is chartoci, helm-python-sdk, oras or floor. The floor sends the requests that chartoci
sends, with http.client, over one kept connection, and does nothing else.
"""

import hashlib
import http.client
import json
import pathlib
import re
import shutil
import sys
import tempfile
import time

MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Chartoci:
    def __init__(self, host: str):
        import chartoci

        self.host, self.client = host, chartoci.Client(credentials=None)

    def push(self, path: str, name: str) -> None:
        self.client.push(path, f"oci://{self.host}/chartoci")

    def pull(self, name: str, version: str, directory: str) -> None:
        self.client.pull(f"oci://{self.host}/chartoci/{name}:{version}", directory)

    def pull_large(self, name: str, version: str, directory: str) -> None:
        with large_client() as client:
            client.pull(f"oci://{self.host}/{name}:{version}", directory)

    def push_large(self, path: str, name: str) -> None:
        with large_client() as client:
            client.push(path, f"oci://{self.host}/{name}")

    def copy_large(self, source: str, target: str) -> None:
        with large_client() as client:
            client.copy(f"oci://{self.host}/{source}", f"oci://{target}")

    def versions(self, name: str) -> None:
        assert len(self.client.versions(f"oci://{self.host}/{name}")) == 1000

    def peek(self, path: str) -> None:
        import chartoci

        assert chartoci.Metadata.peek(path).name == "big"

    def show(self, path: str) -> None:
        import chartoci

        assert "name: big" in chartoci.show(path, "chart")

    def load(self, path: str) -> None:
        import chartoci

        archive = chartoci.Archive.read(path)
        assert len(archive.dependencies) == 160 and all(part.values for part in (archive, *archive.dependencies))

    def check(self, path: str) -> None:
        import chartoci

        chartoci.check(path)

    def package(self, path: str, directory: str) -> None:
        import chartoci

        chartoci.package(path).write(directory)


def large_client():
    """A client for archives of up to a gigabyte."""
    import chartoci

    most = 1 << 30
    return chartoci.Client(credentials=None, limits=chartoci.Limits(archive=most, unpacked=most, file=most))


class HelmPythonSdk:
    def __init__(self, host: str):
        import helm_python

        self.host, self.client = host, helm_python.RegistryClient(plain_http=True)

    def push(self, path: str, name: str) -> None:
        self.client.push(path, f"oci://{self.host}/sdk", plain_http=True)

    def pull(self, name: str, version: str, directory: str) -> None:
        self.client.pull(f"oci://{self.host}/sdk/{name}", version=version, destination=directory, plain_http=True)

    def load(self, path: str) -> None:
        import helm_python

        with helm_python.Chart.load(path) as chart:
            assert len(chart.dependencies) == 160 and chart.values


class Oras:
    def __init__(self, host: str):
        import oras.client

        self.host, self.client = host, oras.client.OrasClient(insecure=True)

    def push(self, path: str, name: str) -> None:
        version = pathlib.Path(path).stem.removeprefix(f"{name}-")
        self.client.push(target=f"{self.host}/oras/{name}:{version}", files=[path], disable_path_validation=True)

    def pull(self, name: str, version: str, directory: str) -> None:
        self.client.pull(target=f"{self.host}/oras/{name}:{version}", outdir=directory)


class Floor:
    def __init__(self, host: str):
        self.host, self.connection = host, http.client.HTTPConnection(host)

    def request(self, method: str, target: str, body: object = None, headers: dict[str, str] | None = None):
        self.connection.request(method, target, body, headers or {})
        return self.connection.getresponse()

    def push(self, path: str, name: str) -> None:
        version, size = pathlib.Path(path).stem.removeprefix(f"{name}-"), pathlib.Path(path).stat().st_size
        config = json.dumps({"name": name, "version": version, "apiVersion": "v2"}).encode()
        with open(path, "rb") as file:
            digest = "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
        blobs = [(digest, size, path), ("sha256:" + hashlib.sha256(config).hexdigest(), len(config), config)]
        places = []
        for blob, _, _ in blobs:
            response = self.request("POST", f"/v2/floor/{name}/blobs/uploads/?mount={blob}&from=floor/{name}")
            response.read()
            places.append(re.sub(r"^https?://[^/]+", "", response.headers["Location"]))
        for (blob, length, source), place in zip(blobs, places, strict=True):
            headers = {"Content-Type": "application/octet-stream", "Content-Length": str(length)}
            body = source if isinstance(source, bytes) else open(source, "rb")
            self.request("PUT", f"{place}&digest={blob}", body, headers).read()
        (chart, chart_size, _), (described, config_size, _) = blobs
        manifest = {
            "schemaVersion": 2,
            "config": {"mediaType": "application/vnd.cncf.helm.config.v1+json", "digest": described, "size": config_size},
            "layers": [{"mediaType": "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "digest": chart,
                        "size": chart_size}],
        }
        body = json.dumps(manifest).encode()
        response = self.request("PUT", f"/v2/floor/{name}/manifests/{version}", body, {"Content-Type": MANIFEST})
        response.read()
        assert response.status == 201, response.status

    def versions(self, name: str) -> None:
        assert self.request("GET", f"/v2/{name}/tags/list", headers={"Accept": "application/json"}).read()

    def pull(self, name: str, version: str, directory: str) -> None:
        manifest = self.request("GET", f"/v2/floor/{name}/manifests/{version}", headers={"Accept": MANIFEST}).read()
        digest = json.loads(manifest)["layers"][0]["digest"]
        response = self.request("GET", f"/v2/floor/{name}/blobs/{digest}")
        with open(pathlib.Path(directory) / f"{name}-{version}.tgz", "wb") as file:
            shutil.copyfileobj(response, file, 1 << 16)


TOOLS = {"chartoci": Chartoci, "helm-python-sdk": HelmPythonSdk, "oras": Oras, "floor": Floor}


def memory() -> dict[str, int]:
    """Resident bytes now and at the highest, as Linux counts them."""
    status = pathlib.Path("/proc/self/status").read_text()
    return {key: int(re.search(rf"Vm{name}:\s+(\d+) kB", status)[1]) * 1024 for key, name in
            (("now", "RSS"), ("peak", "HWM"))}


def main(tool: str, host: str) -> None:
    client = TOOLS[tool](host)
    answers = sys.stdout
    sys.stdout = sys.stderr  # some of the measured print
    for line in sys.stdin:
        command = json.loads(line)
        verb, arguments = command["verb"], command["arguments"]
        answer: object
        if verb == "memory":
            answer = memory()
        elif verb == "reset":
            pathlib.Path("/proc/self/clear_refs").write_text("5")  # the highest is now
            answer = memory()
        else:
            with tempfile.TemporaryDirectory() as directory:
                writes = verb in ("pull", "pull_large", "package")
                extra = [directory] if writes else []
                began = time.perf_counter()
                getattr(client, verb)(*arguments, *extra)
                answer = time.perf_counter() - began
                if writes and not any(pathlib.Path(directory).iterdir()):
                    raise RuntimeError("nothing was written")
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])

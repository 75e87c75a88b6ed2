"""`check` finds an error in an index.yaml where `helm repo index --merge` refuses the whole of it, and nowhere else."""

import json
import pathlib
import subprocess

import chartoci
import helm
import pytest

INDEX = """apiVersion: v1
entries:
  web:
  - apiVersion: v2
    name: web
    version: 1.0.0
    urls: [https://charts.example/web-1.0.0.tgz]
    digest: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
    created: "2024-01-01T00:00:00Z"
generated: "2024-01-01T00:00:00Z"
"""


def beside(line: str) -> str:
    return INDEX.replace("    urls", f"    {line}\n    urls")


TEXTS = {
    "as it is": INDEX,
    "names in capitals": INDEX.replace("entries:", "Entries:").replace("apiVersion: v1", "APIVERSION: v1"),
    "an entry that is null": INDEX.replace("generated", "  - ~\ngenerated"),
    "an entry that is a number": INDEX.replace("generated", "  - 5\ngenerated"),
    "a key twice": f"{INDEX}apiVersion: v1\n",
    "an unknown key": f"{INDEX}foo: 1\n",
    "apiVersion a number": INDEX.replace("apiVersion: v1", "apiVersion: 1"),
    "apiVersion true": INDEX.replace("apiVersion: v1", "apiVersion: true"),
    "apiVersion empty": INDEX.replace("apiVersion: v1", "apiVersion: ''"),
    "apiVersion null": INDEX.replace("apiVersion: v1", "apiVersion: ~"),
    "all of the index": f"{INDEX}publicKeys: [a]\nserverInfo: {{contextPath: x}}\nannotations: {{a: b}}\n",
    "a number among annotations": f"{INDEX}annotations: {{a: 1}}\n",
    "a list among annotations": f"{INDEX}annotations: {{a: [b]}}\n",
    "annotations a list": f"{INDEX}annotations: [a]\n",
    "serverInfo a text": f"{INDEX}serverInfo: x\n",
    "publicKeys a text": f"{INDEX}publicKeys: x\n",
    "generated no time": INDEX.replace('generated: "2024-01-01T00:00:00Z"', "generated: x"),
    "created no time, in capitals": INDEX.replace('created: "2024-01-01T00:00:00Z"', "CREATED: x"),
    "urls a text": INDEX.replace("[https://charts.example/web-1.0.0.tgz]", "https://charts.example"),
    "urls null": INDEX.replace("[https://charts.example/web-1.0.0.tgz]", "~"),
    "a number among urls": INDEX.replace("[https://charts.example/web-1.0.0.tgz]", "[5]"),
    "the digest a number": INDEX.replace("a" * 64, "0123"),
    "entries a list": "apiVersion: v1\nentries: []\n",
    "entries null": "apiVersion: v1\nentries: ~\n",
    "the versions a mapping": "apiVersion: v1\nentries: {web: {}}\n",
    "the versions null": "apiVersion: v1\nentries: {web: ~}\n",
    "removed": beside("removed: true"),
    "removed a text": beside("removed: 'true'"),
    "appVersion a number": beside("appVersion: 1.10"),
    "the version a number": INDEX.replace("version: 1.0.0", "version: 1.10"),
    "the description a flag": beside("description: yes"),
    "a number among keywords": beside("keywords: [1]"),
    "a number among a chart's annotations": beside("annotations: {a: 1}"),
    "a maintainer whose name is a number": beside("maintainers: [{name: 5}]"),
    "an unknown key of a maintainer": beside("maintainers: [{nam: x}]"),
    "a dependency whose version is a number": beside("dependencies: [{name: x, version: 1.0}]"),
    "an unknown key of a dependency": beside("dependencies: [{name: x, foo: 1}]"),
    "an entry without a name": INDEX.replace("    name: web\n", ""),
    "an entry whose version is none": INDEX.replace("version: 1.0.0", "version: x"),
    "deprecated a text": beside("deprecated: 'yes'"),
    "JSON with an unknown key": json.dumps({"apiVersion": "v1", "entries": {"web": [{"name": "web", "version": "1.0.0", "foo": 1}]}, "foo": 2}),
    "JSON whose version is a number": json.dumps({"apiVersion": "v1", "entries": {"web": [{"name": "web", "version": 1}]}}),
    "a key beside a << that brings it": INDEX.replace("- apiVersion", "- <<: {version: 2.0.0}\n    apiVersion"),
    "a << that brings nothing else": INDEX.replace("- apiVersion", "- <<: {home: https://x.example}\n    apiVersion"),
    "serverInfo with a key twice": f"{INDEX}serverInfo: {{a: {{b: 1, b: 2}}}}\n",
    "JSON with half a character, and a number beyond all": json.dumps({"apiVersion": "v1", "entries": {"\ud800": []}})[:-1] + ', "x": 1e400}',
    "JSON whose apiVersion is a number": json.dumps({"apiVersion": 1, "entries": {}}),
}  # fmt: skip


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS.keys())
def test_what_helm_refuses_of_an_index_is_an_error(text: str, tmp_path: pathlib.Path) -> None:
    if not helm.binary(4).exists():
        pytest.skip("Helm 4 is not there: python tests/tools/helm.py fetches it")
    index = tmp_path / "index.yaml"
    index.write_text(text)
    (tmp_path / "charts").mkdir()
    command = [helm.binary(4), "repo", "index", str(tmp_path / "charts"), "--merge", str(index)]
    done = subprocess.run(command, capture_output=True, text=True)
    report = chartoci.check(index)
    assert any(finding.severity == "error" for finding in report) == (done.returncode != 0), f"{done.stderr}{report}"

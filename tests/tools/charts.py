"""Charts out of a seed: many small ones with every shape of Chart.yaml that Helm reads in its own way, and a big one.

`python tests/tools/charts.py DIRECTORY` writes them all. The same seed gives the same bytes.
"""

import dataclasses
import gzip
import io
import pathlib
import random
import sys
import tarfile

EPOCH = 1_700_000_000


@dataclasses.dataclass(frozen=True)
class Chart:
    """A packed chart, its signature file if it has one, and the time its file shall bear."""

    filename: str
    archive: bytes
    provenance: bytes | None
    modified: int


def pack(files: dict[str, bytes], level: int = 6) -> bytes:
    """A .tgz with these files in this order."""
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=level, mtime=EPOCH) as stream,
        tarfile.open(fileobj=stream, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size, entry.mtime, entry.mode = len(content), EPOCH, 0o644
            archive.addfile(entry, io.BytesIO(content))
    return buffer.getvalue()


# What a text field of Chart.yaml may look like; `{n}` becomes a number. YAML 1.1 reads many of them as something else.
TEXTS = [
    "plain words {n}",
    "'single ''quoted'' {n}'",
    '"double \\"quoted\\" \\t \\u00e9 \\U0001F600 {n}"',
    "|\n  literal {n}\n  second line\n",
    "|-\n  literal, stripped {n}\n\n  after a blank line\n",
    "|+\n  literal, kept {n}\n\n\n",
    ">\n  folded {n}\n  into one line\n\n  and another\n    indented\n  end\n",
    ">-\n  folded and stripped {n}\n  to the end",
    "plain text {n} that goes on\n  in the next line\n  and one more",
    '"folded in \\\n  quotes {n}\n\n  with a gap"',
    "Grüße aus Köln, 你好, שלום {n}",
    "emoji 🚀 and \u200bzero\u00a0width {n}",
    '"<b>&amp; {n}</b> \\u2028 end \\x85"',
    "1.10",
    "0{n}7",
    "0x1F",
    "1e3",
    "1_000",
    "0b101",
    "yes",
    "Off",
    "y",
    "~",
    "''",
    "null",
    "1:30",
    "2001-01-01",
    ".inf",
    "-.5",
    "+12",
    "12345678901234567890",
    "3.0",
    "!!str 5",
    "!custom tagged{n}",
    "a:b#c {n}",
    "' padded {n} '",
    "--- {n}",
    "? not a key {n}",
    "@at`s".replace("@", "x@"),
    "x" * 200 + " {n}",
    "word " * 40 + "{n}",
]
VERSIONS = [
    "{a}.{b}.{c}",
    "'{a}.{b}.{c}'",
    "{a}.{b}.{c}-rc.{n}",
    "{a}.{b}.{c}-alpha.beta-{n}",
    "{a}.{b}.{c}+build.{n}",
    "{a}.{b}.{c}-rc.{n}+meta-{n}.x",
    "v{a}.{b}.{c}",
    '"{a}.{b}"',
    "{a}.{b}",
    "{a}",
    '"0{a}.{b}.{c}"',
]
APP_VERSIONS = [*TEXTS[:1], "1.10", '"1.10"', "v2", "7", "0644", "1.2.3_b4", "2024-05-01", "1e2", "'1e2'", "{n}.0", "latest"]
LISTS = [
    "[a{n}, b, 'c d']",
    "\n- a{n}\n- \"b\"\n- c: d".replace(": d", ""),
    "\n  - web\n  - 1.10\n  - yes\n  - ünï{n}",
    "[]",
    "[ ]",
    "\n- >-\n  folded\n  keyword {n}\n- |\n  literal\n",
]
ANNOTATIONS = [
    "{}",
    "\n  plain: text {n}\n  b: 'x'\n  a: \"<&>\"",
    "\n  number: 1.10\n  bool: yes\n  octal: 0755\n  nothing: ~\n  empty: ''",
    "\n  images: |\n    - name: web\n      image: example/web:{n}\n  artifacthub.io/changes: |\n    - one\n    - two\n",
    "\n  org.opencontainers.image.created: '2001-02-03T04:05:06Z'\n  org.opencontainers.image.title: other",
    "\n  org.opencontainers.image.description: mine {n}\n  org.opencontainers.image.authors: Someone else\n  category: Ünïcode ✓",
    "\n  y: one\n  1: two\n  1.50: three",
    '\n  separators: "\\u2028 \\u2029 \\x85 \\x07 <&> {n}"\n  tab: "a\\tb\\r\\n"',
]
MAINTAINERS = [
    "\n- name: Ada {n}\n  email: ada@example.com\n  url: https://example.com/ada",
    "\n- name: Ada\n- name: Bob {n}\n  email: bob@example.com",
    "\n- email: nobody@example.com",
    "\n- {{name: Åsa {n}, url: 'https://example.com/?a=1&b=2'}}",
    "[]",
]
DEPENDENCIES = [
    "\n- name: redis\n  version: 17.x.x\n  repository: https://charts.example.com\n  condition: redis.enabled",
    "\n- name: redis\n  version: \"~17\"\n  repository: oci://registry.example.com/charts\n  alias: cache{n}\n  tags: [a, b]",
    "\n- name: common\n  version: 1.10\n  repository: file://../common\n  enabled: true",
    "\n- name: web\n  version: '>=1 <2'\n  repository: '@stable'\n  import-values:\n  - data\n  - child: x\n    parent: y\n  - 5",
    "\n- name: db\n  version: '*'\n  repository: ''\n- name: db\n  version: ^2\n  repository: https://e.example\n  alias: other",
]
KUBE = ["'>=1.20.0-0'", "'>= 1.19'", "1.25 - 1.30", "\"^1.2 || ~1.30\"", "1.20"]


def small(count: int = 60, seed: int = 1) -> list[Chart]:
    """Charts of a few files; every second shape of a text field is met about twice."""
    return [one(random.Random(f"{seed}/{number}"), number) for number in range(count)]


def one(draw: random.Random, number: int) -> Chart:
    """One chart. `number` walks through the shapes, `draw` chooses what stands around them."""

    def fill(shape: str) -> str:
        numbers = {key: draw.randrange(20) for key in "abc"}
        for key, value in (numbers | {"n": draw.randrange(1000)}).items():
            shape = shape.replace("{" + key + "}", str(value))
        return shape.replace("{{", "{").replace("}}", "}")

    def some(shapes: list[str], chance: float = 0.5) -> str | None:
        return fill(draw.choice(shapes)) if draw.random() < chance else None

    v1 = number % 4 == 3
    name = draw.choice(["web", "my-app", "a.b", "data_base", "x9"]) + f"-{number}"
    fields: dict[str, str | None] = {
        "apiVersion": (None if number % 8 == 7 else "v1") if v1 else "v2",
        "name": name,
        "version": fill(VERSIONS[number % len(VERSIONS)]),
        "description": fill(TEXTS[number % len(TEXTS)]),
        "appVersion": some(APP_VERSIONS, 0.8),
        "home": some(["https://example.com/{n}?a=1&b=<2>", "' '", *TEXTS[13:20]]),
        "icon": some(["https://example.com/icon-{n}.svg"]),
        "sources": some(["[https://example.com/src/{n}, 'https://example.com/more']", "\n- https://example.com/{n}"]),
        "keywords": some(LISTS),
        "maintainers": some(MAINTAINERS, 0.7),
        "annotations": some(ANNOTATIONS, 0.7),
        "kubeVersion": some(KUBE),
        "deprecated": some(["true", "false", "yes", "Off"], 0.3),
        "condition": some(["web.enabled"], 0.1),
        "tags": some(["front,back"], 0.1),
        "type": None if v1 else some(["application", "''"], 0.4),
        "engine": some(["gotpl"], 0.1),
        "unknown": some(["\n  nested: [1, {n}]"], 0.2),
        "dependencies": None if v1 else some(DEPENDENCIES, 0.4),
    }
    order = list(fields)
    if number % 3 == 0:
        draw.shuffle(order)
    lines = [f"{key}:{value if value.startswith(chr(10)) else ' ' + value}" for key in order if (value := fields[key])]
    text = "\n".join(line.rstrip(" ") for line in lines) + "\n"
    if number % 5 == 1:
        text = "# a comment\n---\n" + text + "# the end\n"
    if number % 10 == 4:
        text = text.replace("\n", "\r\n")
    files = {
        "Chart.yaml": ("\ufeff" if number % 12 == 8 else "").encode() + text.encode(),
        "values.yaml": f"replicas: {draw.randrange(9)}\nimage: {{repository: web, tag: ''}}\n".encode(),
        "README.md": f"# {name}\n".encode(),
        "templates/service.yaml": b"kind: Service\nmetadata:\n  name: {{ .Release.Name }}\n",
    }
    if v1 and number % 2:
        files["requirements.yaml"] = ("dependencies:" + fill(draw.choice(DEPENDENCIES)) + "\n").encode()
    provenance = f"-----BEGIN PGP SIGNED MESSAGE-----\n\n{number}\n".encode() if number % 4 == 0 else None
    archive = pack({f"{name}/{path}": content for path, content in files.items()})
    return Chart(f"chart-{number:03}.tgz", archive, provenance, EPOCH + draw.randrange(10**8))


def big(seed: int = 1, version: str = "1.0.0") -> bytes:
    """About 5,000 files, 160 vendored charts, 76 MB unpacked, 22 MB packed; three files are noise of 4 MiB each."""
    draw = random.Random(f"big/{seed}")
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(3, 11))) for _ in range(3000)]
    pool = [
        "  " * draw.randrange(5) + f"{draw.choice(words)}: {' '.join(draw.choices(words, k=draw.randrange(1, 7)))}"
        for _ in range(40_000)
    ]

    def text(size: int) -> bytes:
        return "\n".join(draw.choices(draw.choices(pool, k=49), k=size // 38)).encode() + b"\n"

    def chart(root: str, files: int, size: int) -> None:
        name = root.rstrip("/").rsplit("/", 1)[-1]
        head = f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: {' '.join(words[:9])}\n"
        content[f"{root}Chart.yaml"] = head.encode()
        content[f"{root}values.yaml"] = b"replicas: 1\n"
        for number in range(files):
            content[f"{root}templates/{draw.choice(words)}-{number}.yaml"] = text(size)

    content: dict[str, bytes] = {}
    chart("big/", 40, 13_000)
    for number in range(160):
        chart(f"big/charts/part-{number:03}/", 29, 13_400)
    for number in range(3):
        content[f"big/files/noise-{number}.bin"] = draw.randbytes(4 << 20)
    return pack(content)


def medium(seed: int = 1) -> bytes:
    """A chart of about 200 kB packed: 90 templates, four vendored charts, long values."""
    draw = random.Random(f"medium/{seed}")
    words = ["".join(draw.choices("abcdefghijklmnopqrstuvwxyz", k=draw.randrange(3, 11))) for _ in range(900)]

    def text(lines: int) -> bytes:
        return "\n".join(f"{'  ' * draw.randrange(4)}{draw.choice(words)}: {draw.choice(words)} {draw.getrandbits(20):x}"
                         for _ in range(lines)).encode() + b"\n"

    content: dict[str, bytes] = {}
    for root in ("medium/", *(f"medium/charts/part-{number}/" for number in range(4))):
        name = root.rstrip("/").rsplit("/", 1)[-1]
        content[f"{root}Chart.yaml"] = f"apiVersion: v2\nname: {name}\nversion: 1.0.0\n".encode()
        values = (f"{draw.choice(words)}{number}: {draw.choice(words)} # {draw.choice(words)}" for number in range(600))
        content[f"{root}values.yaml"] = "\n".join(values).encode() + b"\n"
        for number in range(18):
            content[f"{root}templates/{number}.yaml"] = text(190)
    return pack(content)


def typical(seed: int = 1, version: str = "1.2.3") -> bytes:
    """A chart of 5 kB, as most are."""
    draw = random.Random(f"typical/{seed}")
    lines = ["  " * draw.randrange(4) + f"key{draw.randrange(99)}: {draw.getrandbits(40):x}" for _ in range(480)]
    chart = f"apiVersion: v2\nname: typical\nversion: {version}\ndescription: A chart like most\nappVersion: '4.5'\n"
    return pack({
        "typical/Chart.yaml": chart.encode(),
        "typical/values.yaml": b"replicas: 1\n",
        "typical/templates/deployment.yaml": "\n".join(lines[:320]).encode(),
        "typical/templates/service.yaml": "\n".join(lines[320:]).encode(),
    })


def noise(name: str, version: str, size: int) -> bytes:
    """A chart of that many bytes packed, in files of 4 MB that do not become smaller."""
    draw = random.Random(f"noise/{name}/{version}")
    content = {f"{name}/Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: {version}\n".encode()}
    for number in range(size // 4_000_000):
        content[f"{name}/files/{number}.bin"] = draw.randbytes(4_000_000)
    return pack(content, 0)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    target.mkdir(parents=True, exist_ok=True)
    for made in small():
        (target / made.filename).write_bytes(made.archive)
    (target / "typical-1.2.3.tgz").write_bytes(typical())
    (target / "big.tgz").write_bytes(big())

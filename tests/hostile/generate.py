"""Writes cases.json: archives and documents that attack their reader, and what has to come of each.

`python tests/hostile/generate.py` writes the same bytes every time. The form is that of the vectors (tests/vectors):
`input` has either `archive` (a .tgz, base64) with `limits` (those that are not the defaults), or `document` with `kind` and
`limits`: a list of texts, each with how often it stands there, one behind the other. `layout` has the files of a directory that a registry
is opened over. `expect` is `{"error": CODE}`, the first error (null: there is none) with `warnings`, the codes of the warnings,
where they matter; or `{"paths": [...]}`: the archive is read, and these are its files. `extract` then names the code that
unpacking must give, `check` an error that `check` must find, `values` is the JSON text of the values. `command` runs on the command line as well: it must fail and say
nothing on standard output. `family` is one of FAMILIES, the families of security tests that concern files.

Rust, Python and JavaScript run all of them, each sees that no family is missing; `command` runs in Python, which brings the
command line.
"""

import base64
import gzip
import hashlib
import io
import json
import pathlib
import struct
import zlib

CHART = b"apiVersion: v2\nname: web\nversion: 0.1.0\n"
BLOCK = 512


def numeric(value: int, width: int) -> bytes:
    return b"%0*o\0" % (width - 1, value)


def header(name: bytes, size: int = 0, kind: bytes = b"0", **fields: bytes) -> bytes:
    """One header block; `fields` replace what stands at a field's place, and the checksum is right all the same."""
    places = {"raw_size": (124, 12), "mode": (100, 8), "magic": (257, 8), "prefix": (345, 155), "link": (157, 100)}
    block = bytearray(BLOCK)
    block[: len(name)] = name
    block[100:108] = block[108:116] = block[116:124] = numeric(0, 8)
    block[100:108] = numeric(0o644, 8)
    block[124:136] = numeric(size, 12)
    block[136:148] = numeric(1_700_000_000, 12)
    block[156:157] = kind
    block[257:265] = b"ustar\x0000"
    for field, content in fields.items():
        start, width = places[field]
        block[start : start + width] = content.ljust(width, b"\0")
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % BLOCK)


def entry(name: str | bytes, content: bytes = b"", kind: bytes = b"0", **fields: bytes) -> bytes:
    raw = name.encode() if isinstance(name, str) else name
    return header(raw, len(content), kind, **fields) + padded(content)


def pax(**records: str) -> bytes:
    return entry("PaxHeaders/x", b"".join(record(key, value) for key, value in records.items()), b"x")


def record(key: str, value: str) -> bytes:
    rest = len(key.encode()) + len(value.encode()) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return f"{length} {key}={value}\n".encode()


def gz(data: bytes) -> bytes:
    compress = zlib.compressobj(9, zlib.DEFLATED, -15)
    body = compress.compress(data) + compress.flush()
    return b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def tgz(*parts: bytes, chart: bool = True, end: bool = True) -> bytes:
    first = entry("web/Chart.yaml", CHART) if chart else b""
    return gz(first + b"".join(parts) + (b"\0" * 2 * BLOCK if end else b""))


CASES: list[dict] = []

FAMILIES = ["T-PATH", "T-LINK", "T-NAME", "T-BOMB", "T-DIFF", "T-TYPE", "T-SIZE", "T-YAML", "T-NULL", "T-SEMVER", "T-SCHEMA", "T-TERM",
            "T-PROTO", "T-LAYOUT", "T-EXIT"]


def case(name: str, why: str, given: dict, wanted: dict) -> None:
    family = "T-" + name.split("-")[0]
    assert family in FAMILIES, family
    CASES.append({"name": name, "family": family, "why": why, "input": given, "expect": wanted})


def archive(name: str, why: str, data: bytes, expect: str | list[str], extract: str | None = None, **limits: int) -> None:
    given: dict = {"archive": base64.b64encode(data).decode(), "limits": limits}
    wanted: dict = {"error": expect} if isinstance(expect, str) else {"paths": expect}
    if extract:
        wanted["extract"] = extract
    case(name, why, given, wanted)


def document(name: str, why: str, kind: str, text: str | list, code: str | None, warnings: list[str] | None = None, times: int = 1, **limits: int) -> None:
    given: dict = {"document": [[text, times]] if isinstance(text, str) else text, "kind": kind, "limits": limits}
    case(name, why, given, {"error": code} | ({"warnings": warnings} if warnings is not None else {}))


def paths() -> None:
    for path, code in {
        "web/../x": "archive.parent",
        "web/a/../../x": "archive.parent",
        "web/..": "archive.parent",
        "web/..x": "archive.parent",
        "web\\..\\x": "archive.parent",
        "../x": "archive.top_folder",
        "/web/x": "archive.top_folder",
        ".\\x": "archive.top_folder",
        "web//etc/passwd": "archive.absolute",
        "web\\\\server\\share": "archive.absolute",
        "web/C:/x": "archive.name",
        "web/c:x": "archive.name",
        "web\\c:\\x": "archive.name",
        "x": "archive.outside",
        ".": "archive.outside",
        "": "archive.outside",
        "web/.": "archive.outside",
        "web/a/..": "archive.outside",
        "Chart.yaml/x": "archive.outside",
    }.items():
        archive(f"PATH-1 {path!r}", "a path that leads out of the chart, or might", tgz(entry(path, b"x")), code)
    archive("PATH-1 not UTF-8", "no text in every language", tgz(entry(b"web/\xff", b"x")), "archive.name")
    archive("PATH-1 NUL in PAX", "C ends the name there, others do not", tgz(pax(path="web/a\0/b"), entry("web/c")), "archive.tar")
    archive("PATH-1 PAX path", "the extension's path is judged, too", tgz(pax(path="web/../x"), entry("web/c")), "archive.parent")
    archive("PATH-1 GNU long name", "so is GNU's", tgz(entry("././@LongLink", b"web/../x\0", b"L"), entry("web/c")), "archive.parent")
    archive("PATH-1 prefix", "and USTAR's prefix", tgz(entry("x", prefix=b"web/..")), "archive.parent")
    archive("PATH-2 sibling below", "a folder whose name starts like the chart's", tgz(entry("web/../web-evil/x")), "archive.parent")
    archive("PATH-2 sibling beside", "a folder whose name starts like the chart's", tgz(entry("web-evil/x")), "archive.top_folder")
    for name in ["CON", "nul.txt", "Com1.yaml", "a.", "a ", "a:b", "a?", "a\x01b"]:
        data = tgz(entry(f"web/files/{name}", b"x"))
        archive(f"PATH-3 {name!r}", "no file of this name on Windows", data, ["Chart.yaml", f"files/{name}"], "files.name")
    for what, (one, other) in {
        "case": ("a", "A"), "case beyond ASCII": ("ä", "Ä"), "case of folders": ("d/x", "D/y"), "composed and decomposed": ("\u00e9", "e\u0301"),
        "composed and decomposed below": ("\u00fc/x", "u\u0308/y"), "two marks": ("\u1e69", "s\u0307\u0323"), "Hangul": ("\uac00", "\u1100\u1161"),
        "a file and a folder": ("x", "X/y"),
    }.items():
        data = tgz(entry(f"web/{one}"), entry(f"web/{other}"))
        archive(f"PATH-3 {what}", "one file on many systems", data, ["Chart.yaml", one, other], "files.name")
    for what, (one, other) in {"other letters": ("\u00e9", "\u00e8"), "other marks": ("e\u0301", "e\u0300"), "other scripts": ("\u4f60", "\u597d")}.items():
        archive(f"PATH-3 {what}", "two files", tgz(entry(f"web/{one}"), entry(f"web/{other}")), ["Chart.yaml", one, other])


def links() -> None:
    for kind, what in {b"1": "hard link", b"2": "symbolic link", b"3": "character device", b"4": "block device", b"6": "pipe"}.items():
        archive(f"LINK-1 {what}", "Helm reads an empty file", tgz(entry("web/x", kind=kind, link=b"/etc/passwd")), "archive.link")
    link = tgz(entry("web/Chart.yaml", kind=b"2", link=b"../../secret"), chart=False)
    archive("LINK-1 Chart.yaml", "Helm reads an empty Chart.yaml", link, "archive.link")
    then = tgz(entry("web/x", kind=b"2", link=b"/tmp"), entry("web/x/y", b"y"))
    archive("LINK-2 link, then below it", "unpackers have written through it", then, "archive.link")


def names() -> None:
    for name in [".", "..", "a/b", "../a", "/a", ""]:
        text = f"apiVersion: v2\nname: {json.dumps(name)}\nversion: 1.0.0\n"
        document(f"NAME-1 name {name!r}", "the name becomes a path", "chart.yaml", text, "chart.name")
        data = tgz(entry("web/Chart.yaml", text.encode()), chart=False)
        archive(f"NAME-1 archive {name!r}", "the name becomes a path", data, "chart.name")
    for version in ["../1.0.0", "1.0.0/../../x", "1.0.0\\x", "1.0.0\x01", "", "1.0.0 x", "1" * 300]:
        text = f"apiVersion: v2\nname: web\nversion: {json.dumps(version)}\n"
        document(f"NAME-1 version {version[:20]!r}", "the version becomes a file's name", "chart.yaml", text, "chart.version")
    for alias in ["../x", "a/b", "a b", "a\\b"]:
        text = f"apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: a\n  alias: {json.dumps(alias)}\n"
        document(f"NAME-1 alias {alias!r}", "the alias becomes a path", "chart.yaml", text, "chart.alias")
    twice = "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies:\n- name: a\n- name: b\n  alias: a\n"
    document("NAME-2 alias of another", "two charts would share one name", "chart.yaml", twice, "chart.duplicate_dependency")


def bombs() -> None:
    zeros = tgz(entry("web/zeros", b"\0" * (4 << 20)))
    archive("BOMB-1 ratio", "4 MiB out of 4 KiB", zeros, "limit.unpacked", unpacked=1 << 20)
    archive("BOMB-1 file", "one file over its own limit", zeros, "limit.file", file=1 << 20)
    aliases = CHART + b"dependencies:\n" + b"".join(b"- {name: web, version: 0.1.0, alias: a%d}\n" % at for at in range(10))
    levels = [f"web/{'charts/web/' * level}" for level in range(8)]
    parts = [entry(f"{level}Chart.yaml", aliases) for level in levels] + [entry(f"{levels[-1]}values.schema.json", b"{}")]
    files = [f"{level}Chart.yaml".removeprefix("web/") for level in levels] + [f"{levels[-1]}values.schema.json".removeprefix("web/")]
    archive("BOMB-3 aliases of charts in charts", "10 to the power of 7 times a schema is asked", tgz(*parts, chart=False), files)
    CASES[-1]["expect"]["check"] = "limit.nodes"
    archive("BOMB-1 packed", "larger than what is read at all", zeros, "limit.archive", archive=1000)
    many = b"".join(entry(f"web/{number}") for number in range(300))
    archive("BOMB-1 many files", "each takes memory", tgz(many), "limit.files", files=200)
    folders = b"".join(entry(f"web/{number}/", kind=b"5") for number in range(300))
    archive("BOMB-1 many folders", "they count as entries", tgz(folders), "limit.files", files=200)
    headers = b"".join(pax(comment="x" * 400) for _ in range(300))
    archive("BOMB-1 many extensions", "they take time and are no entries", tgz(headers, entry("web/x")), "limit.unpacked", unpacked=100_000)
    long = b"apiVersion: v2\nname: web\nversion: 0.1.0\n#" + b"x" * (1 << 20)
    huge = tgz(entry("web/Chart.yaml", long), chart=False)
    archive("BOMB-1 huge Chart.yaml", "documents have a limit of their own", huge, "limit.document", document=1 << 19)
    nested = tgz()
    for _ in range(30):
        nested = tgz(entry("web/charts/web.tgz", nested))
    archive("BOMB-1 nested archives", "30 levels", nested, "limit.nesting")
    deep = tgz(pax(path="web/" + "charts/a/" * 1000 + "Chart.yaml"), entry("web/x", CHART))
    archive("BOMB-1 nested folders", "1,000 levels", deep, "limit.nesting")
    inner = tgz(entry("web/zeros", b"\0" * 600_000))
    # Bytes that do not shrink keep the ratio low.
    noise = b"".join(hashlib.sha256(b"%d" % at).digest() for at in range(64))
    shared = tgz(entry("web/noise", noise), entry("web/charts/a.tgz", inner), entry("web/charts/b.tgz", inner))
    archive("BOMB-1 shared budget", "each is within the limit, both are not", shared, "limit.unpacked", unpacked=1_000_000)
    twice = tgz(entry("web/charts/a.tgz", tgz(entry("web/zeros", b"\0" * (8 << 20)))))
    archive("BOMB-1 packed twice", "8 MiB out of some 300 bytes: what shrinks once shrinks again", twice, "limit.ratio")
    plain = tgz(entry("web/zeros", b"\0" * 100_000))
    archive("BOMB-1 ratio of ten", "some 700 times what was packed", plain, "limit.ratio", ratio=10)
    archive("BOMB-1 ratio of a thousand", "the same, allowed", plain, ["Chart.yaml", "zeros"], ratio=1000)
    good = tgz()
    archive("BOMB-2 members", "empty gzip members, one after the other", gz(b"") * 300 + good, "limit.files", files=200)
    archive("BOMB-2 few members", "several members are one stream", gz(b"") * 3 + good, ["Chart.yaml"])
    archive("BOMB-2 garbage behind", "Helm does not look behind the tar file's end", good + b"garbage", ["Chart.yaml"])
    archive("BOMB-2 cut in the trailer", "nor at the trailer", good[:-6], ["Chart.yaml"])
    archive("BOMB-2 cut in the data", "the rest is missing", tgz(entry("web/x", bytes(range(256)) * 40))[:-400], "archive.truncated")
    archive("BOMB-2 cut in the header", "ten bytes are the least", good[:9], "archive.truncated")
    archive("BOMB-2 no end marker", "Helm reads it", tgz(end=False), ["Chart.yaml"])
    archive("BOMB-2 cut in a file", "a file ends before its size", gz(header(b"web/Chart.yaml", 5000) + b"name"), "archive.truncated")
    wrong = good[:-8] + bytes([good[-8] ^ 1]) + good[-7:]
    archive("BOMB-2 wrong checksum", "damaged; Helm does not notice", wrong, "archive.checksum")
    archive("BOMB-2 empty", "nothing at all", b"", "archive.gzip")
    archive("BOMB-2 no gzip", "a tar file", b"x" * 600, "archive.gzip")
    archive("BOMB-2 no entries", "a tar file without files", tgz(chart=False), "archive.empty")
    archive("BOMB-3 GNU sparse", "holes of any size", tgz(header(b"web/x", 0, b"S", magic=b"ustar  \0")), "archive.entry_kind")
    sparse = pax(**{"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "web/y", "GNU.sparse.realsize": "99999999"})
    archive("BOMB-3 PAX sparse", "another name and size behind the visible ones", tgz(sparse, entry("web/x", b"0\n")), "archive.entry_kind")
    archive("BOMB-3 PAX of 1 GiB", "a size that is only declared", tgz(header(b"x", 1 << 30, b"x")), "archive.tar")
    archive("BOMB-3 long name of 1 GiB", "a size that is only declared", tgz(header(b"x", 1 << 30, b"L")), "archive.tar")
    archive("BOMB-3 file of 8 EiB", "a size that is only declared", tgz(header(b"web/x", raw_size=b"\x80\0\0\0\x7f" + b"\xff" * 7)), "limit.file")
    for what, size in {
        "negative": b"-0000000017\0",
        "negative in binary": b"\xff" * 12,
        "more than 64 bits": b"\x80\0\x01" + b"\0" * 9,
        "not octal": b"00000000008\0",
        "hexadecimal": b"0x000000010\0",
    }.items():
        archive(f"BOMB-3 size {what}", "no size", tgz(header(b"web/x", raw_size=size)), "archive.tar")
    for what, size in {"blanks": b"         7  ", "binary": b"\x80" + b"\0" * 10 + b"\x07"}.items():
        archive(f"BOMB-3 size in {what}", "an old way to write 7", tgz(header(b"web/x", raw_size=size), padded(b"content")), ["Chart.yaml", "x"])
    raw = bytearray(gzip.decompress(tgz()))
    raw[148:156] = b"000001\0 "
    archive("BOMB-3 checksum of a header", "not a tar header", gz(bytes(raw)), "archive.tar")


def differences() -> None:
    hidden = entry("web/hidden", b"h")
    seen = entry("web/seen", b"s")
    # Sizes that extension and header give: Go, and so Helm, believes the extension.
    archive("DIFF-1 PAX size 1024, header 0", "a reader that skips nothing sees web/hidden",
            tgz(pax(size="1024"), header(b"web/x", 0), hidden, seen), ["Chart.yaml", "x", "seen"])
    archive("DIFF-1 PAX size 0, header 1024", "a reader that believes the header skips web/hidden",
            tgz(pax(size="0"), header(b"web/x", 1024), hidden, seen), ["Chart.yaml", "x", "hidden", "seen"])
    archive("DIFF-1 PAX size 1024, header 512", "both say something",
            tgz(pax(size="1024"), header(b"web/x", 512), hidden, seen), ["Chart.yaml", "x", "seen"])
    archive("DIFF-1 empty PAX size", "takes the header's",
            tgz(entry("p", record("size", "512") + record("size", ""), b"x"), header(b"web/x", 1024), hidden, seen),
            ["Chart.yaml", "x", "seen"])
    archive("DIFF-1 PAX sizes twice", "the last counts",
            tgz(entry("p", record("size", "0") + record("size", "1024"), b"x"), header(b"web/x", 0), hidden, seen),
            ["Chart.yaml", "x", "seen"])
    archive("DIFF-1 two PAX extensions", "the second replaces the first as a whole",
            tgz(pax(size="1024"), pax(path="web/y"), header(b"web/x", 0), hidden, seen), ["Chart.yaml", "y", "hidden", "seen"])
    archive("DIFF-1 global PAX size", "Go heeds no global size",
            tgz(entry("p", record("size", "1024"), b"g"), header(b"web/x", 0), hidden, seen), ["Chart.yaml", "x", "hidden", "seen"])
    archive("DIFF-1 folder with a size", "Go takes folders for empty",
            tgz(header(b"web/d/", 1024, b"5"), hidden, seen), ["Chart.yaml", "hidden", "seen"])
    archive("DIFF-1 old kind with a slash", "a folder, though it says file",
            tgz(header(b"web/d/", 0, b"\0"), seen), ["Chart.yaml", "seen"])
    archive("DIFF-1 GNU name over PAX path", "Go believes GNU's",
            tgz(pax(path="web/pax"), entry("././@LongLink", b"web/gnu\0", b"L"), entry("web/x")), ["Chart.yaml", "gnu"])
    archive("DIFF-1 old GNU magic", "the prefix of GNU headers is none",
            tgz(entry("web/x", magic=b"ustar  \0", prefix=b"")), ["Chart.yaml", "x"])
    archive("DIFF-1 zero block between", "some readers go on behind it", tgz(b"\0" * BLOCK, seen), "archive.tar")
    archive("DIFF-1 files behind the end", "Go stops there", gz(entry("web/Chart.yaml", CHART) + b"\0" * 1024 + hidden), ["Chart.yaml"])
    for what, payload in {
        "no length": b"path=web/x\n",
        "length too large": b"99 path=web/x\n",
        "length too small": b"9 path=web/x\n",
        "no line feed": b"13 path=web/xx",
        "no equals sign": b"11 pathwebx\n",
        "no key": b"6 =ab\n",
        "negative size": record("size", "-1"),
        "hexadecimal size": record("size", "0x10"),
        "odd time": record("mtime", "12a"),
    }.items():
        archive(f"DIFF-2 PAX: {what}", "a malformed record is no reason to skip it", tgz(entry("p", payload, b"x"), entry("web/x")), "archive.tar")
    archive("DIFF-2 Chart.yaml twice", "Helm mixes them", tgz(entry("web/Chart.yaml", b"version: 9.9.9\n")), "archive.duplicate")
    archive("DIFF-2 one path twice", "readers differ in which counts", tgz(entry("web/a", b"1"), entry("web/a", b"2")), "archive.duplicate")
    archive("DIFF-2 one path, written twice", "cleaned, it is the same", tgz(entry("web/a"), entry("web/./b/../a")), "archive.duplicate")
    archive("DIFF-2 two top folders", "Helm takes both for one chart", tgz(entry("other/values.yaml")), "archive.top_folder")
    archive("DIFF-2 other kinds", "Go reads unknown kinds as files", tgz(entry("web/x", kind=b"V")), "archive.entry_kind")


TYPE = "application/vnd.oci.image.manifest.v1+json"
HELM_CONFIG, HELM_CHART = "application/vnd.cncf.helm.config.v1+json", "application/vnd.cncf.helm.chart.content.v1.tar+gzip"


def descriptor(media_type: str = HELM_CHART, size: int | str = 7, digest: str = "sha256:" + "0" * 64) -> dict:
    return {"mediaType": media_type, "digest": digest, "size": size}


def manifest_text(**fields: object) -> str:
    plain = {"schemaVersion": 2, "config": descriptor(HELM_CONFIG), "layers": [descriptor()]}
    return json.dumps({name: value for name, value in (plain | fields).items() if value is not None})


def types() -> None:
    document("TYPE-1 manifest and index", "registries and clients disagree which it is", "manifest", manifest_text(manifests=[]), "manifest.shape")
    document("TYPE-1 another mediaType inside", "what the header says and what the text says", "manifest",
             manifest_text(mediaType="application/vnd.oci.image.index.v1+json"), None, ["manifest.media_type"])
    document("TYPE-1 no mediaType", "Helm's own manifests have none", "manifest", manifest_text(), None, [])
    document("TYPE-1 Docker's types", "an image is no chart", "manifest", manifest_text(
        mediaType="application/vnd.docker.distribution.manifest.v2+json", config=descriptor("application/vnd.docker.container.image.v1+json")),
        "artifact.not_a_chart")
    document("TYPE-1 artifactType against config", "the config's type decides", "manifest",
             manifest_text(artifactType=HELM_CONFIG, config=descriptor("application/vnd.oci.empty.v1+json")), "artifact.not_a_chart")
    document("TYPE-1 type with a control character", "it ends up in headers and logs", "manifest", manifest_text(layers=[descriptor(HELM_CHART + "\r\nX: y")]),
             "manifest.descriptor")
    document("TYPE-1 two charts", "Helm takes whichever comes last", "manifest", 
             manifest_text(layers=[descriptor(), descriptor(digest="sha256:" + "1" * 64)]), "artifact.several_charts")


def sizes() -> None:
    for size in (-1, 2**63, 2**64, 1.5, "7"):
        document(f"SIZE-1 descriptor of {size!r}", "a size that no blob has", "manifest", manifest_text(layers=[descriptor(size=size)]), "manifest.descriptor")
    document("SIZE-1 manifest over 4 MiB", "as the distribution specification and registries", "manifest", [[" ", (4 << 20) + 1]], "limit.document")
    document("SIZE-1 manifest over a limit", "limits can be set", "manifest", manifest_text(), "limit.document", manifest=100)
    document("SIZE-1 config over 1 MiB", "no chart has so much to say", "config", [[" ", (1 << 20) + 1]], "limit.document")
    document("SIZE-1 values over 16 MiB", "documents have a limit", "values", [["# 16 bytes long\n", (1 << 20) + 1]], "limit.document")
    document("SIZE-1 digest of another length", "it names a file of a cache", "manifest", manifest_text(layers=[descriptor(digest="sha256:../../x")]), "manifest.descriptor")


def yaml() -> None:
    document("YAML-1 nesting in brackets", "recursion", "values", "[", "limit.depth", times=10_000)
    document("YAML-1 nesting in lines", "recursion", "values", "- ", "limit.depth", times=10_000)
    document("YAML-1 nesting of keys", "recursion", "values", "? ", "limit.depth", times=10_000)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    document("YAML-1 aliases", "10 billion from 400 bytes", "values", bomb, "limit.aliases")
    merges = "a0: &a0 {k: v}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 10)}], k{n}: v}}\n" for n in range(1, 10))
    document("YAML-1 merges", "the same through <<", "values", merges, "limit.aliases")
    document("YAML-1 an anchor in itself", "no end", "values", "a: &a [*a]", "yaml.alias")
    document("YAML-1 an alias of nothing", "no anchor", "values", "a: *a", "yaml.alias")
    document("YAML-1 merge of a text", "no mapping", "values", "<<: x", "yaml.merge")
    document("YAML-1 binary that is none", "!!binary is decoded", "values", "a: !!binary x", "yaml.tag")
    document("YAML-1 tag that does not fit", "!!int is checked", "values", "a: !!int x", "yaml.tag")
    document("YAML-1 tab for indentation", "no YAML", "values", "a:\n\tb: 1", "yaml.syntax")
    for what, text in {"UTF-16": "a: 1".encode("utf-16"), "Latin-1": b"a: \xe9"}.items():
        archive(f"YAML-1 {what}", "no UTF-8", tgz(entry("web/Chart.yaml", text), chart=False), "yaml.encoding")
    document("YAML-1 control character", "no YAML", "values", "a: \x01", "yaml.syntax")
    document("YAML-1 infinity", "no JSON", "values", "a: .inf", "yaml.number")
    document("YAML-1 a list as key", "no JSON", "values", "[a]: 1", "yaml.key")
    document("YAML-1 CRLF and byte order mark", "Windows", "values", "\ufeffa: 1\r\nb: 2\r\n", None, [])
    document("YAML-1 huge scalar", "a mebibyte in one text", "values", "x" * 1024, "values.mapping", times=1024)
    document("YAML-2 many aliases", "quadratic in some readers", "values", "a: &a x\nb: [" + "*a, " * 3_000 + "]", None)
    long = [["a: &a ", 1], ["x", 100_000], ["\nb: [", 1], ["*a,", 900], ["]\n", 1]]
    document("YAML-2 aliases of a long text", "90 MB from 100 kB: each is a copy", "values", long, "limit.aliases")
    archive("YAML-2 aliases of a long text in an archive", "the same, packed", tgz(entry("web/values.yaml", b"".join(text.encode() * times for text, times in long))),
            "limit.aliases", ratio=10_000)
    keys = b"".join(b"k%d: 1\n" % at for at in range(1_000))
    merged = tgz(entry("web/values.yaml", keys + b"---\na: 1\n" * 40_000))
    archive("YAML-2 many documents over many keys", "all are one in the end", merged, ["Chart.yaml", "values.yaml"])
    document("YAML-2 mistakes in many documents", "each has a place, which is looked for", "values", "---\na: *b\n", "yaml.alias", times=40_000)
    tags = [["%TAG !x! tag:", 1], ["a", 100_000], [f"\n---\n{CHART.decode()}keywords:\n", 1], ["- !x!a b\n", 40_000]]
    document("YAML-2 a long prefix of many tags", "4 GB from 500 kB, if they are joined", "chart.yaml", tags, None)
    document("YAML-2 many nodes", "in all documents together", "values", "a: [" + "," .join("1" * 100) + "]\n---\n", "limit.nodes", times=11, nodes=1000)
    document("YAML-2 many open brackets on one line each", "quadratic in some readers", "values", "[\n", "limit.depth", times=5_000)
    document("YAML-3 duplicate key", "the last counts, somebody will regret it", "values", "a: 1\na: 2\n", None, ["yaml.duplicate_key"])
    document("YAML-3 duplicate key in Chart.yaml", "the same", "chart.yaml", "name: web\nversion: 1.0.0\napiVersion: v2\nicon: https://a.example\nname: other\n", None, ["yaml.duplicate_key"])
    document("YAML-3 duplicate key in a manifest", "readers of JSON disagree", "manifest", manifest_text()[:-1] + ', "schemaVersion": 2}', None, ["json.duplicate"])


def nothings() -> None:
    for text in ("", "~", "# c", "---"):
        document(f"NULL-1 Chart.yaml {text!r}", "nothing", "chart.yaml", text, "chart.api_version_missing")
    for text in ("[]", "x", "5", "- name: web"):
        document(f"NULL-1 Chart.yaml {text!r}", "no mapping", "chart.yaml", text, "chart.field_type")
    for text in ("[]", "x", "5"):
        document(f"NULL-1 values {text!r}", "no mapping", "values", text, "values.mapping")
    document("NULL-1 values ''", "nothing is an empty mapping", "values", "", None, [])
    for text in ("", "null", "[]", "5"):
        document(f"NULL-1 manifest {text!r}", "no object", "manifest", text, "json.syntax" if not text else "manifest.shape")
    texts = ["name", "version", "apiVersion", "description", "home", "icon", "appVersion", "kubeVersion", "condition", "tags", "type"]
    for field in [field for field in texts if field != "apiVersion"]:
        document(f"NULL-1 {field} is a list", "every field has a type", "chart.yaml", f"{CHART.decode()}{field}: [a]\n", "chart.field_type")
    for field in ["sources", "keywords", "maintainers", "dependencies"]:
        document(f"NULL-1 {field} is a text", "every field has a type", "chart.yaml", f"{CHART.decode()}{field}: a\n", "chart.field_type")
        document(f"NULL-1 {field} has a list", "every item has a type", "chart.yaml", f"{CHART.decode()}{field}: [[a]]\n", "chart.field_type")
    for field, value in {"deprecated": "'true'", "annotations": "[a]"}.items():
        document(f"NULL-1 {field} of another type", "every field has a type", "chart.yaml", f"{CHART.decode()}{field}: {value}\n", "chart.field_type")
    document("NULL-1 an empty maintainer", "Go would follow it", "chart.yaml", f"{CHART.decode()}maintainers: [~]\n", "chart.maintainer")
    document("NULL-1 an empty dependency", "Go would follow it", "chart.yaml", f"{CHART.decode()}dependencies: [~]\n", "chart.dependency")
    document("NULL-1 null in every field", "as if it were not there", "chart.yaml",
             CHART.decode() + "".join(f"{field}: ~\n" for field in [*(field for field in texts[3:] if field != "appVersion"), "sources", "keywords", "maintainers", "dependencies", "annotations"]), None)


def versions() -> None:
    odd = ["vv1.0.0", "1.0.0.0", "1.0.0-01", "1.0.0-", "1.0.0+", "1.0.0-é", "1.0.0 ", " 1.0.0", "1.0.0\n", "\x1b[31m1.0.0", "1.0.0-" + "9" * 20, "18446744073709551616.0.0", "*", "latest",
           "1,0,0", "٣.0.0", "1.0.0\u202e", "1.0.0-a..b", "=1.0.0", "^1", "1.0.0_1", "1.0.0+" + "b" * 251]
    for version in odd[:10] + odd[11:]:
        text = f"apiVersion: v2\nname: web\nversion: {json.dumps(version)}\n"
        document(f"SEMVER-1 {version[:30]!r}, {len(version)}", "no version", "chart.yaml", text, "chart.version")
    for version in ("01.2.3", "v1.2.3", "1.2", "1", "1.0.0+" + "b" * 250, "1.0.0-" + "9" * 20, "18446744073709551615.0.0"):
        document(f"SEMVER-1 {version[:30]!r}, {len(version)}", "Helm takes it", "chart.yaml", f"apiVersion: v2\nname: web\nversion: '{version}'\n", None)


def schemas() -> None:
    document("SCHEMA-1 no JSON", "cut off", "schema", '{"type": "object"', "json.syntax")
    document("SCHEMA-1 two documents", "readers disagree", "schema", "{}{}", "json.syntax")
    document("SCHEMA-2 depth", "recursion", "schema", [['{"not":', 5_000], ["{}", 1], ["}", 5_000]], "limit.depth")
    each = [['{"$defs":{"x":[', 1], ['{"$id":"a","$ref":"#"},', 20_000], ["{}]}}", 1]]
    document("SCHEMA-3 references among many names", "20,000 times 20,000 places", "schema", each, "limit.schema")
    parts = [['{"allOf":[', 1], ['{"properties":{"a":{}}},', 20_000], ["{}]}", 1]]
    document("SCHEMA-3 many parts", "each is looked for among all of them", "schema", parts, "limit.schema")
    below = [['{"properties":{"', 1], ["x", 1 << 20], ['":{"allOf":[', 1], ["{},", 2_000], ["{}]}}}", 1]]
    document("SCHEMA-3 many parts below a long name", "each is known by its whole path", "schema", below, "limit.schema")
    for keyword in ("required", "enum"):
        long = [[f'{{"$defs":{{"x":{{"{keyword}":[', 1], ['"n",', 5_000], ['"m"]}},"allOf":[', 1], ['{"$ref":"#/$defs/x"},', 2_000], ["{}]}", 1]]
        document(f"SCHEMA-3 {keyword} that is judged often", "all names are gone through each time", "schema", long, "limit.schema")


def terminals() -> None:
    escape = "\\e[2J\\e]0;owned\\a\\u202e\\u2066\\x9b31m\\r"
    document("TERM-1 name", "cleared screens, turned text", "chart.yaml", f'apiVersion: v2\nname: "{escape}/"\nversion: 1.0.0\n', "chart.name")
    document("TERM-1 version", "cleared screens, turned text", "chart.yaml", f'apiVersion: v2\nname: web\nversion: "{escape}"\n', "chart.version")
    document("TERM-1 type", "cleared screens, turned text", "chart.yaml", f'{CHART.decode()}type: "{escape}"\n', "chart.type")
    document("TERM-1 alias", "cleared screens, turned text", "chart.yaml", f'{CHART.decode()}dependencies: [{{name: a, alias: "{escape}"}}]\n', "chart.alias")
    document("TERM-1 key", "cleared screens, turned text", "chart.yaml", f'{CHART.decode()}"{escape}": 1\n"{escape}": 2\n', None)
    document("TERM-1 value", "cleared screens, turned text", "values", f'a: !!int "{escape}"\n', "yaml.tag")
    archive("TERM-1 entry", "cleared screens, turned text", tgz(entry("web/../\x1b[2J\u202e\r\x07x", b"x")), "archive.parent")
    document("TERM-1 manifest", "cleared screens, turned text", "manifest", manifest_text(mediaType="\x1b[2J\u202e"), None, ["manifest.media_type"])


def prototypes() -> None:
    text = b'__proto__: {polluted: "yes"}\nconstructor: {prototype: {polluted: "yes"}}\na: {<<: {__proto__: {polluted: "yes"}}}\ntoString: "no function"\n'
    values = {"__proto__": {"polluted": "yes"}, "constructor": {"prototype": {"polluted": "yes"}}, "a": {"__proto__": {"polluted": "yes"}}, "toString": "no function"}
    archive("PROTO-1 values", "objects of JavaScript have parents", tgz(entry("web/values.yaml", text)), ["Chart.yaml", "values.yaml"])
    CASES[-1]["expect"]["values"] = json.dumps(values, separators=(",", ":"))
    archive("PROTO-1 files", "files called like an object's parents", tgz(entry("web/__proto__"), entry("web/constructor"), entry("web/hasOwnProperty")),
            ["Chart.yaml", "__proto__", "constructor", "hasOwnProperty"])
    notes = CHART + b"annotations: {__proto__: x, constructor: y}\n"
    archive("PROTO-1 annotations", "the same in metadata", tgz(entry("web/Chart.yaml", notes), chart=False), ["Chart.yaml"])


def layouts() -> None:
    mark, index = '{"imageLayoutVersion":"1.0.0"}', '{"schemaVersion":2,"manifests":[]}'
    missing = json.dumps({"schemaVersion": 2, "manifests": [descriptor(TYPE)]})
    for name, why, files, code in [
        ("LAYOUT-1 another mark", "a version that nobody knows", {"oci-layout": '{"imageLayoutVersion":"9.0.0"}', "index.json": index}, "server.not_a_layout"),
        ("LAYOUT-1 a mark that is no JSON", "no layout", {"oci-layout": "x", "index.json": index}, "server.not_a_layout"),
        ("LAYOUT-1 an index that is none", "no layout", {"oci-layout": mark, "index.json": "[]"}, "server.not_a_layout"),
        ("LAYOUT-1 something else", "nobody's files are touched", {"notes.txt": "mine"}, "server.not_a_layout"),
        ("LAYOUT-1 missing blobs", "what is not there is not served", {"oci-layout": mark, "index.json": missing}, None),
        ("LAYOUT-1 an index without an end", "an index that names itself", {"oci-layout": mark, "index.json": json.dumps({
            "schemaVersion": 2, "manifests": [descriptor("application/vnd.oci.image.index.v1+json")]})}, None),
    ]:
        case(name, why, {"layout": files}, {"error": code})


def exits() -> None:
    for verb in (["show", "all"], ["show", "values"], ["check"], ["push"]):
        archive(f"EXIT-1 {' '.join(verb)}", "no success where there was none", tgz(entry("web/../x", b"x")), "archive.parent")
        CASES[-1]["input"]["command"] = [*verb, "{chart}", *(["oci://127.0.0.1:1/x"] if verb == ["push"] else [])]


def main() -> None:
    for family in (paths, links, names, bombs, differences, types, sizes, yaml, nothings, versions, schemas, terminals, prototypes, layouts, exits):
        family()
    assert {case["family"] for case in CASES} == set(FAMILIES)
    assert len({case["name"] for case in CASES}) == len(CASES)
    for one in CASES:
        if not one["input"].get("limits", True):
            del one["input"]["limits"]
    lines = ",\n".join(json.dumps(case, sort_keys=False) for case in CASES)
    out = io.StringIO(f"[\n{lines}\n]\n")
    (pathlib.Path(__file__).parent / "cases.json").write_text(out.getvalue())


if __name__ == "__main__":
    main()

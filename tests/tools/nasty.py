"""Nasty charts out of a seed: what Helm and we are asked side by side. The same seed and number give the same bytes.

`nasty.case(number)` is an archive, a directory or the text of a document; each kind takes its turn. What is refused on
purpose where Helm accepts is said by the case: `may` has the codes that are no difference there.
"""

import dataclasses
import gzip
import pathlib
import random
import re
import struct
import sys
import zlib
from collections.abc import Callable

sys.path.insert(0, str(pathlib.Path(__file__).parent))

import charts  # noqa: E402

BLOCK = 512
Draw = random.Random


@dataclasses.dataclass(frozen=True)
class Link:
    """A symbolic link in a directory."""

    target: str


@dataclasses.dataclass(frozen=True)
class Case:
    """One question. An archive has `data`, a directory has `tree`: contents and links by path."""

    name: str
    kind: str
    data: bytes = b""
    tree: dict[str, bytes | Link] = dataclasses.field(default_factory=dict)
    may: frozenset[str] = frozenset()


def case(number: int, seed: int = 1) -> Case:
    """The case of this number."""
    kinds = [chart_yaml, values_yaml, archive, directory, chart_yaml, values_yaml, lock, archive, directory, requirements]
    make = kinds[number % len(kinds)]
    made = make(f"{make.__name__}-{number}", Draw(f"nasty/{seed}/{number}"))
    # UTF-16, anywhere.
    return dataclasses.replace(made, may=made.may | {"yaml.encoding"})


# YAML

# Everything that some reader of YAML takes for something else than a text.
ODD_SCALARS = """
~ null Null NULL nULL true True TRUE tRUE false yes Yes YES yEs no on On off OFF y Y n N
0 -0 +0 00 01 007 08 09 0777 0o17 0O17 0o8 -0o17 0x1F 0X1f -0x1f 0x 0xg 0b11 0b2 0b -0b11 0b-1 0b+1 0x-1
1_000 _1 1_ 1__0 0x_1F 0_7 1_.5 ._5 1._5 .1_0 +1 -1 ++1 +-1 1+ 1.0 1.10 1. .5 -.5 +.5 . .. ... .e1 1.e1 1e3 1E3 1e+3 1e-3 1e 1e+
1.5e300 1e308 1e309 -1e309 1e-400 1.7976931348623157e308 0.1 0.30000000000000004 1.123456789 1234567.891 16777217 16777217.0
9007199254740991 9007199254740992 9007199254740993 -9007199254740993 9223372036854775807 9223372036854775808
-9223372036854775808 -9223372036854775809 18446744073709551615 18446744073709551616 123456789012345678901234567890
0x7fffffffffffffff 0x8000000000000000 0xffffffffffffffff 0x10000000000000000 -0x8000000000000000 -0x8000000000000001
.inf .Inf .INF .iNf +.inf -.inf -.Inf .nan .NaN .NAN .nAn inf nan Infinity NaN
1:30 12:30:45 190:20:30 1:60 2001-01-01 2001-1-1 2001-01-01T02:03:04Z 2001-01-01 2001-13-01
1.2.3 v1.2.3 1.2 v1 1.2.3-rc.1+build 1,000 12e03 0.0 -0.0 1e6 1e20 1e21 123456e15 1e5 0.00001 1.5e-7
<< = =x <<x - -x ? ?x : :x x: x:y a#b #c @a `a %a !a &a *a |x >x 'a' "a" "\\x41" "\\u00e9" "\\U0001F600" "\\ud83d" "\\z" "\\/"
'' "" '''' "\\"" [] {} [a] {a} {a:b} [a,b] {a:1} [a,,b] [,] {,} [a: b] {"a":b} {'a':b} [?a] {?a:b} ]a }a ,a a,b a]b a}b
!!str !!str{s}5 !!int{s}5 !!int{s}x !!float{s}1 !!float{s}x !!bool{s}yes !!bool{s}x !!null{s}~ !!null{s}x !!binary{s}aGk=
!!binary{s}x !!timestamp{s}2001-01-01 !!timestamp{s}x !!map{s}a !!seq{s}a !!set{s}a !foo{s}bar !{s}5 !!int{s}"5" !!str{s}~ !<x>{s}5
!<tag:yaml.org,2002:int>{s}5 !e!x{s}5 &a{s}5 &a &a{s}&b !!int{s}&a{s}5 &a{s}!!int{s}5 *nope
""".split()
KEYS = ["a", "b", "key", "y", "no", "1", "1.5", "0x1F", "~", "''", '"q k"', "null", "true", "<<", "a b", "ä", "__proto__",
        "constructor", "1e3", "9223372036854775808", "-5", ".5", ".inf", "? a", "[a]", "{a: b}", "- a", "!!str 5", "&k a", "*k", ""]
BREAKS = ["\n"] * 12 + ["\r\n", "\r", "\x85", "\u2028", "\u2029"]
PIECES = [":", ": ", "- ", "-", "? ", "?", "#", " #", "\t", "\n", " ", "  ", "\n\n", "---\n", "...\n", "\n---\n", "\n...\n", "&a ", "*a",
          "!", "!!str ", "|", ">", "|-", ">+", "|2", "'", '"', "\\", "{", "}", "[", "]", ",", "%YAML 1.1\n", "%TAG ! x\n", "<<: ", "\ufeff",
          "\x00", "\x07", "\x7f", "\x80", "\ud7ff", "\ufffe", "\U0001f600", "\r", "\x85", "\u2028", "\xa0", "~", "@", "`", "0", "=", "\x1b"]


# Helm's own text of U+0085 is another one, here and in `scalar`; see docs/fidelity.md.
ANNOTATIONS = [shape.replace("\\x85", "") for shape in charts.ANNOTATIONS]


def scalar(draw: Draw, indent: int = 2) -> str:
    """A scalar as it may stand behind a key at that indentation less two."""
    choice = draw.randrange(12)
    pad = " " * indent
    if choice < 6:
        return draw.choice(ODD_SCALARS).replace("{s}", " ")
    if choice == 6:
        return number(draw)
    if choice == 7:
        return words(draw)
    if choice == 8:
        header = draw.choice("|>") + draw.choice(["", "", "-", "+", "1", "2", "2-", "+1", "0", " # c", "9", "-+"])
        lines = [draw.choice(["", pad, pad + " ", pad + "  ", pad[:-1]]) + draw.choice(["a", "b c", "", "", "\t", "# x", "- y", "d" * 90])
                 for _ in range(draw.randrange(5))]
        return header + "\n" + "\n".join(lines)
    if choice == 9:
        quote = draw.choice("'\"")
        return quote + (draw.choice([" ", "\n" + pad, "\n\n" + pad, "\\\n" + pad, "''", '\\"', "\t", "  "])
                        .join(draw.choice(["a", "é", "\\n", ": ", "# ", "x" * 50]) for _ in range(draw.randrange(4)))) + quote
    if choice == 10:
        return ("\n" + pad).join(words(draw) for _ in range(draw.randrange(1, 4)))
    return draw.choice(charts.TEXTS).replace("{n}", "7").replace("\\x85", "").replace("{{", "{").replace("}}", "}").replace("\n  ", "\n" + pad)


def number(draw: Draw) -> str:
    """Digits and what stands between digits."""
    return "".join(draw.choice("0123456789" * 3 + "+-._eExobf:") for _ in range(draw.randrange(1, 8)))


def words(draw: Draw) -> str:
    """A plain text, perhaps a long one."""
    some = ["word", "two words", "a: b", "a #b", "#", "ünï", "\U0001f680", "\u200b", "x" * 81, "-", "12", "<&>", "'", '"', "\\n", "\t", "—"]
    return " ".join(draw.choice(some) for _ in range(draw.choice([1, 1, 2, 3, 20])))


def key(draw: Draw) -> str:
    return draw.choice(KEYS) if draw.random() < 0.3 else draw.choice("abcdefgh") + str(draw.randrange(30))


def flow(draw: Draw, depth: int) -> str:
    """A node in brackets."""
    space = draw.choice(["", " ", "", "\n    ", " # c\n    "])
    if depth <= 0 or draw.random() < 0.4:
        return draw.choice(["a", "1", "yes", "'x'", '"y"', "~", "1.0", "b c", "*a", "!!str 1", "", "a:b", "-1", "https://x/y"])
    items = [flow(draw, depth - 1) for _ in range(draw.randrange(4))]
    if draw.random() < 0.5:
        return "[" + space + ("," + space).join(items) + draw.choice(["", "", ",", space]) + "]"
    pairs = [draw.choice(["? ", "", "", ""]) + draw.choice([key(draw), '"k"', "k"]) + draw.choice([": ", ": ", ":", ""]) + item for item in items]
    return "{" + space + ("," + space).join(pairs) + draw.choice(["", "", ",", space]) + "}"


def block(draw: Draw, indent: int, depth: int) -> str:
    """A mapping or a list in lines of their own, without the last line break."""
    pad, lines = " " * indent, []
    is_list = draw.random() < 0.3
    for _ in range(draw.randrange(1, 5)):
        lead = "-" if is_list else draw.choice([key(draw) + ":"] * 9 + ["? " + key(draw) + "\n" + pad + ":"])
        roll = draw.random()
        if depth > 0 and roll < 0.35:
            step = draw.choice([2, 2, 2, 4, 1, 0]) if not is_list else 2
            nested = block(draw, indent + step, depth - 1)
            inline = is_list and draw.random() < 0.7
            body = " " + nested[indent + step:] if inline else draw.choice(["", " &a", " !!map", " # c"]) + "\n" + nested
        elif roll < 0.5:
            body = " " + flow(draw, 3)
        else:
            body = draw.choice([" ", " ", " ", "  ", "\t", " &a "]) + scalar(draw, indent + 2)
        lines.append(pad + lead + body.rstrip(" "))
        if draw.random() < 0.08:
            lines.append(draw.choice(["", "# comment", pad + "# comment", "  ", pad + "<<: *a", "\t"]))
    return "\n".join(lines)


def mutated(draw: Draw, text: str, times: int) -> str:
    """The text after small accidents."""
    for _ in range(times):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice([1, 1, 1, 2, 5]))
        accident = draw.randrange(5)
        if accident == 0:
            text = text[:at] + text[end:]
        elif accident < 3:
            text = text[:at] + draw.choice(PIECES) + text[at:]
        elif accident == 3:
            text = text[:at] + draw.choice(PIECES) + text[end:]
        else:
            lines = text.split("\n")
            line = draw.randrange(len(lines))
            lines.insert(draw.randrange(len(lines) + 1), lines[line])
            text = "\n".join(lines)
    return text


def encoded(draw: Draw, text: str) -> bytes:
    """The text in bytes: with odd line breaks, marks and encodings at times."""
    roll = draw.random()
    if roll < 0.08:
        text = text.replace("\n", draw.choice(BREAKS))
    elif roll < 0.12:
        text = "".join(draw.choice(BREAKS) if character == "\n" else character for character in text)
    data = text.encode("utf-8", "surrogatepass")
    roll = draw.random()
    if roll < 0.05:
        return b"\xef\xbb\xbf" * draw.choice([1, 1, 1, 2]) + data
    if roll < 0.07:
        return text.encode(draw.choice(["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1"]), "replace")
    if roll < 0.09:
        at = draw.randrange(len(data) + 1)
        return data[:at] + draw.choice([b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"\x00"]) + data[at:]
    return data


# Chart.yaml

TEXT_FIELDS = ["description", "appVersion", "home", "icon", "kubeVersion", "condition", "tags", "type", "apiVersion", "name", "version"]
VERSIONS = ["1.2.3", "v1.2.3", "1.2", "1", "01.2.3", "1.2.3-rc.1", "1.2.3-01", "1.2.3+b.1", "1.2.3-", "1.2.3+", "1.2.3.4", "1.10", "0x10",
            "1e3", "'1.2.3 '", "' 1.2.3'", "\"1.2.3\\n\"", "1.2.3_b", "18446744073709551615.0.0", "18446744073709551616.0.0", "vv1", "V1.2.3", "1..2",
            "1.2.3-a..b", "1.2.3-é", "1.2.x", "*", "latest", "=1.2.3", "1.2.3-rc.1+b-c.01", "1_0", "0777", "1.2.3-0a.01b", "''", "~"]
NAMES = ["web", "my-chart", "a.b", "A", "a b", "ünï", "1", "1.10", "yes", "0x1F", "'.'", "..", "a/b", "/a", "a/", "a\\b", "''", "~", "' '", "\"a\\tb\"",
         "\"a\\0b\"", "\"\\u200b\"", "-x", "x" * 300, "con", "a:b", "*", "\"..\\u200b\"", "\"a\\u00a0\"", "[]", "{}", "!!str 5", "|\n  web\n"]
ODD_LISTS = ["[]", "~", "''", "x", "5", "{}", "[~]", "[a, ~, b]", "[[a]]", "[{}]", "{a: b}", "[1, 1.10, yes, 2001-01-01]", "[{name: a}]", "[{name: [a]}]",
             "[{NAME: a, name: b}]", "[{name: ~}]", "[{name: 1, email: 2.50, url: yes}]", "[{unknown: .inf}]", "[a\\tb, \"c\\u0007d\"]", "[~, {name: a}]"]
MAPS = ["{}", "~", "[]", "x", "{a: ~}", "{a: 1, b: 1.10, c: yes}", "{1: a, yes: b, 1.50: c}", "{a: [b]}", "{a: {b: c}}", "{a10: x, a9: y, a: z, A: w}",
        "{'': x}", "{a: 'l1\nl2'}", "{~: a}", "{[a]: b}", "{a: .inf, b: .nan}", "{9223372036854775808: a}", "{z: '', 'a.b/c-d': \"<&>\\u2028\"}", "{a: b, a: c}"]
DEPENDENCIES = ["[]", "~", "x", "[~]", "[a]", "[{}]", "[{name: a}]", "[{name: a}, {name: a}]", "[{name: a}, {name: b, alias: a}]", "[{name: a, alias: 'x y'}]",
                "[{name: a, alias: \"x\\n\"}]", "[{name: a, version: 1.10, repository: ~}]", "[{name: a, enabled: yes, condition: on}]", "[{name: a, enabled: 'yes'}]",
                "[{name: a, tags: x}]", "[{name: a, tags: [x, 1.0, ~]}]", "[{name: a, import-values: [a, 1, 1.50, yes, ~, {child: x, parent: y}, [b]]}]",
                "[{name: a, import-values: x}]", "[{name: a, import-values: [.inf]}]", "[{name: a, import-values: [9007199254740993, 1e21, 1e20, -0.0, 1e-7]}]",
                "[{name: a, import-values: [{b: 1, a: 2, '1': 3}]}]", "[{Name: a, NAME: b}]", "[{name: \"a\\u200b\"}, {name: a}]", "[{name: a, alias: -}]",
                "[{name: a, alias: 5}]", "[{name: a, repository: 'file://../a', version: '>=1 <2'}]", "[{name: a, version: \"^1\\t|| 2\"}]", "[{name: a, unknown: .nan}]"]
SPELLINGS: list[Callable[[str], str]] = [str, str, str, str, str, str, str, str.upper, str.capitalize, str.lower, lambda name: f'"{name}"', lambda name: f"? {name}\n",
                                         lambda name: name.replace("k", "\u212a").replace("s", "\u017f")]


def chart_yaml_text(draw: Draw) -> str:
    """Chart.yaml, most of it in order."""
    fields = {"apiVersion": draw.choice(["v2", "v2", "v1", "v3", "2", "~"]), "name": "web", "version": "1.2.3"}
    for _ in range(draw.choice([1, 1, 2, 2, 3, 6])):
        roll = draw.randrange(20)
        if roll < 10:
            fields[draw.choice(TEXT_FIELDS[:7] if roll < 9 else TEXT_FIELDS)] = scalar(draw)
        elif roll == 10:
            fields["version"] = draw.choice(VERSIONS)
        elif roll == 11:
            fields["name"] = draw.choice(NAMES)
        elif roll == 12:
            fields[draw.choice(["keywords", "sources", "maintainers"])] = draw.choice([*ODD_LISTS, *charts.LISTS, *charts.MAINTAINERS])
        elif roll == 13:
            fields["annotations"] = draw.choice([*MAPS, *ANNOTATIONS]).replace("{n}", "7")
        elif roll == 14:
            fields["dependencies"] = draw.choice([*DEPENDENCIES, *charts.DEPENDENCIES]).replace("{n}", "7")
        elif roll == 15:
            fields["deprecated"] = draw.choice(["true", "yes", "'true'", "1", "~", "off", "''", "[]", "!!bool yes", "!!str true"])
        elif roll == 16:
            fields["type"] = draw.choice(["application", "library", "Library", "''", "~", "plugin", "'application '", "1"])
        elif roll == 17:
            fields["unknown"] = draw.choice(["\n" + block(draw, 2, 2), flow(draw, 3), scalar(draw)])
        elif roll == 18:
            fields["annotations"] = "\n" + "\n".join(f"  {key(draw)}: {scalar(draw, 4)}" for _ in range(draw.randrange(1, 5)))
        else:
            fields[draw.choice(["keywords", "sources"])] = "\n" + "\n".join(f"- {scalar(draw, 2)}" for _ in range(draw.randrange(1, 4)))
    order = list(fields)
    if draw.random() < 0.3:
        draw.shuffle(order)
    lines = []
    for name in order:
        value = fields[name].replace("{{", "{").replace("}}", "}")
        spelled = draw.choice(SPELLINGS)(name) if draw.random() < 0.15 else name
        lines.append(f"{spelled}:{value if value.startswith(chr(10)) else ' ' + value}")
        if draw.random() < 0.05:
            lines.append(f"{spelled.swapcase()}: {scalar(draw)}")
    text = "\n".join(lines) + draw.choice(["\n", "\n", "\n", "", "\n\n", "\n...\n", "\n---\nname: other\n", "\n# end"])
    if draw.random() < 0.1:
        text = draw.choice(["---\n", "# c\n---\n", "%YAML 1.1\n---\n", "%YAML 1.2\n---\n", "--- # c\n", "\n\n", "--- !!map\n", "%TAG !e! tag:x,2000:\n---\n"]) + text
    return mutated(draw, text, draw.randrange(1, 4)) if draw.random() < 0.25 else text


CHART = b"apiVersion: v2\nname: web\nversion: 1.2.3\n"


def small(chart: bytes, **more: bytes) -> bytes:
    """An archive of Chart.yaml and other files."""
    return tgz(entry("web/Chart.yaml", chart), *(entry(f"web/{path}", content) for path, content in more.items()))


def chart_yaml(name: str, draw: Draw) -> Case:
    return Case(name, "archive", small(encoded(draw, chart_yaml_text(draw))))


def values_yaml(name: str, draw: Draw) -> Case:
    roll = draw.random()
    if roll < 0.7:
        text = block(draw, 0, 3) + draw.choice(["\n", "\n", ""])
    elif roll < 0.8:
        text = "a: " + flow(draw, 5) + "\n"
    elif roll < 0.9:
        text = "".join(block(draw, 0, 1) + draw.choice(["\n---\n", "\n--- # c\n", "\n---  \n", "\n...\n", "\n--- \ta\n", "\n----\n"]) for _ in range(3))
    else:
        text = draw.choice(["", "~", "[]", "{}", "a", "5", "# c", "---", "--- a", "...", "null\n---\na: 1\n", "a: 1\n---\n[]\n", "a: {b: 1}\n---\na: {c: 2}\n",
                            "a: [1]\n---\na: ~\n", "\n---\n\n---\na: 1", "a: |\n  x\n---\nb: 1\n", "a: 'x\n--- y'\n", "- a\n---\nb: 1\n", "a: 1\n--- \nb: 2"])
    if draw.random() < 0.35:
        text = mutated(draw, text, draw.randrange(1, 4))
    # A key that JSON has not, where a later key of the same name replaces its mapping.
    may = {"yaml.key"} if re.search(r"(9223372036854775808|null|~)\s*:|(^|[\s,{?]):\s", text, re.IGNORECASE) else set()
    return Case(name, "archive", small(CHART, **{"values.yaml": encoded(draw, text)}), may=frozenset(may))


def requirements(name: str, draw: Draw) -> Case:
    """Charts of apiVersion v1 (and others) with requirements.yaml."""
    version = draw.choice(["v1", "v1", "v1", "v2", "v3"])
    chart = f"apiVersion: {version}\nname: web\nversion: 1.0.0\n"
    if draw.random() < 0.3:
        chart += f"dependencies: {draw.choice(DEPENDENCIES)}\n"
    text = f"dependencies: {draw.choice([*DEPENDENCIES, *charts.DEPENDENCIES])}\n".replace("{n}", "7")
    if draw.random() < 0.2:
        text += draw.choice(["name: other\n", "version: x\n", "apiVersion: v2\n", "apiVersion: ''\n", "type: library\n", "keywords: [a]\n", "annotations: {a: b}\n"])
    files = [("Chart.yaml", chart.encode()), ("requirements.yaml", encoded(draw, text))]
    if draw.random() < 0.3:
        files.append((draw.choice(["requirements.lock", "Chart.lock"]), lock_text(draw).encode()))
    if draw.random() < 0.3:
        draw.shuffle(files)
    return Case(name, "archive", tgz(*(entry(f"web/{path}", content) for path, content in files)), may=a_days_zone(dict(files)))


def lock_text(draw: Draw) -> str:
    generated = draw.choice(["'2025-08-13T16:32:41.542651404Z'", "2025-08-13T16:32:41Z", "'2025-08-13T16:32:41.500+02:00'", "'2025-08-13 16:32:41Z'", "2025-08-13", "~",
                             "''", "5", "'2025-08-13t16:32:41z'", "'2025-02-30T00:00:00Z'", "'2025-08-13T24:00:00Z'", "'2025-08-13T16:32:41.1234567899Z'", "'2025-08-13T16:32:41,5Z'",
                             "'2025-08-13T16:32:41+24:00'", "'2025-08-13T16:32:41-00:00'", "'0000-01-01T00:00:00Z'", "'9999-12-31T23:59:59.999999999-23:59'", "'2025-08-13T16:32:60Z'",
                             "'2025-08-13T1:32:41Z'", "'12025-08-13T01:32:41Z'", "'2025-08-13T16:32:41.Z'", "'2025-08-13T16:32:41+0200'"])
    dependencies = draw.choice([*DEPENDENCIES, "\n- name: a\n  version: 1.2.3\n  repository: https://e.example\n", "[{name: a, version: 1.0}]"])
    digest = draw.choice(["sha256:0123", "''", "5", "~", "[]", "x y"])
    fields = [f"dependencies: {dependencies}", f"digest: {digest}", f"generated: {generated}"]
    text = "\n".join(draw.sample(fields, draw.choice([3, 3, 3, 2, 1]))) + "\n"
    return mutated(draw, text, 1) if draw.random() < 0.1 else text


def a_days_zone(tree: dict) -> frozenset[str]:
    """Go takes a time zone of a whole day, and cannot write it."""
    return frozenset({"chart.field_type"} if "+24:00" in str(tree) else ())


def lock(name: str, draw: Draw) -> Case:
    """A directory with a lock: packing writes it anew."""
    tree: dict[str, bytes | Link] = {"Chart.yaml": CHART.replace(b"v2", draw.choice([b"v2", b"v2", b"v2", b"v1"]))}
    tree[draw.choice(["Chart.lock", "Chart.lock", "Chart.lock", "requirements.lock"])] = encoded(draw, lock_text(draw))
    return Case(name, "directory", tree=tree, may=a_days_zone(tree))


def depending(number: int) -> tuple[str, dict[str, str]]:
    """Chart.yaml of a chart that depends on those beside it, and their versions by name."""
    draw = Draw(f"depending/{number}")
    charts_beside = {f"dep{at}": draw.choice(["1.2.3", "0.1.0", "2.0.0-rc.1", "1.0.0+b.1"]) for at in range(draw.randrange(1, 4))}
    lines = ["apiVersion: v2", "name: web", "version: 1.0.0", "dependencies:"]
    for name, version in charts_beside.items():
        wanted = draw.choice([version, f"^{version}", f"'>={version} <9'", f"'~{version}'", f"'* || {version}'"])
        lines += [f"- name: {name}", f"  version: {wanted}", f"  repository: file://../{name}"]
        extras = ["condition: a.b,c", "tags: [x, 1.10, yes, \"a<b&c\\u2028\"]", f"alias: other-{name}", "enabled: true",
                  "import-values: [data, {child: a, parent: y}, 5, 1.50]", "import-values: []", "tags: []"]
        lines += [f"  {extra}" for extra in draw.sample(extras[:-2], draw.randrange(4)) + draw.sample(extras[-2:], draw.randrange(2))
                  if extra.split(":")[0] not in "".join(lines[-9:])]
    return "\n".join(lines) + "\n", charts_beside


# Archives

def header(name: bytes, size: int = 0, kind: bytes = b"0", *, style: str = "ustar", **fields: bytes) -> bytes:
    """A header block."""
    out = bytearray(BLOCK)
    out[:100] = name[:100].ljust(100, b"\0")
    out[100:108], out[108:116], out[116:124] = b"0000644\0", b"0000000\0", b"0000000\0"
    out[124:136], out[136:148] = b"%011o\0" % size, b"%011o\0" % charts.EPOCH
    out[156:157] = kind
    out[257:265] = {"ustar": b"ustar\x0000", "gnu": b"ustar  \0", "v7": b"\0" * 8, "star": b"ustar\x0000"}[style]
    places = {"mode": (100, 8), "uid": (108, 8), "raw_size": (124, 12), "mtime": (136, 12), "link": (157, 100), "prefix": (345, 155), "version": (263, 2)}
    for field, content in fields.items():
        start, width = places[field]
        out[start:start + width] = content[:width].ljust(width, b"\0")
    if style == "star":
        out[508:512] = b"tar\0"
    out[148:156] = b" " * 8
    out[148:156] = b"%06o\0 " % sum(out)
    return bytes(out)


def padded(content: bytes) -> bytes:
    return content + b"\0" * (-len(content) % BLOCK)


def entry(name: str | bytes, content: bytes = b"", kind: bytes = b"0", **fields) -> bytes:
    raw = name.encode("utf-8", "surrogateescape") if isinstance(name, str) else name
    return header(raw, len(content), kind, **fields) + padded(content)


def record(key: bytes, value: bytes) -> bytes:
    rest = len(key) + len(value) + 3
    length = rest + len(str(rest))
    length = rest + len(str(length))
    return b"%d %s=%s\n" % (length, key, value)


def pax(*records: tuple[bytes, bytes], kind: bytes = b"x") -> bytes:
    return entry("PaxHeaders.0/x", b"".join(record(*one) for one in records), kind)


def long_name(name: bytes, kind: bytes = b"L") -> bytes:
    return entry("././@LongLink", name + b"\0", kind, style="gnu")


def gz(data: bytes, level: int = 6, flags: int = 0, fields: bytes = b"") -> bytes:
    compress = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = compress.compress(data) + compress.flush()
    return b"\x1f\x8b\x08" + bytes([flags]) + b"\0\0\0\0\0\xff" + fields + body + struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)


def tgz(*parts: bytes) -> bytes:
    return gz(b"".join(parts) + b"\0" * 2 * BLOCK)


# What becomes of a path in an archive is Helm's business; which of these we refuse on purpose stands beside it.
PATHS: list[tuple[bytes, str]] = [
    (b"web/a", ""), (b"web/./a", ""), (b"web/b/../a", ""), (b"web/../a", ""), (b"web//a", ""), (b"web/", ""), (b"web", ""), (b"a", ""), (b"/web/a", "archive.top_folder"),
    (b"./web/a", "archive.top_folder"), (b"other/a", "archive.top_folder"), (b"web\\a", ""), (b"web\\b/a", ""), (b"web\\..\\a", ""), (b"web\\\\a", ""), (b"web/b\\a", "archive.top_folder"),
    (b"web/..a", ""), (b"web/...", ""), (b"web/b/..", ""), (b"web/c:/a", ""), (b"web/c:a", "archive.name"), (b"web/C:\\a", "archive.top_folder"), (b"web/\xff", "archive.name"), (b"web/a\x01b", ""),
    (b"web/\xc3\xa9", ""), (b"web/e\xcc\x81", ""), (b"web/A", ""), (b"web/a b ", ""), (b"web/templates/x.yaml", ""), (b"web/templates/.x", ""), (b"web/templates/_h.tpl", ""),
    (b"web/crds/a.yaml", ""), (b"web/crds/b.YAML", ""), (b"web/crds/c/d.json", ""), (b"web/crds/e.yml", ""), (b"web/crds/f.txt", ""), (b"web/crds/yaml", ""), (b"web/crds/.yaml", ""), (b"web/crds.yaml", ""),
    (b"web/README.md", ""), (b"web/readme", ""), (b"web/Readme.TXT", ""), (b"web/docs/README.md", ""), (b"web/README.MD", ""), (b"web/LICENSE", ""), (b"web/values.schema.json", ""),
    (b"web/charts/README.md", ""), (b"web/charts/_x/y", ""), (b"web/charts/.x", ""), (b"web/charts/a.prov", ""), (b"web/charts/a/b.prov", ""), (b"web/charts/x.tgz/y", ""), (b"web/charts/a/b", ""), (b"web/charts/bad.tgz", ""),
    (b"web/charts/", ""), (b"web/charts", ""), (b"web/.helmignore", ""), (b"web/Chart.yaml/x", ""), (b"Chart.yaml/x", ""), (b"web/chart.yaml", ""), (b"web/values.yml", ""), (b"web/ci/values.yaml", ""),
    (b"web/templates", ""), (b"web/tests/x", ""), (b"web/con", ""), (b"web/" + b"d/" * 30 + b"e", ""),
]


def vendored(draw: Draw, depth: int) -> list[bytes]:
    """A chart in `charts/`: a folder, an archive, or both."""
    parts, folder = [], draw.choice(["dep", "dep-1.0.0", "other", "a b"])
    inner = f"apiVersion: {draw.choice(['v1', 'v2'])}\nname: {draw.choice(['dep', 'other', 'deeper'])}\nversion: {draw.choice(['1.0.0', '0.1.0', '1.1', 'x'])}\n".encode()
    more = [("values.yaml", b"a: 1\n"), ("templates/x.yaml", b"x"), ("crds/c.yaml", b"crd: 1\n"), ("README.md", b"# dep\n"), (".helmignore", b"*.md\n"), ("values.yaml", b"- a\n")]
    files = [("Chart.yaml", inner), *draw.sample(more[:-1] if draw.random() < 0.95 else more, draw.randrange(3))]
    if draw.random() < 0.5:
        parts += [entry(f"web/charts/{folder}/{path}", content) for path, content in files]
        if depth and draw.random() < 0.4:
            parts.append(entry(f"web/charts/{folder}/charts/in/Chart.yaml", inner))
    else:
        nested = [entry(f"{folder}/{path}", content) for path, content in files]
        if depth and draw.random() < 0.4:
            nested.append(entry(f"{folder}/charts/in.tgz", tgz(entry("in/Chart.yaml", inner))))
        parts.append(entry(f"web/charts/{folder}.tgz", tgz(*nested)))
    return parts


def archive(name: str, draw: Draw) -> Case:
    """An archive of many parts."""
    parts, may = [entry("web/Chart.yaml", CHART)], {"archive.duplicate"}
    for _ in range(draw.choice([1, 1, 2, 3, 5])):
        roll, (path, refusal) = draw.randrange(24), draw.choice(PATHS)
        content = draw.choice([b"", b"x", b"content\n", b"\xef\xbb\xbfmarked", b"---\na: 1\n", b"y" * 600, b"\xff\xfe"])
        if path.endswith(b".tgz"):
            content = draw.choice([b"", b"x", tgz(), tgz(entry("a/b")), tgz(entry("a/Chart.yaml", CHART))])
        if refusal:
            may.add(refusal)
        if roll < 8:
            parts.append(entry(path, content))
        elif roll < 10:
            parts += vendored(draw, 1)
            may.add("chart.version")  # where it stands there twice
        elif roll == 10:
            parts += [pax((b"path", path)), entry("web/short", content)]
        elif roll == 11:
            parts += [long_name(path), entry("web/short", content, style="gnu")]
        elif roll == 12:
            cut = path.rfind(b"/")
            parts.append(entry(path[cut + 1:], content, prefix=path[:max(cut, 0)], style=draw.choice(["ustar", "gnu", "star", "v7"])))
            may.update({"archive.top_folder", "archive.tar"})
        elif roll == 13:
            kind = draw.choice([b"1", b"2", b"3", b"4", b"6"])
            parts.append(entry(path, b"", kind, link=draw.choice([b"Chart.yaml", b"/etc/passwd", b"../x"])))
            may.update({"archive.link", "archive.name"})
        elif roll == 14:
            kind = draw.choice([b"7", b"\0", b"5", b"A", b"V", b"M", b"S", b"D", b"N", b"g", b"X", b" "])
            parts.append(entry(path, content if kind not in b"5g" else b"", kind))
            may.update({"archive.entry_kind", "archive.tar"})
        elif roll == 15:
            records = [(b"size", b"%d" % len(content)), (b"mtime", draw.choice([b"1.5", b"1700000000.999999999", b"-1", b"x", b"", b"99999999999"])),
                       (b"comment", b"c"), (b"path", path), (b"linkpath", b"x"), (b"uid", b"1"), (b"gid", b"x"), (b"uname", b"root"), (b"GNU.sparse.major", b"1"),
                       (b"SCHILY.xattr.user.a", b"b"), (b"size", b"0"), (b"path", b""), (b"hdrcharset", b"BINARY"), (b"charset", b"x"), (b"atime", b"1"), (b"path", b"web/z\0z")]
            parts += [pax(*draw.sample(records, draw.randrange(1, 4)), kind=draw.choice([b"x", b"x", b"x", b"g"])), entry("web/short", content)]
            may.update({"archive.entry_kind", "archive.name"})
        elif roll == 16:
            size = draw.choice([b"%o\0" % len(content), b"%o" % len(content), b"        %o " % len(content), b"\x80" + len(content).to_bytes(11), b"\xff" * 12, b"-1\0", b"8\0",
                                b"", b"0x1\0", b"%011o\0" % (len(content) + 1), b"\x80\0\0\0\x7f" + b"\xff" * 7])
            parts.append(header(path, kind=b"0", raw_size=size) + padded(content))
        elif roll == 17:
            fields = {draw.choice(["mode", "uid", "mtime", "version"]): draw.choice([b"", b"x", b"0000755\0", b"\x80\0\0\0\0\0\0\1", b"-1", b"\xff" * 8, b"777 "])}
            parts.append(entry(path, content, **fields))
        elif roll == 18:
            parts.append(draw.choice([b"\0" * BLOCK, b"x" * BLOCK, b"\0" * 2 * BLOCK + entry("web/hidden", b"h"), entry("web/x/", b"", b"5"), pax((b"path", b"web/q"))]))
        elif roll == 19:
            parts.insert(0, entry(path, content))
        elif roll == 20:
            broken = bytearray(entry(path, content))
            broken[draw.randrange(BLOCK)] ^= 1 << draw.randrange(8)
            parts.append(bytes(broken))
            may.update({"archive.top_folder", "archive.link", "archive.entry_kind", "archive.name"})
        elif roll == 21:
            parts += [pax((b"path", path)), long_name(b"web/from-gnu"), entry("web/short", content)]
        elif roll == 22:
            parts.append(entry("web/values.schema.json", draw.choice([b"{}", b"{", b"[]", b"", b"null", b"\xef\xbb\xbf{}"])))
        else:
            parts.append(entry(draw.choice(["web/README.md", "web/readme.txt", "web/crds/x.yaml", "web/values.yaml"]), draw.choice([b"", b"a: 1\r\n", b"---", b"--- a: 1", b"no newline"])))
    tar = b"".join(parts) + draw.choice([b"\0" * 2 * BLOCK] * 6 + [b"", b"\0" * BLOCK, b"\0" * 10240, b"\0" * 100, b"\0" * 2 * BLOCK + b"rest"])
    data = gz(tar)
    wrapping = draw.randrange(16)
    if wrapping == 0:
        cut = draw.randrange(len(tar))
        data = gz(tar[:cut]) + gz(tar[cut:])
    elif wrapping == 1:
        data = gz(tar, flags=0x04, fields=b"\x04\x00abcd")
    elif wrapping == 2:
        data = gz(tar, flags=0x1C, fields=b"\x06\x00AB\x02\x00xyname\0comment\0")
    elif wrapping == 3:
        data = data + draw.choice([b"garbage", b"\0" * 10, b"\x1f\x8b\x08", b"\x1f\x8b\x08\0\0\0\0\0\0\xff"])
    elif wrapping == 4:
        data = data[:-draw.randrange(1, min(40, len(data)))]
        may.add("archive.truncated")
    elif wrapping == 5:
        at = len(data) - draw.randrange(1, 9)
        data = data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
        may.add("archive.checksum")
    elif wrapping == 6:
        fields = b"name\0"
        whole = b"\x1f\x8b\x08\x0a\0\0\0\0\0\xff" + fields
        sum16 = struct.pack("<H", (zlib.crc32(whole) & 0xFFFF) ^ draw.choice([0, 0, 1]))
        data = gz(tar, flags=0x0A, fields=fields + sum16)
    elif wrapping == 7:
        data = gz(tar, level=draw.choice([0, 1, 9]), flags=draw.choice([0, 0, 0x20, 0x80, 0x01]))
    elif wrapping == 8:
        data = draw.choice([tar, b"", data[:draw.randrange(20)], b"\x1f\x8b\x08" + b"\0" * 600, gzip.compress(b"junk" * 200), gzip.compress(b"")])
    return Case(name, "archive", data, may=frozenset(may))


# Directories

IGNORE_LINES = ["*.md", "*", "!*", "!a.txt", "!Chart.yaml", "a.txt", "/a.txt", "docs/", "/docs/", "docs", "docs/*", "docs/b.txt", "docs/**", "**/b.txt", "[a-c].txt", "[!a].txt", "[^a].txt", "[a", "a\\",
                "\\*.txt", "\\#x", "\\!x", "# c", "", "   ", " a.txt ", "a.txt\r", "/", "//", "./a.txt", "docs//b.txt", "?.txt", "templates/", "templates/*.yaml", "!templates/", "Chart.yaml", "values.yaml", "charts/",
                "charts", "charts/dep", "*.tgz", ".*", ".helmignore", "a*.txt", "*a*", "é*", "d?cs", "docs/[ab].txt", "*/b.txt", "*/*/c", "a.txt#", "a.txt # c", "!", "!/docs/", "!docs", "docs/ ", "\ufeffa.txt", "\t", "[]a]", "[a-]", "[]-a]", "docs\\/", "!docs\\/", "x*[", "*[", "a*[^", "*[^é]", "[*]*", "[[]*"]
FILES = ["a.txt", "b.txt", "docs/a.txt", "docs/b.txt", "docs/deep/c", "README.md", "docs/README.md", "values.yaml", "values.schema.json", "templates/a.yaml", "templates/b/c.yaml", "templates/.hidden",
         "templates/_x.tpl", "templates/sub/.keep", ".helmignore.bak", ".git/config", "crds/a.yaml", "charts/_skip/x", "charts/.skip", "charts/x.prov", "LICENSE", "#x", "!x", "*.txt", "é.txt", "e\u0301.txt", "A.txt", "a-b", "a/b",
         "a.b", "Z", "docs.txt", "docs-more/x", "x" * 120, "long/" + "y" * 99 + "/" + "z" * 60, "ü/" + "w" * 98, "Chart.lock.bak", "requirements.lock", "ci/test-values.yaml", ".x", "文档", "docs/文档",
         "d" * 60 + "/" + "e" * 40 + "-a.yaml", "d" * 60 + "/" + "e" * 40 + "-b.yaml", "w" * 94 + "/文/b", "w" * 95 + "/c"]
CONTENTS = [b"", b"x", b"text\n", b"\xef\xbb\xbfmarked\n", b"a: 1\n", b"{}", b"\r\n", b"\xff\x00", b"z" * 700]


def directory(name: str, draw: Draw) -> Case:
    """A chart's directory."""
    text = chart_yaml_text(draw) if draw.random() < 0.4 else CHART.decode() + draw.choice(["", "", "dependencies: [{name: dep, version: '1'}]\n", "description: |\n  l1\n  l2\n"])
    tree: dict[str, bytes | Link] = {"Chart.yaml": encoded(draw, text) if draw.random() < 0.3 else text.encode("utf-8", "replace")}
    may: set[str] = set()
    for path in draw.sample(FILES, draw.randrange(8)):
        tree[path] = draw.choice(CONTENTS)
    for crash in [path for path in tree if any(other.startswith(path + "/") for other in tree)]:
        del tree[crash]
    if draw.random() < 0.6:
        lines = draw.sample(IGNORE_LINES, draw.randrange(1, 4))
        tree[".helmignore"] = draw.choice(["\n", "\n", "\n", "\r\n"]).join(lines).encode() + draw.choice([b"\n", b""])
    if draw.random() < 0.3:
        folder = draw.choice(["dep", "other", "x.y"])
        inner = f"apiVersion: v{draw.choice('112')}\nname: {draw.choice(['dep', 'dep', 'other'])}\nversion: 1.0.0\n".encode()
        if draw.random() < 0.5:
            tree |= {f"charts/{folder}/Chart.yaml": inner, f"charts/{folder}/values.yaml": b"a: 1\n", f"charts/{folder}/.helmignore": b"values.yaml\n", f"charts/{folder}/templates/.x": b"x",
                     f"charts/{folder}/charts/in/Chart.yaml": inner}
        else:
            tree[f"charts/{folder}.tgz"] = tgz(entry("d/Chart.yaml", inner), entry("d/values.yaml", b"a: 1 # c\n"), entry("d/charts/in.tgz", tgz(entry("in/Chart.yaml", inner))))
    if draw.random() < 0.2:
        tree["Chart.lock"] = lock_text(draw).encode()
    if draw.random() < 0.15:
        tree["requirements.yaml"] = f"dependencies: {draw.choice(DEPENDENCIES)}\n".encode()
    if draw.random() < 0.12:
        link = draw.choice(["link.txt", "templates/link.yaml", "docs/link", "charts/dep", "values.yaml", "linked"])
        if not any(path == link or path.startswith(link + "/") for path in tree) and not any(link.startswith(path + "/") for path in tree):
            tree[link] = Link(draw.choice(["Chart.yaml", "../Chart.yaml", "/etc/hostname", "nowhere", "."[:0] or "templates"]))
            may.add("files.link")
    return Case(name, "directory", tree=tree, may=a_days_zone(tree) | may)

"""Every public item of the core is shown by an example that runs: its own, or one of the same file.

An example on a type may show its accessors. `cargo test --doc` runs the examples; this counts what none of them shows.
"""

import re

# How many may be without: it only ever becomes smaller.
WITHOUT = 0

TYPE = re.compile(r"pub (?:struct|enum|trait|type) (\w+)")
FUNCTION = re.compile(r"( *)pub (?:const )?fn (\w+)(?:<[^(]*>)?\(\s*(?:&?(?:'\w+ )?(?:mut )?(self))?")
IMPL = re.compile(r"impl(?:<[^{]*?>)? (\w+)")


def without_example(text):
    """Yields the public types and functions of a source file that have no example and are named in none of the file's."""
    text = text.split("#[cfg(test)]\nmod ")[0]
    comments = re.findall(r"(?:^ *//[/!].*\n)+", text, re.MULTILINE)
    examples = "".join(example for comment in comments for example in comment.split("```")[1::2])
    owner, documented = "", False
    for line in re.finditer(r"^( *)(.*)$", text, re.MULTILINE):
        if line[2].startswith("///"):
            documented |= "```" in line[2]
            continue
        if line[2].startswith("#["):
            continue
        if opened := IMPL.match(line[0]):
            owner = opened[1]
        if found := TYPE.match(line[0]):
            named, shown = found[1], rf"\b{found[1]}\b"
        elif found := FUNCTION.match(text, line.start()):
            indent, name, method = found.groups()
            named = f"{owner}::{name}" if indent else name
            shown = rf"\.{name}\(" if method else rf"\b{named}\("
        if found and not documented and not re.search(shown, examples):
            yield named
        documented = False


def test_every_public_item_of_the_core_is_shown_by_an_example(root):
    source = root / "core" / "src"
    missing = [
        f"{path.relative_to(source)}: {name}" for path in sorted(source.rglob("*.rs")) for name in without_example(path.read_text())
    ]
    assert len(missing) <= WITHOUT, "\n".join(missing)


def test_an_example_shows_what_it_calls():
    text = """
/// ```
/// let a = A::new();
/// assert_eq!(a.shown(), 1);
/// ```
pub struct A;
impl A {
    pub fn new() -> A {}
    pub fn shown(&self) -> u32 {}
    pub fn hidden(
        &mut self) {}
    pub fn shown_not() {}
}
/// A
pub fn free() {}
pub(crate) fn internal() {}
"""
    assert list(without_example(text)) == ["A::hidden", "A::shown_not", "free"]

"""What `--help` says of a verb beyond its flags: what it does, examples that can be run, exit codes."""

from textwrap import fill

EXIT_CODES = """exit codes:
  0 done · 1 `check` found errors · 2 usage · 3 denied · 4 not found · 5 no connection · 6 wrong digest or size
  7 invalid input · 8 the peer broke the protocol · 9 conflict · 10 a limit was reached · 11 unsupported
  130 interrupted. `chartoci explain CODE` says what an error's code means."""

# Of each verb: what it does, then examples.
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "login": (
        "Shows user name and password to the registry and, if it takes them, stores them where Helm does: in its "
        "registry/config.json, or with the credential helper that this file names. What is missing is asked for at the "
        "terminal. Without a user name, what is asked for is an identity token. Helm is logged in by this as well.",
        (
            "chartoci login registry.example -u ada",
            'echo "$TOKEN" | chartoci login ghcr.io -u "$USER" --password-stdin',
            "chartoci login registry.example:5000 -u ada --ca-file ca.pem",
        ),
    ),
    "logout": (
        "Removes the registry's credentials from Helm's file, or from the helper that this file names. It is no error if "
        "there are none. Entries for single repositories stay.",
        ("chartoci logout registry.example",),
    ),
    "registry": (
        "The same verbs under the name that Helm has for them, and one that Helm does not have.",
        ("chartoci registry login registry.example -u ada", "chartoci registry logout registry.example"),
    ),
    "credentials": (
        "Asks the stores in their order, as a push or pull would: Helm's file, DOCKER_AUTH_CONFIG, Docker's file, Podman's, "
        "and the helpers that they name. Says who was asked and who answered, never the secret.",
        ("chartoci registry credentials oci://registry.example/charts/web",),
    ),
    "push": (
        "Pushes a packed chart to OCI/NAME:VERSION, with the very manifest that Helm would write. A file CHART.tgz.prov "
        "beside it goes along. Blobs that are there already are not sent again.",
        (
            "chartoci push web-1.2.0.tgz oci://registry.example/charts",
            "chartoci push web-1.2.0.tgz oci://localhost:5000/charts --if-exists refuse",
        ),
    ),
    "pull": (
        "Pulls charts by tag, digest or range of versions; the newest version if none is named. A file gets its name only "
        "once its bytes are verified.",
        (
            "chartoci pull oci://registry.example/charts/web --version '^1.2'",
            "chartoci pull oci://registry.example/charts/web:1.2.0 -d charts --untar",
        ),
    ),
    "versions": (
        "Lists what stands under tags that are versions, newest first; with a range, those that satisfy it.",
        (
            "chartoci versions oci://registry.example/charts/web",
            "chartoci versions oci://registry.example/charts/web '>=1.2 <2' --json",
        ),
    ),
    "tags": (
        "Lists all tags of a repository, in the registry's order, those that are no versions included.",
        ("chartoci tags oci://registry.example/charts/web",),
    ),
    "resolve": (
        "Asks the registry which tag a range of versions means, and which digest that tag has now.",
        ("chartoci resolve oci://registry.example/charts/web --version '~1.2' --json",),
    ),
    "inspect": (
        "Fetches manifest and config, never the chart, and says what they are and what is wrong with them. What the config "
        "claims is not proven: `show` reads the chart itself.",
        ("chartoci inspect oci://registry.example/charts/web:1.2.0",),
    ),
    "copy": (
        "Copies manifest and blobs, keeping every byte and so the digest. Within one registry blobs are mounted, between two "
        "they are streamed.",
        ("chartoci copy oci://registry.example/charts/web:1.2.0 oci://mirror.example/charts/web:1.2.0",),
    ),
    "delete": (
        "Deletes a tag, or a manifest by its digest and with it all of its tags. Not every registry allows it.",
        ("chartoci delete oci://registry.example/charts/web:1.2.0",),
    ),
    "referrers": (
        "Lists the artifacts that name this one as their subject.",
        ("chartoci referrers oci://registry.example/charts/web:1.2.0",),
    ),
    "show": (
        "Prints Chart.yaml, values, README or custom resource definitions, or all of them: the very text that Helm prints. "
        "The chart may be a file, a directory, or in a registry.",
        (
            "chartoci show values web-1.2.0.tgz",
            "chartoci show all oci://registry.example/charts/web --version 1.2.0",
        ),
    ),
    "package": (
        "Packs directories into NAME-VERSION.tgz. Each entry has the time of its file, so that the same files with the same "
        "times give the same bytes everywhere; with --created (or $SOURCE_DATE_EPOCH) the same files are enough.",
        (
            "chartoci package web",
            "chartoci package web -d dist --version 1.3.0 --app-version 2.0.0",
            "chartoci package web --created 2026-01-31T12:00:00Z",
        ),
    ),
    "check": (
        "Reads charts, directories and single documents and lists everything that is wrong, not only the first. Exit code 1 "
        "if there are errors.",
        ("chartoci check web", "chartoci check Chart.yaml values.yaml --strict --format json"),
    ),
    "serve": (
        "Is an OCI registry, for tests, laptops and air gaps: Helm, oras and docker can push to it and pull from it. With a "
        "directory it keeps its contents there, as an OCI image layout.",
        ("chartoci serve", "chartoci serve charts --listen 127.0.0.1:5001"),
    ),
    "explain": (
        "Every error and every finding has a code; this says what one means and what to do about it.",
        ("chartoci explain auth.required",),
    ),
    "completion": (
        "Prints a script that lets a shell complete verbs and flags.",
        (
            "source <(chartoci completion bash)",
            "chartoci completion zsh > ~/.zfunc/_chartoci",
            "chartoci completion fish > ~/.config/fish/completions/chartoci.fish",
        ),
    ),
}


def description(verb: str, brief: str) -> str:
    """The first words of a verb's help."""
    text = VERBS.get(verb, ("", ()))[0]
    return fill(f"{brief} {text}".strip(), 100)


def epilog(verb: str) -> str:
    """The last words of a verb's help."""
    examples = VERBS.get(verb, ("", ()))[1]
    lines = ["examples:", *(f"  {example}" for example in examples), ""] if examples else []
    return "\n".join([*lines, EXIT_CODES])

"""What `--help` says of a verb beyond its flags: what it does, examples that can be run, environment, files, exit codes."""

from textwrap import fill, wrap

EXIT_CODES = """exit codes:
  0 done · 1 `check` found errors · 2 usage · 3 denied · 4 not found · 5 no connection · 6 wrong digest or size
  7 invalid input · 8 the peer broke the protocol · 9 conflict · 10 a limit was reached · 11 unsupported
  130 interrupted. `chartoci explain CODE` says what an error's code means."""

# What a verb has to do with; flags, variables and files belong to one of these or to all verbs (an empty text).
NETWORK, STORES, SERVING, PACKING = "network", "stores", "serving", "packing"
TOPICS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("push", "copy", "delete", "referrers", "versions", "tags", "resolve", "inspect"), (NETWORK, STORES)),
    **dict.fromkeys(("login", "pull", "show", "check"), (NETWORK, STORES)),
    **dict.fromkeys(("logout", "explain-credentials"), (STORES,)),
    "serve": (SERVING,),
    "package": (PACKING,),
}

# Every variable that is read.
ENVIRONMENT: tuple[tuple[str, str, str], ...] = (
    ("", "NO_COLOR", "if it is set, nothing is coloured"),
    (STORES, "HELM_REGISTRY_CONFIG", "Helm's file with credentials, if it is not the one below; --registry-config goes first"),
    (STORES, "HELM_CONFIG_HOME", "Helm's directory, in place of ~/.config/helm"),
    (STORES, "DOCKER_CONFIG", "Docker's directory, in place of ~/.docker"),
    (STORES, "DOCKER_AUTH_CONFIG", "what would stand in Docker's file"),
    (STORES, "REGISTRY_AUTH_FILE", "Podman's file, in place of those below"),
    (STORES, "XDG_CONFIG_HOME, XDG_RUNTIME_DIR, APPDATA, HOME", "where these directories lie"),
    (STORES, "PATH", "where credential helpers are looked for"),
    (NETWORK, "HTTPS_PROXY, HTTP_PROXY, ALL_PROXY", "the proxy to go through, for https, for http, for both; in lower case, too"),
    (NETWORK, "NO_PROXY", "for whom not: example.org,10.0.0.0/8; never for loopback"),
    (NETWORK, "SSL_CERT_FILE, SSL_CERT_DIR", "certificate authorities, in place of the system's; --ca-file goes first"),
    (PACKING, "SOURCE_DATE_EPOCH", "the time of every entry, in seconds since 1970; --created goes first"),
)

FILES: tuple[tuple[str, str, str], ...] = (
    (STORES, "~/.config/helm/registry/config.json", "Helm's credentials, which login and logout write (macOS: below"
     " ~/Library/Preferences/helm, Windows: %APPDATA%\\helm)"),
    (STORES, "~/.docker/config.json", "Docker's credentials, only read"),
    (STORES, "~/.config/containers/auth.json", "Podman's, only read, after $XDG_RUNTIME_DIR/containers/auth.json"),
    (STORES, "~/.dockercfg", "Docker's of before 1.7, only read, and last"),
    (PACKING, "DIR/.helmignore", "what is not packed"),
    (SERVING, "DIR/index.json, DIR/blobs", "what was pushed, as an OCI image layout: other tools read it as well"),
)

# Of each verb: what it does, then examples. The first is of no verb.
VERBS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": (
        "Pushes charts to registries, pulls them, checks and packs them, and is a registry itself. Where Helm has the verb, "
        "its arguments, flags and output are Helm's. `chartoci VERB --help` tells more of each.",
        (
            "chartoci push web-1.2.0.tgz oci://registry.example/charts",
            "chartoci pull oci://registry.example/charts/web --version '^1.2'",
            "chartoci check web",
        ),
    ),
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
    "explain-credentials": (
        "Asks the stores in their order, as a push or pull would: Helm's file, DOCKER_AUTH_CONFIG, Docker's file, Podman's, "
        "and the helpers that they name. Says who was asked and who answered, never the secret.",
        ("chartoci explain-credentials oci://registry.example/charts/web",),
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
        "Helm, oras, docker and chartoci can push to it and pull from it, on this machine alone unless --listen says more. "
        "With a directory it keeps its contents there, as an OCI image layout. --cert-file and --key-file make it speak TLS; "
        "--username and --password-stdin, or --htpasswd, ask for a password. It ends by Ctrl-C or SIGTERM.",
        (
            "chartoci serve",
            "chartoci serve charts --listen 127.0.0.1:5001",
            'echo "$PASSWORD" | chartoci serve charts --username ada --password-stdin',
        ),
    ),
    "explain": (
        "Every error and every finding has a code; this says what one means and what to do about it.",
        ("chartoci explain auth.required",),
    ),
    "version": ("The same as --version.", ("chartoci version", "chartoci version --json")),
    "help": ("The same as --help behind the verb.", ("chartoci help pull", "chartoci help registry login")),
    "completion": (
        "Prints a script that lets a shell complete verbs, flags and their values.",
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
    return fill(f"{brief} {text}".strip(), WIDTH)


def epilog(verb: str) -> str:
    """The last words of a verb's help."""
    examples = [f"  {example}" for example in VERBS[verb][1]]
    sections = {"examples": examples, "environment": _of(verb, ENVIRONMENT), "files": _of(verb, FILES)}
    return "\n".join([*(line for head, lines in sections.items() if lines for line in (f"{head}:", *lines, "")), EXIT_CODES])


WIDTH = 100
COLUMN = 32


def _of(verb: str, entries: tuple[tuple[str, str, str], ...]) -> list[str]:
    """What concerns the verb, in two columns as the flags stand; of no verb, all."""
    lines = []
    for topic, name, meaning in entries:
        if not verb or not topic or topic in TOPICS.get(verb, ()):
            first, *more = wrap(meaning, WIDTH - COLUMN)
            head = f"  {name}"
            lines += [f"{head:{COLUMN}}{first}"] if len(head) < COLUMN - 1 else [head, " " * COLUMN + first]
            lines += [" " * COLUMN + line for line in more]
    return lines

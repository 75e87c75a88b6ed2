//! One error type, and the one table of codes.
//!
//! A program branches on [`Kind`]; documentation and tests name a [`Code`]; the message is for people and is never parsed.
//! Secrets never appear in any of them.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::diagnostic::{Report, Severity};
use crate::printable::is_printable;

mod example;

/// Whose fault it is, and what a program does next. Few and stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Kind {
    /// The document, archive or name that was given is wrong.
    Invalid,
    /// The call itself is wrong: an argument, an order of calls.
    Misuse,
    /// What was asked for is not there.
    NotFound,
    /// The registry or its token server refused.
    Denied,
    /// Something else is already there.
    Conflict,
    /// The peer cannot do this.
    Unsupported,
    /// The peer broke the protocol.
    Protocol,
    /// Bytes are not what their digest or size says.
    Integrity,
    /// A bound of [`Limits`](crate::Limits) was reached.
    Limit,
    /// No answer came: connection, TLS, time.
    Transport,
    /// The caller gave up.
    Aborted,
}

impl Kind {
    /// The name that every language uses: `not_found`.
    ///
    /// ```
    /// assert_eq!(chartoci::Kind::NotFound.as_str(), "not_found");
    /// ```
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Invalid => "invalid",
            Kind::Misuse => "misuse",
            Kind::NotFound => "not_found",
            Kind::Denied => "denied",
            Kind::Conflict => "conflict",
            Kind::Unsupported => "unsupported",
            Kind::Protocol => "protocol",
            Kind::Integrity => "integrity",
            Kind::Limit => "limit",
            Kind::Transport => "transport",
            Kind::Aborted => "aborted",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a code stands for: an error that ends an operation, or a finding in a document.
///
/// ```
/// use chartoci::{Code, Kind, diagnostic::Severity, error::Class};
/// assert_eq!(Code::REFERENCE_TAG.class(), Class::Error(Kind::Invalid));
/// assert_eq!(Code::JSON_DUPLICATE.class(), Class::Finding(Severity::Warning));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Class {
    /// Ends an operation or refuses an input.
    Error(Kind),
    /// Is reported about a document; checking goes on.
    Finding(Severity),
}

/// A stable name for one thing that can be wrong, such as `reference.tag`. [`codes`] lists them all.
///
/// ```
/// use chartoci::Code;
/// assert_eq!(Code::REFERENCE_TAG.name(), "reference.tag");
/// assert_eq!(Code::REFERENCE_TAG.meaning(), "The tag is not valid.");
/// assert!(Code::REFERENCE_TAG.remedy().starts_with("A tag has 1 to 128 characters"));
/// ```
#[derive(Clone, Copy)]
pub struct Code(&'static Entry);

struct Entry {
    name: &'static str,
    class: Class,
    meaning: &'static str,
    remedy: &'static str,
}

impl Code {
    /// The stable name: `area.what`.
    pub fn name(self) -> &'static str {
        self.0.name
    }

    /// Error with a kind, or finding with a severity.
    pub fn class(self) -> Class {
        self.0.class
    }

    /// One sentence: what is wrong.
    pub fn meaning(self) -> &'static str {
        self.0.meaning
    }

    /// One sentence: what to do about it.
    pub fn remedy(self) -> &'static str {
        self.0.remedy
    }

    /// The code of that name.
    ///
    /// ```
    /// assert!(chartoci::Code::find("reference.tag").is_some());
    /// ```
    pub fn find(name: &str) -> Option<Code> {
        codes().find(|code| code.name() == name)
    }
}

impl PartialEq for Code {
    fn eq(&self, other: &Self) -> bool {
        self.0.name == other.0.name
    }
}

impl Eq for Code {}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name)
    }
}

/// Every code there is, in the order of the table.
///
/// ```
/// assert!(chartoci::codes().count() > 20);
/// ```
pub fn codes() -> impl Iterator<Item = Code> {
    TABLE.iter().map(|entry| Code(entry))
}

const fn kind(kind: Kind) -> Class {
    Class::Error(kind)
}

const fn finding(severity: Severity) -> Class {
    Class::Finding(severity)
}

macro_rules! table {
    ($($constant:ident = $name:literal, $class:expr, $meaning:literal, $remedy:literal;)*) => {
        #[allow(missing_docs)]
        impl Code {
            $(
                #[doc = $meaning]
                pub const $constant: Code = Code(&Entry {
                    name: $name, class: $class, meaning: $meaning, remedy: $remedy,
                });
            )*
        }
        static TABLE: &[&Entry] = &[$(Code::$constant.0),*];
    };
}

// One line a code: constant = name, class, meaning, remedy. Grouped by area; a new area gets its own heading.
table! {
    // misuse: the call
    LOOKS_LIKE_CONTENT = "misuse.looks_like_content", kind(Kind::Misuse),
        "A text with line breaks stands where a path is expected.",
        "Pass bytes for content, or the path of a file.";
    ARGUMENT = "misuse.argument", kind(Kind::Misuse),
        "An argument is not of the form that this call takes.",
        "See the call's documentation for the values it takes.";
    NOT_YET = "misuse.not_yet", kind(Kind::Unsupported),
        "What is asked for is Helm's, and not there yet.",
        "Let `helm` do it.";
    NOT_LOADED = "misuse.not_loaded", kind(Kind::Misuse),
        "A call that does not wait came before the WebAssembly module was loaded.",
        "Call `await init()` once before the first such call; `chartoci/slim` is given the modules by it.";

    // reference
    REFERENCE_SCHEME = "reference.scheme", kind(Kind::Invalid),
        "The reference has a scheme other than oci://.",
        "Write oci://HOST/PATH; plain http is chosen by an option, never by the scheme.";
    REFERENCE_USERINFO = "reference.userinfo", kind(Kind::Invalid),
        "The reference carries a user name or password.",
        "Give credentials by login or by the credentials option, never in a reference.";
    REFERENCE_REGISTRY = "reference.registry", kind(Kind::Invalid),
        "The reference names no valid registry.",
        "Start with the registry's host, and its port if it has one: registry.example:5000/team/web.";
    REFERENCE_REPOSITORY = "reference.repository", kind(Kind::Invalid),
        "The repository is not a valid name.",
        "Use lower-case letters, digits and single separators . _ - between them; parts are divided by /.";
    REFERENCE_TAG = "reference.tag", kind(Kind::Invalid),
        "The tag is not valid.",
        "A tag has 1 to 128 characters: letters, digits, _ . -, and does not start with . or -.";
    REFERENCE_DIGEST = "reference.digest", kind(Kind::Invalid),
        "The digest is not valid.",
        "A digest is sha256: and 64 lower-case hexadecimal digits, or sha512: and 128.";
    REFERENCE_PUSH_TARGET = "reference.push_target", kind(Kind::Misuse),
        "A push target carries a tag or a digest.",
        "Name the registry and the path only: the chart's name and version are appended.";

    REFERENCE_VERSION = "reference.version", kind(Kind::Misuse),
        "The reference's tag and the version that was asked for differ.",
        "Name the version once: in the reference, or beside it.";

    // version
    VERSION_SYNTAX = "version.syntax", kind(Kind::Invalid),
        "The text is no semantic version.",
        "Write MAJOR.MINOR.PATCH, and -PRERELEASE or +BUILD after it if needed.";
    VERSION_CONSTRAINT = "version.constraint", kind(Kind::Invalid),
        "The text is no version constraint.",
        "Write for example ^1.2, ~1.2.3, >=1 <3 or 1.x || 2.x.";

    // archive (chart archives)
    ARCHIVE_GZIP = "archive.gzip", kind(Kind::Invalid),
        "The file is no gzip file, or its compressed data is damaged.",
        "A chart archive is a gzipped tar file: make it with `package`, or fetch it again.";
    ARCHIVE_CHECKSUM = "archive.checksum", kind(Kind::Integrity),
        "The unpacked data has another checksum than the archive says.",
        "The file was damaged on its way or on disk; fetch it again.";
    ARCHIVE_TRUNCATED = "archive.truncated", kind(Kind::Invalid),
        "The archive ends too early.",
        "The file was cut off; fetch it again.";
    ARCHIVE_TAR = "archive.tar", kind(Kind::Invalid),
        "A header in the tar file is malformed.",
        "Pack the chart again with `package`.";
    ARCHIVE_EMPTY = "archive.empty", kind(Kind::Invalid),
        "There is no file in the archive.",
        "Pack the chart's directory, not an empty one.";
    ARCHIVE_OUTSIDE = "archive.outside", kind(Kind::Invalid),
        "The archive has a file outside the chart's folder.",
        "All files of a chart archive stand in one folder that bears the chart's name.";
    ARCHIVE_ABSOLUTE = "archive.absolute", kind(Kind::Invalid),
        "The path of a file in the archive is absolute.",
        "All files of a chart archive stand in one folder that bears the chart's name.";
    ARCHIVE_PARENT = "archive.parent", kind(Kind::Invalid),
        "The path of a file in the archive leads out of the chart.",
        "Do not unpack this archive; it may be an attack.";
    ARCHIVE_NAME = "archive.name", kind(Kind::Invalid),
        "The path of a file in the archive is not portable.",
        "Rename the file: UTF-8, no NUL, no drive letter in front; in a directory no backslash either.";
    ARCHIVE_TOP_FOLDER = "archive.top_folder", kind(Kind::Invalid),
        "The files of the archive stand in more than one top folder.",
        "Pack one chart's directory at a time.";
    ARCHIVE_DUPLICATE = "archive.duplicate", kind(Kind::Invalid),
        "The archive has two entries for one path.",
        "Programs disagree which of them counts; pack the chart again with `package`.";
    ARCHIVE_LINK = "archive.link", kind(Kind::Invalid),
        "The archive has a link or a device.",
        "Put the file itself in its place; Helm would read an empty file there.";
    ARCHIVE_ENTRY_KIND = "archive.entry_kind", kind(Kind::Invalid),
        "The archive has an entry that is neither a plain file nor a directory.",
        "Pack the chart again with `package`, or with tar without --sparse.";
    CHART_MISSING = "chart.missing", kind(Kind::Invalid),
        "Chart.yaml is missing.",
        "Every chart, vendored ones included, has a Chart.yaml in its top folder; `helm create` makes a whole chart.";
    CHART_API_VERSION = "chart.api_version", kind(Kind::Invalid),
        "The chart's apiVersion is not known.",
        "Set apiVersion in Chart.yaml to v2.";
    CHART_DEPENDENCIES_MISSING = "chart.dependencies_missing", kind(Kind::Invalid),
        "Charts that Chart.yaml declares as dependencies are not in charts/.",
        "Fetch them with `helm dependency build`, or remove them from Chart.yaml.";
    VALUES_MAPPING = "values.mapping", kind(Kind::Invalid),
        "The values are no mapping.",
        "Write `key: value` pairs in values.yaml, or nothing at all.";
    IGNORE_PATTERN = "ignore.pattern", kind(Kind::Invalid),
        "A pattern in .helmignore is malformed.",
        "Use *, ?, [a-z] and \\ as in Go's filepath.Match; ** is not known to Helm.";

    // metadata (Chart.yaml)
    CHART_FIELD_TYPE = "chart.field_type", kind(Kind::Invalid),
        "A field holds a value of another type than Helm takes there.",
        "Give the field the type that the message names; quote what is meant as a text.";
    CHART_NAME = "chart.name", kind(Kind::Invalid),
        "The chart has no name, or one that is no plain file name.",
        "Set name in Chart.yaml to the name of the chart's directory, without slashes.";
    CHART_VERSION = "chart.version", kind(Kind::Invalid),
        "The chart has no version, or one that is no semantic version.",
        "Set version in Chart.yaml to MAJOR.MINOR.PATCH, in quotes if it looks like a number.";
    CHART_TYPE = "chart.type", kind(Kind::Invalid),
        "The chart's type is unknown.",
        "Set type in Chart.yaml to application or library, or leave it out.";
    CHART_MAINTAINER = "chart.maintainer", kind(Kind::Invalid),
        "An entry of maintainers is empty.",
        "Remove the entry, or give it a name.";
    CHART_DEPENDENCY = "chart.dependency", kind(Kind::Invalid),
        "An entry of dependencies is empty.",
        "Remove the entry, or give it name, version and repository.";
    CHART_ALIAS = "chart.alias", kind(Kind::Invalid),
        "The alias of a dependency has characters that are not allowed.",
        "Use letters, digits, _ and - only.";
    CHART_DUPLICATE_DEPENDENCY = "chart.duplicate_dependency", kind(Kind::Invalid),
        "Two dependencies have the same name or alias.",
        "Give one of them an alias of its own.";

    // yaml
    YAML_SYNTAX = "yaml.syntax", kind(Kind::Invalid),
        "The text is not YAML.",
        "Look at the line and just before it: indentation, quotes and brackets.";
    YAML_ENCODING = "yaml.encoding", kind(Kind::Invalid),
        "The text is not UTF-8.",
        "Save the file as UTF-8.";
    YAML_ALIAS = "yaml.alias", kind(Kind::Invalid),
        "An alias names no anchor before it, or one whose value contains the alias.",
        "Define the anchor before its alias, outside of the value that uses it.";
    YAML_MERGE = "yaml.merge", kind(Kind::Invalid),
        "The value of the merge key << is no mapping.",
        "Give << a mapping, an alias of one, or a list of these.";
    YAML_KEY = "yaml.key", kind(Kind::Invalid),
        "A key is null, a list, a mapping or a number of 64 bits.",
        "Use a text as key; put it in quotes.";
    YAML_TAG = "yaml.tag", kind(Kind::Invalid),
        "A value is not what its tag says.",
        "Remove the tag, or write a value that fits it.";
    YAML_NUMBER = "yaml.number", kind(Kind::Invalid),
        "Infinities and NaN have no place in JSON, which Helm makes of every document.",
        "Put the value in quotes, or use a finite number.";

    // json
    JSON_SYNTAX = "json.syntax", kind(Kind::Invalid),
        "The document is no valid JSON.",
        "JSON has no comments and no commas at the end; names and texts stand in double quotes.";
    JSON_DUPLICATE = "json.duplicate", finding(Severity::Warning),
        "A name stands twice in one object; the last one counts.",
        "Remove one of them: readers differ in which they believe.";

    // manifest and index (image-spec)
    MANIFEST_SHAPE = "manifest.shape", kind(Kind::Invalid),
        "The document is no image manifest.",
        "A manifest is a JSON object with config and layers, and without manifests.";
    INDEX_SHAPE = "index.shape", kind(Kind::Invalid),
        "The document is no image index.",
        "An index is a JSON object with manifests, and without config and layers.";
    MANIFEST_DESCRIPTOR = "manifest.descriptor", kind(Kind::Invalid),
        "A descriptor is not valid.",
        "A descriptor has a mediaType, a digest and a size in bytes.";
    MANIFEST_SCHEMA_VERSION = "manifest.schema_version", finding(Severity::Warning),
        "schemaVersion is not 2.",
        "Write \"schemaVersion\": 2, the only one there is.";
    MANIFEST_MEDIA_TYPE = "manifest.media_type", finding(Severity::Warning),
        "mediaType is not that of such a document.",
        "Write the media type under which the document is served, or leave it out.";
    MANIFEST_NO_LAYERS = "manifest.no_layers", finding(Severity::Warning),
        "The manifest has no layers.",
        "Give it one layer at least; some registries refuse it otherwise.";
    MANIFEST_ARTIFACT_TYPE = "manifest.artifact_type", finding(Severity::Warning),
        "The config is empty and artifactType is missing.",
        "Set artifactType: nothing else says what this is.";
    MANIFEST_DIGEST_ALGORITHM = "manifest.digest_algorithm", finding(Severity::Warning),
        "A digest is of an algorithm other than sha256 and sha512; its descriptor is left aside.",
        "Use sha256: content under another algorithm cannot be verified here.";
    MANIFEST_ANNOTATION = "manifest.annotation", finding(Severity::Error),
        "An annotation is no text; Helm refuses the manifest.",
        "Write the value as a JSON string.";

    // artifact (manifest, config)
    ARTIFACT_NOT_A_CHART = "artifact.not_a_chart", finding(Severity::Error),
        "The artifact is no Helm chart.",
        "A chart's manifest has a config of the type application/vnd.cncf.helm.config.v1+json.";
    ARTIFACT_NO_CHART = "artifact.no_chart", finding(Severity::Error),
        "No layer holds the chart.",
        "Add the packed chart as a layer of the type application/vnd.cncf.helm.chart.content.v1.tar+gzip.";
    ARTIFACT_SEVERAL_CHARTS = "artifact.several_charts", finding(Severity::Error),
        "Several layers hold different charts; Helm takes any of them.",
        "Keep one: a manifest stands for one chart.";
    ARTIFACT_SEVERAL_PROVENANCES = "artifact.several_provenances", finding(Severity::Warning),
        "Several layers hold different provenances; Helm takes any of them.",
        "Keep the one that belongs to the chart.";
    ARTIFACT_LEGACY_CHART = "artifact.legacy_chart", finding(Severity::Warning),
        "The chart's layer has the media type of Helm 3.0 to 3.6.",
        "Push the chart again: newer versions of Helm may stop to read it.";

    // auth: files with credentials
    CREDENTIALS_FILE = "auth.credentials_file", kind(Kind::Invalid),
        "A file with credentials cannot be understood.",
        "Mend the file, or log in again; credentials can also be given to the call itself.";
    AUTH_HELPER = "auth.helper", kind(Kind::Denied),
        "A credential helper failed.",
        "Run the helper by hand to see why, or take it out of the file that names it.";
    AUTH_HELPER_MISSING = "auth.helper_missing", kind(Kind::Misuse),
        "A credential helper that a file names is not installed.",
        "Install it in a directory of PATH, or take it out of the file that names it; credentials can also be given to the \
         call itself.";

    // auth
    AUTH_REQUIRED = "auth.required", kind(Kind::Denied),
        "The registry asks for a login, and no credential was given.",
        "Log in to the registry, or pass credentials; if it should be public, check the repository's name.";
    AUTH_REFUSED = "auth.refused", kind(Kind::Denied),
        "The registry or its token server refused the credential.",
        "Log in again: the password or token is wrong, or has expired.";
    AUTH_FORBIDDEN = "auth.forbidden", kind(Kind::Denied),
        "The registry does not allow this.",
        "Ask for the right to do this in that repository, or log in as somebody who has it.";
    AUTH_CHALLENGE = "auth.challenge", kind(Kind::Denied),
        "The registry asks for a login in no way that is known.",
        "Only Basic and Bearer are spoken; check what stands in front of the registry.";
    AUTH_REALM = "auth.realm", kind(Kind::Protocol),
        "The registry names a token server to which no credential may go.",
        "The token server must be https if the registry is, and in no private network unless the registry is in it.";
    AUTH_TOKEN = "auth.token", kind(Kind::Protocol),
        "The token server's answer holds no token.",
        "Check the token server, and what stands in front of it.";
    AUTH_FOREIGN = "auth.foreign", kind(Kind::Denied),
        "Another host than the registry asks for a login.",
        "Credentials go to the registry alone; check where it redirects to.";

    // registry (its answers)
    MANIFEST_UNKNOWN = "registry.manifest_unknown", kind(Kind::NotFound),
        "There is nothing under this tag or digest.",
        "List the versions that are there, and check the repository's name.";
    BLOB_UNKNOWN = "registry.blob_unknown", kind(Kind::NotFound),
        "The registry does not have a blob that the manifest names.",
        "Push the chart again; the registry has lost a part of it.";
    REPOSITORY_UNKNOWN = "registry.repository_unknown", kind(Kind::NotFound),
        "The repository is not there.",
        "Check its name; some registries (such as Amazon ECR) want it created before the first push.";
    VERSION_UNKNOWN = "registry.version_unknown", kind(Kind::NotFound),
        "No version in the repository satisfies what was asked for.",
        "List the versions that are there; pre-releases are left out unless asked for.";
    TAG_EXISTS = "registry.exists", kind(Kind::Conflict),
        "The tag is there already.",
        "Push another version, or allow that the tag is overwritten.";
    REGISTRY_CONFLICT = "registry.conflict", kind(Kind::Conflict),
        "The registry refused a change to what is there.",
        "The tag may be immutable: push another version.";
    REGISTRY_TOO_LARGE = "registry.too_large", kind(Kind::Unsupported),
        "The registry, or a proxy before it, takes no body of this size.",
        "Raise the limit there (nginx: client_max_body_size), or make the chart smaller.";
    REGISTRY_BUSY = "registry.busy", kind(Kind::Transport),
        "The registry asks to be left alone for a while (429).",
        "Try again later; a login often raises the limit.";
    REGISTRY_FAILED = "registry.failed", kind(Kind::Transport),
        "The registry failed (5xx), and went on failing.",
        "Try again later, or look into the registry's log.";
    REGISTRY_UNSUPPORTED = "registry.unsupported", kind(Kind::Unsupported),
        "The registry cannot do this.",
        "Check that the host is an OCI registry and that it takes this kind of artifact.";
    REGISTRY_REFUSED = "registry.refused", kind(Kind::Denied),
        "The registry refused the request.",
        "The registry's own words say why.";

    // protocol
    NOT_A_REGISTRY = "protocol.not_registry", kind(Kind::Protocol),
        "The answer is not that of a registry.",
        "Check host and path; a login page or a proxy may have answered.";
    UNEXPECTED_STATUS = "protocol.status", kind(Kind::Protocol),
        "The answer has a status that has no meaning here.",
        "Check that the host is an OCI registry.";
    UNEXPECTED_ANSWER = "protocol.answer", kind(Kind::Protocol),
        "The answer cannot be understood.",
        "Check that the host is an OCI registry.";
    BAD_LOCATION = "protocol.location", kind(Kind::Protocol),
        "The answer's Location is missing or cannot be followed.",
        "Check the registry, and the proxy before it: it must tell its outside address.";
    BAD_REDIRECT = "protocol.redirect", kind(Kind::Protocol),
        "The registry redirects to where nobody may be sent.",
        "Check the registry, and the proxy before it: https never leads to http.";
    BAD_LINK = "protocol.link", kind(Kind::Protocol),
        "The link to a list's next page leads nowhere, elsewhere or in a circle.",
        "Check the registry, and the proxy before it.";
    MEDIA_TYPE_CONFLICT = "protocol.media_type", kind(Kind::Protocol),
        "A manifest is not of the type that it is said to have.",
        "The artifact may mean different things to different readers: make it anew.";

    // integrity
    DIGEST_MISMATCH = "integrity.digest_mismatch", kind(Kind::Integrity),
        "The bytes are not those that the digest names.",
        "Do not use them; try again, and look into the registry or the proxy before it.";
    SIZE_MISMATCH = "integrity.size_mismatch", kind(Kind::Integrity),
        "There are more or fewer bytes than the manifest says.",
        "Do not use them; try again, and look into the registry or the proxy before it.";
    TAG_MISMATCH = "integrity.tag_mismatch", kind(Kind::Integrity),
        "The tag has another digest than the reference says.",
        "The tag was moved: find out by whom, or leave the tag out.";

    // transport
    TRANSPORT_CONNECT = "transport.connect", kind(Kind::Transport),
        "No connection to the host.",
        "Check host name, port and network.";
    TRANSPORT_TLS = "transport.tls", kind(Kind::Transport),
        "TLS failed.",
        "Check the certificate; name the registry's CA if it has its own.";
    TRANSPORT_TIMEOUT = "transport.timeout", kind(Kind::Transport),
        "No answer in time.",
        "Try again, or allow more time.";
    TRANSPORT_RESET = "transport.reset", kind(Kind::Transport),
        "The connection broke.",
        "Try again.";
    TRANSPORT_OTHER = "transport.other", kind(Kind::Transport),
        "The request could not be completed.",
        "The transport's own words say why.";
    TRANSPORT_STORAGE = "transport.storage", kind(Kind::Transport),
        "What came could not be stored, or what was to be sent could not be read.",
        "Check the room on the disk and the permissions.";
    TRANSPORT_FORBIDDEN = "transport.forbidden", kind(Kind::Denied),
        "The caller does not allow connections to this host.",
        "Name the host in `allow` if it is to be trusted.";
    ABORTED = "exchange.aborted", kind(Kind::Aborted),
        "The caller gave up.",
        "Nothing is left to do.";

    // limit
    LIMIT_BODY = "limit.body", kind(Kind::Limit),
        "An answer is larger than its limit.",
        "Raise the limit in a program's Limits if the registry is to be trusted; the command line has no option for it.";
    LIMIT_BLOB = "limit.blob", kind(Kind::Limit),
        "A part of the chart is larger than its limit.",
        "Raise the limit in a program's Limits if the chart is to be trusted; the command line has no option for it.";
    LIMIT_PAGES = "limit.pages", kind(Kind::Limit),
        "A list of a registry's has more pages or entries than its limit.",
        "Raise the limit in a program's Limits if the registry is to be trusted; the command line has no option for it.";
    LIMIT_COPY = "limit.copy", kind(Kind::Limit),
        "What is to be copied is more than one copy takes: manifests, their bytes, or blobs.",
        "Copy what the index lists one by one, or without referrers.";
    LIMIT_REDIRECTS = "limit.redirects", kind(Kind::Limit),
        "There are more redirects than the limit.",
        "Check the registry, and the proxy before it.";
    LIMIT_DOCUMENT = "limit.document", kind(Kind::Limit),
        "The document is larger than its limit.",
        "Raise the limit in a program's Limits if the document is to be trusted; the command line has no option for it.";
    LIMIT_DEPTH = "limit.depth", kind(Kind::Limit),
        "A YAML or JSON document nests too deeply.",
        "Raise depth in a program's Limits if the document is to be trusted; the command line has no option for it.";
    LIMIT_NODES = "limit.nodes", kind(Kind::Limit),
        "A YAML document has too many nodes, those of its aliases included; or all values of the charts in a chart have.",
        "Raise nodes in a program's Limits if the document is to be trusted; the command line has no option for it.";
    LIMIT_ALIASES = "limit.aliases", kind(Kind::Limit),
        "Aliases make nearly all nodes of a YAML document, which Helm refuses too; or more text than one may have.",
        "Write the repeated parts out, or repeat them less often; `document` in the limits bounds the text.";
    LIMIT_ARCHIVE = "limit.archive", kind(Kind::Limit),
        "The archive is larger than the limit allows.",
        "Raise `archive` in the limits if you trust where it comes from.";
    LIMIT_UNPACKED = "limit.unpacked", kind(Kind::Limit),
        "The unpacked chart is larger than the limit allows.",
        "Raise `unpacked` in the limits if you trust where it comes from; Helm stops at 100 MiB, too.";
    LIMIT_RATIO = "limit.ratio", kind(Kind::Limit),
        "The archive unpacks to far more than its size, as bombs do.",
        "Raise `ratio` in the limits if you trust where it comes from.";
    LIMIT_FILE = "limit.file", kind(Kind::Limit),
        "A file of the chart is larger than the limit allows.",
        "Leave the file out by .helmignore, or raise `file` in the limits.";
    LIMIT_FILES = "limit.files", kind(Kind::Limit),
        "The archive has more entries than the limit allows.",
        "Raise `files` in the limits if you trust where it comes from.";
    LIMIT_NESTING = "limit.nesting", kind(Kind::Limit),
        "Charts are nested deeper than the limit allows.",
        "Raise `nesting` in the limits if you trust where it comes from.";
    // files: what the host's system says
    FILES_NOT_FOUND = "files.not_found", kind(Kind::NotFound),
        "The file or directory is not there.",
        "Check the path.";
    FILES_IS_DIRECTORY = "files.is_directory", kind(Kind::Misuse),
        "A directory stands where a file is expected.",
        "Name the chart's archive (.tgz); package the directory first.";
    FILES_NOT_DIRECTORY = "files.not_directory", kind(Kind::Misuse),
        "A file stands where a directory is expected.",
        "Name the chart's directory: the one that holds Chart.yaml.";
    FILES_DENIED = "files.denied", kind(Kind::Misuse),
        "The system does not allow access to the file.",
        "Check the permissions of the file and of the directories above it.";
    FILES_EXISTS = "files.exists", kind(Kind::Conflict),
        "Something of that name is there already.",
        "Remove it, or choose another place.";
    FILES_STORAGE = "files.storage", kind(Kind::Transport),
        "The file could not be read or written.",
        "Check the room on the disk; the system's own words say more.";
    FILES_CHANGED = "files.changed", kind(Kind::Conflict),
        "The file was changed while it was read.",
        "Try again once nobody writes to it any more.";
    FILES_LINK = "files.link", kind(Kind::Invalid),
        "The chart's directory has a symbolic link.",
        "Put the file itself in its place, or name the link in .helmignore: it may lead anywhere.";
    FILES_IRREGULAR = "files.irregular", kind(Kind::Invalid),
        "The chart's directory has a device, a socket or a pipe.",
        "Remove it, or name it in .helmignore.";
    FILES_NAME = "files.name", kind(Kind::Invalid),
        "A path of the chart cannot be written on every system.",
        "Rename the file: no name that Windows reserves, no control character, no two names that differ in case alone.";

    // server
    SERVER_NOT_A_LAYOUT = "server.not_a_layout", kind(Kind::Misuse),
        "The directory that a registry is to serve holds something else.",
        "Name an empty directory, one that does not exist yet, or an OCI image layout.";
    SERVER_STORAGE = "server.storage", kind(Kind::Misuse),
        "The directory that a registry is to serve cannot be read or written.",
        "Check the directory's permissions and the room on its disk.";

    // findings of check: Chart.yaml. Where `helm lint` has the rule, the severity is its own.
    CHART_API_VERSION_MISSING = "chart.api_version_missing", finding(Severity::Error),
        "The chart has no apiVersion; `helm lint` refuses it.",
        "Write apiVersion: v2, and move what requirements.yaml lists into Chart.yaml.";
    CHART_UNQUOTED = "chart.unquoted", finding(Severity::Error),
        "A number or a boolean stands where a text is meant: Helm reads 1.10 as 1.1, and `helm lint` refuses it.",
        "Put it in quotes.";
    CHART_COERCED = "chart.coerced", finding(Severity::Warning),
        "What stands without quotes is read as another text than was written.",
        "Put it in quotes.";
    CHART_DATE = "chart.date", finding(Severity::Info),
        "A date stands without quotes; Helm takes it for a text, other readers of YAML for a moment.",
        "Put it in quotes.";
    CHART_VERSION_LOOSE = "chart.version_loose", finding(Severity::Warning),
        "The chart's version is no semantic version in the strict sense; ranges never pick it from a registry.",
        "Write MAJOR.MINOR.PATCH without a leading v.";
    CHART_VERSION_LOWEST = "chart.version_lowest", finding(Severity::Error),
        "The version is the lowest that there is; `helm lint` refuses it.",
        "Start with 0.1.0.";
    CHART_VERSION_BUILD = "chart.version_build", finding(Severity::Info),
        "The version has build metadata; tags have no +, so Helm writes _ there.",
        "Leave the part from + on out, if the chart is to be found under its very version.";
    CHART_NAME_FORM = "chart.name_form", finding(Severity::Warning),
        "A chart of this name cannot be pushed to a registry.",
        "Use lower-case letters and digits, with single . _ or - between them.";
    CHART_ICON = "chart.icon", finding(Severity::Info),
        "The chart has no icon.",
        "Set icon in Chart.yaml to the URL of an image, for catalogues to show.";
    CHART_URL = "chart.url", finding(Severity::Error),
        "What should be a URL is none; `helm lint` refuses it.",
        "Write a whole URL, with https:// in front.";
    CHART_HOME = "chart.home", finding(Severity::Warning),
        "The chart's home is no URL.",
        "Write a whole URL, with https:// in front.";
    CHART_EMAIL = "chart.email", finding(Severity::Error),
        "A maintainer's email is no address; `helm lint` refuses it.",
        "Write the bare address: name@example.com.";
    CHART_UNKNOWN_KEY = "chart.unknown_key", finding(Severity::Warning),
        "Helm drops a key that it does not know.",
        "Correct the key, or move it below annotations.";
    CHART_MAINTAINER_NAME = "chart.maintainer_name", finding(Severity::Error),
        "A maintainer has no name; `helm lint` refuses it.",
        "Give every entry of maintainers a name.";
    CHART_DESCRIPTION = "chart.description", finding(Severity::Info),
        "The description has several lines; Helm makes one of them.",
        "Keep it to one sentence, and write the rest into README.md.";
    CHART_KUBE_VERSION = "chart.kube_version", finding(Severity::Error),
        "kubeVersion is no range of versions; Helm installs such a chart nowhere.",
        "Write for example >=1.25.0-0.";
    CHART_KUBE_PRERELEASE = "chart.kube_prerelease", finding(Severity::Warning),
        "kubeVersion shuts out clusters whose version has a suffix, such as v1.30.5-gke.1.",
        "Append -0 to the version: >=1.25.0-0.";
    CHART_NEEDS_V2 = "chart.needs_v2", finding(Severity::Error),
        "Chart.yaml has a field that apiVersion v1 does not know; `helm lint` refuses it.",
        "Write apiVersion: v2.";
    CHART_DEPRECATED = "chart.deprecated", finding(Severity::Info),
        "The chart is marked as deprecated.",
        "Say in the description what takes its place.";
    CHART_DEPENDENCY_RANGE = "chart.dependency_range", finding(Severity::Error),
        "The version of a dependency is no range of versions.",
        "Write for example ^1.2, ~1.2.3, >=1 <3 or 1.x || 2.x.";
    CHART_EMPTY_RANGE = "chart.empty_range", finding(Severity::Warning),
        "No version at all is in a range, of Kubernetes or of a dependency.",
        "Within an alternative all conditions have to hold; || stands between alternatives.";
    CHART_DEPENDENCY_INCOMPLETE = "chart.dependency_incomplete", finding(Severity::Warning),
        "A dependency lacks what Helm needs to fetch it.",
        "Give it name, version and repository.";
    CHART_ALIAS_GLOBAL = "chart.alias_global", finding(Severity::Warning),
        "A dependency is called global, the key under which all charts share values.",
        "Give it another alias.";
    CHART_REPOSITORY = "chart.repository", finding(Severity::Warning),
        "The repository of a dependency is of no form that Helm knows.",
        "Write oci://HOST/PATH, without the chart's name, or https://HOST/PATH.";
    CHART_REPOSITORY_FILE = "chart.repository_file", finding(Severity::Warning),
        "The repository of a dependency is a directory; it is not there where the published chart is.",
        "Publish that chart, and name the registry.";
    CHART_REPOSITORY_HTTP = "chart.repository_http", finding(Severity::Warning),
        "The repository of a dependency is fetched in the clear.",
        "Use https://, or oci://.";
    CHART_REPOSITORY_NAME = "chart.repository_name", finding(Severity::Warning),
        "The repository of a dependency is a name that only this machine's configuration explains.",
        "Write its URL.";
    CHART_REQUIREMENTS = "chart.requirements", finding(Severity::Warning),
        "requirements.yaml stands beside a Chart.yaml of another apiVersion than v1, or has more than dependencies: Helm merges it.",
        "Keep the dependencies alone in it; where apiVersion is v2, in Chart.yaml.";

    // findings of check: a chart's files
    CHART_DEPENDENCY_ABSENT = "chart.dependency_absent", finding(Severity::Warning),
        "A chart that is declared as a dependency is not in charts/.",
        "Fetch it with `helm dependency build`, or remove it from Chart.yaml.";
    CHART_DEPENDENCY_UNDECLARED = "chart.dependency_undeclared", finding(Severity::Error),
        "A chart in charts/ is not declared as a dependency; `helm lint` refuses it.",
        "Declare it in Chart.yaml, or remove it.";
    CHART_DEPENDENCY_VERSION = "chart.dependency_version", finding(Severity::Warning),
        "A chart in charts/ has another version than Chart.yaml asks for.",
        "Fetch it anew with `helm dependency update`.";
    CHART_FOLDER = "chart.folder", finding(Severity::Warning),
        "The folder in the archive is not called like the chart.",
        "Pack the chart with `package`.";
    CHART_FILENAME = "chart.filename", finding(Severity::Warning),
        "The archive is not called NAME-VERSION.tgz.",
        "Rename it, or pack the chart anew: provenance and repositories go by that name.";
    CHART_FILE_NAME = "chart.file_name", finding(Severity::Warning),
        "A file or folder is called nearly as one that Helm reads; it reads only the very name.",
        "Rename it.";
    CHART_BIG_FILE = "chart.big_file", finding(Severity::Warning),
        "A file is larger than 5 MiB; Helm 3.17.3 to 4.2 refuse the chart.",
        "Leave the file out by .helmignore.";
    ARCHIVE_STAMP = "archive.stamp", finding(Severity::Info),
        "The gzip header names a time or a file, so packing the same files again gives another digest.",
        "Pack it with `package`; behind tar, use `gzip -n`.";
    VALUES_MISSING = "values.missing", finding(Severity::Info),
        "The chart has no values.yaml.",
        "Add one, with a comment on each value: users look there first.";
    TEMPLATE_MISSING = "template.missing", finding(Severity::Warning),
        "The chart has no templates.",
        "Put the manifests into templates/; see that .helmignore does not swallow them.";
    TEMPLATE_EXTENSION = "template.extension", finding(Severity::Error),
        "A file in templates/ has an ending that `helm lint` refuses.",
        "End it in .yaml, .yml, .tpl or .txt, or move it out of templates/.";
    CRD_KIND = "crd.kind", finding(Severity::Error),
        "A manifest in crds/ is no CustomResourceDefinition; `helm lint` refuses it.",
        "Move it to templates/.";
    CRD_API_VERSION = "crd.api_version", finding(Severity::Error),
        "A manifest in crds/ is not of apiextensions.k8s.io; `helm lint` refuses it.",
        "Write apiVersion: apiextensions.k8s.io/v1.";
    IGNORE_MISSING = "ignore.missing", finding(Severity::Info),
        "The chart has no .helmignore; whatever lies in its directory is packed.",
        "Add one that names .git/, *.tgz, and what editors leave behind.";
    IGNORE_SWALLOWS = "ignore.swallows", finding(Severity::Warning),
        "A pattern in .helmignore leaves out what the chart needs.",
        "Make the pattern narrower; a leading / ties it to the chart's root.";
    IGNORE_NEGATION = "ignore.negation", finding(Severity::Warning),
        "A pattern in .helmignore begins with !; Helm then leaves out all that does not match it.",
        "Remove it: unlike in .gitignore, it brings nothing back.";

    // findings of check: Chart.lock
    LOCK_DIGEST = "lock.digest", finding(Severity::Warning),
        "The lock's digest is none, or of other dependencies; `helm dependency build` refuses the lock.",
        "Make it anew with `helm dependency update`.";
    LOCK_ENTRY = "lock.entry", finding(Severity::Warning),
        "An entry of the lock names no chart or version, or does not fit the dependency that is declared.",
        "Make the lock anew with `helm dependency update`.";

    // findings of check: values and their schema
    VALUES_COMMENT = "values.comment", finding(Severity::Warning),
        "A comment describes a value that is not there.",
        "Correct the comment's key, or remove the comment.";
    VALUES_NULL = "values.null", finding(Severity::Info),
        "A null removes the default of a chart in charts/.",
        "Remove the key, if its default is wanted.";
    SCHEMA_REMOTE = "schema.remote", finding(Severity::Warning),
        "The schema refers to another document, which Helm fetches whenever the chart is used.",
        "Copy what is needed into $defs, and refer to it there.";
    SCHEMA_UNJUDGED = "schema.unjudged", finding(Severity::Info),
        "The defaults were not judged by values.schema.json: the caller brought nobody who knows JSON Schema.",
        "Give `check` the option schema, from chartoci/schema; in Rust build with the feature `schema`.";
    SCHEMA_GLOBAL = "schema.global", finding(Severity::Warning),
        "The schema forbids the key global, so the chart fails as soon as it is another chart's dependency.",
        "Add \"global\": {\"type\": \"object\"} to properties.";

    // findings of check: index.yaml
    INDEX_API_VERSION = "index.api_version", finding(Severity::Error),
        "The index has no apiVersion; Helm refuses it.",
        "Write apiVersion: v1.";
    INDEX_EMPTY = "index.empty", finding(Severity::Error),
        "The index is empty; Helm refuses it.",
        "Make it with `helm repo index`.";
    INDEX_UNKNOWN_KEY = "index.unknown_key", finding(Severity::Error),
        "The index has a key that Helm does not know; it refuses the whole index.",
        "Correct or remove the key.";
    INDEX_DUPLICATE_KEY = "index.duplicate_key", finding(Severity::Error),
        "The index has a key twice; Helm refuses the whole index.",
        "Remove one of them.";
    INDEX_ENTRY = "index.entry", finding(Severity::Warning),
        "Helm passes over an entry that is no valid chart.",
        "Mend the chart, and make the index anew.";
    INDEX_NAME = "index.name", finding(Severity::Warning),
        "A chart stands in the list of another name.",
        "Move the entry to the list of its own name.";
    INDEX_VERSION_TWICE = "index.version_twice", finding(Severity::Warning),
        "A version is listed twice; which of them Helm takes is open.",
        "Remove one of the entries.";
    INDEX_ORDER = "index.order", finding(Severity::Info),
        "The versions are not listed newest first.",
        "Make the index anew with `helm repo index`.";
    INDEX_DIGEST = "index.digest", finding(Severity::Warning),
        "An entry has no digest, or one that is no SHA-256; Helm 4 stops at one of the wrong form.",
        "Write the archive's SHA-256 as 64 hexadecimal digits.";
    INDEX_URL = "index.url", finding(Severity::Warning),
        "An entry has no URL, or one from which nothing can be fetched.",
        "Write the archive's URL, absolute or relative to the index.";

    // findings of check: manifest, config and chart against each other
    ARTIFACT_TAG = "artifact.tag", finding(Severity::Warning),
        "The tag is not that of the chart's version.",
        "Push the chart anew: its tag is its version, with _ for +.";
    ARTIFACT_CONFIG = "artifact.config", finding(Severity::Warning),
        "The config says something else than the chart's Chart.yaml.",
        "Push the chart anew; what only reads the config was told something wrong.";
    ARTIFACT_ANNOTATION = "artifact.annotation", finding(Severity::Warning),
        "An annotation says something else than the chart's Chart.yaml.",
        "Push the chart anew; catalogues show the annotations.";
    ARTIFACT_LAYER = "artifact.layer", finding(Severity::Error),
        "A part of the artifact is not what the manifest names.",
        "Fetch it again; if that does not help, push the chart anew.";
    ARTIFACT_UNKNOWN_LAYER = "artifact.unknown_layer", finding(Severity::Info),
        "A layer is of a type that Helm does not know; it leaves the layer alone.",
        "Nothing has to be done if another program reads it.";
    ARTIFACT_CREATED = "artifact.created", finding(Severity::Info),
        "The manifest names the moment of its making, so pushing the same chart again gives another digest.",
        "Pin org.opencontainers.image.created in the annotations of Chart.yaml, or push without it.";

    // findings of check: provenance
    PROVENANCE_SYNTAX = "provenance.syntax", kind(Kind::Invalid),
        "The text is no provenance: no clearsigned message with Chart.yaml and the archive's digest in it.",
        "Make it anew with `helm package --sign`.";
    PROVENANCE_FILENAME = "provenance.filename", finding(Severity::Error),
        "The provenance names another file than the archive; `helm verify` refuses it.",
        "Give the archive the name that was signed.";
    PROVENANCE_DIGEST = "provenance.digest", finding(Severity::Error),
        "The provenance was made for another archive; `helm verify` refuses it.",
        "Fetch both again; do not use the archive if that does not help.";
    PROVENANCE_UNVERIFIED = "provenance.unverified", kind(Kind::Unsupported),
        "Signatures are not verified yet, so nothing was fetched.",
        "Fetch the chart with its provenance (`provenance`), and have `gpg --verify` or `helm verify` judge the signature.";
    PROVENANCE_METADATA = "provenance.metadata", finding(Severity::Warning),
        "The provenance says something else than the archive's Chart.yaml.",
        "Sign the archive anew.";

    // findings of check: YAML
    YAML_DUPLICATE_KEY = "yaml.duplicate_key", finding(Severity::Warning),
        "A key is written twice in a mapping; the last one counts.",
        "Remove the one that does not count.";
    YAML_DOCUMENTS = "yaml.documents", finding(Severity::Warning),
        "There is more than one document in the file.",
        "Keep one: Helm reads only the first of Chart.yaml, and Helm 3 only the first of values.yaml.";
    YAML_BYTE_ORDER_MARK = "yaml.byte_order_mark", finding(Severity::Info),
        "The file begins with a byte order mark, which is no part of it.",
        "Save the file as UTF-8 without it.";
    YAML_LINE_ENDS = "yaml.line_ends", finding(Severity::Info),
        "The lines end as on Windows.",
        "Save the file with line feeds alone: texts of several lines carry the difference into manifests.";

    // findings of check: values and their schema
    VALUES_SCHEMA = "values.schema", finding(Severity::Error),
        "A value is not what values.schema.json wants; Helm refuses to install the chart.",
        "Change the value, or the schema.";
    SCHEMA_INVALID = "schema.invalid", finding(Severity::Error),
        "values.schema.json is no JSON Schema of its draft.",
        "Mend it at the place that the message names; $schema says which draft it is, without it 2020-12.";
    LIMIT_SCHEMA = "limit.schema", kind(Kind::Limit),
        "Judging values by this schema would take too long or lead too deep; nothing was judged by it.",
        "Write the schema with fewer parts and references to references, and without one that leads back to itself.";

    // findings of check
}

/// One entry of the `errors` list in a registry's answer, as the distribution specification ("Error Codes") has it.
///
/// ```
/// let (code, message) = ("DENIED".to_owned(), "no such team".to_owned());
/// let said = chartoci::error::RegistryError { code, message, detail: String::new() };
/// assert_eq!(chartoci::json::write(&said), br#"{"code":"DENIED","message":"no such team","detail":""}"#);
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RegistryError {
    /// Such as `MANIFEST_UNKNOWN`; a registry may send others than the specification lists.
    pub code: String,
    /// For people; may be empty.
    pub message: String,
    /// Anything the registry adds, as JSON text; may be empty.
    pub detail: String,
}

/// What ended an operation or refused an input.
///
/// ```
/// let error = chartoci::Reference::parse("http://registry.example/web").unwrap_err();
/// assert_eq!(error.code(), chartoci::Code::REFERENCE_SCHEME);
/// assert_eq!(error.kind().as_str(), "invalid");
/// assert!(!error.hint().is_empty());
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Inner>);

#[derive(Clone, PartialEq, Eq)]
struct Inner {
    code: Code,
    message: String,
    hint: Option<String>,
    context: Vec<(&'static str, String)>,
    report: Option<Report>,
    status: Option<u16>,
    registry: Vec<RegistryError>,
    source: Option<Error>,
}

impl Error {
    /// An error of that code. The message is a sentence without a full stop: `tag "a b" has a blank`. What could steer a
    /// terminal in it is escaped: messages quote strangers.
    ///
    /// ```
    /// use chartoci::{Code, Error};
    /// let error = Error::new(Code::REFERENCE_TAG, "the tag \"\u{1b}[2J\" is not valid");
    /// assert_eq!(error.code(), Code::REFERENCE_TAG);
    /// assert!(!error.message().contains('\u{1b}'));
    /// ```
    pub fn new(code: Code, message: impl Into<String>) -> Error {
        Error(Box::new(Inner {
            code,
            message: visible(message.into()),
            hint: None,
            context: Vec::new(),
            report: None,
            status: None,
            registry: Vec::new(),
            source: None,
        }))
    }

    /// Adds one fact: a name from the vocabulary of the specifications, and its value. Never a secret.
    ///
    /// ```
    /// use chartoci::{Code, Error};
    /// let error = Error::new(Code::REFERENCE_TAG, "the tag is not valid").with("tag", "-x").with("length", 2);
    /// assert_eq!(error.context(), [("tag", "-x".to_owned()), ("length", "2".to_owned())]);
    /// ```
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl fmt::Display) -> Error {
        self.0.context.push((name, value.to_string()));
        self
    }

    /// Says in which file, entry or document it happened: before the message, and as a fact of that name.
    ///
    /// ```
    /// use chartoci::{Code, Error};
    /// let error = Error::new(Code::CHART_MISSING, "there is no Chart.yaml").within("entry", "charts/db");
    /// assert_eq!(error.message(), "charts/db: there is no Chart.yaml");
    /// assert_eq!(error.context(), [("entry", "charts/db".to_owned())]);
    /// ```
    #[must_use]
    pub fn within(mut self, name: &'static str, place: impl fmt::Display) -> Error {
        self.0.message = visible(format!("{place}: {}", self.0.message));
        self.with(name, place)
    }

    /// The documents that it names are those of the chart with this root.
    pub(crate) fn in_chart(mut self, root: &str) -> Error {
        if root.is_empty() {
            return self;
        }
        let above = format!("{}/", clip(root));
        for (_, document) in self.0.context.iter_mut().filter(|(name, _)| *name == "document") {
            document.insert_str(0, &above);
        }
        self.0.report = self.0.report.take().map(|report| report.below(&above));
        self
    }

    /// Says in which directory the file lies that it is about; or, where it names none, that it is about the directory.
    #[must_use]
    pub(crate) fn below(mut self, directory: &str) -> Error {
        let found = self.0.context.iter().position(|(name, _)| *name == "path");
        let place = match found.map(|at| self.0.context.remove(at).1) {
            None => directory.to_owned(),
            Some(path) => {
                if let Some(rest) = self.0.message.strip_prefix(&format!("{path}: ")) {
                    self.0.message = rest.to_owned();
                }
                if path == "." { directory.to_owned() } else { format!("{}/{path}", directory.trim_end_matches('/')) }
            }
        };
        self.within("path", place)
    }

    /// Replaces the code's remedy by one that knows the case.
    ///
    /// ```
    /// use chartoci::{Code, Error};
    /// let error = Error::new(Code::ARGUMENT, "there is no section \"crd\"").with_hint("Write crds.");
    /// assert_eq!(error.hint(), "Write crds.");
    /// ```
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Error {
        self.0.hint = Some(hint.into());
        self
    }

    /// Adds the findings that led to the refusal.
    ///
    /// ```
    /// use chartoci::{Code, Diagnostic, Error, Report};
    /// let finding = Diagnostic::new(Code::CHART_NAME, "Chart.yaml", "the chart has no name");
    /// let error = Error::new(Code::CHART_NAME, "the chart has no name").with_report(Report::from_iter([finding]));
    /// assert_eq!(error.report().map(|report| report.errors().count()), Some(1));
    /// ```
    #[must_use]
    pub fn with_report(mut self, report: Report) -> Error {
        self.0.report = Some(report);
        self
    }

    /// Adds what the registry answered.
    ///
    /// ```
    /// use chartoci::{Code, Error, error::RegistryError};
    /// let (code, message) = ("DENIED".to_owned(), "no such team".to_owned());
    /// let said = vec![RegistryError { code, message, detail: String::new() }];
    /// let error = Error::new(Code::AUTH_REFUSED, "the registry refused").with_answer(403, said);
    /// assert_eq!((error.status(), error.registry_errors()[0].code.as_str()), (Some(403), "DENIED"));
    /// ```
    #[must_use]
    pub fn with_answer(mut self, status: u16, errors: Vec<RegistryError>) -> Error {
        self.0.status = Some(status);
        self.0.registry = errors;
        self
    }

    /// Adds the error behind this one.
    ///
    /// ```
    /// use chartoci::{Code, Error};
    /// let cause = Error::new(Code::JSON_SYNTAX, "the text ends too early");
    /// let error = Error::new(Code::NOT_A_REGISTRY, "the list of tags is no JSON").because(cause.clone());
    /// assert_eq!(error.to_string(), "the list of tags is no JSON: the text ends too early");
    /// assert_eq!(error.cause(), Some(&cause));
    /// ```
    #[must_use]
    pub fn because(mut self, source: Error) -> Error {
        self.0.source = Some(source);
        self
    }

    /// What a program branches on. A finding's code used as an error counts as [`Kind::Invalid`].
    pub fn kind(&self) -> Kind {
        match self.0.code.class() {
            Class::Error(kind) => kind,
            Class::Finding(_) => Kind::Invalid,
        }
    }

    /// The stable name of what happened.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// The facts of this case, in the order in which they were added.
    pub fn context(&self) -> &[(&'static str, String)] {
        &self.0.context
    }

    /// What to do about it.
    pub fn hint(&self) -> &str {
        self.0.hint.as_deref().unwrap_or(self.0.code.remedy())
    }

    /// The findings that led to it, where a document was refused.
    pub fn report(&self) -> Option<&Report> {
        self.0.report.as_ref()
    }

    /// The status of the answer that caused it.
    pub fn status(&self) -> Option<u16> {
        self.0.status
    }

    /// What the registry's body said.
    pub fn registry_errors(&self) -> &[RegistryError] {
        &self.0.registry
    }

    /// The error behind this one.
    pub fn cause(&self) -> Option<&Error> {
        self.0.source.as_ref()
    }

    /// The message without its causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        match &self.0.source {
            Some(source) => write!(f, ": {source}"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} [{}]", self, self.0.code)?;
        for (name, value) in &self.0.context {
            write!(f, " {name}={value:?}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_ref().map(|error| error as _)
    }
}

/// As every language shows it: `kind, code, message, hint, context`, and `status, registry_errors, report` where there
/// are any.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("Error", 8)?;
        out.serialize_field("kind", self.kind().as_str())?;
        out.serialize_field("code", self.0.code.name())?;
        out.serialize_field("message", &self.to_string())?;
        out.serialize_field("hint", self.hint())?;
        let context: std::collections::BTreeMap<_, _> = self.0.context.iter().cloned().collect();
        out.serialize_field("context", &context)?;
        out.serialize_field("status", &self.0.status)?;
        out.serialize_field("registry_errors", &self.0.registry)?;
        out.serialize_field("report", &self.0.report)?;
        out.end()
    }
}

/// The message, with escapes for what cannot be printed.
fn visible(message: String) -> String {
    let is_plain = |c: char| matches!(c, ' '..='~' | '\n') || is_printable(c);
    if message.chars().all(is_plain) {
        return message;
    }
    let mut out = String::with_capacity(message.len());
    for c in message.chars() {
        if is_plain(c) { out.push(c) } else { out.extend(c.escape_default()) }
    }
    out
}

/// Enough of a hostile text to recognise it.
pub(crate) fn clip(text: &str) -> String {
    const MOST: usize = 200;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_in_a_message_steers_a_terminal() {
        let error = Error::new(Code::ARGUMENT, "a\u{1b}[2Jb\u{202e}c\nü").within("entry", "x\r\u{7}");
        assert_eq!(error.message(), "x\\r\\u{7}: a\\u{1b}[2Jb\\u{202e}c\nü");
        assert_eq!(error.context(), [("entry", "x\r\u{7}".to_owned())]);
    }

    #[test]
    fn names_are_unique_and_of_the_form_area_dot_what() {
        let mut names: Vec<_> = codes().map(Code::name).collect();
        for name in &names {
            let (area, what) = name.split_once('.').unwrap();
            assert!(!area.is_empty() && !what.is_empty(), "{name}");
            assert!(name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._".contains(&b)), "{name}");
        }
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn every_code_says_what_it_means_and_what_to_do() {
        for code in codes() {
            assert!(code.meaning().ends_with('.') && code.remedy().ends_with('.'), "{code}");
        }
    }
}

//! An example for each code: what was given, or what was answered.

use super::Code;

impl Code {
    /// What leads to it: a piece of a document, a command, an answer. Several lines where it takes them.
    ///
    /// ```
    /// assert_eq!(chartoci::Code::CHART_UNQUOTED.example(), "Chart.yaml: appVersion: 1.10");
    /// ```
    pub fn example(self) -> &'static str {
        EXAMPLES.iter().find(|(name, _)| *name == self.name()).map_or("", |(_, example)| example)
    }
}

/// In the order of the table of codes.
const EXAMPLES: &[(&str, &str)] = &[
    ("misuse.looks_like_content", "chartoci.check(\"name: web\\nversion: 1.0.0\\n\")"),
    ("misuse.argument", "chartoci pull oci://registry.example/charts/web --timeout soon"),
    ("reference.scheme", "chartoci pull https://registry.example/charts/web"),
    ("reference.userinfo", "chartoci pull oci://ada:secret@registry.example/charts/web"),
    ("reference.registry", "chartoci pull oci://registry_example/charts/web"),
    ("reference.repository", "chartoci pull oci://registry.example/Charts/Web"),
    ("reference.tag", "chartoci pull oci://registry.example/charts/web:-1"),
    ("reference.digest", "chartoci pull oci://registry.example/charts/web@sha256:abc"),
    ("reference.push_target", "chartoci push web-1.0.0.tgz oci://registry.example/charts/web:1.0.0"),
    ("reference.version", "chartoci pull oci://registry.example/charts/web:1.0.0 --version 2.0.0"),
    ("version.syntax", "chartoci package web --version one"),
    ("version.constraint", "chartoci versions oci://registry.example/charts/web '>> 1'"),
    ("archive.gzip", "chartoci show chart web.zip"),
    ("archive.checksum", "a .tgz of which one bit was turned over"),
    ("archive.truncated", "head -c 1000 web-1.0.0.tgz > web.tgz; chartoci show chart web.tgz"),
    ("archive.tar", "a .tgz whose tar header has a wrong checksum"),
    ("archive.empty", "tar czf web.tgz --files-from /dev/null; chartoci show chart web.tgz"),
    ("archive.outside", "tar czf web.tgz Chart.yaml values.yaml; chartoci show chart web.tgz"),
    ("archive.absolute", "an entry called /etc/passwd"),
    ("archive.parent", "an entry called web/../../.bashrc"),
    ("archive.name", "an entry called web/C:/x, or web/con.yaml"),
    ("archive.top_folder", "entries called web/Chart.yaml and api/Chart.yaml"),
    ("archive.duplicate", "two entries called web/Chart.yaml"),
    ("archive.link", "ln -s /etc/passwd web/passwd; tar czf web.tgz web; chartoci show chart web.tgz"),
    ("archive.entry_kind", "tar --sparse -czf web.tgz web; chartoci show chart web.tgz"),
    ("chart.missing", "tar czf web.tgz web/values.yaml; chartoci show chart web.tgz"),
    ("chart.api_version", "Chart.yaml: apiVersion: v7"),
    ("chart.dependencies_missing", "chartoci package web, with dependencies in Chart.yaml and nothing in charts/"),
    ("values.mapping", "values.yaml: - replicas: 1"),
    ("ignore.pattern", ".helmignore: a/**/b"),
    ("chart.field_type", "Chart.yaml: keywords: web"),
    ("chart.name", "Chart.yaml: name: team/web"),
    ("chart.version", "Chart.yaml: version: latest"),
    ("chart.type", "Chart.yaml: type: service"),
    ("chart.maintainer", "Chart.yaml: maintainers: [~]"),
    ("chart.dependency", "Chart.yaml: dependencies: [~]"),
    ("chart.alias", "Chart.yaml: dependencies: [{name: redis, alias: cache.main}]"),
    ("chart.duplicate_dependency", "Chart.yaml: dependencies: [{name: redis}, {name: redis}]"),
    ("yaml.syntax", "values.yaml: image: {tag: \"1.0\""),
    ("yaml.encoding", "a values.yaml that was saved as UTF-16 or Latin-1"),
    ("yaml.alias", "values.yaml: a: *defaults"),
    ("yaml.merge", "values.yaml: a: {<<: 1}"),
    ("yaml.key", "values.yaml: {[a, b]: 1}"),
    ("yaml.tag", "values.yaml: a: !!int one"),
    ("yaml.number", "values.yaml: limit: .inf"),
    ("json.syntax", "values.schema.json: {\"type\": \"object\",}"),
    ("json.duplicate", "{\"size\": 1, \"size\": 2}"),
    ("manifest.shape", "a manifest that is a list, or an index"),
    ("index.shape", "an index with \"layers\""),
    ("manifest.descriptor", "{\"mediaType\": \"application/json\", \"size\": 2}, without a digest"),
    ("manifest.schema_version", "{\"schemaVersion\": 1, …}"),
    ("manifest.media_type", "a manifest with \"mediaType\": \"application/vnd.oci.image.index.v1+json\""),
    ("manifest.no_layers", "{\"layers\": []}"),
    ("manifest.artifact_type", "a config of the type application/vnd.oci.empty.v1+json, and no artifactType"),
    ("manifest.digest_algorithm", "\"digest\": \"md5:…\""),
    ("manifest.annotation", "\"annotations\": {\"replicas\": 3}"),
    ("artifact.not_a_chart", "chartoci pull oci://registry.example/library/alpine:3"),
    ("artifact.no_chart", "a chart's config, and layers of other types alone"),
    ("artifact.several_charts", "two layers of the type application/vnd.cncf.helm.chart.content.v1.tar+gzip"),
    ("artifact.several_provenances", "two layers of the type application/vnd.cncf.helm.chart.provenance.v1.prov"),
    ("artifact.legacy_chart", "a layer of the type application/tar+gzip"),
    ("auth.credentials_file", "a config.json that is cut off in the middle"),
    ("auth.helper", "docker-credential-pass get: exit status 1, the keychain is locked"),
    (
        "auth.helper_missing",
        "{\"credsStore\": \"desktop\"} in ~/.docker/config.json, and no docker-credential-desktop in PATH",
    ),
    ("auth.required", "401, and no credential for this registry is stored"),
    ("auth.refused", "401 again, with the credential"),
    ("auth.forbidden", "403, or a token that allows pull and not push"),
    ("auth.challenge", "401 with WWW-Authenticate: Negotiate"),
    ("auth.realm", "401 with WWW-Authenticate: Bearer realm=\"http://169.254.169.254/\""),
    ("auth.token", "the token server answers 200 with a page to log in"),
    ("auth.foreign", "a redirect to another host, which answers 401"),
    ("registry.manifest_unknown", "chartoci pull oci://registry.example/charts/web:9.9.9"),
    ("registry.blob_unknown", "404 for a layer that the manifest names"),
    ("registry.repository_unknown", "chartoci tags oci://registry.example/charts/wbe"),
    ("registry.version_unknown", "chartoci pull oci://registry.example/charts/web --version '>9'"),
    ("registry.exists", "client.push(chart, target, if_exists=\"refuse\"), for the second time"),
    ("registry.conflict", "409: the tag is immutable"),
    ("registry.too_large", "413 Request Entity Too Large"),
    ("registry.busy", "429 Too Many Requests, again and again"),
    ("registry.failed", "503 Service Unavailable, again and again"),
    ("registry.unsupported", "405, or 404 for the upload of a blob"),
    ("registry.refused", "400 with an error that no specification names"),
    ("protocol.not_registry", "200 with an HTML page where a manifest was asked for"),
    ("protocol.status", "418 I'm a teapot"),
    ("protocol.answer", "a list of tags that is no JSON"),
    ("protocol.location", "202 to an upload, without Location"),
    ("protocol.redirect", "307 from https://registry.example to http://cdn.example"),
    ("protocol.link", "a second page whose link leads to the first"),
    ("protocol.media_type", "Content-Type says manifest, mediaType inside says index"),
    ("integrity.digest_mismatch", "a proxy that rewrites what goes through it"),
    ("integrity.size_mismatch", "a layer of 900 bytes where the manifest says 1000"),
    (
        "integrity.tag_mismatch",
        "chartoci pull oci://registry.example/charts/web:1.0.0@sha256:…, after the tag was moved",
    ),
    ("transport.connect", "chartoci tags oci://localhost:1/web"),
    ("transport.tls", "a certificate that nobody has signed"),
    ("transport.timeout", "chartoci pull oci://registry.example/charts/web --timeout 1"),
    ("transport.reset", "the registry is restarted while a layer comes"),
    ("transport.other", "a proxy that cannot be reached"),
    ("transport.storage", "the disk is full"),
    ("transport.forbidden", "Client(allow={\"registry.example\"}), and a redirect to cdn.example"),
    ("exchange.aborted", "Ctrl-C, or an AbortSignal"),
    ("limit.body", "a manifest of 5 MiB"),
    ("limit.blob", "a layer of 200 MiB"),
    ("limit.pages", "a list of tags that never ends"),
    ("limit.redirects", "a redirect to itself"),
    ("limit.document", "a values.yaml of 20 MiB"),
    ("limit.depth", "values.yaml: [[[[… 200 levels"),
    ("limit.nodes", "values.yaml with two million entries"),
    ("limit.aliases", "values.yaml: a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b] … and so on"),
    ("limit.archive", "chartoci show chart huge.tgz, of 200 MiB"),
    ("limit.unpacked", "an archive of 100 kB that unpacks to 1 GiB"),
    ("limit.file", "Limits(file=1_000_000), and a README of 2 MB"),
    ("limit.files", "an archive of 100,000 empty files"),
    ("limit.nesting", "a chart in charts/ of a chart in charts/ … ten levels"),
    ("files.not_found", "chartoci show chart no-such-chart"),
    ("files.is_directory", "chartoci push web/ oci://registry.example/charts"),
    ("files.not_directory", "chartoci package web/Chart.yaml"),
    ("files.denied", "chartoci pull … -d /root"),
    ("files.exists", "chartoci pull … --untar, where a directory web is already"),
    ("files.storage", "the disk is full"),
    ("files.link", "ln -s ../secret web/secret; chartoci package web"),
    ("files.irregular", "mkfifo web/pipe; chartoci package web"),
    ("files.name", "chartoci pull … --untar of a chart that has README and readme"),
    ("server.not_a_layout", "chartoci serve /etc"),
    ("server.storage", "chartoci serve /proc/registry"),
    ("check.kind", "chartoci check web-1.0.0.tgz.prov"),
    ("chart.api_version_missing", "a Chart.yaml of name and version alone"),
    ("chart.unquoted", "Chart.yaml: appVersion: 1.10"),
    ("chart.version_loose", "Chart.yaml: version: v1.2"),
    ("chart.icon", "a Chart.yaml without icon"),
    ("chart.unknown_key", "Chart.yaml: appVerison: \"1.0\""),
    ("chart.maintainer_name", "Chart.yaml: maintainers: [{email: ada@example.org}]"),
    ("chart.dependency_range", "Chart.yaml: dependencies: [{name: redis, version: 1 ||| 2}]"),
    ("chart.requirements", "apiVersion: v2 in Chart.yaml, and a requirements.yaml beside it"),
    ("yaml.duplicate_key", "values.yaml: replicas: 1\nimage: web\nreplicas: 2"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::codes;

    #[test]
    fn examples_are_of_known_codes_each_once() {
        for (at, (name, example)) in EXAMPLES.iter().enumerate() {
            assert!(Code::find(name).is_some(), "{name}");
            assert!(!example.is_empty() && !EXAMPLES[..at].iter().any(|(known, _)| known == name), "{name}");
        }
        assert!(codes().filter(|code| code.example().is_empty()).count() < 40);
    }
}

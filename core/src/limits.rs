//! The bounds on what is read, in one struct. All input is hostile: each limit is checked before memory is given. What
//! bounds work rather than size stands where the work is done, as `MOST_…`.

/// Bounds on what is read. All sizes are bytes.
///
/// The defaults accept everything that Helm 4.3 accepts and stop what would exhaust a laptop.
///
/// ```
/// let limits = chartoci::Limits { unpacked: 512 << 20, ..chartoci::Limits::default() };
/// assert_eq!(limits.manifest, 4 << 20);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// A packed archive, or any other blob that is held in memory. 128 MiB.
    pub archive: u64,
    /// All files of an archive together, unpacked, nested archives included. 100 MiB, as Helm
    /// (`MaxDecompressedChartSize`, from 3.17.3 on).
    pub unpacked: u64,
    /// One file of an archive. 100 MiB: Helm 4.3 limits the whole only; 3.17.3 to 4.2 had 5 MiB here.
    pub file: u64,
    /// Unpacked bytes for each packed byte, nested archives included. 1,100: deflate comes to 1,032, only archives within
    /// archives get beyond that. Real charts come to 20; services that unpack what strangers send may ask for less.
    pub ratio: u32,
    /// Entries of an archive, nested archives included. 65,536.
    pub files: u32,
    /// Archives within archives. 8.
    pub nesting: u32,
    /// A YAML or JSON document that is parsed; and of YAML once more as much text, of what its aliases stand for. 16 MiB.
    pub document: u64,
    /// Nesting of a YAML document. 128 levels. (A JSON document has 127 at most, whatever the limits.)
    pub depth: u32,
    /// Nodes of a YAML document after aliases were expanded. 1,000,000.
    pub nodes: u32,
    /// A manifest or index. 4 MiB, as the distribution specification ("Pushing Manifests") and oras-go.
    pub manifest: u64,
    /// A config blob that is read. 1 MiB.
    pub config: u64,
    /// A provenance file. 1 MiB.
    pub provenance: u64,
    /// A token server's answer. 128 KiB, as oras-go.
    pub token: u64,
    /// An error's body; what lies beyond is dropped. 64 KiB, as go-containerregistry.
    pub error_body: u64,
    /// One page of a list. 4 MiB.
    pub page: u64,
    /// Pages of a list. 1,000.
    pub pages: u32,
    /// All tags of a list, from all its pages, each with 32 bytes besides its own. 64 MiB: more than a million tags.
    pub tags: u64,
    /// Redirects that are followed, per request. 5.
    pub redirects: u32,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Limits {
            archive: 128 * MIB,
            unpacked: 100 * MIB,
            file: 100 * MIB,
            ratio: 1_100,
            files: 65_536,
            nesting: 8,
            document: 16 * MIB,
            depth: 128,
            nodes: 1_000_000,
            manifest: 4 * MIB,
            config: MIB,
            provenance: MIB,
            token: 128 << 10,
            error_body: 64 << 10,
            page: 4 * MIB,
            pages: 1_000,
            tags: 64 * MIB,
            redirects: 5,
        }
    }
}

//! A file of users and passwords as `htpasswd -B` writes it: the only kind that Docker's registry believes, too.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;

use chartoci::{Code, Digest, Error};
use pyo3::prelude::*;

use crate::data::lock;
use crate::errors::Raise;

/// Claims that are remembered as true.
const MOST_REMEMBERED: usize = 1024;

/// Users and the bcrypt hashes of their passwords; threads may share it.
#[pyclass(frozen, module = "chartoci._native")]
pub(crate) struct Htpasswd {
    hashes: BTreeMap<String, String>,
    /// Of claims that were true, under a seed that nobody knows: bcrypt is slow, and each request brings its claim.
    remembered: Mutex<BTreeSet<Digest>>,
    seed: String,
    /// One at a time: who guesses passwords shall not have every core.
    slow: Mutex<()>,
}

#[pymethods]
impl Htpasswd {
    /// Reads the text of such a file.
    #[new]
    fn new(py: Python<'_>, text: &str, seed: String, path: &str) -> PyResult<Htpasswd> {
        let hashes = parse(text).map_err(|error| error.with("path", path)).raise(py)?;
        Ok(Htpasswd { hashes, remembered: Mutex::default(), seed, slow: Mutex::new(()) })
    }

    /// Whether this is the user's password.
    fn check(&self, py: Python<'_>, username: String, password: String) -> bool {
        py.detach(|| {
            let claim = Digest::of(format!("{}\0{username}\0{password}", self.seed).as_bytes());
            if lock(&self.remembered).contains(&claim) {
                return true;
            }
            let _slow = lock(&self.slow);
            // A name that nobody has takes as long as one that somebody has.
            let hash = self.hashes.get(&username).or_else(|| self.hashes.values().next());
            let same = hash.is_some_and(|hash| bcrypt::verify(&password, hash).unwrap_or(false));
            if !same || !self.hashes.contains_key(&username) {
                return false;
            }
            let mut remembered = lock(&self.remembered);
            if remembered.len() >= MOST_REMEMBERED {
                remembered.clear();
            }
            remembered.insert(claim);
            true
        })
    }
}

fn parse(text: &str) -> Result<BTreeMap<String, String>, Error> {
    let mut hashes = BTreeMap::new();
    for (number, line) in text.lines().enumerate().map(|(number, line)| (number + 1, line.trim())) {
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |why: &str| {
            Error::new(Code::ARGUMENT, format!("line {number} of the password file {why}"))
                .with("line", number.to_string())
                .with_hint("Write it with `htpasswd -B`: other hashes are too weak to be believed.")
        };
        let (username, hash) = line.split_once(':').ok_or_else(|| wrong("has no colon"))?;
        if hash.parse::<bcrypt::HashParts>().is_err() {
            return Err(wrong("holds no bcrypt hash"));
        }
        hashes.insert(username.to_owned(), hash.to_owned());
    }
    Ok(hashes)
}

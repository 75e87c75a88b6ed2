//! Header fields: names without regard to case, values as text.

use std::fmt;

/// Header fields in order. Names are lower case.
///
/// ```
/// use chartoci::http::Headers;
/// let headers: Headers = [("Content-Type", "text/html")].into_iter().collect();
/// assert_eq!(headers.get("content-type"), Some("text/html"));
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// No fields.
    ///
    /// ```
    /// use chartoci::http::Headers;
    /// let mut headers = Headers::new();
    /// headers.add("WWW-Authenticate", "Basic realm=\"reg\"");
    /// headers.add("www-authenticate", "Negotiate");
    /// assert_eq!(headers.get_all("www-authenticate").count(), 2);
    /// assert_eq!(headers.iter().next(), Some(("www-authenticate", "Basic realm=\"reg\"")));
    /// headers.remove("www-authenticate");
    /// assert_eq!(headers.get("www-authenticate"), None);
    /// ```
    pub fn new() -> Headers {
        Headers::default()
    }

    /// Adds a field; one of that name stays.
    pub fn add(&mut self, name: &str, value: impl Into<String>) {
        self.0.push((name.to_ascii_lowercase(), value.into()));
    }

    /// The first field of that name (given in lower case).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// All fields of that name (given in lower case).
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Removes all fields of that name (given in lower case).
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|(known, _)| known != name);
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl<N: AsRef<str>, V: Into<String>> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Headers {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.add(name.as_ref(), value);
        }
        headers
    }
}

impl fmt::Debug for Headers {
    /// Without secrets: Authorization and cookies are blotted out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map()
            .entries(self.iter().map(|(name, value)| match name {
                "authorization" | "proxy-authorization" | "cookie" | "set-cookie" => (name, "…"),
                _ => (name, value),
            }))
            .finish()
    }
}

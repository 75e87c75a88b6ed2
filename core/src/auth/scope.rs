//! Scopes (distribution, "Token Scope Documentation"): `type[(class)]:name:action,action`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What a token is for: one resource and what may be done with it. Scopes outside of the grammar (`aws`, `*`) are kept as
/// they are; the default is for no resource at all, as a login has it.
///
/// ```
/// use chartoci::auth::Scope;
/// let scope = Scope::parse("repository:reg.example:5000/web:push,pull");
/// assert_eq!(scope.to_string(), "repository:reg.example:5000/web:pull,push");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope {
    /// `type:name`, or the whole of a scope that has no such parts.
    resource: String,
    actions: BTreeSet<String>,
}

impl Scope {
    /// To read from a repository.
    pub fn pull(repository: &str) -> Scope {
        Scope::parse(&format!("repository:{repository}:pull"))
    }

    /// To read from a repository and to write to it.
    pub fn push(repository: &str) -> Scope {
        Scope::parse(&format!("repository:{repository}:pull,push"))
    }

    /// To delete from a repository: registries differ in which of these they ask for (distribution wants `delete`, Quay
    /// takes nothing less than all).
    ///
    /// ```
    /// use chartoci::auth::Scope;
    /// assert_eq!(Scope::pull("team/web").to_string(), "repository:team/web:pull");
    /// assert_eq!(Scope::push("team/web").to_string(), "repository:team/web:pull,push");
    /// assert_eq!(Scope::delete("team/web").to_string(), "repository:team/web:delete,pull,push");
    /// ```
    pub fn delete(repository: &str) -> Scope {
        Scope::parse(&format!("repository:{repository}:delete,pull,push"))
    }

    /// Reads a scope; the name may hold colons (a host's port).
    pub fn parse(text: &str) -> Scope {
        match text.rsplit_once(':') {
            Some((resource, actions)) if resource.contains(':') => Scope {
                resource: resource.to_owned(),
                actions: actions.split(',').filter(|action| !action.is_empty()).map(str::to_owned).collect(),
            },
            _ => Scope { resource: text.to_owned(), actions: BTreeSet::new() },
        }
    }

    /// Something is to be read and nothing to be written, so that it may be tried without a credential.
    pub(crate) fn only_reads(&self) -> bool {
        !self.resource.is_empty() && self.actions.iter().all(|action| action == "pull")
    }
}

impl fmt::Display for Scope {
    /// Actions are sorted.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.resource)?;
        for (index, action) in self.actions.iter().enumerate() {
            write!(f, "{}{action}", if index == 0 { ':' } else { ',' })?;
        }
        Ok(())
    }
}

/// Some scopes, one of each resource: many token servers honour but the first of two for one repository.
///
/// ```
/// use chartoci::auth::scope::Scopes;
/// let scopes = Scopes::parse("repository:web:push aws repository:web:pull");
/// assert_eq!(scopes.iter().collect::<Vec<_>>(), ["aws", "repository:web:pull,push"]);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Scopes(BTreeMap<String, BTreeSet<String>>);

impl Scopes {
    /// Reads a list divided by blanks, as a challenge has it.
    pub fn parse(text: &str) -> Scopes {
        let mut scopes = Scopes::default();
        for scope in text.split_ascii_whitespace() {
            scopes.add(Scope::parse(scope));
        }
        scopes
    }

    /// Adds a scope; the actions on one resource are merged.
    pub fn add(&mut self, scope: Scope) {
        if scope.resource.is_empty() {
            return;
        }
        self.0.entry(scope.resource).or_default().extend(scope.actions);
    }

    /// Adds some more.
    ///
    /// ```
    /// use chartoci::auth::scope::{Scope, Scopes};
    /// let mut scopes = Scopes::parse("repository:web:pull");
    /// scopes.add(Scope::push("web"));
    /// scopes.extend([Scope::pull("base")]);
    /// assert_eq!(scopes.iter().collect::<Vec<_>>(), ["repository:base:pull", "repository:web:pull,push"]);
    /// ```
    pub fn extend(&mut self, scopes: impl IntoIterator<Item = Scope>) {
        scopes.into_iter().for_each(|scope| self.add(scope));
    }

    /// A token for these is good for that.
    pub(crate) fn cover(&self, scope: &Scope) -> bool {
        self.0.get(&scope.resource).is_some_and(|held| held.contains("*") || scope.actions.is_subset(held))
    }

    /// Each in its sorted form, in order.
    pub fn iter(&self) -> impl Iterator<Item = String> {
        self.0
            .iter()
            .map(|(resource, actions)| Scope { resource: resource.clone(), actions: actions.clone() }.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outside_of_the_grammar_is_kept() {
        for text in ["aws", "*", "registry:catalog:*", "repository(plugin):a/b:pull", "a:b", ""] {
            assert_eq!(Scope::parse(text).to_string(), text);
        }
    }

    #[test]
    fn a_wider_token_serves() {
        let held = Scopes::parse("repository:web:pull,push registry:catalog:* repository:all:*");
        assert!(held.cover(&Scope::pull("web")) && held.cover(&Scope::push("web")));
        assert!(held.cover(&Scope::push("all")));
        assert!(!held.cover(&Scope::pull("other")) && !held.cover(&Scope::parse("repository:web:delete")));
    }

    #[test]
    fn pulling_is_all_that_a_pull_asks_for() {
        assert!(Scope::pull("web").only_reads() && !Scope::push("web").only_reads());
        assert!(!Scope::default().only_reads());
    }
}

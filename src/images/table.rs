//! The table of images: text that `tools/images.py` writes, split once where it stands.

use std::sync::LazyLock;

use crate::{Error, Result};

static TEXT: &str = include_str!("tables.txt");
static TABLE: LazyLock<Table> = LazyLock::new(|| parse(TEXT));

#[derive(Default)]
struct Table {
    accounts: Vec<Accounts>,
    frameworks: Vec<Framework>,
}

/// The AWS account that owns images, by region, in the order of the regions.
pub(super) struct Accounts(Vec<(&'static str, &'static str)>);

pub(super) struct Framework {
    pub(super) name: &'static str,
    /// Scope (`*` for any) and the version to take where none is given.
    defaults: Vec<(&'static str, &'static str)>,
    pub(super) parts: Vec<Part>,
}

/// What a framework has for some scopes.
pub(super) struct Part {
    pub(super) scopes: Vec<&'static str>,
    pub(super) processors: Vec<&'static str>,
    aliases: Vec<(&'static str, &'static str)>,
    base_aliases: Vec<(&'static str, &'static str, &'static str)>,
    pub(super) entries: Vec<Entry>,
}

/// One image; without its tag's last parts, which depend on what is asked for.
pub(super) struct Entry {
    pub(super) version: &'static str,
    pub(super) base: &'static str,
    /// The one Python version that this image has, where images differ by it.
    pub(super) py: &'static str,
    pub(super) repository: &'static str,
    pub(super) tag_prefix: &'static str,
    pub(super) processors: Vec<&'static str>,
    pub(super) py_versions: Vec<&'static str>,
    accounts: usize,
    pub(super) container_versions: Vec<(&'static str, &'static str)>,
    pub(super) sdk_versions: Vec<&'static str>,
}

pub(super) fn frameworks() -> &'static [Framework] {
    &TABLE.frameworks
}

pub(super) fn find(name: &str) -> Option<&'static Framework> {
    TABLE.frameworks.iter().find(|framework| framework.name == name)
}

pub(super) fn framework(name: &str) -> Result<&'static Framework> {
    let names = frameworks().iter().map(|framework| framework.name);
    find(name)
        .ok_or_else(|| Error::invalid("framework", super::unknown("built-in algorithm or framework", name, names)))
}

impl Framework {
    pub(super) fn default_version(&self, scope: Option<&str>) -> Option<&'static str> {
        let fits = |known: &str| known == "*" || known == scope.unwrap_or("none");
        self.defaults.iter().find(|(known, _)| fits(known)).map(|(_, version)| *version)
    }
}

impl Part {
    /// Versions and aliases.
    pub(super) fn versions(&self) -> impl Iterator<Item = &'static str> + Clone + '_ {
        let own = self.entries.iter().map(|entry| entry.version);
        own.chain(self.aliases.iter().map(|(alias, _)| *alias))
    }

    /// The only version, if there is just one.
    pub(super) fn only_version(&self) -> Option<&'static str> {
        let first = self.entries.first()?.version;
        self.entries.iter().all(|entry| entry.version == first).then_some(first)
    }

    pub(super) fn is_alias(&self, version: &str) -> bool {
        self.aliases.iter().any(|(alias, _)| *alias == version)
    }

    /// The version that an alias stands for; other names are their own.
    pub(super) fn version_of<'a>(&self, name: &'a str) -> &'a str
    where
        'static: 'a,
    {
        self.aliases.iter().find(|(alias, _)| *alias == name).map_or(name, |(_, version)| *version)
    }

    /// The base framework that a name stands for in a version.
    pub(super) fn base_of<'a>(&self, version: &str, name: &'a str) -> &'a str
    where
        'static: 'a,
    {
        let found = self.base_aliases.iter().find(|(of, alias, _)| *of == version && *alias == name);
        found.map_or(name, |(_, _, base)| *base)
    }

    /// The names of the base frameworks of a version, aliases too.
    pub(super) fn bases(&self, version: &str) -> Vec<&'static str> {
        let own = self.entries.iter().filter(|entry| entry.version == version).map(|entry| entry.base);
        let aliases = self.base_aliases.iter().filter(|(of, ..)| *of == version).map(|(_, alias, _)| *alias);
        own.chain(aliases).collect()
    }
}

impl Entry {
    pub(super) fn account(&self, region: &str) -> Option<&'static str> {
        let accounts = &TABLE.accounts.get(self.accounts)?.0;
        accounts.iter().find(|(known, _)| *known == region).map(|(_, account)| *account)
    }

    pub(super) fn regions(&self) -> impl Iterator<Item = &'static str> + Clone {
        let accounts = TABLE.accounts.get(self.accounts).map_or(&[][..], |accounts| &accounts.0);
        accounts.iter().map(|(region, _)| *region)
    }
}

/// Splits the table. It is ours and tested as a whole: a line that does not fit would show in every answer.
fn parse(text: &'static str) -> Table {
    let mut table = Table::default();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let mut fields = line.split('\t').map(|field| if field == "-" { "" } else { field });
        let kind = fields.next();
        let mut next = || fields.next().unwrap_or_default();
        match kind {
            Some("R") => table.accounts.push(Accounts(pairs(next()))),
            Some("F") => {
                let (name, defaults) = (next(), pairs(next()));
                table.frameworks.push(Framework { name, defaults, parts: Vec::new() });
            }
            Some("S") => {
                let (scopes, processors, aliases) = (list(next()), list(next()), pairs(next()));
                let part = Part { scopes, processors, aliases, base_aliases: Vec::new(), entries: Vec::new() };
                if let Some(framework) = table.frameworks.last_mut() {
                    framework.parts.push(part);
                }
                continue;
            }
            _ => {}
        }
        let part = table.frameworks.last_mut().and_then(|framework| framework.parts.last_mut());
        let Some(part) = part else { continue };
        match kind {
            Some("B") => {
                let version = next();
                part.base_aliases.extend(pairs(next()).into_iter().map(|(alias, base)| (version, alias, base)));
            }
            Some("V") => part.entries.push(Entry {
                version: next(),
                base: next(),
                py: next(),
                repository: next(),
                tag_prefix: next(),
                processors: list(next()),
                py_versions: list(next()),
                accounts: next().parse().unwrap_or(usize::MAX),
                container_versions: pairs(next()),
                sdk_versions: list(next()),
            }),
            _ => {}
        }
    }
    table
}

fn list(text: &'static str) -> Vec<&'static str> {
    text.split(',').filter(|item| !item.is_empty()).collect()
}

fn pairs(text: &'static str) -> Vec<(&'static str, &'static str)> {
    list(text).into_iter().filter_map(|item| item.split_once('=')).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_understood() {
        let count = |kind: &str| TEXT.lines().filter(|line| line.starts_with(kind)).count();
        let parts = || frameworks().iter().flat_map(|framework| &framework.parts);
        assert_eq!(TABLE.accounts.len(), count("R\t"));
        assert_eq!(frameworks().len(), count("F\t"));
        assert_eq!(parts().count(), count("S\t"));
        assert_eq!(parts().map(|part| part.entries.len()).sum::<usize>(), count("V\t"));
        assert!(parts().flat_map(|part| &part.entries).all(|entry| entry.regions().count() > 0));
        let kinds = ["R", "F", "S", "B", "V", "#"];
        assert!(TEXT.lines().all(|line| kinds.contains(&line.split(['\t', ' ']).next().unwrap())));
    }
}

//! The form of a row.

use std::time::SystemTime;

use serde_json::{Map, Value};

use super::Kind;
use crate::local::aws_error::AwsError;
use crate::local::state::{Place, Resource, State};

/// One row of the table.
#[derive(Debug)]
pub(in crate::local) struct Row {
    pub(in crate::local) kind: Kind,
    /// The noun: operations are `Create` + noun, `Describe` + noun and so on.
    pub(in crate::local) noun: &'static str,
    /// What precedes the name in the ARN.
    pub(in crate::local) arn_path: &'static str,
    /// What follows it.
    pub(in crate::local) arn_tail: ArnTail,
    /// The member that holds the name, or the identifier, by which requests refer to a resource.
    pub(in crate::local) name: &'static str,
    /// The member that people name it by, where that is not `name`: lists filter and sort by it.
    pub(in crate::local) title: &'static str,
    /// The members that hold the names of what it belongs to; together with the name they tell resources apart.
    pub(in crate::local) parents: &'static [&'static str],
    /// An identifier that the service makes.
    pub(in crate::local) made: Option<MadeId>,
    /// The member that holds the ARN.
    pub(in crate::local) arn: &'static str,
    /// Whether names differ by more than their case; where not, ARNs carry the name in lower case.
    pub(in crate::local) case_sensitive: bool,
    /// Flags that Describe gives as false when the request left them out.
    pub(in crate::local) flags: &'static [&'static str],
    /// Other names of members in answers: the other name, then the path of the member.
    pub(in crate::local) aliases: &'static [(&'static str, &'static str)],
    /// The member of Describe's answer that holds all others, if one does.
    pub(in crate::local) wrap: &'static str,
    /// What a resource needs: a kind, and the member that names or identifies it.
    pub(in crate::local) needs: &'static [(Kind, &'static str)],
    /// What keeps it from being deleted: a kind, and the member that names this one there.
    pub(in crate::local) kept_by: &'static [(Kind, &'static str)],
    /// What is deleted with it: kinds whose keys begin with its key.
    pub(in crate::local) takes_along: &'static [Kind],
    pub(in crate::local) status: Status,
    pub(in crate::local) list: ListRow,
    pub(in crate::local) update: Update,
    /// Checks a new resource and completes it.
    pub(in crate::local) prepare: fn(&mut Draft<'_>) -> Result<(), AwsError>,
    /// The answer when it is kept from being deleted; takes the ARN and the nouns of what keeps it.
    pub(in crate::local) kept: fn(&str, &str) -> AwsError,
    /// The answer when the name is unknown; takes name and ARN.
    pub(in crate::local) missing: fn(&str, &str) -> AwsError,
    /// The answer when the name is taken; takes name and ARN.
    pub(in crate::local) taken: fn(&str, &str) -> AwsError,
}

/// What ends an ARN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::local) enum ArnTail {
    /// The key: names of parents and the own name.
    Key,
    /// The identifier that the service made.
    Made,
    /// The parent, this word, and the name or made identifier.
    Nested(&'static str),
}

/// An identifier that the service makes.
#[derive(Debug, Clone, Copy)]
pub(in crate::local) struct MadeId {
    /// The member that answers give it in.
    pub(in crate::local) member: &'static str,
    pub(in crate::local) prefix: &'static str,
    /// How many characters follow the prefix.
    pub(in crate::local) length: usize,
    pub(in crate::local) upper_case: bool,
}

/// A state and how many seconds it lasts; the last of several stays.
pub(in crate::local) type Step = (&'static str, u64);

/// The states of a kind. All lists are empty where a kind has no such states.
#[derive(Debug)]
pub(in crate::local) struct Status {
    /// The member that holds the state.
    pub(in crate::local) member: &'static str,
    pub(in crate::local) created: &'static [Step],
    pub(in crate::local) updated: &'static [Step],
    /// After these it is gone.
    pub(in crate::local) deleted: &'static [Step],
    pub(in crate::local) moves: &'static [Move],
    /// The only states to update in; any if empty.
    pub(in crate::local) updatable: &'static [&'static str],
    /// The only states to delete in; any if empty.
    pub(in crate::local) deletable: &'static [&'static str],
    /// Refuses: takes what was asked for (`update`, `delete` or an operation), the state and the ARN.
    pub(in crate::local) refuse: fn(&str, &str, &str) -> AwsError,
    /// Acts when a state is reached.
    pub(in crate::local) reached: fn(&mut Resource, &str, SystemTime),
}

/// An operation that takes a resource from one state to another, such as `StopNotebookInstance`.
#[derive(Debug, PartialEq)]
pub(in crate::local) struct Move {
    pub(in crate::local) operation: &'static str,
    pub(in crate::local) from: &'static [&'static str],
    pub(in crate::local) steps: &'static [Step],
}

/// How a kind is listed. Which member of the answer holds the summaries, and what a summary holds, is in the model.
#[derive(Debug)]
pub(in crate::local) struct ListRow {
    pub(in crate::local) operation: &'static str,
    pub(in crate::local) sort_by: &'static str,
    pub(in crate::local) ascending: bool,
    /// Filters that do not say by their name what they compare: the filter, then the path of the compared member.
    pub(in crate::local) filters: &'static [(&'static str, &'static str)],
}

/// How Update changes a resource: a member replaces the one of its name, but for these.
#[derive(Debug)]
pub(in crate::local) struct Update {
    /// Members that change one of another name: the member of the request, then the one it changes.
    pub(in crate::local) renamed: &'static [(&'static str, &'static str)],
    /// Objects whose members are changed one by one.
    pub(in crate::local) merged: &'static [&'static str],
    /// Lists of keys to remove, then the object to remove them from.
    pub(in crate::local) removals: &'static [(&'static str, &'static str)],
    /// Members that change nothing by themselves: `finish` reads them.
    pub(in crate::local) left: &'static [&'static str],
    /// What these rules cannot say; comes after them.
    pub(in crate::local) finish: fn(&mut Resource, &Value) -> Result<(), AwsError>,
}

/// A resource that is about to be made.
pub(in crate::local) struct Draft<'a> {
    pub(in crate::local) place: &'a Place,
    pub(in crate::local) state: &'a State,
    pub(in crate::local) now: SystemTime,
    /// The request, as Describe will give it back.
    pub(in crate::local) request: &'a mut Map<String, Value>,
    /// What Describe adds to it.
    pub(in crate::local) members: &'a mut Map<String, Value>,
}

impl Row {
    /// A row without anything special; a base to write others on.
    pub(in crate::local) const fn plain(
        kind: Kind,
        noun: &'static str,
        name: &'static str,
        arn: &'static str,
        arn_path: &'static str,
        list: ListRow,
    ) -> Self {
        Self {
            kind,
            noun,
            arn_path,
            arn_tail: ArnTail::Key,
            name,
            title: name,
            parents: &[],
            made: None,
            arn,
            case_sensitive: false,
            flags: &[],
            aliases: &[],
            wrap: "",
            needs: &[],
            kept_by: &[],
            takes_along: &[],
            status: Status::NONE,
            list,
            update: Update::PLAIN,
            prepare: |_| Ok(()),
            kept: |arn, what| AwsError::in_use(format!("Cannot delete \"{arn}\": delete its {what} first.")),
            missing: |_, arn| AwsError::resource_not_found(format!("Resource \"{arn}\" does not exist.")),
            taken: |_, arn| AwsError::in_use(format!("Resource already exists: {arn}")),
        }
    }
}

impl Status {
    pub(in crate::local) const NONE: Self = Self {
        member: "",
        created: &[],
        updated: &[],
        deleted: &[],
        moves: &[],
        updatable: &[],
        deletable: &[],
        refuse: |asked, status, arn| {
            AwsError::validation(format!("Cannot {asked} the resource \"{arn}\" in status {status}."))
        },
        reached: |_, _, _| {},
    };

    /// Without behaviour: who creates the resource sets it.
    pub(in crate::local) const fn of(member: &'static str) -> Self {
        Self { member, ..Self::NONE }
    }
}

impl ListRow {
    pub(in crate::local) const NONE: Self = Self::newest_first("");

    /// By time of creation, the newest first.
    pub(in crate::local) const fn newest_first(operation: &'static str) -> Self {
        Self { operation, sort_by: "CreationTime", ascending: false, filters: &[] }
    }

    /// By time of creation, the oldest first.
    pub(in crate::local) const fn oldest_first(operation: &'static str) -> Self {
        Self { operation, sort_by: "CreationTime", ascending: true, filters: &[] }
    }

    pub(in crate::local) const fn by_name(operation: &'static str, ascending: bool) -> Self {
        Self { operation, sort_by: "Name", ascending, filters: &[] }
    }
}

impl Update {
    pub(in crate::local) const PLAIN: Self =
        Self { renamed: &[], merged: &[], removals: &[], left: &[], finish: |_, _| Ok(()) };
}

impl MadeId {
    pub(in crate::local) const fn new(member: &'static str, prefix: &'static str, length: usize) -> Self {
        Self { member, prefix, length, upper_case: false }
    }
}

impl Draft<'_> {
    /// Sets a member that Describe adds.
    pub(in crate::local) fn set(&mut self, member: &str, value: impl Into<Value>) {
        self.members.insert(member.to_owned(), value.into());
    }

    /// Sets what the request left out.
    pub(in crate::local) fn default(&mut self, member: &str, value: impl Into<Value>) {
        self.request.entry(member).or_insert_with(|| value.into());
    }

    /// A member of the request at a path such as `HumanTaskConfig.WorkteamArn`.
    pub(in crate::local) fn text(&self, path: &str) -> Option<&str> {
        at(self.request, path)?.as_str()
    }

    pub(in crate::local) fn has(&self, member: &str) -> bool {
        self.request.contains_key(member)
    }
}

/// The value at a path such as `Source.SourceUri`.
pub(in crate::local) fn at<'a>(members: &'a Map<String, Value>, path: &str) -> Option<&'a Value> {
    let mut names = path.split('.');
    let first = members.get(names.next()?)?;
    names.try_fold(first, |value, name| value.get(name))
}

/// A row whose members are called like its noun: `Model` has `ModelName`, `ModelArn` and `CreateModel`.
macro_rules! plain {
    ($noun:ident, $path:literal, $list:expr) => {
        $crate::local::kinds::Row::plain(
            $crate::local::kinds::Kind::$noun,
            stringify!($noun),
            concat!(stringify!($noun), "Name"),
            concat!(stringify!($noun), "Arn"),
            $path,
            $list,
        )
    };
}

pub(in crate::local) use plain;

//! Access control lists. They are kept and given back, and let in who has no credentials; who has is the owner.

use s3s::dto::{self, Type};
use s3s::{S3Error, S3ErrorCode, S3Result};
use serde::{Deserialize, Serialize};

use super::documents;
use super::errors;
use super::storage::Bucket;

const ALL_USERS: &str = "http://acs.amazonaws.com/groups/global/AllUsers";
const AUTHENTICATED_USERS: &str = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers";
const LOG_DELIVERY: &str = "http://acs.amazonaws.com/groups/s3/LogDelivery";
const GROUPS: [&str; 3] = [ALL_USERS, AUTHENTICATED_USERS, LOG_DELIVERY];

const FULL_CONTROL: &str = "FULL_CONTROL";
const READ: &str = "READ";
const WRITE: &str = "WRITE";
const READ_ACP: &str = "READ_ACP";
const WRITE_ACP: &str = "WRITE_ACP";
const PERMISSIONS: [&str; 5] = [FULL_CONTROL, READ, WRITE, READ_ACP, WRITE_ACP];

/// The most grants of a list.
const MAX_GRANTS: usize = 100;

/// A list that is not the owner's own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Acl(Vec<Grant>);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Grant {
    to: Grantee,
    permission: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Grantee {
    /// The canonical id of an account.
    User(String),
    Group(String),
}

impl Grantee {
    fn user(id: &str) -> S3Result<Self> {
        // S3 knows which ones there are; here the form must do.
        if id.is_empty() || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(errors::argument("Invalid id", "CanonicalUser/ID", id));
        }
        Ok(Self::User(id.to_owned()))
    }

    fn group(uri: &str) -> S3Result<Self> {
        if GROUPS.contains(&uri) {
            return Ok(Self::Group(uri.to_owned()));
        }
        Err(errors::argument("Invalid group uri", "uri", uri))
    }
}

/// What a request says about access, each as its header has it.
#[derive(Debug, Default)]
pub(super) struct Asked<'a> {
    pub(super) canned: Option<&'a str>,
    pub(super) full_control: Option<&'a str>,
    pub(super) read: Option<&'a str>,
    pub(super) write: Option<&'a str>,
    pub(super) read_acp: Option<&'a str>,
    pub(super) write_acp: Option<&'a str>,
    pub(super) policy: Option<&'a dto::AccessControlPolicy>,
}

/// The access that a request asks for.
macro_rules! asked_access {
    ($input:expr) => {
        $crate::local::s3::acl::Asked {
            canned: $input.acl.as_ref().map(|acl| acl.as_str()),
            full_control: $input.grant_full_control.as_deref(),
            read: $input.grant_read.as_deref(),
            read_acp: $input.grant_read_acp.as_deref(),
            write_acp: $input.grant_write_acp.as_deref(),
            ..$crate::local::s3::acl::Asked::default()
        }
    };
}
pub(super) use asked_access;

impl Asked<'_> {
    fn by_headers(&self) -> [(&'static str, Option<&str>); 5] {
        [
            (FULL_CONTROL, self.full_control),
            (READ, self.read),
            (WRITE, self.write),
            (READ_ACP, self.read_acp),
            (WRITE_ACP, self.write_acp),
        ]
    }

    fn has_grants(&self) -> bool {
        self.by_headers().iter().any(|(_, grants)| grants.is_some())
    }

    /// The list that is asked for; `None` if the request says nothing, or nothing beyond the owner's own access.
    pub(super) fn list(&self, owner: &str) -> S3Result<Option<Acl>> {
        if self.canned.is_some() && self.has_grants() {
            return Err(errors::invalid_request("Specifying both Canned ACLs and Header Grants is not allowed"));
        }
        if self.policy.is_some() && (self.canned.is_some() || self.has_grants()) {
            return Err(S3Error::with_message(S3ErrorCode::UnexpectedContent, "This request does not support content"));
        }
        let acl = if let Some(policy) = self.policy {
            Acl::of_policy(policy, owner)?
        } else if let Some(canned) = self.canned {
            Acl::canned(canned, owner)?
        } else if self.has_grants() {
            let mut grants = Vec::new();
            for (permission, header) in self.by_headers() {
                grants.extend(of_header(header.unwrap_or_default(), permission)?);
            }
            Acl(grants)
        } else {
            return Ok(None);
        };
        if acl.0.len() > MAX_GRANTS {
            return Err(errors::malformed_acl());
        }
        Ok(Some(acl).filter(|acl| *acl != Acl::private(owner)))
    }

    /// Whether a bucket whose lists are switched off takes it nevertheless: it says what is so already.
    pub(super) fn says_nothing(&self, owner: &str) -> bool {
        match self.canned {
            Some(canned) => canned == "bucket-owner-full-control" && !self.has_grants(),
            None => matches!(self.list(owner), Ok(None)),
        }
    }
}

impl Acl {
    pub(super) fn private(owner: &str) -> Self {
        Self(vec![grant(Grantee::User(owner.to_owned()), FULL_CONTROL)])
    }

    fn canned(name: &str, owner: &str) -> S3Result<Self> {
        let to_groups: &[(&str, &str)] = match name {
            // The owner of an object is that of its bucket: there is one account.
            "private" | "bucket-owner-read" | "bucket-owner-full-control" => &[],
            "public-read" => &[(ALL_USERS, READ)],
            "public-read-write" => &[(ALL_USERS, READ), (ALL_USERS, WRITE)],
            "authenticated-read" => &[(AUTHENTICATED_USERS, READ)],
            "log-delivery-write" => &[(LOG_DELIVERY, WRITE), (LOG_DELIVERY, READ_ACP)],
            "aws-exec-read" => return Err(errors::not_implemented("The ACL aws-exec-read is not supported here.")),
            _ => return Err(errors::argument("", "x-amz-acl", name)),
        };
        let mut acl = Self::private(owner);
        acl.0
            .extend(to_groups.iter().map(|(group, permission)| grant(Grantee::Group((*group).to_owned()), permission)));
        Ok(acl)
    }

    fn of_policy(policy: &dto::AccessControlPolicy, owner: &str) -> S3Result<Self> {
        let named = policy.owner.as_ref().and_then(|owner| owner.id.as_deref()).ok_or_else(errors::malformed_acl)?;
        if named != owner {
            return Err(errors::access_denied());
        }
        let grants = policy.grants.iter().flatten().map(|given| {
            let permission = given.permission.as_ref().map(dto::Permission::as_str).unwrap_or_default();
            if !PERMISSIONS.contains(&permission) {
                return Err(errors::malformed_acl());
            }
            let grantee = given.grantee.as_ref().ok_or_else(errors::malformed_acl)?;
            let to = match (&grantee.id, &grantee.uri, &grantee.email_address) {
                (Some(id), _, _) => Grantee::user(id)?,
                (None, Some(uri), _) => Grantee::group(uri)?,
                (None, None, Some(address)) => return Err(errors::unknown_email(address)),
                (None, None, None) => return Err(errors::malformed_acl()),
            };
            Ok(grant(to, permission))
        });
        Ok(Self(grants.collect::<S3Result<_>>()?))
    }

    /// Whether somebody outside the account is let in.
    fn is_public(&self) -> bool {
        let is_public = |grant: &Grant| matches!(&grant.to, Grantee::Group(group) if group != LOG_DELIVERY);
        self.0.iter().any(is_public)
    }

    /// Whether everybody has a permission.
    pub(super) fn grants_all(&self, permission: &str) -> bool {
        let is_public = |grant: &Grant| matches!(&grant.to, Grantee::Group(group) if group == ALL_USERS);
        let covers = |grant: &Grant| grant.permission == permission || grant.permission == FULL_CONTROL;
        self.0.iter().any(|grant| is_public(grant) && covers(grant))
    }

    pub(super) fn grants(&self) -> Vec<dto::Grant> {
        let entry = |grant: &Grant| {
            let (id, uri, type_) = match &grant.to {
                Grantee::User(id) => (Some(id.clone()), None, Type::CANONICAL_USER),
                Grantee::Group(uri) => (None, Some(uri.clone()), Type::GROUP),
            };
            let type_ = Type::from_static(type_);
            let grantee = dto::Grantee { display_name: None, email_address: None, id, type_, uri };
            dto::Grant { grantee: Some(grantee), permission: Some(grant.permission.clone().into()) }
        };
        self.0.iter().map(entry).collect()
    }
}

fn grant(to: Grantee, permission: &str) -> Grant {
    Grant { to, permission: permission.to_owned() }
}

/// `id="..", uri="..", emailAddress=".."`.
fn of_header(header: &str, permission: &str) -> S3Result<Vec<Grant>> {
    let entries = header.split(',').map(str::trim).filter(|entry| !entry.is_empty());
    let read = |entry: &str| {
        let (kind, value) = entry.split_once('=').ok_or_else(|| {
            errors::argument(
                "Argument format not recognized",
                &format!("x-amz-grant-{}", header_name(permission)),
                entry,
            )
        })?;
        let value = value.trim().trim_matches('"');
        let to = match kind.trim().to_ascii_lowercase().as_str() {
            "id" => Grantee::user(value)?,
            "uri" => Grantee::group(value)?,
            "emailaddress" => return Err(errors::unknown_email(value)),
            _ => {
                let name = format!("x-amz-grant-{}", header_name(permission));
                return Err(errors::argument("Argument format not recognized", &name, entry));
            }
        };
        Ok(grant(to, permission))
    };
    entries.map(read).collect()
}

fn header_name(permission: &str) -> String {
    permission.to_ascii_lowercase().replace('_', "-")
}

/// The document of a bucket that its list is kept as.
const DOCUMENT: &str = "acl";

impl Bucket {
    /// Whether lists are switched off, as they are on each new bucket.
    pub(super) fn refuses_acls(&self) -> bool {
        self.documents.get(documents::OWNERSHIP).is_some_and(|controls| controls.contains("BucketOwnerEnforced"))
    }

    /// Refuses a list that lets the public in, unless the bucket allows those.
    fn check_public(&self, acl: &Acl, refusal: impl FnOnce() -> S3Error) -> S3Result<()> {
        let block = self.documents.get(documents::PUBLIC_ACCESS_BLOCK);
        let blocked = block.is_some_and(|block| documents::blocks_public_acls(block));
        if blocked && acl.is_public() { Err(refusal()) } else { Ok(()) }
    }

    /// The list of an object that a request writes.
    pub(super) fn acl_for_object(&self, asked: &Asked<'_>, owner: &str) -> S3Result<Option<Acl>> {
        if self.refuses_acls() {
            return if asked.says_nothing(owner) { Ok(None) } else { Err(errors::no_acls()) };
        }
        let acl = asked.list(owner)?;
        if let Some(acl) = &acl {
            self.check_public(acl, errors::access_denied)?;
        }
        Ok(acl)
    }

    /// The list that the bucket itself was given.
    pub(super) fn acl(&self) -> Option<Acl> {
        self.documents.get(DOCUMENT).and_then(|text| serde_json::from_str(text).ok())
    }

    pub(super) fn set_acl(&mut self, acl: Option<&Acl>) {
        match acl.and_then(|acl| serde_json::to_string(acl).ok()) {
            Some(text) => self.documents.insert(DOCUMENT.to_owned(), text),
            None => self.documents.remove(DOCUMENT),
        };
    }

    /// Changes the list of a bucket that is there.
    pub(super) fn change_acl(&mut self, asked: &Asked<'_>, owner: &str) -> S3Result<()> {
        if self.refuses_acls() {
            return if asked.says_nothing(owner) { Ok(()) } else { Err(errors::no_acls()) };
        }
        let acl = asked.list(owner)?;
        if let Some(acl) = &acl {
            self.check_public(acl, errors::access_denied)?;
        }
        self.set_acl(acl.as_ref());
        self.changed();
        Ok(())
    }

    /// The list that a bucket is made with.
    pub(super) fn begin_acl(&mut self, asked: &Asked<'_>, owner: &str) -> S3Result<()> {
        let acl = asked.list(owner)?;
        if let Some(acl) = &acl {
            if self.refuses_acls() {
                return Err(errors::acl_with_ownership());
            }
            self.check_public(acl, errors::acl_with_public_access_block)?;
        }
        self.set_acl(acl.as_ref());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn list(asked: Asked<'_>) -> Result<Vec<(String, String)>, String> {
        let acl = asked.list("me").map_err(|error| error.code().as_str().to_owned())?;
        let grants = acl.unwrap_or_else(|| Acl::private("me")).grants();
        let pair = |grant: dto::Grant| {
            let grantee = grant.grantee.unwrap();
            (grantee.id.or(grantee.uri).unwrap(), grant.permission.unwrap().as_str().to_owned())
        };
        Ok(grants.into_iter().map(pair).collect())
    }

    #[test]
    fn canned_lists_and_grants() {
        let pairs = |pairs: &[(&str, &str)]| {
            Ok(pairs.iter().map(|(to, permission)| ((*to).to_owned(), (*permission).to_owned())).collect::<Vec<_>>())
        };
        let owner = ("me", FULL_CONTROL);
        let canned = |canned| Asked { canned: Some(canned), ..Asked::default() };
        assert_eq!(list(Asked::default()), pairs(&[owner]));
        assert_eq!(list(canned("private")), pairs(&[owner]));
        assert_eq!(list(canned("public-read-write")), pairs(&[owner, (ALL_USERS, READ), (ALL_USERS, WRITE)]));
        assert_eq!(list(canned("anything")), Err("InvalidArgument".to_owned()));
        let grants = format!("id=\"ab1\", uri=\"{ALL_USERS}\"");
        let read = |read| Asked { read: Some(read), ..Asked::default() };
        assert_eq!(list(read(&grants)), pairs(&[("ab1", READ), (ALL_USERS, READ)]));
        assert_eq!(list(Asked { canned: Some("private"), ..read(&grants) }), Err("InvalidRequest".to_owned()));
        assert_eq!(list(read("uri=http://example.com")), Err("InvalidArgument".to_owned()));
        assert_eq!(list(read("everybody")), Err("InvalidArgument".to_owned()));
        assert_eq!(list(read("emailAddress=a@b.c")), Err("UnresolvableGrantByEmailAddress".to_owned()));
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(header in "\\PC{0,40}") {
            let _ = of_header(&header, READ);
        }
    }
}

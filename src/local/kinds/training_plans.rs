//! Training plans: reserved capacity, and the offerings that they are made from.
//!
//! The local backend has as much capacity as anyone wants, from the next half hour on. An offering is therefore no
//! record: its identifier says what it offers.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::row::plain;
use super::{Draft, ListRow, Row, Status};
use crate::api_model::{EnumValues, ModelShape, Service};
use crate::local::aws_error::AwsError;
use crate::local::state::Resource;
use crate::local::time::{epoch, millis_of};

pub(super) static ROWS: &[Row] = &[Row {
    status: Status { created: &[("Pending", 10), ("Scheduled", 0)], ..Status::of("Status") },
    list: ListRow {
        filters: &[("StartTimeAfter", "StartTime"), ("StartTimeBefore", "StartTime")],
        ..ListRow::newest_first("ListTrainingPlans")
    },
    prepare,
    missing: |_, arn| AwsError::resource_not_found(format!("Could not find training plan \"{arn}\".")),
    taken: |_, arn| AwsError::in_use(format!("Training plan already exists: {arn}")),
    ..plain!(TrainingPlan, "training-plan", ListRow::NONE)
}];

/// An UltraServer: its type, the type of its instances, and how many it has.
const ULTRA_SERVERS: [(&str, &str, u64); 2] =
    [("ml.u-p6e-gb200x72", "ml.p6e-gb200.36xlarge", 18), ("ml.u-p6e-gb200x36", "ml.p6e-gb200.36xlarge", 9)];

/// What plans can be for, each with its letter in identifiers.
const TARGETS: [(&str, char); 4] =
    [("training-job", 't'), ("hyperpod-cluster", 'h'), ("endpoint", 'e'), ("studio-apps", 's')];

/// The member that holds the one reserved capacity of a plan.
pub(in crate::local) const CAPACITIES: &str = "ReservedCapacitySummaries";

/// What an identifier of an offering says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::local) struct Offering {
    pub(in crate::local) instance_type: String,
    /// Instances, or UltraServers.
    pub(in crate::local) count: u64,
    pub(in crate::local) ultra_server: Option<&'static str>,
    pub(in crate::local) hours: u64,
    /// Seconds since 1970.
    pub(in crate::local) start: u64,
    pub(in crate::local) targets: Vec<&'static str>,
}

impl Offering {
    /// Such as `tpo-i-ml-p5-48xlarge-4-72-1767225600-t`.
    pub(in crate::local) fn id(&self) -> String {
        let (letter, kind) = match self.ultra_server {
            Some(server) => ('u', server),
            None => ('i', self.instance_type.as_str()),
        };
        let targets: String =
            TARGETS.iter().filter(|(name, _)| self.targets.contains(name)).map(|(_, letter)| *letter).collect();
        let kind = kind.replace('.', "-");
        format!("tpo-{letter}-{kind}-{}-{}-{}-{targets}", self.count, self.hours, self.start)
    }

    pub(in crate::local) fn read(id: &str) -> Option<Self> {
        let (letter, rest) = id.strip_prefix("tpo-")?.split_once('-')?;
        let mut parts = rest.rsplitn(5, '-');
        let targets = parts.next()?;
        let mut number = || parts.next()?.parse::<u64>().ok();
        let (start, hours, count) = (number()?, number()?, number()?);
        let kind = parts.next()?;
        let same = |name: &str| name.replace('.', "-") == kind;
        let (instance_type, ultra_server) = match letter {
            "u" => {
                let (server, instance, _) = ULTRA_SERVERS.iter().find(|(server, ..)| same(server))?;
                ((*instance).to_owned(), Some(*server))
            }
            "i" => (instance_types().find(|name| same(name))?.to_owned(), None),
            _ => return None,
        };
        let targets: Vec<&str> =
            TARGETS.iter().filter(|(_, letter)| targets.contains(*letter)).map(|(name, _)| *name).collect();
        let offering = Self { instance_type, count, ultra_server, hours, start, targets };
        // There is one identifier for each offering, and no plan lasts longer than the model allows.
        (offering.id() == id && hours <= MAX_HOURS && start <= LAST_START).then_some(offering)
    }

    pub(in crate::local) fn end(&self) -> u64 {
        self.start + self.hours * 3600
    }

    pub(in crate::local) fn instances(&self) -> u64 {
        let of_server = ULTRA_SERVERS.iter().find(|(server, ..)| self.ultra_server == Some(server));
        self.count.saturating_mul(of_server.map_or(1, |(.., instances)| *instances))
    }

    /// The instance type of an UltraServer.
    pub(in crate::local) fn ultra_server(name: &str) -> Option<(&'static str, &'static str)> {
        ULTRA_SERVERS.iter().find(|(server, ..)| *server == name).map(|(server, instance, _)| (*server, *instance))
    }

    /// The names of what a request wants a plan for; training jobs if it does not say.
    pub(in crate::local) fn targets(request: Option<&Value>) -> Vec<&'static str> {
        match request.and_then(Value::as_array) {
            Some(asked) => {
                TARGETS.iter().map(|(name, _)| *name).filter(|name| asked.iter().any(|one| one == name)).collect()
            }
            None => vec!["training-job"],
        }
    }
}

/// Hours; ten years.
const MAX_HOURS: u64 = 87_600;
/// Seconds since 1970; the year 9999.
const LAST_START: u64 = 253_370_764_800;

fn instance_types() -> impl Iterator<Item = &'static str> {
    let shape = ModelShape::input(Service::SageMaker, "SearchTrainingPlanOfferings");
    let values = shape.and_then(|shape| shape.member("InstanceType")?.values());
    values.into_iter().flat_map(EnumValues::iter)
}

fn prepare(draft: &mut Draft<'_>) -> Result<(), AwsError> {
    let id = draft.text("TrainingPlanOfferingId").unwrap_or_default();
    let missing = || AwsError::resource_not_found(format!("Could not find training plan offering \"{id}\"."));
    let offering = Offering::read(id).ok_or_else(missing)?;
    if offering.end() <= epoch(draft.now).unsigned_abs() {
        return Err(AwsError::validation(format!("The training plan offering \"{id}\" is no longer available.")));
    }
    let instances = offering.instances();
    let name = draft.text("TrainingPlanName").unwrap_or_default();
    let arn = draft.place.arn(&format!("reserved-capacity/{}", name.to_lowercase()));
    let mut capacity = json!({
        "ReservedCapacityArn": arn,
        "ReservedCapacityType": if offering.ultra_server.is_some() { "UltraServer" } else { "Instance" },
        "InstanceType": offering.instance_type,
        "TotalInstanceCount": instances,
        "Status": "Pending",
        "AvailabilityZone": format!("{}a", draft.place.region),
        "DurationHours": offering.hours,
        "DurationMinutes": 0,
        "StartTime": offering.start,
        "EndTime": offering.end(),
    });
    if let Some(server) = offering.ultra_server {
        capacity["UltraServerType"] = json!(server);
        capacity["UltraServerCount"] = json!(offering.count);
        draft.set("TotalUltraServerCount", offering.count);
        let spares = draft.request.get("SpareInstanceCountPerUltraServer").and_then(Value::as_u64).unwrap_or(1);
        draft.set("AvailableSpareInstanceCount", spares.saturating_mul(offering.count));
    }
    for member in ["DurationHours", "DurationMinutes", "StartTime", "EndTime"] {
        let value = capacity[member].clone();
        draft.set(member, value);
    }
    draft.set("TotalInstanceCount", instances);
    draft.set("AvailableInstanceCount", instances);
    draft.set("InUseInstanceCount", 0);
    draft.set("UnhealthyInstanceCount", 0);
    draft.set("TargetResources", offering.targets);
    draft.set(CAPACITIES, json!([capacity]));
    Ok(())
}

/// The state of a plan, and of its capacity, at a time.
pub(in crate::local) fn plan_status(plan: &Resource, now: SystemTime) -> &'static str {
    let at = |member: &str| plan.state.get(member).and_then(millis_of).unwrap_or_default().max(0.0) as u64;
    let since = |time: u64| now >= UNIX_EPOCH + Duration::from_millis(time);
    match plan.state.get("Status").and_then(Value::as_str) {
        Some("Pending") => "Pending",
        _ if since(at("EndTime")) => "Expired",
        _ if since(at("StartTime")) => "Active",
        _ => "Scheduled",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn identifiers_say_what_is_offered() {
        let offering = Offering {
            instance_type: "ml.p6-b200.48xlarge".into(),
            count: 4,
            ultra_server: None,
            hours: 72,
            start: 1_767_225_600,
            targets: vec!["training-job", "hyperpod-cluster"],
        };
        assert_eq!(offering.id(), "tpo-i-ml-p6-b200-48xlarge-4-72-1767225600-th");
        assert_eq!(Offering::read(&offering.id()), Some(offering));
        let server = Offering::read("tpo-u-ml-u-p6e-gb200x72-2-24-1767225600-t").unwrap();
        assert_eq!((server.instances(), server.instance_type.as_str()), (36, "ml.p6e-gb200.36xlarge"));
        for nonsense in ["", "a", "tpo-i-ml-p5-48xlarge-04-72-1-t", "tpo-i-ml-m5-large-1-1-1-t", "tpo-x-1-1-1-t"] {
            assert_eq!(Offering::read(nonsense), None, "{nonsense}");
        }
    }

    proptest! {
        #[test]
        fn any_identifier_is_read_or_refused(id in "(tpo-[iu]-ml-p5-48xlarge-)?[a-z0-9-]{0,80}") {
            if let Some(offering) = Offering::read(&id) {
                prop_assert_eq!(offering.id(), id);
                let _ = (offering.end(), offering.instances());
            }
        }
    }
}

//! A hyperparameter tuning job: it starts training jobs, some at a time, and learns from each that ends.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use serde_json::{Map, Value, json};
use tokio::task::{Id, JoinSet};

use super::{Event, Run};
use crate::local::aws_error::AwsError;
use crate::local::clock::BusyGuard;
use crate::local::kinds::Kind;
use crate::local::listing;
use crate::local::services::sagemaker::{Launch, prepare_training};
use crate::local::state::{Resource, State};
use crate::local::time::{millis, timestamp};
use crate::local::tuning::{EarlyStop, Point, Search, Trial};

mod progress;

pub(in crate::local) use progress::Best;
use progress::Progress;

/// Lists a tuning job's training jobs.
pub(in crate::local) const LIST: &str = "ListTrainingJobsForHyperParameterTuningJob";
/// After so many training jobs of which none succeeded, more of them would not help.
const ATTEMPTS: u32 = 5;

/// What a tuning job does, taken from its request.
pub(in crate::local) struct Plan {
    pub(in crate::local) definitions: Vec<Definition>,
    pub(in crate::local) max_jobs: u32,
    pub(in crate::local) max_parallel: u32,
    pub(in crate::local) max_runtime: Option<Duration>,
    /// The value of the objective that is good enough.
    pub(in crate::local) target: Option<f64>,
    /// How many training jobs in a row may be no better.
    pub(in crate::local) patience: Option<u32>,
    pub(in crate::local) until_converged: bool,
    /// The best training job of the parents.
    pub(in crate::local) earlier_best: Option<Best>,
    pub(in crate::local) seed: u64,
}

/// One algorithm that is tuned.
pub(in crate::local) struct Definition {
    pub(in crate::local) name: Option<String>,
    /// Away while it is at work.
    pub(in crate::local) search: Option<Search>,
    /// What parents have found.
    pub(in crate::local) earlier: Vec<Trial>,
    pub(in crate::local) objective: Objective,
    pub(in crate::local) early_stop: Option<Arc<EarlyStop>>,
    /// The hyperparameters that do not change.
    pub(in crate::local) fixed: BTreeMap<String, String>,
    /// The request of its training jobs, but for name and hyperparameters.
    pub(in crate::local) template: Value,
}

/// The metric that is to be as low, or as high, as can be.
#[derive(Debug, Clone)]
pub(in crate::local) struct Objective {
    pub(in crate::local) metric: String,
    pub(in crate::local) maximize: bool,
}

impl Objective {
    /// The value as the search takes it.
    pub(in crate::local) fn lower_is_better(&self, value: f64) -> f64 {
        if self.maximize { -value } else { value }
    }

    pub(in crate::local) fn is_better(&self, value: f64, than: f64) -> bool {
        self.lower_is_better(value) < self.lower_is_better(than)
    }
}

/// A training job that runs.
struct Child {
    name: String,
    definition: usize,
    point: Point,
    /// Its number at the early stop.
    training: Option<usize>,
}

/// Why no more training jobs are started.
enum End {
    Completed,
    Stopped,
    Failed(String),
}

/// The first state of a job.
pub(in crate::local) fn begin(resource: &mut Resource) {
    resource.set("HyperParameterTuningJobStatus", "InProgress");
    Progress::default().show(resource);
}

/// Stop was asked for.
pub(in crate::local) fn stopping(resource: &mut Resource, _now: SystemTime) {
    resource.set("HyperParameterTuningJobStatus", "Stopping");
    resource.stop.ask();
}

/// The end of a job that failed.
pub(super) fn fail(resource: &mut Resource, now: SystemTime, reason: &str) {
    resource.set_failure(reason);
    end(resource, now, "Failed");
}

fn end(resource: &mut Resource, now: SystemTime, status: &str) {
    resource.set("HyperParameterTuningJobStatus", status);
    resource.set("HyperParameterTuningEndTime", timestamp(now));
}

/// The request of a training job.
pub(in crate::local) fn training_request(
    template: &Value,
    name: &str,
    fixed: &BTreeMap<String, String>,
    tuned: &BTreeMap<String, String>,
) -> Value {
    let mut request = template.clone();
    let hyperparameters: BTreeMap<&String, &String> = fixed.iter().chain(tuned).collect();
    request["TrainingJobName"] = json!(name);
    request["HyperParameters"] = json!(hyperparameters);
    request
}

/// The training jobs that a tuning job has started.
pub(in crate::local) fn training_jobs<'a>(
    state: &'a State,
    parent: &'a Resource,
) -> impl Iterator<Item = &'a Resource> + 'a {
    let of_parent = |job: &&Resource| job.state.get("TuningJobId").and_then(Value::as_u64) == Some(parent.id);
    state.all(Kind::TrainingJob).filter(of_parent)
}

/// The final value of a training job's objective, if it has one.
pub(in crate::local) fn objective_value(job: &Resource) -> Option<f64> {
    job.state.get("FinalObjectiveMetricValue")?.as_f64()
}

/// A training job as its tuning job shows it.
pub(in crate::local) fn summary(job: &Resource) -> Value {
    let document = job.document(Kind::TrainingJob.row());
    match listing::summaries(LIST) {
        Some((_, summary)) => Value::Object(summary.project_members(&document)),
        None => Value::Null,
    }
}

/// Runs a job to its end.
pub(in crate::local) async fn run(run: Run, plan: Plan) {
    let earlier_best = plan.earlier_best.clone();
    let mut tuning = Tuning {
        run,
        plan,
        children: HashMap::new(),
        trials: Vec::new(),
        progress: Progress { earlier_best, ..Progress::default() },
        started: 0,
        next_definition: 0,
    };
    let ended = tuning.walk().await;
    let Tuning { run, progress, .. } = tuning;
    drop(run.finish(|resource, now| {
        progress.show(resource);
        match ended {
            End::Failed(reason) => fail(resource, now, &reason),
            // A stop may have come while the last training job ended.
            End::Completed if !resource.stop.asked() => end(resource, now, "Completed"),
            End::Completed | End::Stopped => end(resource, now, "Stopped"),
        }
    }));
}

struct Tuning {
    run: Run,
    plan: Plan,
    children: HashMap<Id, Child>,
    /// What each definition's training jobs found.
    trials: Vec<(usize, Trial)>,
    progress: Progress,
    started: u32,
    next_definition: usize,
}

type Jobs = JoinSet<Option<BusyGuard>>;

impl Tuning {
    async fn walk(&mut self) -> End {
        let mut jobs = Jobs::new();
        let mut end: Option<End> = None;
        let began = self.run.now();
        loop {
            while end.is_none() && self.may_start() {
                match self.start(&mut jobs).await {
                    Ok(true) => {}
                    Ok(false) => break,
                    Err(reason) => end = Some(self.wind_down(End::Failed(reason))),
                }
            }
            if self.children.is_empty() {
                return end.unwrap_or_else(|| self.verdict());
            }
            let passed = self.run.now().duration_since(began).unwrap_or_default();
            let limit = self.plan.max_runtime.filter(|_| end.is_none()).map(|limit| limit.saturating_sub(passed));
            let stopped = end.is_some() && self.run.stop.asked();
            match self.run.attend(next_ended(&mut jobs), stopped, limit).await {
                Event::Happened(id) => {
                    self.ended(id);
                    if end.is_none()
                        && let Some(enough) = self.enough()
                    {
                        end = Some(self.wind_down(enough));
                    }
                }
                Event::Stopped => end = Some(self.wind_down(End::Stopped)),
                Event::Overtime => end = Some(self.wind_down(End::Completed)),
            }
        }
    }

    fn may_start(&self) -> bool {
        self.started < self.plan.max_jobs
            && self.children.len() < self.plan.max_parallel as usize
            && !self.run.stop.asked()
    }

    /// Starts the next training job; false if there is nothing left to try.
    async fn start(&mut self, jobs: &mut Jobs) -> Result<bool, String> {
        // Each definition in its turn; one that is exhausted is passed over.
        for _ in 0..self.plan.definitions.len() {
            let number = self.next_definition;
            self.next_definition = (number + 1) % self.plan.definitions.len();
            if let Some(point) = self.propose(number).await? {
                self.launch(jobs, number, point).map_err(|error| error.message)?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn propose(&mut self, number: usize) -> Result<Option<Point>, String> {
        let of_definition = |trial: &&(usize, Trial)| trial.0 == number;
        let definition = &mut self.plan.definitions[number];
        let Some(mut search) = definition.search.take() else { return Ok(None) };
        let found = self.trials.iter().filter(of_definition).map(|(_, trial)| trial.clone());
        let done: Vec<Trial> = definition.earlier.iter().cloned().chain(found).collect();
        let running = self.children.values().filter(|child| child.definition == number);
        let running: Vec<Point> = running.map(|child| child.point.clone()).collect();
        let proposed = self.run.work(move || {
            let point = search.propose(&done, &running);
            (search, point)
        });
        let (search, point) = proposed.await.map_err(|panic| format!("InternalServerError: {panic}"))?;
        self.plan.definitions[number].search = Some(search);
        Ok(point)
    }

    fn launch(&mut self, jobs: &mut Jobs, number: usize, point: Point) -> Result<(), AwsError> {
        let core = self.run.owner.core.clone();
        let definition = &self.plan.definitions[number];
        let tuned = match &definition.search {
            Some(search) => search.space().values(&point),
            None => BTreeMap::new(),
        };
        let (parent, arn, id) = self
            .run
            .update(|resource, _| (resource.name.clone(), resource.arn.clone(), resource.id))
            .ok_or_else(|| AwsError::validation("The tuning job is gone."))?;
        let name = self.free_name(&parent);
        let training = definition.early_stop.as_ref().map(|early_stop| early_stop.begin());
        let objective = definition.objective.clone();
        let watch = definition.early_stop.clone().zip(training).map(|(early_stop, training)| {
            let metric = objective.metric.clone();
            let report: Arc<dyn Fn(f64) -> bool + Send + Sync> =
                Arc::new(move |value| early_stop.report(training, objective.lower_is_better(value)));
            (metric, report)
        });
        let mut state = Map::new();
        let mut set = |member: &str, value: Value| state.insert(member.to_owned(), value);
        set("TuningJobArn", json!(arn));
        set("TuningJobName", json!(parent));
        set("TuningJobId", json!(id));
        set("TunedHyperParameters", json!(tuned));
        set("ObjectiveStatus", json!("Pending"));
        if let Some(name) = &definition.name {
            set("TrainingJobDefinitionName", json!(name));
        }
        let request = training_request(&definition.template, &name, &definition.fixed, &tuned);
        let (_, job) = prepare_training(&core, &request, Launch { state, watch })?;
        let id = jobs.spawn(job).id();
        self.started += 1;
        self.children.insert(id, Child { name, definition: number, point, training });
        self.progress.running = self.children.len();
        self.show();
        Ok(())
    }

    /// A name such as `tune-001-0123abcd` that no training job has.
    fn free_name(&self, parent: &str) -> String {
        let state = self.run.owner.core.state();
        let place = &self.run.owner.core.place;
        let number = self.started + 1;
        let mut tries = 0u32;
        loop {
            let mut hasher = DefaultHasher::new();
            (parent, self.plan.seed, number, tries).hash(&mut hasher);
            let name = format!("{parent}-{number:03}-{:08x}", hasher.finish() as u32);
            if state.get(Kind::TrainingJob.row(), place, &name).is_err() {
                return name;
            }
            tries += 1;
        }
    }

    /// A training job ended: what did it find?
    fn ended(&mut self, id: Id) {
        let Some(child) = self.children.remove(&id) else { return };
        self.progress.running = self.children.len();
        let definition = &self.plan.definitions[child.definition];
        if let Some((early_stop, training)) = definition.early_stop.as_ref().zip(child.training) {
            early_stop.end(training);
        }
        let objective = &definition.objective;
        let show_type = self.plan.definitions.len() > 1;
        let core = &self.run.owner.core;
        let (status, value, summary) = core.change(|state| {
            let row = Kind::TrainingJob.row();
            // It may have been deleted already.
            let Ok(job) = state.get_mut(row, &core.place, &child.name) else { return ("Failed", None, Value::Null) };
            let status = match job.status(row) {
                "Completed" => "Completed",
                "Stopped" => "Stopped",
                _ => "Failed",
            };
            let value = final_value(job, &objective.metric).filter(|_| status != "Failed");
            if let Some(value) = value {
                let mut metric = json!({"MetricName": objective.metric, "Value": value});
                if show_type {
                    metric["Type"] = json!(if objective.maximize { "Maximize" } else { "Minimize" });
                }
                job.set("FinalHyperParameterTuningJobObjectiveMetric", metric);
                job.set("FinalObjectiveMetricValue", value);
            }
            let objective_status = if value.is_some() { "Succeeded" } else { "Failed" };
            job.set("ObjectiveStatus", objective_status);
            (status, value, summary(job))
        });
        self.progress.count(status, value, summary, objective);
        self.progress.notice_convergence(self.run.now());
        if let Some(value) = value {
            let trial = Trial { point: child.point, value: objective.lower_is_better(value) };
            self.trials.push((child.definition, trial));
        }
        self.show();
    }

    /// Whether what there is will do, or nothing will come of more.
    fn enough(&self) -> Option<End> {
        let progress = &self.progress;
        if progress.with_objective == 0 && progress.ended() >= ATTEMPTS {
            return Some(self.verdict());
        }
        let objective = &self.plan.definitions.first()?.objective;
        let best = progress.best.as_ref().map(|best| objective.lower_is_better(best.value));
        let reached =
            self.plan.target.zip(best).is_some_and(|(target, best)| best <= objective.lower_is_better(target));
        let hopeless = self.plan.patience.is_some_and(|patience| progress.not_improving >= patience);
        let converged = self.plan.until_converged && progress.converged.is_some();
        (reached || hopeless || converged).then_some(End::Completed)
    }

    /// How a job ends that nobody stopped.
    fn verdict(&self) -> End {
        let progress = &self.progress;
        if progress.with_objective > 0 || progress.stopped > 0 {
            return End::Completed;
        }
        let attempts = progress.ended();
        if progress.completed > 0 {
            return End::Failed(format!(
                "No objective metrics found after running {attempts} training jobs. Please ensure that the custom \
                 algorithm is emitting the objective metric as defined by the regular expression provided."
            ));
        }
        End::Failed(format!(
            "No training job succeeded after {attempts} attempts. Please take a look at the training job failures to \
             get more details."
        ))
    }

    /// No more training jobs: those that run are stopped.
    fn wind_down(&mut self, end: End) -> End {
        let core = &self.run.owner.core;
        let now = self.run.now();
        core.change(|state| {
            let row = Kind::TrainingJob.row();
            for child in self.children.values() {
                if let Ok(job) = state.get_mut(row, &core.place, &child.name)
                    && job.status(row) == "InProgress"
                {
                    super::training::stopping(job, now);
                }
            }
        });
        end
    }

    fn show(&self) {
        self.run.update(|resource, now| {
            let passed = u64::try_from(millis(now) - millis(resource.created)).unwrap_or(0).div_ceil(1000);
            self.progress.show(resource);
            resource.set("ConsumedResources", json!({"RuntimeInSeconds": passed}));
        });
    }
}

/// The next training job that ends. Its guard keeps time from passing before it was heard of.
async fn next_ended(jobs: &mut Jobs) -> (Id, Option<BusyGuard>) {
    match jobs.join_next_with_id().await {
        Some(Ok(ended)) => ended,
        Some(Err(panicked)) => (panicked.id(), None),
        None => std::future::pending().await,
    }
}

/// The last value of a metric that a training job ended with.
fn final_value(job: &Resource, metric: &str) -> Option<f64> {
    let found = job.state.get("FinalMetricDataList")?.as_array()?;
    found.iter().find(|found| found["MetricName"] == metric)?.get("Value")?.as_f64()
}

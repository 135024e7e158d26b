//! The backend itself: one handler over all services.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_types::body::SdkBody;
use http::header::{CONTENT_LENGTH, HOST};
use http::{Request, Response};
use serde_json::Value;
use tokio::sync::OnceCell;

use super::clock::LocalClock;
use super::control;
use super::documents::Documents;
use super::engines::{Engine, ModelFiles, ProcessingTask, ReadObject, TrainingTask};
use super::faults::{self, Broken, Faults, Hindrance};
use super::file_systems::FileSystems;
use super::ignored::{self, IgnoredField};
use super::jobs::revive;
use super::profile::Profile;
use super::reading::Handling;
use super::recorder::{self, RecordedRequest, Recorder};
use super::regions::Regions;
use super::router::{self, Service};
use super::s3::S3;
use super::services::{
    self,
    cloudwatch::MetricStore,
    iam,
    logs::{LogStore, QueryStore},
    runtime,
};
use super::signature;
use super::state::{Place, State, StateGuard};
use super::store::{Corrupt, NotKept, Store};
use super::transport;
use crate::error::{Error, ErrorKind, Result};

/// One in-memory AWS. Clones share their state; dropping the last one forgets it.
///
/// See the [module](super) for an example. A backend is `Send + Sync`, and several Tokio runtimes may use it. A job
/// runs on the runtime that handled its Create request and fails if that runtime ends first.
#[derive(Clone)]
pub struct LocalBackend(Arc<Core>, Arc<Handle>);

/// What all clones of a backend share besides its core, which running jobs keep alive for longer.
struct Handle {
    engines: Vec<Arc<dyn Engine>>,
    regions: Regions,
}

impl Handle {
    fn close(&self) {
        self.engines.iter().for_each(|engine| engine.close());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}

/// What the services share.
pub(super) struct Core {
    pub(super) place: Place,
    /// The backend's own region, where the account's roles are; `None` if it is this one.
    home: Option<Arc<Core>>,
    pub(super) clock: LocalClock,
    pub(super) engines: Vec<Arc<dyn Engine>>,
    pub(super) s3: S3,
    pub(super) logs: LogStore,
    pub(super) queries: QueryStore,
    pub(super) metrics: MetricStore,
    pub(super) documents: Documents,
    /// The largest body that `InvokeEndpoint` takes, in bytes.
    pub(super) max_invocation_body: u64,
    pub(super) faults: Arc<Faults>,
    pub(super) profile: Profile,
    pub(super) file_systems: Arc<FileSystems>,
    store: Store,
    /// Completed once the endpoints of an earlier run are up again.
    revived: OnceCell<()>,
    state: Mutex<State>,
    recorder: Recorder,
    ignored: Mutex<BTreeSet<IgnoredField>>,
    answers: AtomicU64,
}

/// Settings of a [`LocalBackend`]; made by [`LocalBackend::builder`].
#[must_use = "a builder does nothing until `build` is called"]
pub struct LocalBackendBuilder {
    account: String,
    region: String,
    clock: LocalClock,
    engines: Vec<Arc<dyn Engine>>,
    max_invocation_body: u64,
    profile: Profile,
    file_systems: BTreeMap<String, PathBuf>,
    #[cfg(feature = "local-server")]
    data_dir: Option<PathBuf>,
}

impl LocalBackend {
    /// A backend in `us-east-1` with the account 123456789012, an instant clock and the bundled engines.
    pub fn new() -> Self {
        Self::builder().build()
    }

    /// Settings other than those of [`new`](Self::new).
    ///
    /// ```
    /// use sagemaker::local::{LocalBackend, LocalClock};
    ///
    /// let backend = LocalBackend::builder().region("eu-west-1").clock(LocalClock::manual()).build();
    /// assert_eq!(backend.role_arn(), "arn:aws:iam::123456789012:role/SageMakerRole");
    /// ```
    pub fn builder() -> LocalBackendBuilder {
        LocalBackendBuilder {
            account: "123456789012".to_owned(),
            region: "us-east-1".to_owned(),
            clock: LocalClock::instant(),
            engines: Vec::new(),
            max_invocation_body: runtime::MAX_BODY,
            profile: Profile::Strict,
            file_systems: BTreeMap::new(),
            #[cfg(feature = "local-server")]
            data_dir: None,
        }
    }

    /// Answers one request to any of the services: the whole backend behind one function.
    ///
    /// Errors are answers in the service's own form; this never fails. Where one of the [faults](Self::faults) breaks the
    /// connection, the answer is an empty 502. Must be called within a Tokio runtime.
    pub async fn handle(&self, request: Request<SdkBody>) -> Response<SdkBody> {
        self.exchange(request).await.unwrap_or_else(|Broken| {
            let mut answer = Response::new(SdkBody::empty());
            *answer.status_mut() = http::StatusCode::BAD_GATEWAY;
            answer
        })
    }

    /// As [`handle`](Self::handle), for those who can break a connection.
    pub(super) async fn exchange(&self, request: Request<SdkBody>) -> Result<Response<SdkBody>, Broken> {
        let core = &self.0;
        if let Some(answer) = control::handle(self, &request) {
            return Ok(match core.store.committed().await {
                Ok(()) => answer,
                Err(NotKept) => services::not_kept(core, &Service::Other(String::new())),
            });
        }
        let handling = Handling::new(&core.clock);
        let request = request.map(|body| handling.read(body));
        let service = router::service(&request);
        let mut record = describe(&request, &service);
        if core.store.is_on_disk() {
            core.revive().await;
        }
        let met = match signature::admit(core, &service, &request) {
            Ok(()) => Box::pin(faults::meet(core, &service, request, &handling)).await,
            Err(error) => {
                let operation = router::target(&request).map_or(record.operation.as_str(), |(_, operation)| operation);
                Err(Hindrance::unsigned(operation.to_owned(), services::refuse(core, &service, &request, error)))
            }
        };
        let (operation, body, mut answer, fault) = match met {
            Ok((request, fault)) => {
                let regional = self.1.regions.of(core, &service, &request);
                let (operation, body, mut answer) =
                    Box::pin(services::handle(&regional, &service, request, &handling)).await;
                if core.store.committed().await.is_err() {
                    answer = services::not_kept(core, &service);
                }
                (operation, body, answer, fault)
            }
            Err(Hindrance::Refused(refusal)) => (Some(refusal.operation), refusal.seen, refusal.answer, None),
            Err(Hindrance::Broken) => return Err(Broken),
        };
        if let Some(operation) = operation {
            record.operation = operation;
        }
        record.status = answer.status().as_u16();
        if answer.status().is_success() {
            core.note_ignored(&record.operation, &body.value);
        }
        record.body_length = body.length.unwrap_or(record.body_length);
        record.body = body.value;
        core.recorder.record(record);
        if let Ok(id) = http::HeaderValue::from_str(&core.request_id()) {
            answer.headers_mut().entry("x-amzn-requestid").or_insert(id);
        }
        match fault {
            Some(fault) => fault.befall(answer),
            None => Ok(answer),
        }
    }

    /// What goes wrong on demand.
    ///
    /// ```
    /// use sagemaker::local::{Fault, LocalBackend};
    ///
    /// let backend = LocalBackend::new();
    /// backend.faults().add(Fault::throttle().on("CreateTrainingJob").times(2));
    /// ```
    pub fn faults(&self) -> &Faults {
        &self.0.faults
    }

    /// Ends what engines run outside this program, such as the commands of a process engine, and lets none begin any more.
    ///
    /// Dropping the last clone does the same: this is for a program that ends without that.
    pub fn close(&self) {
        self.1.close();
    }

    /// The backend as the HTTP client of AWS SDK clients: give it to `Config::builder().http_client(..)`.
    pub fn http_client(&self) -> SharedHttpClient {
        transport::http_client(self.clone())
    }

    /// The backend's clock.
    pub fn clock(&self) -> &LocalClock {
        &self.0.clock
    }

    /// The region that the backend is in. Requests whose signature names another one are answered by that region: it
    /// has resources, logs and metrics of its own, unless there is a data directory, which holds one region.
    pub fn region(&self) -> &str {
        &self.0.place.region
    }

    /// The account's number.
    pub fn account_id(&self) -> &str {
        &self.0.place.account
    }

    /// The ARN of the execution role that exists from the start.
    pub fn role_arn(&self) -> String {
        iam::role_arn(&self.0.place, "/", iam::DEFAULT_ROLE)
    }

    /// The requests so far, oldest first. Only the newest 10,000 are kept, and at most 32 MiB of bodies.
    pub fn requests(&self) -> Vec<RecordedRequest> {
        self.0.recorder.requests()
    }

    /// Fields of successful requests that had no effect, because the backend does not act on them.
    pub fn ignored(&self) -> Vec<IgnoredField> {
        self.0.ignored().iter().cloned().collect()
    }

    /// Forgets everything: resources, buckets, logs, recorded requests. Running jobs are abandoned. The rules of
    /// [faults](Self::faults) stay, and count from the beginning.
    pub fn reset(&self) {
        let core = &self.0;
        let mut state = core.state();
        state.reset();
        iam::add_default_role(&mut state, core);
        drop(state);
        self.1.regions.reset();
        core.s3.reset();
        core.logs.reset();
        core.queries.reset();
        core.metrics.reset();
        core.documents.reset();
        core.recorder.reset();
        core.ignored().clear();
        core.faults.restart();
        core.clock.changed();
    }

    #[cfg(test)]
    pub(super) fn core(&self) -> &Arc<Core> {
        &self.0
    }

    #[cfg(test)]
    pub(super) fn regions(&self) -> &Regions {
        &self.1.regions
    }
}

impl LocalBackendBuilder {
    /// The account's number, 12 digits.
    pub fn account(mut self, account: impl Into<String>) -> Self {
        self.account = account.into();
        self
    }

    /// The region.
    pub fn region(mut self, region: impl Into<String>) -> Self {
        self.region = region.into();
        self
    }

    /// How time passes.
    pub fn clock(mut self, clock: LocalClock) -> Self {
        self.clock = clock;
        self
    }

    /// Registers an engine. Engines are asked in the order of their registration, before the bundled ones.
    pub fn engine(mut self, engine: impl Engine) -> Self {
        self.engines.push(Arc::new(engine));
        self
    }

    /// The largest body that `InvokeEndpoint` and `InvokeEndpointWithResponseStream` take, in bytes. The default is that
    /// of AWS, 6 MiB (6,291,456); serverless variants stay at 4 MiB.
    ///
    /// ```
    /// use sagemaker::local::LocalBackend;
    ///
    /// let backend = LocalBackend::builder().max_invocation_body(25 << 20).build();
    /// # let _ = backend;
    /// ```
    pub fn max_invocation_body(mut self, bytes: u64) -> Self {
        self.max_invocation_body = bytes;
        self
    }

    /// How much the backend forgives. The default is [`Profile::Strict`].
    pub fn profile(mut self, profile: Profile) -> Self {
        self.profile = profile;
        self
    }

    /// Says which folder of this machine a file system is, of Amazon EFS or FSx for Lustre: for training jobs whose
    /// channels have a `FileSystemDataSource`. Without it such a job fails, as one whose file system cannot be mounted.
    ///
    /// The folder stands for the file system's root (of FSx for Lustre: for what is below its mount name). A channel with
    /// the access mode `rw` is the folder itself to a command of a
    /// [`ProcessEngine`](super::engines::process::ProcessEngine), which may write there; with `ro` it is a copy whose files
    /// cannot be written. Nothing is read that is not below the folder, whatever a path or a symbolic link says.
    ///
    /// ```
    /// use sagemaker::local::LocalBackend;
    ///
    /// let folder = tempfile::tempdir().unwrap();
    /// let backend = LocalBackend::builder().file_system("fs-0123456789abcdef0", folder.path()).build();
    /// # drop(backend);
    /// ```
    pub fn file_system(mut self, id: impl Into<String>, folder: impl Into<PathBuf>) -> Self {
        self.file_systems.insert(id.into(), folder.into());
        self
    }

    /// Keeps everything in a directory, which is made if it is not there: objects, resources, roles, logs and metrics are
    /// there again when a backend is built on it later. By default everything is in memory and ends with the backend.
    ///
    /// An answer is sent only when what it tells of is safe, so that nothing that a client was told is lost when the
    /// process is killed. Jobs that were in progress then have failed with a reason that says so; endpoints that were in
    /// service come up again when the first request arrives. The record of requests is not kept. Contents
    /// of up to 64 KiB are also held in memory, larger ones are in files of their own.
    ///
    /// Build with [`try_build`](Self::try_build).
    #[cfg(feature = "local-server")]
    pub fn data_dir(mut self, directory: impl Into<PathBuf>) -> Self {
        self.data_dir = Some(directory.into());
        self
    }

    /// The backend.
    ///
    /// # Panics
    /// If there is a data directory or a file system that cannot be used; [`try_build`](Self::try_build) gives the error instead.
    pub fn build(self) -> LocalBackend {
        match self.try_build() {
            Ok(backend) => backend,
            Err(error) => panic!("{error}"),
        }
    }

    /// The backend.
    ///
    /// ```
    /// # fn main() -> sagemaker::Result<()> {
    /// # #[cfg(feature = "local-server")] {
    /// use sagemaker::local::LocalBackend;
    ///
    /// let directory = tempfile::tempdir().unwrap();
    /// let backend = LocalBackend::builder().data_dir(directory.path()).try_build()?;
    /// // Two at a time would not see each other's changes.
    /// assert!(LocalBackend::builder().data_dir(directory.path()).try_build().is_err());
    /// drop(backend);
    /// LocalBackend::builder().data_dir(directory.path()).try_build()?;
    /// # }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Io`] if the data directory cannot be used: it cannot be written, another backend uses it, it belongs
    /// to another account or region, a newer version of this crate wrote it, or it is damaged; or if the folder of a
    /// [file system](Self::file_system) is not there. [`ErrorKind::InvalidInput`] if the identifier of a file system is
    /// none. Without data directory and file systems there is no error.
    pub fn try_build(self) -> Result<LocalBackend> {
        let Self { region, account, clock, engines, profile, .. } = &self;
        #[cfg(feature = "local-server")]
        let store = match &self.data_dir {
            None => Store::memory(),
            Some(directory) => Store::open(directory, &format!("account {account} in {region}"))?,
        };
        #[cfg(not(feature = "local-server"))]
        let store = Store::memory();
        let file_systems = Arc::new(FileSystems::new(&self.file_systems)?);
        let (now, place) = (clock.clone(), Place { region: region.clone(), account: account.clone() });
        let s3 = S3::load(region, account, Arc::new(move || now.now()), Arc::new(LocalClock::real_now), store.clone());
        let (s3, newest_object) = s3.map_err(unreadable)?;
        let (logs, newest_line) = LogStore::load(&store).map_err(unreadable)?;
        let (metrics, newest_value) = MetricStore::load(&store).map_err(unreadable)?;
        let (documents, newest_document) = Documents::load(&store).map_err(unreadable)?;
        let (mut state, newest_resource) = State::load(&store).map_err(unreadable)?;
        for newest in [newest_object, newest_line, newest_value, newest_document, newest_resource].into_iter().flatten()
        {
            clock.not_before(newest);
        }
        state.revive(|row, resource| revive::resource(row, resource, clock.now()));
        let core = Core {
            place,
            home: None,
            clock: clock.clone(),
            engines: engines.iter().cloned().chain(bundled_engines(*profile)).chain(profile.engine()).collect(),
            s3,
            logs,
            queries: QueryStore::default(),
            metrics,
            documents,
            max_invocation_body: self.max_invocation_body,
            faults: Arc::new(Faults::new(clock)),
            profile: *profile,
            file_systems,
            store,
            revived: OnceCell::new(),
            state: Mutex::new(state),
            recorder: Recorder::default(),
            ignored: Mutex::default(),
            answers: AtomicU64::new(0),
        };
        let mut state = core.state();
        if !state.roles.contains_key(iam::DEFAULT_ROLE) {
            iam::add_default_role(&mut state, &core);
        }
        drop(state);
        let handle = Arc::new(Handle { engines: core.engines.clone(), regions: Regions::default() });
        Ok(LocalBackend(Arc::new(core), handle))
    }
}

fn unreadable(Corrupt(what): Corrupt) -> Error {
    Error::new(ErrorKind::Io, format!("the data directory cannot be used: {what} in it cannot be read"))
}

/// The engines that come with the crate.
fn bundled_engines(profile: Profile) -> Vec<Arc<dyn Engine>> {
    vec![
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::xgboost::XGBoostEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::linear_learner::LinearLearnerEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::kmeans::KMeansEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::pca::PcaEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::knn::KnnEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::random_cut_forest::RandomCutForestEngine::new()),
        #[cfg(feature = "algorithms")]
        Arc::new(super::engines::factorization_machines::FactorizationMachinesEngine::new()),
        #[cfg(unix)]
        Arc::new(super::engines::script_mode::ScriptModeEngine::new().bundled(profile == Profile::Lenient)),
    ]
}

impl Core {
    /// The same account in another region, in memory.
    pub(super) fn in_region(home: &Arc<Self>, region: String) -> Self {
        Self {
            place: Place { region, account: home.place.account.clone() },
            home: Some(home.clone()),
            clock: home.clock.clone(),
            engines: home.engines.clone(),
            s3: home.s3.clone(),
            logs: LogStore::default(),
            queries: QueryStore::default(),
            metrics: MetricStore::default(),
            documents: Documents::default(),
            max_invocation_body: home.max_invocation_body,
            faults: home.faults.clone(),
            profile: home.profile,
            file_systems: home.file_systems.clone(),
            store: Store::memory(),
            revived: OnceCell::new(),
            state: Mutex::default(),
            recorder: Recorder::default(),
            ignored: Mutex::default(),
            answers: AtomicU64::new(0),
        }
    }

    /// Where the account's roles are.
    pub(super) fn home(&self) -> &Self {
        self.home.as_deref().unwrap_or(self)
    }

    pub(super) fn is_on_disk(&self) -> bool {
        self.store.is_on_disk()
    }

    /// Forgets the region's resources and tells what runs to stop.
    pub(super) fn forget(&self) {
        self.state().reset();
        self.clock.changed();
    }

    /// The documents. Never hold the guard across an await.
    pub(super) fn state(&self) -> StateGuard<'_> {
        StateGuard(self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits until the endpoints of an earlier run are up. They come up in a task of their own, as the one that waits
    /// may be given up.
    async fn revive(self: &Arc<Self>) {
        let core = self.clone();
        let endpoints = || async { drop(tokio::spawn(async move { revive::endpoints(&core).await }).await) };
        self.revived.get_or_init(endpoints).await;
    }

    /// Changes the documents, and tells who waits for a change.
    pub(super) fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        let result = change(&mut self.state());
        self.clock.changed();
        result
    }

    /// The engine that trains a job.
    pub(super) fn training_engine(&self, job: &TrainingTask) -> Option<Arc<dyn Engine>> {
        self.engines.iter().find(|engine| engine.trains(job)).cloned()
    }

    /// The engine that runs a processing job.
    pub(super) fn processing_engine(&self, job: &ProcessingTask) -> Option<Arc<dyn Engine>> {
        self.engines.iter().find(|engine| engine.processes(job)).cloned()
    }

    /// The engine that serves a model.
    pub(super) fn serving_engine(&self, model: &ModelFiles) -> Option<Arc<dyn Engine>> {
        self.engines.iter().find(|engine| engine.serves(model)).cloned()
    }

    /// How a container reads S3.
    pub(super) fn read_object(self: &Arc<Self>) -> ReadObject {
        // Weak, because a container that is up belongs to the backend.
        let core = Arc::downgrade(self);
        Arc::new(move |bucket, key| core.upgrade()?.s3.get(bucket, key))
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.profile == Profile::Lenient
    }

    /// An identifier in the form of those of AWS, different for each answer.
    pub(super) fn request_id(&self) -> String {
        let number = self.home().answers.fetch_add(1, Ordering::Relaxed);
        format!("00000000-0000-4000-8000-{number:012x}")
    }

    /// A random identifier in the form of those of AWS: for names of objects, which may outlive the backend.
    pub(super) fn unique_id(&self) -> String {
        let bits = format!("{:032x}", fastrand::u128(..));
        let parts = [&bits[..8], &bits[8..12], &bits[13..16], &bits[17..20], &bits[20..]];
        format!("{}-{}-4{}-a{}-{}", parts[0], parts[1], parts[2], parts[3], parts[4])
    }

    fn note_ignored(&self, operation: &str, body: &Value) {
        let found = ignored::find(operation, body);
        if !found.is_empty() {
            self.ignored().extend(found);
        }
    }

    fn ignored(&self) -> MutexGuard<'_, BTreeSet<IgnoredField>> {
        self.ignored.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        // Before models are dropped, which would give their commands time to end.
        self.engines.iter().for_each(|engine| engine.close());
        self.store.close();
    }
}

/// What the recorder keeps of a request, as far as it is known before the service has read it.
fn describe(request: &Request<SdkBody>, service: &Service) -> RecordedRequest {
    let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let headers: BTreeMap<String, String> = request
        .headers()
        .iter()
        .filter(|(name, _)| recorder::matters(name.as_str()))
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    let operation = if *service == Service::S3 { S3::operation(request) } else { request.method().as_str() };
    let length = header("x-amz-decoded-content-length").or_else(|| header(CONTENT_LENGTH.as_str()));
    RecordedRequest {
        service: service.name().to_owned(),
        operation: operation.to_owned(),
        method: request.method().to_string(),
        host: request.uri().host().or_else(|| header(HOST.as_str())).unwrap_or_default().to_owned(),
        path: recorder::unsigned(request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str)),
        headers,
        body: Value::Null,
        body_length: length.and_then(|length| length.parse().ok()).or(request.body().content_length()).unwrap_or(0),
        status: 0,
    }
}

impl Default for LocalBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for LocalBackend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place { region, account } = &self.0.place;
        f.debug_struct("LocalBackend").field("region", region).field("account", account).finish_non_exhaustive()
    }
}

impl fmt::Debug for LocalBackendBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalBackendBuilder").field("region", &self.region).finish_non_exhaustive()
    }
}

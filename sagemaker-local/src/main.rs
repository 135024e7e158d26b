//! `sagemaker-local`: the local backend of the `sagemaker` crate as a server of its own.

mod options;
mod signals;

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

#[cfg(unix)]
use sagemaker::local::engines::process::ProcessEngine;
use sagemaker::local::{LocalBackend, LocalServer};

use options::{Asked, Options};

/// How long what is at work at the end may take to tidy up.
const LAST_BREATH: Duration = Duration::from_millis(500);
/// The exit code for a command line that cannot be understood.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let asked = match options::parse(std::env::args_os(), |name| std::env::var(name).ok()) {
        Ok(asked) => asked,
        Err(why) => {
            eprintln!("sagemaker-local: {why}\nTry 'sagemaker-local --help'.");
            return ExitCode::from(USAGE);
        }
    };
    let result = match asked {
        Asked::Help => say(options::HELP),
        Asked::Version => say(concat!("sagemaker-local ", env!("CARGO_PKG_VERSION"))),
        Asked::Serve(options) => run(*options),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("sagemaker-local: {why}");
            ExitCode::FAILURE
        }
    }
}

/// Writes a line to stdout. Nobody may be reading any more: that is no reason to end.
fn say(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{text}").and_then(|()| out.flush());
    Ok(())
}

fn run(options: Options) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| format!("cannot start: {error}"))?;
    let result = runtime.block_on(serve(options));
    // An engine that is still at work has nobody left to work for; a command's that has been ended takes its folder along.
    runtime.shutdown_timeout(LAST_BREATH);
    result
}

/// Serves until a signal comes.
async fn serve(options: Options) -> Result<(), String> {
    let mut backend = LocalBackend::builder().clock(options.clock()).profile(options.profile);
    if let Some(account) = &options.account {
        backend = backend.account(account);
    }
    if let Some(region) = &options.region {
        backend = backend.region(region);
    }
    #[cfg(unix)]
    for engine in &options.engines {
        backend = backend.engine(engine.parse::<ProcessEngine>().map_err(|error| error.to_string())?);
    }
    for (id, folder) in &options.file_systems {
        backend = backend.file_system(id, folder);
    }
    if let Some(directory) = &options.data_dir {
        backend = backend.data_dir(directory);
    }
    let backend = backend.try_build().map_err(|error| error.to_string())?;
    if let Some(file) = &options.faults {
        let wrong = |why: &dyn Display| format!("cannot use the faults in {}: {why}", file.display());
        let text = std::fs::read_to_string(file).map_err(|error| wrong(&error))?;
        backend.faults().load(&text).map_err(|error| wrong(&error))?;
    }
    // Before the first line is out: whoever has read it may send a signal.
    let stop = signals::Stop::new().map_err(|error| format!("cannot listen to signals: {error}"))?;
    let mut server = LocalServer::builder(&backend).allow_host(&options.host);
    for host in &options.allowed_hosts {
        server = server.allow_host(host);
    }
    let server =
        server.bind((options.host.as_str(), options.port)).await.map_err(|error| not_bound(&options, &error))?;
    say(&server.url())?;
    stop.wait().await;
    server.shutdown().await;
    backend.close();
    Ok(())
}

fn not_bound(options: &Options, error: &io::Error) -> String {
    let Options { host, port, .. } = options;
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            format!("port {port} of {host} is in use by another program; choose one with --port, or 0 for a free one")
        }
        _ => format!("cannot listen on port {port} of {host}: {error}"),
    }
}

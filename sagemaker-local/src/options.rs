//! The command line, with environment variables as its defaults.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::*;
use sagemaker::local::{LocalClock, Profile};

/// What `--help` prints.
pub(crate) const HELP: &str = "\
Amazon SageMaker, S3, CloudWatch Logs, STS and the little IAM that they need, on one local URL.

Usage: sagemaker-local [OPTIONS]

The first line of output is the URL: give it to clients as AWS_ENDPOINT_URL or endpoint_url.
Ctrl-C and SIGTERM end the program.

Options:
      --port <PORT>        Port to listen on; 0 picks a free one [default: 4566] [env: SAGEMAKER_LOCAL_PORT]
      --host <HOST>        Address or name to bind [default: 127.0.0.1] [env: SAGEMAKER_LOCAL_HOST]
      --allow-host <NAME>  Answer requests for this host name too; may be given several times
                           [env: SAGEMAKER_LOCAL_ALLOW_HOST, separated by commas]
      --account <ID>       Account number of 12 digits [default: 123456789012] [env: SAGEMAKER_LOCAL_ACCOUNT]
      --region <REGION>    Region [default: us-east-1] [env: SAGEMAKER_LOCAL_REGION]
      --time-scale <SCALE> How fast time passes for jobs: 'instant' jumps from step to step, 1 is real time,
                           60 a minute a second [default: instant] [env: SAGEMAKER_LOCAL_TIME_SCALE]
      --data-dir <FOLDER>  Keep everything in this folder across restarts; in memory otherwise
                           [env: SAGEMAKER_LOCAL_DATA_DIR]
      --profile <PROFILE>  'strict' refuses what AWS refuses; 'lenient' accepts unsigned requests, unknown roles, missing
                           data and images that nothing stands in for [default: strict] [env: SAGEMAKER_LOCAL_PROFILE]
      --faults <FILE>      What is to go wrong, as JSON: see Faults::load in the crate's documentation
                           [env: SAGEMAKER_LOCAL_FAULTS]
      --engine <IMAGE=COMMAND>
                           Program that stands in for an image, such as 'my-image=python3 app.py', which is run with
                           'train' and 'serve'; may be given several times
                           [env: SAGEMAKER_LOCAL_ENGINE, one a line]
      --file-system <ID=FOLDER>
                           Folder that is an EFS or FSx for Lustre file system, such as 'fs-0123456789abcdef0=./data',
                           for channels with a FileSystemDataSource; may be given several times
                           [env: SAGEMAKER_LOCAL_FILE_SYSTEM, one a line]
  -h, --help               Print this text
  -V, --version            Print the version";

/// What the command line asks for.
#[derive(Debug, PartialEq)]
pub(crate) enum Asked {
    Help,
    Version,
    Serve(Box<Options>),
}

/// How to serve.
#[derive(Debug, PartialEq)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) host: String,
    pub(crate) allowed_hosts: Vec<String>,
    pub(crate) account: Option<String>,
    pub(crate) region: Option<String>,
    /// Factor of real time; `None` for an instant clock.
    pub(crate) time_scale: Option<f64>,
    pub(crate) profile: Profile,
    pub(crate) faults: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    /// Each is `IMAGE=COMMAND`.
    pub(crate) engines: Vec<String>,
    /// Identifiers of file systems and their folders.
    pub(crate) file_systems: Vec<(String, PathBuf)>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 4566,
            host: "127.0.0.1".to_owned(),
            allowed_hosts: Vec::new(),
            account: None,
            region: None,
            time_scale: None,
            profile: Profile::Strict,
            faults: None,
            data_dir: None,
            engines: Vec::new(),
            file_systems: Vec::new(),
        }
    }
}

impl Options {
    pub(crate) fn clock(&self) -> LocalClock {
        self.time_scale.map_or_else(LocalClock::instant, LocalClock::scaled)
    }

    /// Sets one of [`NAMES`].
    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        let wrong = |expected: &str| format!("invalid value '{value}' for --{name}: {expected}");
        match name {
            "port" => self.port = value.parse().map_err(|_| wrong("a number from 0 to 65535 is expected"))?,
            "host" if !value.is_empty() => self.host = value.to_owned(),
            "host" => return Err(wrong("an address or a name is expected")),
            "allow-host" => {
                let names = value.split(',').map(str::trim).filter(|name| !name.is_empty());
                self.allowed_hosts.extend(names.map(str::to_owned));
            }
            "account" if value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.account = Some(value.to_owned());
            }
            "account" => return Err(wrong("12 digits are expected")),
            "region" if is_region(value) => self.region = Some(value.to_owned()),
            "region" => return Err(wrong("a region such as us-east-1 is expected")),
            "time-scale" if value == "instant" => self.time_scale = None,
            "time-scale" => {
                let scale = value.parse().ok().filter(|scale: &f64| scale.is_finite() && *scale > 0.0);
                self.time_scale = Some(scale.ok_or_else(|| wrong("'instant' or a number above 0 is expected"))?);
            }
            "profile" => {
                self.profile = match value {
                    "strict" => Profile::Strict,
                    "lenient" => Profile::Lenient,
                    _ => return Err(wrong("'strict' or 'lenient' is expected")),
                }
            }
            "faults" => self.faults = Some(PathBuf::from(value)),
            "data-dir" if !value.is_empty() => self.data_dir = Some(PathBuf::from(value)),
            "data-dir" => return Err(wrong("a folder is expected")),
            "engine" => {
                for engine in value.lines().filter(|line| !line.trim().is_empty()) {
                    check_engine(engine).map_err(|why| wrong(&why))?;
                    self.engines.push(engine.to_owned());
                }
            }
            "file-system" => {
                for line in value.lines().filter(|line| !line.trim().is_empty()) {
                    let parts = line.split_once('=').filter(|(id, folder)| !id.is_empty() && !folder.is_empty());
                    let (id, folder) = parts.ok_or_else(|| wrong("ID=FOLDER is expected"))?;
                    self.file_systems.push((id.trim().to_owned(), PathBuf::from(folder)));
                }
            }
            _ => return Err(wrong("there is no such option")),
        }
        Ok(())
    }
}

const NAMES: [&str; 11] = [
    "port",
    "host",
    "allow-host",
    "account",
    "region",
    "time-scale",
    "data-dir",
    "profile",
    "faults",
    "engine",
    "file-system",
];

#[cfg(unix)]
fn check_engine(text: &str) -> Result<(), String> {
    let read: Result<sagemaker::local::engines::process::ProcessEngine, _> = text.parse();
    read.map(drop).map_err(|error| error.to_string())
}

#[cfg(not(unix))]
fn check_engine(_: &str) -> Result<(), String> {
    Err("commands stand in for images on Unix only".to_owned())
}

/// Reads the command line; the first argument is the program's name.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = OsString>,
    environment: impl Fn(&str) -> Option<String>,
) -> Result<Asked, String> {
    let mut options = Options::default();
    for name in NAMES {
        let variable = format!("SAGEMAKER_LOCAL_{}", name.to_uppercase().replace('-', "_"));
        if let Some(value) = environment(&variable).filter(|value| !value.is_empty()) {
            let from = |why| format!("{why} (from the environment variable {variable})");
            options.set(name, &value).map_err(from)?;
        }
    }
    let mut parser = lexopt::Parser::from_iter(arguments);
    while let Some(argument) = parser.next().map_err(text)? {
        let name = match argument {
            Short('h') | Long("help") => return Ok(Asked::Help),
            Short('V') | Long("version") => return Ok(Asked::Version),
            Long(name) if NAMES.contains(&name) => name.to_owned(),
            other => return Err(text(other.unexpected())),
        };
        let value = parser.value().map_err(text)?;
        let value = value.to_str().ok_or_else(|| format!("the value of --{name} is not valid Unicode"))?;
        options.set(&name, value)?;
    }
    Ok(Asked::Serve(Box::new(options)))
}

fn text(error: lexopt::Error) -> String {
    error.to_string()
}

fn is_region(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    parts.len() >= 3
        && parts
            .iter()
            .all(|part| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str, environment: &[(&str, &str)]) -> Result<Asked, String> {
        let arguments = ["sagemaker-local"].into_iter().chain(line.split_whitespace());
        let found =
            |name: &str| environment.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        parse(arguments.map(OsString::from), found)
    }

    fn served(line: &str, environment: &[(&str, &str)]) -> Options {
        match read(line, environment) {
            Ok(Asked::Serve(options)) => *options,
            other => panic!("{line}: {other:?}"),
        }
    }

    #[test]
    fn options_are_read() {
        assert_eq!(served("", &[]), Options::default());
        let line = "--port=0 --host ::1 --allow-host a.test --allow-host b.test --account 000000000000 \
                    --region eu-west-1 --time-scale 60 --profile lenient --faults f.json --data-dir kept";
        let expected = Options {
            port: 0,
            host: "::1".into(),
            allowed_hosts: vec!["a.test".into(), "b.test".into()],
            account: Some("000000000000".into()),
            region: Some("eu-west-1".into()),
            time_scale: Some(60.0),
            profile: Profile::Lenient,
            faults: Some("f.json".into()),
            data_dir: Some("kept".into()),
            engines: Vec::new(),
            file_systems: Vec::new(),
        };
        assert_eq!(served(line, &[]), expected);
        assert_eq!(read("--port 1 --help", &[]), Ok(Asked::Help));
        assert_eq!(read("-V", &[]), Ok(Asked::Version));
    }

    #[test]
    fn the_environment_gives_defaults() {
        let environment =
            [("SAGEMAKER_LOCAL_PORT", "81"), ("SAGEMAKER_LOCAL_TIME_SCALE", "2"), ("SAGEMAKER_LOCAL_HOST", "")];
        assert_eq!(served("", &environment).port, 81);
        let options = served("--port 82 --time-scale instant", &environment);
        assert_eq!((options.port, options.time_scale, options.host.as_str()), (82, None, "127.0.0.1"));
        let wrong = read("", &[("SAGEMAKER_LOCAL_PORT", "x")]).unwrap_err();
        assert!(wrong.contains("SAGEMAKER_LOCAL_PORT") && wrong.contains("0 to 65535"), "{wrong}");
    }

    #[cfg(unix)]
    #[test]
    fn engines_are_read() {
        let lines = [("SAGEMAKER_LOCAL_ENGINE", "a=./a.sh --x\n\nb=./b.sh")];
        assert_eq!(served("--engine c=./c.sh", &lines).engines, ["a=./a.sh --x", "b=./b.sh", "c=./c.sh"]);
        assert!(read("--engine my-image", &[]).unwrap_err().contains("there is no ="));
    }

    #[test]
    fn file_systems_are_read() {
        let lines = [("SAGEMAKER_LOCAL_FILE_SYSTEM", "fs-01234567=/a\n\nfs-12345678=b=c")];
        let expected = [("fs-01234567", "/a"), ("fs-12345678", "b=c"), ("fs-23456789", "d")];
        let expected = expected.map(|(id, folder)| (id.to_owned(), PathBuf::from(folder)));
        assert_eq!(served("--file-system fs-23456789=d", &lines).file_systems, expected);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, named) in [
            ("--port", "--port"),
            ("--port 65536", "'65536'"),
            ("--account 12", "12 digits"),
            ("--region there", "us-east-1"),
            ("--time-scale 0", "above 0"),
            ("--time-scale nan", "above 0"),
            ("--profile loose", "'strict' or 'lenient'"),
            ("--file-system fs-01234567", "ID=FOLDER"),
            ("--nonsense", "--nonsense"),
            ("4566", "4566"),
        ] {
            let why = read(line, &[]);
            assert!(why.as_ref().is_err_and(|why| why.contains(named)), "{line}: {why:?}");
        }
    }

    #[test]
    fn the_help_names_every_option() {
        for name in NAMES {
            assert!(HELP.contains(&format!("--{name} ")), "{name}");
        }
    }
}

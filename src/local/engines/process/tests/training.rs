use super::*;

/// A script that keeps to the contract: reads its channel, says what it sees, leaves model and data.
const GOOD: &str = r#"
    cd "$SAGEMAKER_LOCAL_OPT_ML"
    cat input/config/hyperparameters.json; echo
    cat input/config/inputdataconfig.json; echo
    echo "job=$TRAINING_JOB_NAME rate=$SM_HP_RATE own=$OWN" >&2
    cat input/data/train/*.csv > model/all.csv
    mkdir -p model/sub && echo deep > model/sub/x
    echo report > "$SM_OUTPUT_DATA_DIR/report.txt"
"#;

pub(super) fn channel(name: &str, files: &[(&str, &str)]) -> Channel {
    let files = files.iter().map(|(path, text)| ((*path).to_owned(), Bytes::from((*text).to_owned())));
    Channel {
        name: name.to_owned(),
        content_type: Some("text/csv".to_owned()),
        files: files.collect(),
        ..Channel::default()
    }
}

#[test]
fn a_command_keeps_to_the_contract() {
    let mut job = Job::new(GOOD);
    job.task.hyperparameters.insert("rate".to_owned(), "0.5".to_owned());
    job.task.environment.insert("OWN".to_owned(), "mine".to_owned());
    job.task.channels = vec![channel("train", &[("a.csv", "1\n"), ("b.csv", "2\n")])];
    let output = job.train().unwrap();
    assert_eq!(contents(&output.model), [("all.csv", "1\n2\n".to_owned()), ("sub/x", "deep\n".to_owned())]);
    assert_eq!(contents(&output.data), [("report.txt", "report\n".to_owned())]);
    let config = r#"{"train":{"ContentType":"text/csv","RecordWrapperType":"None","S3DistributionType":"FullyReplicated","TrainingInputMode":"File"}}"#;
    let expected = [r#"1: {"rate":"0.5"}"#, &format!("1: {config}"), "1: job=job-1 rate=0.5 own=mine"];
    assert_eq!(job.lines(), expected);
}

#[test]
fn the_failure_file_and_the_exit_code_are_the_reason() {
    let job = Job::new(r#"echo "bad data" > "$SAGEMAKER_LOCAL_OPT_ML/output/failure"; echo last words; exit 7"#);
    assert_eq!(job.train().unwrap_err().to_string(), "AlgorithmError: bad data, exit code: 7");
    assert_eq!(job.lines(), ["1: last words"]);
    assert_eq!(Job::new("kill -9 $$").train().unwrap_err().to_string(), "AlgorithmError: , exit code: 137");
    let long = Job::new(r#"head -c 5000 /dev/zero | tr '\0' 'x' > "$SAGEMAKER_LOCAL_OPT_ML/output/failure"; exit 1"#);
    let reason = long.train().unwrap_err().to_string();
    assert!(reason.len() == 1024 && reason.ends_with("x, exit code: 1"), "{} {reason}", reason.len());
}

#[test]
fn what_cannot_start_says_so() {
    let job = Job { engine: ProcessEngine::new("my-image", ["/no/such/program"]), ..Job::new("") };
    let reason = job.train().unwrap_err().to_string();
    assert!(reason.starts_with("ClientError: the command \"/no/such/program\" cannot be started: "), "{reason}");
    let job = Job { engine: ProcessEngine::for_image("my-image"), ..Job::new("") };
    assert!(job.train().unwrap_err().to_string().ends_with("has no command that trains (ProcessEngine::train_with)"));
}

#[test]
fn a_stop_is_a_sigterm_and_what_is_left_is_kept() {
    let script = r#"
        trap 'echo saved > "$SM_MODEL_DIR/m"; exit 143' TERM
        echo ready
        while :; do sleep 0.01; done
    "#;
    let job = Job::new(script);
    let output = std::thread::scope(|scope| {
        let trained = scope.spawn(|| job.train());
        job.wait_for("1: ready");
        job.stopping.store(true, Ordering::SeqCst);
        trained.join().unwrap()
    });
    assert_eq!(contents(&output.unwrap().model), [("m", "saved\n".to_owned())]);
}

#[test]
fn what_does_not_stop_is_killed() {
    let job = Job::new("trap '' TERM; echo ready; while :; do sleep 0.01; done");
    let failure = std::thread::scope(|scope| {
        let trained = scope.spawn(|| job.train());
        job.wait_for("1: ready");
        job.stopping.store(true, Ordering::SeqCst);
        job.killed.store(true, Ordering::SeqCst);
        trained.join().unwrap().unwrap_err()
    });
    assert_eq!(failure, EngineFailure::Stopped);
}

#[test]
fn each_host_has_a_process_and_a_shard() {
    let script = r#"
        name=$SM_CURRENT_HOST
        cp "$SM_CHANNEL_TRAIN"/* "$SM_MODEL_DIR"/
        echo "$name of $SM_HOSTS"
        echo "$name" > "$SM_MODEL_DIR/name"
    "#;
    let mut job = Job::new(script);
    job.task.instance_count = 2;
    let train = channel("train", &[("a", "1"), ("b", "2"), ("c", "3")]);
    job.task.channels = vec![Channel { sharded: true, ..train }];
    let output = job.train().unwrap();
    let mut lines = job.lines();
    lines.sort();
    assert_eq!(lines, [r#"1: algo-1 of ["algo-1","algo-2"]"#, r#"2: algo-2 of ["algo-1","algo-2"]"#]);
    let expected = [("a", "1"), ("c", "3"), ("name", "algo-1\n"), ("b", "2")];
    assert_eq!(contents(&output.model), expected.map(|(path, text)| (path, text.to_owned())));
    job.task.instance_count = 17;
    assert!(job.train().unwrap_err().to_string().contains("at most 16 instances"));
}

#[test]
fn one_host_that_fails_ends_the_others() {
    let mut job = Job::new(r#"[ "$SM_CURRENT_HOST" = algo-2 ] && exit 5; sleep 600"#);
    job.task.instance_count = 3;
    assert_eq!(job.train().unwrap_err().to_string(), "AlgorithmError: , exit code: 5");
}

#[test]
fn a_jobs_own_entry_point_runs_in_place_of_the_command() {
    let mut job = Job::new("exit 9");
    let script = "echo \"$0 $1\" > /opt/ml/model/said".to_owned();
    job.task.entrypoint = vec!["/bin/sh".to_owned(), "-c".to_owned(), script];
    job.task.arguments = vec!["first".to_owned(), "second".to_owned()];
    assert_eq!(contents(&job.train().unwrap().model), [("said", "first second\n".to_owned())]);
    let job = Job { engine: ProcessEngine::new("i", ["/bin/echo", "-n"]), ..job };
    let task = TrainingTask { entrypoint: Vec::new(), ..job.task };
    let command = job.engine.training_command(&task);
    assert_eq!(command, Some(CommandLine::new(["/bin/echo", "-n", "first", "second"])));
}

#[test]
fn hostile_data_and_output_do_no_harm() {
    let mut job = Job::new("printf 'a\\377b\\n'; head -c 200000 /dev/zero | tr '\\0' x");
    job.train().unwrap();
    assert_eq!(job.lines()[0], "1: a\u{FFFD}b");
    assert!(job.lines().len() > 2);
    job.task.channels = vec![channel("train", &[("../../x", "1")])];
    let reason = job.train().unwrap_err().to_string();
    assert!(reason.starts_with("ClientError: Data download failed: "), "{reason}");
}

#[test]
fn the_environment_has_no_credentials_of_this_machine() {
    let job = Job::new(r#"echo "$AWS_ACCESS_KEY_ID $AWS_REGION ${CARGO_MANIFEST_DIR:-none}""#);
    job.train().unwrap();
    assert_eq!(job.lines(), ["1: local us-east-1 none"]);
}

#[test]
fn checkpoints_are_there_and_are_kept_even_of_a_job_that_fails() {
    let saved: Arc<Mutex<Vec<(String, Bytes)>>> = Arc::default();
    let sink = saved.clone();
    let mut job =
        Job::new("cd $SAGEMAKER_LOCAL_OPT_ML/checkpoints; read epoch < epoch; echo $((epoch + 1)) > epoch; exit 1");
    job.task.checkpoints = vec![("epoch".to_owned(), Bytes::from("4\n")), ("old".to_owned(), Bytes::from("x"))];
    job.task.save_checkpoint = Arc::new(move |path, content| sink.lock().unwrap().push((path.to_owned(), content)));
    assert!(job.train().is_err());
    assert_eq!(*saved.lock().unwrap(), [("epoch".to_owned(), Bytes::from("5\n"))]);
    for elsewhere in ["/checkpoints", "/opt/ml/../x"] {
        job.task.checkpoint_path = elsewhere.to_owned();
        assert!(job.train().unwrap_err().message().contains("keeps checkpoints below /opt/ml only"));
    }
}

#[test]
fn checkpoints_are_kept_while_the_job_goes_on() {
    let saved: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = saved.clone();
    let mut job = Job::new("echo 1 > $SAGEMAKER_LOCAL_OPT_ML/checkpoints/epoch; while :; do sleep 0.01; done");
    job.task.save_checkpoint = Arc::new(move |path, _| sink.lock().unwrap().push(path.to_owned()));
    std::thread::scope(|scope| {
        let trained = scope.spawn(|| job.train());
        while saved.lock().unwrap().is_empty() {
            std::thread::yield_now();
        }
        job.killed.store(true, Ordering::SeqCst);
        assert_eq!(trained.join().unwrap().unwrap_err(), EngineFailure::Stopped);
    });
    assert_eq!(*saved.lock().unwrap(), ["epoch"]);
}

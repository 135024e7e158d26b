use super::*;

fn job(arguments: &[&str]) -> (tempfile::TempDir, ProcessingTask, Arc<Mutex<Vec<String>>>) {
    let folder = tempfile::tempdir().unwrap();
    for below in ["opt/ml/processing/input", "opt/ml/processing/output"] {
        std::fs::create_dir_all(folder.path().join(below)).unwrap();
    }
    std::fs::write(folder.path().join("opt/ml/processing/input/a.csv"), "1\n").unwrap();
    let log: Arc<Mutex<Vec<String>>> = Arc::default();
    let sink = log.clone();
    let task = ProcessingTask {
        job_name: "p".to_owned(),
        job_arn: "arn:aws:sagemaker:us-east-1:123456789012:processing-job/p".to_owned(),
        image: "i".to_owned(),
        arguments: arguments.iter().map(|&argument| argument.to_owned()).collect(),
        environment: [("PLACE".to_owned(), "/opt/ml/processing/output".to_owned())].into(),
        root: folder.path().to_owned(),
        log: Arc::new(move |line| sink.lock().unwrap().push(line.to_owned())),
        ..ProcessingTask::default()
    };
    (folder, task, log)
}

#[test]
fn a_command_processes_what_its_arguments_name() {
    let script = r#"cp "$0"/a.csv "$PLACE"/b.csv; echo "$1""#;
    let engine = ProcessEngine::for_image("i").process_with(["/bin/sh", "-c", script]);
    let (folder, mut task, log) = job(&["/opt/ml/processing/input", "word"]);
    engine.process(&task).unwrap();
    assert_eq!(*log.lock().unwrap(), ["word"]);
    let copied = folder.path().join("opt/ml/processing/output/b.csv");
    assert_eq!(std::fs::read_to_string(copied).unwrap(), "1\n");

    task.entrypoint = vec!["/bin/sh".to_owned(), "-c".to_owned(), "exit 3".to_owned()];
    let reason = engine.process(&task).unwrap_err().to_string();
    assert_eq!(reason, "AlgorithmError: See job logs for more information, exit code: 3");
    task.entrypoint = vec!["/no/such/program".to_owned()];
    assert!(engine.process(&task).unwrap_err().to_string().contains("\"/no/such/program\" cannot be started"));
}

#[test]
fn a_stop_ends_the_command() {
    let engine = ProcessEngine::for_image("i").process_with(["/bin/sleep"]);
    let (_folder, mut task, _) = job(&["600"]);
    task.stopping = Arc::new(|| true);
    assert_eq!(engine.process(&task).unwrap_err(), EngineFailure::Stopped);
    task.killed = Arc::new(|| true);
    assert_eq!(engine.process(&task).unwrap_err(), EngineFailure::Stopped);
    let without = ProcessEngine::for_image("i").train_with(["true"]);
    assert!(without.process(&task).unwrap_err().message().contains("has no command that processes"));
}

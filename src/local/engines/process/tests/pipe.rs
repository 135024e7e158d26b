use super::training::channel;
use super::*;
use crate::codec::recordio::frames;

fn piped(script: &str, train: Channel) -> Job {
    let mut job = Job::new(&format!("set -e; cd \"$SAGEMAKER_LOCAL_OPT_ML\"; M=$PWD/model; cd input/data; {script}"));
    job.task.channels = vec![Channel { input_mode: InputMode::Pipe, ..train }];
    job
}

/// Blocks until nothing that a job started is at work any more.
fn wait_for_silence(job: &Job) {
    while Arc::strong_count(&job.task.log_of) > 1 {
        std::thread::yield_now();
    }
}

#[test]
fn each_epoch_has_a_pipe() {
    let script = r#"
        [ ! -e train ] && [ -p train_0 ] && [ ! -e train_1 ]
        for epoch in 0 1 2; do cat train_$epoch > "$M/$epoch"; done
        [ -p train_3 ]
        cat ../config/inputdataconfig.json
    "#;
    let job = piped(script, channel("train", &[("a.csv", "1\n"), ("b.csv", "2\n")]));
    let model = job.train().unwrap().model;
    assert_eq!(contents(&model), ["0", "1", "2"].map(|epoch| (epoch, "1\n2\n".to_owned())));
    assert!(job.lines()[0].contains(r#""TrainingInputMode":"Pipe""#), "{:?}", job.lines());
    wait_for_silence(&job);
}

#[test]
fn a_reader_may_stop_early() {
    let script = r#"
        for epoch in 0 1 2; do head -c 2 train_$epoch >> "$M/heads"; done
        cat train_3 > "$M/all"
    "#;
    let long = "ab".repeat(1 << 19);
    let job = piped(script, channel("train", &[("a", &long), ("b", "end")]));
    let model = job.train().unwrap().model;
    assert_eq!(contents(&model), [("all", format!("{long}end")), ("heads", "ababab".to_owned())]);
}

#[test]
fn an_empty_channel_ends_at_once() {
    let job = piped("cat train_0 train_1 > \"$M/all\"", channel("train", &[]));
    assert_eq!(contents(&job.train().unwrap().model), [("all", String::new())]);
}

#[test]
fn objects_come_as_records() {
    let files = [("1-image.jpg", "pixels"), ("1-class.json", "3"), ("2-image.jpg", "dots"), ("2-class.json", "4")];
    let train = Channel { record_io: true, files_per_record: 2, shuffle_seed: Some(3), ..channel("train", &files) };
    let job = piped("for epoch in 0 1 2 3; do cat train_$epoch > \"$M/$epoch\"; done", train);
    let mut orders = Vec::new();
    for (_, content) in job.train().unwrap().model {
        let records: Vec<Bytes> = frames(content).map(|frame| frame.unwrap()).collect();
        let records: Vec<String> = records.iter().map(|record| String::from_utf8_lossy(record).into_owned()).collect();
        assert!(records == ["pixels", "3", "dots", "4"] || records == ["dots", "4", "pixels", "3"], "{records:?}");
        orders.push(records);
    }
    assert_eq!(orders[0][0], "pixels", "the first epoch is as the files were given");
    assert!(orders.iter().any(|order| *order != orders[0]), "each epoch is shuffled");
}

#[test]
fn each_host_has_its_share() {
    let train = Channel { sharded: true, ..channel("train", &[("a", "1"), ("b", "2"), ("c", "3")]) };
    let mut job = piped("cat train_0 train_1 > \"$M/$SM_CURRENT_HOST\"", train);
    job.task.instance_count = 2;
    let expected = [("algo-1", "1313".to_owned()), ("algo-2", "22".to_owned())];
    assert_eq!(contents(&job.train().unwrap().model), expected);
}

#[test]
fn nothing_hangs_when_the_command_is_gone() {
    let long = "x".repeat(1 << 20);
    // One never opens its pipe, one opens it and does not read, one fails in the middle.
    for script in ["exit 0", "exec 3< train_0; exit 0", "head -c 9 train_0 > /dev/null; exit 3"] {
        let job = piped(script, channel("train", &[("a", &long)]));
        assert_eq!(job.train().is_ok(), script.ends_with('0'), "{script}");
        wait_for_silence(&job);
    }
    let job = piped("exec 3< train_0; echo ready; while :; do sleep 0.01; done", channel("train", &[("a", &long)]));
    std::thread::scope(|scope| {
        let trained = scope.spawn(|| job.train());
        job.wait_for("1: ready");
        job.stopping.store(true, Ordering::SeqCst);
        job.killed.store(true, Ordering::SeqCst);
        assert_eq!(trained.join().unwrap().unwrap_err(), EngineFailure::Stopped);
    });
    wait_for_silence(&job);
}

#[test]
fn a_pipe_that_is_taken_away_says_so() {
    let job = piped("rm train_0; sleep 0.1", channel("train", &[("a", "1")]));
    job.train().unwrap();
    wait_for_silence(&job);
    assert!(job.lines()[0].starts_with("1: [sagemaker-local] the pipe train_0 broke: "), "{:?}", job.lines());
}

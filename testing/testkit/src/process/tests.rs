//! Tests of started, killed and failed programs.

use super::*;
use crate::until::until;

#[test]
fn process_is_killed_when_the_thread_that_started_it_ends() {
    let directory = std::env::temp_dir().join(format!("voelgoed-tied-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let home = directory.clone();
    let (started, pid) = std::sync::mpsc::channel();
    let (go, may_end) = std::sync::mpsc::channel();
    let starter = std::thread::spawn(move || {
        let mut command = Command::new("sleep");
        command.arg("600");
        let process = Process::spawn("sleeper", "nowhere", &command, &home).unwrap();
        started.send(process.pid().unwrap()).unwrap();
        may_end.recv().unwrap();
        process
    });
    let pid = pid.recv().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    // `setpriv` ties the process before it becomes the program: a thread that ends earlier kills nothing.
    let comm = || std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    let tied =
        until("the program starts", START_STOP_TIMEOUT, || async { Ok((comm().trim() == "sleep").then_some(())) });
    runtime.block_on(tied).unwrap();
    go.send(()).unwrap();
    // The value lives on: the end of the thread is what kills the process.
    let process = starter.join().unwrap();
    let gone = runtime
        .block_on(until("the process ends", START_STOP_TIMEOUT, || async { Ok((!is_alive(pid)).then_some(())) }));
    drop(process);
    std::fs::remove_dir_all(directory).unwrap();
    gone.unwrap();
}

#[tokio::test]
async fn program_that_ends_before_it_accepts_connections_is_reported_with_its_last_log_line() {
    let directory = std::env::temp_dir().join(format!("voelgoed-ended-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo no such port >&2; exit 3"]);
    let mut process = Process::spawn("doomed", "127.0.0.1:1", &command, &directory).unwrap();
    let error = process.accepts_connections().await.unwrap_err().to_string();
    std::fs::remove_dir_all(directory).unwrap();
    assert_eq!(error, "doomed ended (exit status: 3): no such port");
}

#[tokio::test]
async fn program_is_started_again_with_its_first_line_and_a_piped_log() {
    let directory = std::env::temp_dir().join(format!("voelgoed-again-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    let mut command = Command::new("sh");
    command.args(["-c", "echo logged >&2; echo ready; exec sleep 600"]);
    let log = directory.join("again.log");
    let mut process = Process::new("again", "nowhere", &command, log.clone()).with_log_writer(LogWriter::Pipe);
    for _ in 0..2 {
        assert_eq!(process.start_and_read_line(START_STOP_TIMEOUT).await.unwrap(), "ready");
        process.kill().unwrap();
    }
    let logged = until("both starts are logged", START_STOP_TIMEOUT, || async {
        Ok((std::fs::read_to_string(&log)? == "logged\nlogged\n").then_some(()))
    });
    let logged = logged.await;
    std::fs::remove_dir_all(directory).unwrap();
    logged.unwrap();
}

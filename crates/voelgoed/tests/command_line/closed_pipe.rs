//! Checks that a command ends quietly when the reader of its output closes the pipe (`| head -1`).

use std::process::{Command, Stdio};

use crate::program::Program;

/// Runs a command into a closed pipe; its exit code and standard error.
fn run_into_closed_pipe(mut command: Command) -> (Option<i32>, String) {
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output =
        command.stdout(Stdio::from(writer)).stderr(Stdio::piped()).spawn().unwrap().wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn command_with_a_closed_output_ends_quietly_as_by_sigpipe() {
    let program = Program::new("pipe");
    program.succeed(&["organization", "Hall", "hall"]);
    let backup = program.root().join("backup");
    let commands: &[&[&str]] = &[
        &["openapi"],
        &["settings"],
        &["completions", "bash"],
        &["list", "organizations"],
        &["venue", "--organization", "hall", "Stage"],
        &["doctor"],
        &["migrate"],
        &["backup", backup.to_str().unwrap()],
        &["serve", "--json", "--listen", "127.0.0.1:0"],
    ];
    for arguments in commands {
        let (code, stderr) = run_into_closed_pipe(program.command(arguments));
        let notes: Vec<_> = stderr.lines().filter(|line| !line.starts_with("data: ")).collect();
        assert_eq!((code, notes), (Some(141), vec![]), "{arguments:?}");
    }
    for arguments in [["--help"], ["--version"]] {
        let (_, stderr) = run_into_closed_pipe(program.command(&arguments));
        assert!(!stderr.contains("panicked"), "{arguments:?}: {stderr}");
    }
    assert_eq!(program.succeed(&["list", "venues", "--organization", "hall"]).lines().count(), 1, "it was done");
}

#[test]
fn command_with_a_closed_standard_error_succeeds() {
    let program = Program::new("remark");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = program.command(&["organization", "Hall", "hall"]).stderr(Stdio::from(writer)).output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("org_"));
}

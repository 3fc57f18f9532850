//! Only a first step that succeeds creates a data directory, a database or a key.

use crate::program::{Program, ended};

/// Everything below the root of the test.
fn files(program: &Program) -> Vec<String> {
    let found = std::fs::read_dir(program.data());
    let names = found.into_iter().flatten().map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.collect()
}

#[test]
fn refused_first_step_creates_nothing() {
    let program = Program::new("nothing");
    type Variables<'a> = &'a [(&'a str, &'a str)];
    let refused: &[(&[&str], Variables<'_>)] = &[
        (&["organization", "Hall", "Bad Slug"], &[]),
        (&["organization", " ", "hall"], &[]),
        (&["organization", "Hall", "hall"], &[("VOELGOED__SECRETS__MASTER", "short")]),
        (&["organization", "Hall", "hall"], &[("VOELGOED__WARM__URL", "nowhere")]),
        (&["organization", "Hall", "hall"], &[("VOELGOED__COLD__URL", "nowhere")]),
        (&["serve", "--role", "web", "--listen", "127.0.0.1:0"], &[]),
        (&["serve", "--listen", "192.0.2.1:80"], &[]),
        (&["serve", "--listen", "127.0.0.1:0"], &[("VOELGOED__SECRETS__MASTER", "short")]),
        (&["demo", "--listen", "192.0.2.1:80"], &[]),
        (&["demo", "--seed-only"], &[("VOELGOED__WARM__URL", "nowhere")]),
    ];
    for exists in [false, true] {
        if exists {
            std::fs::create_dir(program.data()).unwrap();
        }
        for (arguments, environment) in refused {
            let ended = ended(program.command(arguments).envs(environment.iter().copied()));
            assert_eq!(ended.stdout, "", "{arguments:?}");
            assert!(matches!(ended.code, Some(1 | 2)), "{arguments:?}: {ended:?}");
            assert_eq!(program.data().exists(), exists, "{arguments:?}: {ended:?}");
            assert_eq!(files(&program), Vec::<String>::new(), "{arguments:?}");
        }
    }
}

#[test]
fn reading_command_refuses_a_directory_without_data_and_names_it() {
    let program = Program::new("absent");
    let (provider, backup) = (program.root().join("charges"), program.root().join("backup"));
    let (provider, backup) = (provider.to_str().unwrap(), backup.to_str().unwrap());
    let commands: &[&[&str]] = &[
        &["migrate"],
        &["doctor"],
        &["list", "organizations"],
        &["jobs", "list"],
        &["key", "--organization", "hall", "--name", "x"],
        &["backup", backup],
        &["sandbox-psp", "--listen", "127.0.0.1:0", "--file", provider],
    ];
    for exists in [false, true] {
        if exists {
            std::fs::create_dir(program.data()).unwrap();
        }
        for arguments in commands {
            let stderr = program.refuse(arguments);
            let named = format!("{} holds no database", program.data().display());
            assert!(stderr.contains(&named), "{arguments:?}: {stderr}");
            assert_eq!(program.data().exists(), exists, "{arguments:?}");
            assert_eq!(files(&program), Vec::<String>::new(), "{arguments:?}");
        }
    }
    program.succeed(&["organization", "Hall", "hall"]);
    assert!(program.succeed(&["migrate"]).contains("nothing to do"));
}

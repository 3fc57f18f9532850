//! `demo.json` holds keys: only its owner reads it, no backup carries it, and a damaged one is named with what to do.

use std::os::unix::fs::PermissionsExt;

use crate::program::Program;

const SEED: &[&str] = &["demo", "--seed-only", "--json"];

#[tokio::test]
async fn demo_file_is_private_and_left_out_of_backups_and_its_key_is_printed_again() {
    let program = Program::new("demo");
    let first = program.succeed(SEED);
    let file = program.data().join("demo.json");
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(program.succeed(SEED), first, "the same demo");
    let key = {
        let demo = program.start_demo().await;
        let key = demo.card_text("api_key").to_owned();
        let response = demo.send(demo.request("GET", "/api/v1/venues").bearer_auth(&key)).await.unwrap();
        assert_eq!(response.status, 200, "{}", response.body);
        key
    };
    assert!(first.contains(&key), "{first}");

    let backup = program.root().join("backup");
    program.succeed(&["backup", backup.to_str().unwrap()]);
    assert!(backup.join("master.key").exists() && !backup.join("demo.json").exists());
    for name in ["voelgoed.sqlite", "master.key", "backup.json"] {
        let content = std::fs::read(backup.join(name)).unwrap();
        assert!(!content.windows(key.len()).any(|part| part == key.as_bytes()), "the key is in {name}");
    }
    std::fs::remove_file(&file).unwrap();
    let stderr = program.refuse(SEED);
    assert!(stderr.contains("backups leave out"), "{stderr}");
}

#[test]
fn damaged_demo_file_is_named_with_what_to_do_and_nothing_is_changed() {
    let program = Program::new("damaged");
    std::fs::create_dir(program.data()).unwrap();
    let file = program.data().join("demo.json");
    for content in ["", "{\"organization\": \"org_", "{}", "[]", "{\"organization\": 7}"] {
        std::fs::write(&file, content).unwrap();
        for arguments in [SEED, &["demo", "--listen", "127.0.0.1:0"]] {
            let stderr = program.refuse(arguments);
            for expected in [file.to_str().unwrap(), "is damaged", "Nothing was changed", "--data", "voelgoed serve"] {
                assert!(stderr.contains(expected), "{content}: {stderr}");
            }
        }
        assert_eq!(std::fs::read_to_string(&file).unwrap(), content);
        assert_eq!(std::fs::read_dir(program.data()).unwrap().count(), 1);
    }
}

#[test]
fn demo_file_of_another_shop_is_named_with_what_to_do() {
    let program = Program::new("foreign");
    program.succeed(&["organization", "Hall", "hall"]);
    let id = "00000000-0000-7000-8000-000000000001";
    let file = program.data().join("demo.json");
    let content = format!(
        "{{\"organization\":\"org_{id}\",\"api_key\":\"vgk_1\",\"device_key\":\"vgd_1\",\"gate\":\"gate_{id}\",\
         \"events\":[{{\"id\":\"evt_{id}\",\"name\":\"Gala\"}}]}}"
    );
    std::fs::write(&file, content).unwrap();
    let stderr = program.refuse(SEED);
    for expected in [file.to_str().unwrap(), "names events that this shop does not have", "--data"] {
        assert!(stderr.contains(expected), "{stderr}");
    }
}

//! A refused command names the argument, the value as it was written, and what is allowed.

use crate::program::Program;

const UNKNOWN: &str = "00000000-0000-7000-8000-000000000001";
const START: &str = "2099-01-01T18:00:00Z";

/// Runs `start` and `rest` as one command that must be refused with all of `expected`.
fn refused(program: &Program, start: &[&str], rest: &[&str], expected: &[&str]) {
    let arguments = [start, rest].concat();
    let stderr = program.refuse(&arguments);
    for text in expected {
        assert!(stderr.contains(text), "{arguments:?}: `{text}` is not in\n{stderr}");
    }
}

#[test]
fn refused_value_is_named_with_its_argument_before_anything_is_read() {
    let program = Program::new("values");
    let (layout, event, venue) = (format!("lay_{UNKNOWN}"), format!("evt_{UNKNOWN}"), format!("ven_{UNKNOWN}"));
    let of_event =
        ["event", "--organization", "hall", "--layout", &layout, "--starts-at", START, "--currency", "EUR", "Gala"];
    refused(
        &program,
        &of_event,
        &["--timezone", "Mars/Olympus"],
        &["'Mars/Olympus'", "--timezone", "Africa/Johannesburg"],
    );
    refused(&program, &of_event, &["--sale-opens-at", "soon"], &["'soon'", "--sale-opens-at", "2026-11-22T18:00:00Z"]);
    let mut of_currency = of_event;
    of_currency[8] = "euro";
    refused(&program, &of_currency, &[], &["'euro'", "--currency", "EUR, USD or ZAR"]);
    let ticket_type = ["ticket-type", "--event", &event, "Full price"];
    refused(&program, &ticket_type, &["--price", "45.00"], &["'45.00'", "--price", "4500 for 45.00"]);
    refused(&program, &ticket_type, &["--price", "-1"], &["'-1'", "--price", "minor units"]);
    refused(
        &program,
        &ticket_type,
        &["--price", "1", "--category-price", "A"],
        &["'A'", "--category-price", "Balcony=3000"],
    );
    let key = ["key", "--organization", "hall", "--name", "x"];
    refused(&program, &key, &["--scope", "sale"], &["'sale'", "--scope", "sales", "scanning"]);
    let import = ["import-layout", "--organization", "hall", "--venue", &venue];
    refused(&program, &import, &["--standing", "Floor=3=4"], &["'Floor=3=4'", "--standing", "Floor=300"]);
    refused(&program, &["organization", "Hall"], &["My Hall"], &["'My Hall'", "<SLUG>", "my-hall"]);
    refused(&program, &["serve"], &["--listen", "localhost:1"], &["'localhost:1'", "--listen", "127.0.0.1:8080"]);
    refused(&program, &["jobs", "revive"], &["seven"], &["'seven'", "[JOB]", "job_"]);
    let provider = ["sandbox-psp", "--listen", "127.0.0.1:0", "--file", "charges"];
    refused(&program, &provider, &["--time-scale", "-1"], &["'-1'", "--time-scale", "0.1"]);
    refused(&program, &provider, &["--callback-url", "nowhere"], &["'nowhere'", "--callback-url", "http://"]);
    assert!(!program.data().exists());
}

#[test]
fn refused_request_is_described_by_the_argument_that_it_came_from() {
    let program = Program::new("requests");
    program.succeed(&["organization", "Hall", "hall"]);
    let unknown = |kind: &str| format!("{kind}_{UNKNOWN}");
    refused(&program, &["organization", "Other", "hall"], &[], &["'hall' for '<SLUG>'", "already_exists"]);
    for organization in ["hell", &unknown("org")] {
        let venue = ["venue", "--organization", organization, "Stage"];
        refused(&program, &venue, &[], &[organization, "for '--organization'", "voelgoed list organizations"]);
    }
    refused(&program, &["venue", "--organization", "hall"], &[" "], &["' ' for '<NAME>'"]);
    let venue = program.succeed(&["venue", "--organization", "hall", "Stage"]);

    let import = ["import-layout", "--organization", "hall", "--venue"];
    let standing = ["--standing", "Floor=9", "--standing", "Balcony=9"];
    refused(
        &program,
        &import,
        &[&unknown("ven"), "--standing", "A=1"],
        &[&unknown("ven"), "'--venue'", "voelgoed list venues"],
    );
    let plan = program.root().join("plan.csv");
    let plan = plan.to_str().unwrap();
    let file = [&import[..], &[&venue, plan]].concat();
    refused(&program, &file, &[], &["cannot read", plan]);
    std::fs::write(plan, "area,row,seat,category\nA,1,1,X\nA,1,1,X\nA,2,1,X\nA,2,1,X\n").unwrap();
    refused(&program, &file, &[], &[plan, "for '<FILE>'", "line 3", "line 5"]);
    std::fs::write(plan, "area,row,seat,category\nA,1,1,X\n").unwrap();
    refused(&program, &file, &["--standing", "A=4"], &["'A=4' for '--standing'", "Another area"]);
    let import = [&import[..], &[&venue[..]], &standing].concat();
    refused(&program, &import, &["--standing", "floor=3"], &["'floor=3' for '--standing'", "Another area"]);
    let layout = program.succeed(&import);

    let event = ["event", "--organization", "hall", "--starts-at", START, "--currency", "eur", "Gala", "--layout"];
    refused(&program, &event, &[&unknown("lay")], &[&unknown("lay"), "'--layout'", "voelgoed list layouts"]);
    let event = [&event[..], &[&layout[..]]].concat();
    refused(
        &program,
        &event,
        &["--sale-opens-at", "2098-01-02T00:00:00Z", "--sale-closes-at", "2098-01-01T00:00:00Z"],
        &["'2098-01-01T00:00:00Z' for '--sale-closes-at'", "later than --sale-opens-at (2098-01-02T00:00:00Z)"],
    );
    let late = ["--sale-opens-at", "2099-01-02T00:00:00Z"];
    refused(&program, &event, &late, &["'--sale-closes-at' is not given", "--sale-opens-at (2099-01-02T00:00:00Z)"]);
    let doors = ["--doors-at", "2099-01-02T00:00:00Z"];
    refused(
        &program,
        &event,
        &doors,
        &["'2099-01-02T00:00:00Z' for '--doors-at'", "--starts-at (2099-01-01T18:00:00Z)"],
    );
    let event = program.succeed(&event);

    let ticket_type = ["ticket-type", "--event", &event, "Full price", "--price"];
    let prices = ["100", "--category-price", "Floor=1", "--category-price", "Nope=3"];
    refused(&program, &ticket_type, &prices, &["'Nope=3' for '--category-price'", "it has Floor, Balcony"]);
    refused(&program, &ticket_type, &["999999999999999"], &["'999999999999999' for '--price'", "minor units"]);
    let device = ["device", "--event", &event, "Scanner", "--gate"];
    refused(&program, &device, &[&unknown("gate")], &[&unknown("gate"), "'--gate'", "voelgoed gate"]);
    let gate = program.succeed(&["gate", "--event", &event, "Main"]);
    refused(&program, &device, &[&gate, "--gate", &unknown("gate")], &[&unknown("gate"), "it has", &gate, "(Main)"]);
    refused(&program, &["publish"], &[&unknown("evt")], &[&unknown("evt"), "<EVENT>", "voelgoed list events"]);
}

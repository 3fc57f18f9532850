//! Dumps everything that both stores of a test platform hold, so that a test can show that a refusal changed nothing.

use futures::FutureExt as _;
use voelgoed_app::token::fingerprint;

use super::TestPlatform;

impl TestPlatform {
    /// The content of both stores. Positions of warm's log are left out, because a pin that was taken back moves them.
    pub fn dump(&self) -> String {
        let mut dump = self.dump_warm();
        let mut files: Vec<_> =
            std::fs::read_dir(self.directory.path()).unwrap().map(|file| file.unwrap().path()).collect();
        files.retain(|file| file.is_file() && !file.to_string_lossy().ends_with("-shm"));
        files.sort();
        for file in files {
            let digest = fingerprint(&String::from_utf8_lossy(&std::fs::read(&file).unwrap()));
            dump.push_str(&format!("\n{}: {digest:?}", file.display()));
        }
        dump
    }

    fn dump_warm(&self) -> String {
        let snapshot = self.slices.ticketing.inventory.snapshot(self.scope).now_or_never();
        let snapshot = snapshot.and_then(std::result::Result::ok).map(|snapshot| (snapshot.places, snapshot.counts));
        let debug = format!("{:?} {snapshot:?}", self.warm);
        // The debug text of a bitmap is its address; the snapshot has its content.
        let debug = without_runs(&debug, "data: 0x", |c| c.is_ascii_hexdigit());
        let mut dump = without_runs(&debug, "seq: ", |c| c.is_ascii_digit());
        for epoch in 1..9 {
            let position = format!("Position {{ epoch: Epoch({epoch}),  }}");
            let unseen = format!("InventoryChange {{ position: {position}, places: [] }}");
            dump = dump.replace(&format!(", {unseen}"), "").replace(&unseen, "");
        }
        dump
    }
}

/// `text` without each `mark` and the run of characters after it.
fn without_runs(text: &str, mark: &str, is_of_run: impl Fn(char) -> bool) -> String {
    text.split(mark).map(|part| part.trim_start_matches(&is_of_run)).collect()
}

//! How many connections fit into the files that the process may open: a listener that runs out of them serves nobody, its operator included.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files for everything but people's connections: stores, the journal, the provider.
const RESERVED: usize = 256;

/// Raises the soft limit of open files to the hard one; `most`, or what fits beside `internal` connections.
pub fn connections_that_fit(most: usize, internal: usize) -> usize {
    let files = raised();
    let fits = fitting(most, internal, files);
    if fits < most {
        tracing::warn!(
            files,
            most,
            fits,
            "fewer connections than server.most_connections fit into the open files (LimitNOFILE=)"
        );
    }
    fits
}

/// The open files that are allowed, once as many are as may be.
fn raised() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, wanted).is_ok() { limit.maximum } else { limit.current };
    current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

fn fitting(most: usize, internal: usize, files: usize) -> usize {
    most.min(files.saturating_sub(RESERVED + internal)).max(1)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn connections_leave_files_for_the_rest() {
        for (most, internal, files, expected) in
            [(16_000, 256, 65_536, 16_000), (16_000, 256, 1_024, 512), (100, 256, 1_024, 100), (100, 256, 300, 1)]
        {
            assert_eq!(fitting(most, internal, files), expected, "{most} of {files}");
        }
    }
}

//! Limits connections to the open files of the process, so that clients cannot use up the files that the operator's listener needs.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Files for stores, logs and the provider.
const RESERVED_FILES: usize = 256;

/// Raises the soft limit of open files to the hard one; `most`, or what fits beside `internal` connections.
pub fn connections_that_fit(most: usize, internal: usize) -> usize {
    let files = raise_limit();
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

/// Raises the limit as far as allowed and returns it.
fn raise_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = if setrlimit(Resource::Nofile, wanted).is_ok() { limit.maximum } else { limit.current };
    current.and_then(|files| usize::try_from(files).ok()).unwrap_or(usize::MAX)
}

fn fitting(most: usize, internal: usize, files: usize) -> usize {
    most.min(files.saturating_sub(RESERVED_FILES + internal)).max(1)
}

#[cfg(test)]
mod tests {
    use super::fitting;

    #[test]
    fn connections_are_limited_by_the_open_files_beside_reserved_ones() {
        for (most, internal, files, expected) in
            [(16_000, 256, 65_536, 16_000), (16_000, 256, 1_024, 512), (100, 256, 1_024, 100), (100, 256, 300, 1)]
        {
            assert_eq!(fitting(most, internal, files), expected, "{most} of {files}");
        }
    }
}

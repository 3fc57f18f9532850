//! Passes the audit line of an act to the act's transaction in a task-local, so that an act and its audit line are one commit.
//!
//! Act and line are committed together or both fail; a replay adds no second line. To add an act: the API or CLI runs the command in [`audited`], the command
//! names what it creates with [`set_subject`], and the store ends the transaction with `commit_act`.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use super::ports::AuditLine;
use crate::environment::Environment;

tokio::task_local! {
    /// The audit line of the current task's act.
    static LINE: Mutex<AuditLine>;
}

/// Runs a command whose transaction writes an audit line. `subject` is the object of the act; a command that creates the object sets it with [`set_subject`].
pub async fn audited<T>(
    environment: &dyn Environment,
    actor: &str,
    action: &str,
    subject: impl Display,
    command: impl Future<Output = T>,
) -> T {
    let line = AuditLine {
        id: environment.uuid(),
        actor: actor.to_owned(),
        action: action.to_owned(),
        subject: subject.to_string(),
        at: environment.now(),
    };
    LINE.scope(Mutex::new(line), command).await
}

/// Sets the subject of the current act; does nothing outside of an act, as in a job.
pub fn set_subject(subject: impl Display) {
    // Outside of an act there is no line.
    let _no_act = LINE.try_with(|line| {
        line.lock().unwrap_or_else(PoisonError::into_inner).subject = subject.to_string();
    });
}

/// The line that the transaction of the current act must write; none outside of an act.
#[must_use]
pub fn current_audit_line() -> Option<AuditLine> {
    LINE.try_with(|line| line.lock().unwrap_or_else(PoisonError::into_inner).clone()).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use voelgoed_domain::time::Timestamp;

    use super::*;

    struct FixedEnvironment;

    impl Environment for FixedEnvironment {
        fn now(&self) -> Timestamp {
            Timestamp::from_micros(7)
        }

        fn uuid(&self) -> Uuid {
            Uuid::from_u128(1)
        }

        fn random(&self) -> [u8; 32] {
            [0; 32]
        }
    }

    #[tokio::test]
    async fn audit_line_has_the_subject_that_the_command_sets() {
        assert_eq!(current_audit_line(), None);
        set_subject("ven_0");
        let line = audited(&FixedEnvironment, "key_1", "venue.create", "", async {
            set_subject("ven_1");
            current_audit_line()
        });
        let expected = AuditLine {
            id: Uuid::from_u128(1),
            actor: "key_1".into(),
            action: "venue.create".into(),
            subject: "ven_1".into(),
            at: Timestamp::from_micros(7),
        };
        assert_eq!(line.await, Some(expected));
        assert_eq!(current_audit_line(), None, "the next act of this task starts without a line");
    }
}

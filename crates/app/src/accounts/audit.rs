//! Carries who acts, and what for, from the surface to the transaction of the act, so that an act and its audit line are one commit.
//!
//! Never: a line without its act, an act without its line, a second line for a replay. To add an act: the surface runs its command in [`audited`], the
//! command names what it makes with [`subject`], and the store ends the transaction of the act with `commit_act`.

use std::fmt::Display;
use std::sync::{Mutex, PoisonError};

use super::ports::AuditLine;
use crate::environment::Environment;

tokio::task_local! {
    /// The line of the act that this task carries out.
    static LINE: Mutex<AuditLine>;
}

/// Runs a command whose transaction writes an audit line. `subject` is what the act is done to; a command that makes something names it itself.
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

/// Names what the act of this task makes; nothing where nobody acts, as in a job.
pub fn subject(subject: impl Display) {
    // Outside of an act there is no line to name it in.
    let _no_act = LINE.try_with(|line| {
        line.lock().unwrap_or_else(PoisonError::into_inner).subject = subject.to_string();
    });
}

/// The line that the transaction of this task's act has to write; none where nobody acts.
#[must_use]
pub fn line_of_act() -> Option<AuditLine> {
    LINE.try_with(|line| line.lock().unwrap_or_else(PoisonError::into_inner).clone()).ok()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;
    use voelgoed_domain::time::Timestamp;

    use super::*;

    struct Still;

    impl Environment for Still {
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
    async fn the_line_of_an_act_has_the_subject_that_the_command_names() {
        assert_eq!(line_of_act(), None);
        subject("ven_0");
        let line = audited(&Still, "key_1", "venue.create", "", async {
            subject("ven_1");
            line_of_act()
        });
        let expected = AuditLine {
            id: Uuid::from_u128(1),
            actor: "key_1".into(),
            action: "venue.create".into(),
            subject: "ven_1".into(),
            at: Timestamp::from_micros(7),
        };
        assert_eq!(line.await, Some(expected));
        assert_eq!(line_of_act(), None, "the next act of this task starts without a line");
    }
}

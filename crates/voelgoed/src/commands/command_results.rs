//! Turns results of the application's commands into values or errors for the command line, and finds organizations by identifier or slug.

use anyhow::bail;
use voelgoed_app::error::CommandError;
use voelgoed_app::idempotency::Created;
use voelgoed_app::slices::Slices;
use voelgoed_domain::ids::OrganizationId;
use voelgoed_domain::refusal::{Code, Refusal};

/// The value that a command without an idempotency key created.
pub fn created_value<T>(created: Created<T>) -> anyhow::Result<T> {
    match created {
        Created::Fresh(value) => Ok(value),
        Created::Replayed(_) => {
            bail!("the store returned the result of an earlier request; this is a bug of the program")
        }
    }
}

/// Keeps a refusal as it is, so that `main` can name its argument.
pub fn into_anyhow(error: CommandError) -> anyhow::Error {
    match error {
        CommandError::Refused(refusal) => refusal.into(),
        CommandError::Fault(fault) => fault.into(),
    }
}

/// Adds to a `not_found` its field and the command that lists the values of `organization`.
pub fn name_unknown(field: &str, listed: &str, organization: &str) -> impl Fn(CommandError) -> CommandError {
    let detail = format!(
        "There is no such {field}; `voelgoed list {listed} --organization {organization}` prints those there are."
    );
    move |error| match error {
        CommandError::Refused(refusal) if refusal.code == Code::NotFound => {
            refusal_of_field(refusal.code, field, &detail).into()
        }
        error => error,
    }
}

pub fn refusal_of_field(code: Code, field: &str, detail: &str) -> Refusal {
    Refusal::new(code, detail).with(|evidence| evidence.field = Some(field.to_owned()))
}

/// An organization by its identifier or slug.
pub async fn find_organization(slices: &Slices, text: &str) -> anyhow::Result<OrganizationId> {
    let found = match text.parse() {
        Ok(id) => slices.accounts.store.read_organization(id).await?,
        Err(_) => slices.accounts.store.organization_by_slug(text).await?,
    };
    let missing = "There is no such organization; `voelgoed list organizations` prints those there are.";
    Ok(found.ok_or_else(|| refusal_of_field(Code::NotFound, "organization", missing))?.id)
}

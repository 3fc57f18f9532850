//! Runs `voelgoed import-layout`: reads a seating plan from a file, adds the standing areas of the command line, and writes both as a layout.

use std::path::Path;

use anyhow::Context;
use voelgoed_app::environment::new_id;
use voelgoed_app::error::CommandError;
use voelgoed_app::slices::Slices;
use voelgoed_domain::catalog::import::{ImportFormat, read, refusal_with_finding};
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::refusal::Refusal;

use super::command_results::{created_value, find_organization, into_anyhow, name_unknown};
use super::progress::progress;
use crate::{cli, output};

/// Writes the layout; returns its identifier.
pub async fn import_layout(slices: &Slices, args: cli::ImportLayoutArgs) -> anyhow::Result<String> {
    let organization = find_organization(slices, &args.organization).await?;
    let progress = progress("reading the plan");
    let mut areas = match &args.file {
        Some(file) => read_plan(slices, file, args.format.as_deref())?,
        None => Vec::new(),
    };
    let areas_of_file = areas.len();
    // The category of a standing area is its name, as in the demo's festival.
    let standing = args.standing.iter();
    areas.extend(
        standing
            .map(|(name, capacity)| AreaDraft::general(new_id(&*slices.context.environment), name, *capacity, name)),
    );
    progress.set_message("writing the plan");
    let created = slices.catalog.create_layout(organization, args.venue, areas, None).await;
    let created = created.map_err(name_unknown("venue", "venues", &args.organization));
    let layout = created_value(created.map_err(|error| match error {
        CommandError::Refused(refusal) => attribute_refusal(refusal, areas_of_file).into(),
        fault => into_anyhow(fault),
    })?)?;
    progress.finish_and_clear();
    output::note(format_args!("{} places in {} areas", layout.layout.place_count(), layout.layout.areas.len()));
    Ok(layout.id.to_string())
}

fn read_plan(slices: &Slices, file: &Path, format: Option<&str>) -> anyhow::Result<Vec<AreaDraft>> {
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let format = match format {
        Some(name) => ImportFormat::parse(name)?,
        None => ImportFormat::detect(&content),
    };
    let imported = read(format, &content, || new_id(&*slices.context.environment)).map_err(file_refusal)?;
    for finding in &imported.findings {
        output::note(format_args!("{}: {}: {}", finding.kind.as_str(), finding.at, finding.detail));
    }
    Ok(imported.areas)
}

/// Attributes the refusal of an area to the file, or to `--standing`, whose areas follow those of the file.
fn attribute_refusal(mut refusal: Refusal, areas_of_file: usize) -> Refusal {
    let field = refusal.evidence.field.as_deref().and_then(|field| field.strip_prefix("areas"));
    let area = field.and_then(|rest| rest.strip_prefix('[')?.split_once(']')?.0.parse::<usize>().ok());
    let standing = match (field, area) {
        (Some(_), Some(area)) => area.checked_sub(areas_of_file).map(|position| format!("standing[{position}]")),
        (Some(_), None) if areas_of_file == 0 => Some("standing".to_owned()),
        _ => None,
    };
    if standing.is_some() {
        refusal.evidence.field = standing;
        return refusal;
    }
    let refusal = refusal_with_finding(refusal);
    if refusal.evidence.findings.is_empty() { refusal } else { file_refusal(refusal) }
}

/// The refusal of a file with a line per finding.
fn file_refusal(refusal: Refusal) -> Refusal {
    let lines = refusal.evidence.findings.iter().map(|finding| format!("\n  {}: {}", finding.at, finding.detail));
    let detail = match refusal.evidence.findings.len() {
        0 | 1 => refusal.detail.clone(),
        count => format!("{count} things are wrong:{}\n", lines.collect::<String>()),
    };
    Refusal { detail, ..refusal }.with(|evidence| evidence.field = Some("file".to_owned()))
}

//! `voelgoed import-layout`: reads a seating plan from a file, adds the standing areas of the command line, and writes both as a layout.

use std::path::Path;

use anyhow::Context;
use voelgoed_app::catalog::create_layout::create_layout;
use voelgoed_app::environment::fresh;
use voelgoed_app::error::Error;
use voelgoed_app::platform::Platform;
use voelgoed_domain::catalog::import::{ImportFormat, as_finding, read};
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::refusal::Refusal;

use super::organizer::{made, missing, refused, tenant};
use super::progress::progress;
use crate::{cli, output};

/// Writes the layout; returns its identifier.
pub async fn import_layout(platform: &Platform, args: cli::ImportLayout) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let progress = progress("reading the plan");
    let mut areas = match &args.file {
        Some(file) => read_plan(platform, file, args.format.as_deref())?,
        None => Vec::new(),
    };
    let areas_of_file = areas.len();
    // The category of a standing area is its name, as in the demo's festival.
    let standing = args.standing.iter();
    areas.extend(standing.map(|(name, most)| AreaDraft::general(fresh(&*platform.environment), name, *most, name)));
    progress.set_message("writing the plan");
    let created = create_layout(platform, organization, args.venue, areas, None).await;
    let created = created.map_err(missing("venue", "venues", &args.organization));
    let layout = made(created.map_err(|error| match error {
        Error::Refused(refusal) => refused_plan(refusal, areas_of_file).into(),
        fault => refused(fault),
    })?)?;
    progress.finish_and_clear();
    output::note(format_args!("{} places in {} areas", layout.layout.place_count(), layout.layout.areas.len()));
    Ok(layout.id.to_string())
}

fn read_plan(platform: &Platform, file: &Path, format: Option<&str>) -> anyhow::Result<Vec<AreaDraft>> {
    let content = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let format = match format {
        Some(name) => ImportFormat::named(name)?,
        None => ImportFormat::of(&content),
    };
    let imported = read(format, &content, || fresh(&*platform.environment)).map_err(of_file)?;
    for finding in &imported.findings {
        output::note(format_args!("{}: {}: {}", finding.kind.as_str(), finding.at, finding.detail));
    }
    Ok(imported.areas)
}

/// A refusal of an area is a finding of the file, unless the area comes from `--standing`: those follow the areas of the file.
fn refused_plan(mut refusal: Refusal, areas_of_file: usize) -> Refusal {
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
    let refusal = as_finding(refusal);
    if refusal.evidence.findings.is_empty() { refusal } else { of_file(refusal) }
}

/// The refusal of a file with everything that is wrong, a line each.
fn of_file(refusal: Refusal) -> Refusal {
    let lines = refusal.evidence.findings.iter().map(|finding| format!("\n  {}: {}", finding.at, finding.detail));
    let detail = match refusal.evidence.findings.len() {
        0 | 1 => refusal.detail.clone(),
        count => format!("{count} things are wrong:{}\n", lines.collect::<String>()),
    };
    Refusal { detail, ..refusal }.with(|evidence| evidence.field = Some("file".to_owned()))
}

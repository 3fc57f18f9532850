//! What an organizer can also do over the API, for scripts and first steps; each prints the identifier of what it made.

use std::io::IsTerminal;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use indicatif::{ProgressBar, ProgressStyle};
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::change_member::Granter;
use voelgoed_app::accounts::create_api_key::create_api_key;
use voelgoed_app::accounts::create_organization::create_organization;
use voelgoed_app::catalog::create_event::create_event;
use voelgoed_app::catalog::create_layout::create_layout;
use voelgoed_app::catalog::create_ticket_type::create_ticket_type;
use voelgoed_app::catalog::create_venue::create_venue;
use voelgoed_app::catalog::delete_event::delete_event;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::environment::fresh;
use voelgoed_app::error::Error;
use voelgoed_app::idempotency::Created;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::create_device::create_device;
use voelgoed_app::scanning::create_gate::create_gate;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{EventAct, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::import::{ImportFormat, as_finding, read};
use voelgoed_domain::catalog::layout::AreaDraft;
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::money::Money;
use voelgoed_domain::refusal::Refusal;
use voelgoed_domain::scanning::entry::EntryRule;

use super::list::list;
use super::open_data;
use crate::cli::{self, Command};
use crate::data_directory::IfMissing;
use crate::role::Role;
use crate::settings::Settings;
use crate::wiring::wire;

/// Runs an organizer's command on the data directory; a server may run on it meanwhile.
pub async fn run(command: Command, settings: &Settings) -> anyhow::Result<()> {
    let is_first_step = matches!(command, Command::Organization(_));
    open_data(settings, if is_first_step { IfMissing::Create } else { IfMissing::Refuse })?;
    let wired = wire(settings, Role::All, "http://localhost").await?;
    let platform = &*wired.platform;
    let action = action_of(&command);
    let printed = audited(&*platform.environment, "cli", action, "", carry_out(platform, command)).await;
    wired.cold.close().await;
    println!("{}", printed?);
    Ok(())
}

/// How the audit log names a command.
const fn action_of(command: &Command) -> &'static str {
    match command {
        Command::Organization(_) => "organization.create",
        Command::Key(_) => "api_key.create",
        Command::Venue(_) => "venue.create",
        Command::ImportLayout(_) => "layout.import",
        Command::Event(_) => "event.create",
        Command::TicketType(_) => "ticket_type.create",
        Command::Publish(_) => "event.publish",
        Command::DeleteEvent(_) => "event.delete",
        Command::Gate(_) => "gate.create",
        Command::Device(_) => "device.create",
        _ => "",
    }
}

async fn carry_out(platform: &Platform, command: Command) -> anyhow::Result<String> {
    match command {
        Command::Organization(args) => organization(platform, args).await,
        Command::Key(args) => key(platform, args).await,
        Command::Venue(args) => venue(platform, args).await,
        Command::ImportLayout(args) => import_layout(platform, args).await,
        Command::Event(args) => event(platform, args).await,
        Command::TicketType(args) => ticket_type(platform, args).await,
        Command::Publish(args) => publish(platform, args.event).await,
        Command::DeleteEvent(args) => delete(platform, args.event).await,
        Command::Gate(args) => gate(platform, args).await,
        Command::Device(args) => device(platform, args).await,
        Command::List(args) => list(platform, args).await,
        other => bail!("{other:?} is not an organizer's command"),
    }
}

/// What a command without an idempotency key made.
pub(super) fn made<T>(created: Created<T>) -> anyhow::Result<T> {
    match created {
        Created::Fresh(value) => Ok(value),
        Created::Replayed(_) => {
            bail!("the store answered with the result of an earlier request; this is a fault of the program")
        }
    }
}

/// A refusal for a person at a terminal.
pub(super) fn told(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(refusal) => match &refusal.evidence.field {
            Some(field) => anyhow!("{} ({}, {field})", refusal.detail, refusal.code.as_str()),
            None => anyhow!("{} ({})", refusal.detail, refusal.code.as_str()),
        },
        Error::Fault(fault) => fault.into(),
    }
}

/// An organization by its identifier or slug.
pub(super) async fn tenant(platform: &Platform, text: &str) -> anyhow::Result<OrganizationId> {
    if let Ok(id) = text.parse() {
        return Ok(id);
    }
    let found = platform.accounts.organization_by_slug(text).await?;
    Ok(found.with_context(|| format!("there is no organization `{text}`"))?.id)
}

async fn scope(platform: &Platform, event: EventId) -> anyhow::Result<EventScope> {
    platform.listings.locate(event).await.map_err(told)
}

async fn organization(platform: &Platform, args: cli::Organization) -> anyhow::Result<String> {
    let new = made(create_organization(platform, &args.name, &args.slug, None).await.map_err(told)?)?;
    Ok(format!("{}\n{}", new.organization.id, new.first_key.secret))
}

async fn key(platform: &Platform, args: cli::Key) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let scopes = if args.scopes.is_empty() { Scope::ALL.to_vec() } else { args.scopes };
    // Whoever has the data directory may do everything.
    let granter = Granter { organization, scopes: Scope::ALL, member: None };
    Ok(made(create_api_key(platform, granter, &args.name, scopes, None).await.map_err(told)?)?.secret)
}

async fn venue(platform: &Platform, args: cli::Venue) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    Ok(made(create_venue(platform, organization, &args.name, &args.address, None).await.map_err(told)?)?.id.to_string())
}

async fn import_layout(platform: &Platform, args: cli::ImportLayout) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let progress = progress("reading the plan");
    let mut areas = match &args.file {
        Some(file) => read_plan(platform, file, args.format.as_deref())?,
        None => Vec::new(),
    };
    // The category of a standing area is its name, as in the demo's festival.
    let standing = args.standing.iter();
    areas.extend(standing.map(|(name, most)| AreaDraft::general(fresh(&*platform.environment), name, *most, name)));
    progress.set_message("writing the plan");
    let created = create_layout(platform, organization, args.venue, areas, None).await;
    let layout = made(created.map_err(|error| match error {
        Error::Refused(refusal) => all_wrong(&as_finding(refusal)),
        fault => told(fault),
    })?)?;
    progress.finish_and_clear();
    eprintln!("{} places in {} areas", layout.layout.place_count(), layout.layout.areas.len());
    Ok(layout.id.to_string())
}

fn read_plan(platform: &Platform, file: &Path, format: Option<&str>) -> anyhow::Result<Vec<AreaDraft>> {
    let content = std::fs::read(file).with_context(|| file.display().to_string())?;
    let format = match format {
        Some(name) => ImportFormat::named(name).map_err(|refusal| told(refusal.into()))?,
        None => ImportFormat::of(&content),
    };
    let imported = read(format, &content, || fresh(&*platform.environment)).map_err(|refusal| all_wrong(&refusal))?;
    for finding in &imported.findings {
        eprintln!("{}: {}: {}", finding.kind.as_str(), finding.at, finding.detail);
    }
    Ok(imported.areas)
}

/// Everything that is wrong with a file, a line each.
fn all_wrong(refusal: &Refusal) -> anyhow::Error {
    let lines = refusal.evidence.findings.iter().map(|finding| format!("\n  {}: {}", finding.at, finding.detail));
    match refusal.evidence.findings.len() {
        0 | 1 => told(refusal.clone().into()),
        count => {
            anyhow!("{count} things are wrong with the file ({}):{}", refusal.code.as_str(), lines.collect::<String>())
        }
    }
}

/// A spinner on a terminal, nothing elsewhere.
pub(super) fn progress(message: &'static str) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new_spinner().with_message(message);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} {elapsed}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

async fn event(platform: &Platform, args: cli::Event) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let starts_at = args.starts_at;
    let opens_at = args.sale_opens_at.unwrap_or_else(|| platform.environment.now());
    let closes_at = args.sale_closes_at.unwrap_or(starts_at);
    let draft = EventDraft {
        entry_rule: EntryRule::Single,
        name: args.name,
        layout: args.layout,
        starts_at,
        admission: args.admission.into(),
        timezone: args.timezone,
        sale: SaleWindow { opens_at, closes_at },
        currency: args.currency,
        fees: FeePolicy::default(),
        tax: TaxPolicy::default(),
        limits: EventLimits::default(),
    };
    Ok(made(create_event(platform, organization, draft, None).await.map_err(told)?)?.id.to_string())
}

async fn ticket_type(platform: &Platform, args: cli::TicketType) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    let listing = platform.listings.listing(scope).await.map_err(told)?;
    let override_of = |(category, amount)| PriceOverride { area: None, category: Some(category), amount };
    let draft = TicketTypeDraft {
        name: args.name,
        price: Money::new(args.price, listing.event.currency),
        areas: Vec::new(),
        categories: Vec::new(),
        prices: args.category_prices.into_iter().map(override_of).collect(),
        limits: TicketTypeLimits::default(),
        admission: args.admission.into(),
    };
    Ok(made(create_ticket_type(platform, scope, draft, None).await.map_err(told)?)?.id.to_string())
}

async fn publish(platform: &Platform, event: EventId) -> anyhow::Result<String> {
    let scope = scope(platform, event).await?;
    let published = move_event(platform, scope, EventAct::Publish).await.map_err(told)?;
    Ok(format!("{} {}", published.id, published.state))
}

async fn delete(platform: &Platform, event: EventId) -> anyhow::Result<String> {
    let scope = scope(platform, event).await?;
    delete_event(platform, scope).await.map_err(told)?;
    Ok(format!("{event} deleted"))
}

async fn gate(platform: &Platform, args: cli::Gate) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    Ok(made(create_gate(platform, scope, &args.name, Vec::new(), None).await.map_err(told)?)?.id.to_string())
}

async fn device(platform: &Platform, args: cli::Device) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    let device = made(create_device(platform, scope, Scope::ALL, &args.name, args.gates, None).await.map_err(told)?)?;
    Ok(format!("device        {}\npairing code  {}", device.device.id, device.pairing_code))
}

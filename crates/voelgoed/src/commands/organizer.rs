//! Runs the commands that create an organizer's things, for scripts and first steps; each prints the new identifier.

use anyhow::bail;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::granter::Granter;
use voelgoed_app::error::CommandError;
use voelgoed_app::scanning::ports::Gate;
use voelgoed_app::slices::Slices;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{EventDraft, EventLimits, EventTransition, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::EventId;
use voelgoed_domain::money::Money;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::entry::EntryRule;

use super::command_results::{created_value, find_organization, into_anyhow, name_unknown, refusal_of_field};
use super::import_layout::import_layout;
use super::list::list;
use super::open_data;
use crate::cli::{self, CliCommand};
use crate::data_directory::IfMissing;
use crate::output;
use crate::role::Role;
use crate::settings::Settings;
use crate::wiring::wire;

/// Runs an organizer's command on the data directory, on which a server may run.
pub async fn run(command: CliCommand, settings: &Settings) -> anyhow::Result<()> {
    let is_first_step = matches!(command, CliCommand::Organization(_));
    open_data(settings, if is_first_step { IfMissing::Create } else { IfMissing::Refuse })?;
    let runtime = wire(settings, Role::All, "http://localhost").await?;
    let slices = &runtime.slices;
    let action = action_of(&command);
    let printed = audited(&*slices.context.environment, "cli", action, "", execute(slices, command)).await;
    runtime.cold.close().await;
    // An empty list prints nothing.
    match printed?.trim_end() {
        "" => Ok(()),
        printed => output::line(printed),
    }
}

/// The action of a command in the audit log.
const fn action_of(command: &CliCommand) -> &'static str {
    match command {
        CliCommand::Organization(_) => "organization.create",
        CliCommand::Key(_) => "api_key.create",
        CliCommand::Venue(_) => "venue.create",
        CliCommand::ImportLayout(_) => "layout.import",
        CliCommand::Event(_) => "event.create",
        CliCommand::TicketType(_) => "ticket_type.create",
        CliCommand::Publish(_) => "event.publish",
        CliCommand::DeleteEvent(_) => "event.delete",
        CliCommand::Gate(_) => "gate.create",
        CliCommand::Device(_) => "device.create",
        _ => "",
    }
}

async fn execute(slices: &Slices, command: CliCommand) -> anyhow::Result<String> {
    match command {
        CliCommand::Organization(args) => organization(slices, args).await,
        CliCommand::Key(args) => key(slices, args).await,
        CliCommand::Venue(args) => venue(slices, args).await,
        CliCommand::ImportLayout(args) => import_layout(slices, args).await,
        CliCommand::Event(args) => event(slices, args).await,
        CliCommand::TicketType(args) => ticket_type(slices, args).await,
        CliCommand::Publish(args) => publish(slices, args.event).await,
        CliCommand::DeleteEvent(args) => delete(slices, args.event).await,
        CliCommand::Gate(args) => gate(slices, args).await,
        CliCommand::Device(args) => device(slices, args).await,
        CliCommand::List(args) => list(slices, args).await,
        other => bail!("{other:?} is not an organizer's command"),
    }
}

async fn scope(slices: &Slices, event: EventId) -> anyhow::Result<EventScope> {
    let found = slices.catalog.listings.locate(event).await;
    found.map_err(|error| into_anyhow(name_unknown("event", "events", "…")(error)))
}

async fn organization(slices: &Slices, args: cli::OrganizationArgs) -> anyhow::Result<String> {
    let created =
        slices.accounts.create_organization(&args.name, &args.slug, None).await.map_err(|error| match error {
            CommandError::Refused(refusal) if refusal.code == Code::AlreadyExists => {
                refusal_of_field(refusal.code, "slug", &refusal.detail).into()
            }
            error => into_anyhow(error),
        });
    let new = created_value(created?)?;
    Ok(format!("{}\n{}", new.organization.id, new.first_key.secret))
}

async fn key(slices: &Slices, args: cli::ApiKeyArgs) -> anyhow::Result<String> {
    let organization = find_organization(slices, &args.organization).await?;
    let scopes = if args.scopes.is_empty() { Scope::ALL.to_vec() } else { args.scopes };
    // Access to the data directory grants every scope.
    let granter = Granter { organization, scopes: Scope::ALL, member: None };
    Ok(created_value(slices.accounts.create_api_key(granter, &args.name, scopes, None).await.map_err(into_anyhow)?)?
        .secret)
}

async fn venue(slices: &Slices, args: cli::VenueArgs) -> anyhow::Result<String> {
    let organization = find_organization(slices, &args.organization).await?;
    Ok(created_value(
        slices.catalog.create_venue(organization, &args.name, &args.address, None).await.map_err(into_anyhow)?,
    )?
    .id
    .to_string())
}

async fn event(slices: &Slices, args: cli::EventArgs) -> anyhow::Result<String> {
    let organization = find_organization(slices, &args.organization).await?;
    let starts_at = args.starts_at;
    let opens_at = args.sale_opens_at.unwrap_or_else(|| slices.context.now());
    let closes_at = args.sale_closes_at.unwrap_or(starts_at);
    let unknown_layout = name_unknown("layout", "layouts", &args.organization);
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
    let created = slices.catalog.create_event(organization, draft, None).await;
    Ok(created_value(created.map_err(|error| into_anyhow(unknown_layout(error)))?)?.id.to_string())
}

async fn ticket_type(slices: &Slices, args: cli::TicketTypeArgs) -> anyhow::Result<String> {
    let scope = scope(slices, args.event).await?;
    let listing = slices.catalog.listings.listing(scope).await.map_err(into_anyhow)?;
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
    let created = slices.catalog.create_ticket_type(scope, draft, None).await;
    let created = created.map_err(|error| into_anyhow(unknown_category(error, &listing.layout.categories())));
    Ok(created_value(created?)?.id.to_string())
}

/// Lists the known categories in the refusal of an unknown one.
fn unknown_category(error: CommandError, categories: &[&str]) -> CommandError {
    let is_category = |field: &str| field.starts_with("prices[") && field.ends_with(".category");
    match error {
        CommandError::Refused(refusal) if refusal.evidence.field.as_deref().is_some_and(is_category) => {
            let detail = format!("The event's layout has no such category; it has {}.", categories.join(", "));
            Refusal { detail, ..refusal }.into()
        }
        error => error,
    }
}

async fn publish(slices: &Slices, event: EventId) -> anyhow::Result<String> {
    let scope = scope(slices, event).await?;
    let published = slices.catalog.transition_event(scope, EventTransition::Publish).await.map_err(into_anyhow)?;
    Ok(format!("{} {}", published.id, published.state))
}

async fn delete(slices: &Slices, event: EventId) -> anyhow::Result<String> {
    let scope = scope(slices, event).await?;
    slices.catalog.delete_event(scope).await.map_err(into_anyhow)?;
    Ok(format!("{event} deleted"))
}

async fn gate(slices: &Slices, args: cli::GateArgs) -> anyhow::Result<String> {
    let scope = scope(slices, args.event).await?;
    Ok(created_value(slices.scanning.create_gate(scope, &args.name, Vec::new(), None).await.map_err(into_anyhow)?)?
        .id
        .to_string())
}

async fn device(slices: &Slices, args: cli::DeviceArgs) -> anyhow::Result<String> {
    let scope = scope(slices, args.event).await?;
    let known = slices.scanning.store.gates(scope.organization, scope.event).await?;
    if let Some(at) = args.gates.iter().position(|gate| known.iter().all(|known| known.id != *gate)) {
        return Err(unknown_gate(at, &known).into());
    }
    let device = created_value(
        slices.scanning.create_device(scope, Scope::ALL, &args.name, args.gates, None).await.map_err(into_anyhow)?,
    )?;
    Ok(format!("device        {}\npairing code  {}", device.device.id, device.pairing_code))
}

/// Lists the known gates in the refusal of an unknown one.
fn unknown_gate(at: usize, known: &[Gate]) -> Refusal {
    let known: Vec<_> = known.iter().map(|gate| format!("{} ({})", gate.id, gate.name)).collect();
    let known = if known.is_empty() { "none; make one with `voelgoed gate`".to_owned() } else { known.join(", ") };
    Refusal::invalid(format!("gates[{at}]"), format!("The event has no such gate; it has {known}."))
}

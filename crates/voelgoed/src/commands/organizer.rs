//! What an organizer can also do over the API, for scripts and first steps; each prints the identifier of what it made.

use anyhow::bail;
use voelgoed_app::accounts::audit::audited;
use voelgoed_app::accounts::change_member::Granter;
use voelgoed_app::accounts::create_api_key::create_api_key;
use voelgoed_app::accounts::create_organization::create_organization;
use voelgoed_app::catalog::create_event::create_event;
use voelgoed_app::catalog::create_ticket_type::create_ticket_type;
use voelgoed_app::catalog::create_venue::create_venue;
use voelgoed_app::catalog::delete_event::delete_event;
use voelgoed_app::catalog::move_event::move_event;
use voelgoed_app::error::Error;
use voelgoed_app::idempotency::Created;
use voelgoed_app::platform::Platform;
use voelgoed_app::scanning::create_device::create_device;
use voelgoed_app::scanning::create_gate::create_gate;
use voelgoed_app::scanning::ports::Gate;
use voelgoed_app::ticketing::ports::EventScope;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::event::{EventAct, EventDraft, EventLimits, FeePolicy, SaleWindow, TaxPolicy};
use voelgoed_domain::catalog::ticket_type::{PriceOverride, TicketTypeDraft, TicketTypeLimits};
use voelgoed_domain::ids::{EventId, OrganizationId};
use voelgoed_domain::money::Money;
use voelgoed_domain::refusal::{Code, Refusal};
use voelgoed_domain::scanning::entry::EntryRule;

use super::import_layout::import_layout;
use super::list::list;
use super::open_data;
use crate::cli::{self, Command};
use crate::data_directory::IfMissing;
use crate::output;
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
    // An empty list prints nothing.
    match printed?.trim_end() {
        "" => Ok(()),
        printed => output::line(printed),
    }
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

/// Hands a refusal on as it is, so that `main` can name the argument.
pub(super) fn refused(error: Error) -> anyhow::Error {
    match error {
        Error::Refused(refusal) => refusal.into(),
        Error::Fault(fault) => fault.into(),
    }
}

/// Gives a `not_found` the field whose value names nothing in `organization`, and the command that lists what there is.
pub(super) fn missing(field: &str, listed: &str, organization: &str) -> impl Fn(Error) -> Error {
    let detail = format!(
        "There is no such {field}; `voelgoed list {listed} --organization {organization}` prints those there are."
    );
    move |error| match error {
        Error::Refused(refusal) if refusal.code == Code::NotFound => of_field(refusal.code, field, &detail).into(),
        error => error,
    }
}

fn of_field(code: Code, field: &str, detail: &str) -> Refusal {
    Refusal::new(code, detail).with(|evidence| evidence.field = Some(field.to_owned()))
}

/// An organization by its identifier or slug.
pub(super) async fn tenant(platform: &Platform, text: &str) -> anyhow::Result<OrganizationId> {
    let found = match text.parse() {
        Ok(id) => platform.accounts.read_organization(id).await?,
        Err(_) => platform.accounts.organization_by_slug(text).await?,
    };
    let missing = "There is no such organization; `voelgoed list organizations` prints those there are.";
    Ok(found.ok_or_else(|| of_field(Code::NotFound, "organization", missing))?.id)
}

async fn scope(platform: &Platform, event: EventId) -> anyhow::Result<EventScope> {
    let found = platform.listings.locate(event).await;
    found.map_err(|error| refused(missing("event", "events", "…")(error)))
}

async fn organization(platform: &Platform, args: cli::Organization) -> anyhow::Result<String> {
    let created = create_organization(platform, &args.name, &args.slug, None).await.map_err(|error| match error {
        Error::Refused(refusal) if refusal.code == Code::AlreadyExists => {
            of_field(refusal.code, "slug", &refusal.detail).into()
        }
        error => refused(error),
    });
    let new = made(created?)?;
    Ok(format!("{}\n{}", new.organization.id, new.first_key.secret))
}

async fn key(platform: &Platform, args: cli::Key) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let scopes = if args.scopes.is_empty() { Scope::ALL.to_vec() } else { args.scopes };
    // Whoever has the data directory may do everything.
    let granter = Granter { organization, scopes: Scope::ALL, member: None };
    Ok(made(create_api_key(platform, granter, &args.name, scopes, None).await.map_err(refused)?)?.secret)
}

async fn venue(platform: &Platform, args: cli::Venue) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    Ok(made(create_venue(platform, organization, &args.name, &args.address, None).await.map_err(refused)?)?
        .id
        .to_string())
}

async fn event(platform: &Platform, args: cli::Event) -> anyhow::Result<String> {
    let organization = tenant(platform, &args.organization).await?;
    let starts_at = args.starts_at;
    let opens_at = args.sale_opens_at.unwrap_or_else(|| platform.environment.now());
    let closes_at = args.sale_closes_at.unwrap_or(starts_at);
    let unknown_layout = missing("layout", "layouts", &args.organization);
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
    let created = create_event(platform, organization, draft, None).await;
    Ok(made(created.map_err(|error| refused(unknown_layout(error)))?)?.id.to_string())
}

async fn ticket_type(platform: &Platform, args: cli::TicketType) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    let listing = platform.listings.listing(scope).await.map_err(refused)?;
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
    let created = create_ticket_type(platform, scope, draft, None).await;
    let created = created.map_err(|error| refused(unknown_category(error, &listing.layout.categories())));
    Ok(made(created?)?.id.to_string())
}

/// Names the categories that there are in the refusal of one that there is not.
fn unknown_category(error: Error, categories: &[&str]) -> Error {
    let is_category = |field: &str| field.starts_with("prices[") && field.ends_with(".category");
    match error {
        Error::Refused(refusal) if refusal.evidence.field.as_deref().is_some_and(is_category) => {
            let detail = format!("The event's layout has no such category; it has {}.", categories.join(", "));
            Refusal { detail, ..refusal }.into()
        }
        error => error,
    }
}

async fn publish(platform: &Platform, event: EventId) -> anyhow::Result<String> {
    let scope = scope(platform, event).await?;
    let published = move_event(platform, scope, EventAct::Publish).await.map_err(refused)?;
    Ok(format!("{} {}", published.id, published.state))
}

async fn delete(platform: &Platform, event: EventId) -> anyhow::Result<String> {
    let scope = scope(platform, event).await?;
    delete_event(platform, scope).await.map_err(refused)?;
    Ok(format!("{event} deleted"))
}

async fn gate(platform: &Platform, args: cli::Gate) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    Ok(made(create_gate(platform, scope, &args.name, Vec::new(), None).await.map_err(refused)?)?.id.to_string())
}

async fn device(platform: &Platform, args: cli::Device) -> anyhow::Result<String> {
    let scope = scope(platform, args.event).await?;
    let known = platform.scans.gates(scope.organization, scope.event).await?;
    if let Some(at) = args.gates.iter().position(|gate| known.iter().all(|known| known.id != *gate)) {
        return Err(unknown_gate(at, &known).into());
    }
    let device =
        made(create_device(platform, scope, Scope::ALL, &args.name, args.gates, None).await.map_err(refused)?)?;
    Ok(format!("device        {}\npairing code  {}", device.device.id, device.pairing_code))
}

/// Names the gates that there are in the refusal of one that there is not.
fn unknown_gate(at: usize, known: &[Gate]) -> Refusal {
    let known: Vec<_> = known.iter().map(|gate| format!("{} ({})", gate.id, gate.name)).collect();
    let known = if known.is_empty() { "none; make one with `voelgoed gate`".to_owned() } else { known.join(", ") };
    Refusal::invalid(format!("gates[{at}]"), format!("The event has no such gate; it has {known}."))
}

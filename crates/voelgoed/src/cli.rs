//! The command line: what can be asked of the program.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission::AdmissionTimes;
use voelgoed_domain::ids::{EventId, GateId, JobId, LayoutId, VenueId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::time::Timestamp;

use crate::cli_values;
use crate::role::Role;

/// Sells and scans tickets when everybody wants them at once.
#[derive(Debug, Parser)]
#[command(name = "voelgoed", version)]
pub struct Cli {
    /// A configuration file over the defaults.
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The data directory.
    #[arg(long, global = true, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve the shop, the API and everything behind them.
    Serve(Serve),
    /// Make an organization with three published events where the data directory is empty, then serve.
    Demo(Demo),
    /// Make an organization with its first key.
    Organization(Organization),
    /// Make an API key.
    Key(Key),
    /// Make a venue.
    Venue(Venue),
    /// Import a seating plan: the JSON that pretix uses, or CSV.
    ImportLayout(ImportLayout),
    /// Make an event as a draft.
    Event(Event),
    /// Say what is sold for an event's places.
    TicketType(TicketType),
    /// Show an event to all and sell it.
    Publish(OfEvent),
    /// Delete an event that was never published.
    DeleteEvent(OfEvent),
    /// Make a gate of an event.
    Gate(Gate),
    /// Make a device with its one-time pairing code.
    Device(Device),
    /// List organizations, or an organization's venues, layouts or events: identifier, then name.
    List(List),
    /// Copy the data directory while it is in use.
    Backup(Backup),
    /// Put a backup into an empty data directory.
    Restore(Restore),
    /// Check that the ledger balances, that rows of the outbox and jobs can be read, and that Redis is set up safely; list dead jobs and nodes.
    Doctor,
    /// List the jobs that are dead and wait for a person, or give them all their attempts anew.
    Jobs {
        /// Which of both.
        #[command(subcommand)]
        act: JobsAct,
    },
    /// Bring the schema of Postgres up to date; nodes of the release before may serve meanwhile. Read docs/runbooks/upgrade.md first.
    Migrate,
    /// Print the OpenAPI document.
    Openapi,
    /// Print every setting with its value in force: default, file, environment and flags together. Secrets are hidden.
    Settings,
    /// Print a completion script.
    Completions {
        /// For which shell.
        shell: clap_complete::Shell,
    },
    /// Run the sandbox payment provider; one node starts its own, several share this one.
    SandboxPsp(SandboxPsp),
}

/// `jobs`
#[derive(Debug, clap::Subcommand)]
pub enum JobsAct {
    /// Print each dead job with what it was to do and why it died.
    List,
    /// Give one, or all, their attempts anew; prints which.
    Revive {
        /// `job_…`; all where absent.
        job: Option<JobId>,
    },
}

/// `serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// Where to listen.
    #[arg(long, value_parser = cli_values::listen_address)]
    pub listen: Option<SocketAddr>,
    /// Where operators are served: /readyz, /metrics and the operator's calls.
    #[arg(long, value_parser = cli_values::listen_address)]
    pub internal_listen: Option<SocketAddr>,
    /// Print where everything is as one line of JSON.
    #[arg(long)]
    pub json: bool,
    /// What this process does; the embedded tiers need all of it in one.
    #[arg(long, value_enum, default_value_t)]
    pub role: Role,
}

/// `demo`
#[derive(Debug, Args)]
pub struct Demo {
    /// Where to listen.
    #[arg(long, value_parser = cli_values::listen_address)]
    pub listen: Option<SocketAddr>,
    /// Where operators are served: /readyz, /metrics and the operator's calls.
    #[arg(long, value_parser = cli_values::listen_address)]
    pub internal_listen: Option<SocketAddr>,
    /// Print where everything is as one line of JSON.
    #[arg(long)]
    pub json: bool,
    /// Make it, say what was made, and end: for several nodes, which `serve` then.
    #[arg(long)]
    pub seed_only: bool,
}

/// `organization`
#[derive(Debug, Args)]
pub struct Organization {
    /// What people call it.
    #[arg(value_parser = cli_values::organization_name)]
    pub name: String,
    /// Its name in URLs: 2 to 40 of a-z, 0-9 and single hyphens between them.
    #[arg(value_parser = cli_values::slug)]
    pub slug: String,
}

/// `key`
#[derive(Debug, Args)]
pub struct Key {
    /// `org_…` or its slug.
    #[arg(long)]
    pub organization: String,
    /// What it is for.
    #[arg(long)]
    pub name: String,
    /// What it may do; every scope where absent.
    #[arg(long = "scope", value_parser = cli_values::scope)]
    pub scopes: Vec<Scope>,
}

/// `venue`
#[derive(Debug, Args)]
pub struct Venue {
    /// `org_…` or its slug.
    #[arg(long)]
    pub organization: String,
    /// What people call it.
    pub name: String,
    /// Where it is.
    #[arg(long, default_value = "")]
    pub address: String,
}

/// `import-layout`
#[derive(Debug, Args)]
pub struct ImportLayout {
    /// `org_…` or its slug.
    #[arg(long)]
    pub organization: String,
    /// `ven_…`
    #[arg(long)]
    pub venue: VenueId,
    /// `pretix` or `csv`; told from the content where absent.
    #[arg(long, value_parser = ["pretix", "csv"])]
    pub format: Option<String>,
    /// A standing area beside those of the file, or without a file. The name has no `=`; an area of the file may have one in its name.
    #[arg(long = "standing", value_name = "NAME=CAPACITY", value_parser = cli_values::standing_area)]
    pub standing: Vec<(String, u32)>,
    /// The file.
    #[arg(required_unless_present = "standing")]
    pub file: Option<PathBuf>,
}

/// `event`
#[derive(Debug, Args)]
pub struct Event {
    /// `org_…` or its slug.
    #[arg(long)]
    pub organization: String,
    /// `lay_…`
    #[arg(long)]
    pub layout: LayoutId,
    /// When it begins, RFC 3339.
    #[arg(long)]
    pub starts_at: Timestamp,
    #[command(flatten)]
    pub admission: Admission,
    /// IANA name, such as `Africa/Johannesburg`: times are shown in this zone.
    #[arg(long, default_value = "UTC", value_parser = cli_values::time_zone)]
    pub timezone: String,
    /// When its sale opens, RFC 3339; now where absent.
    #[arg(long)]
    pub sale_opens_at: Option<Timestamp>,
    /// When its sale closes, RFC 3339; at its beginning where absent.
    #[arg(long)]
    pub sale_closes_at: Option<Timestamp>,
    /// ISO 4217 code.
    #[arg(long, value_parser = cli_values::currency)]
    pub currency: Currency,
    /// What people call it.
    pub name: String,
}

/// Doors, end and admission of an event or a ticket type.
#[derive(Debug, Args)]
pub struct Admission {
    /// When the doors open, RFC 3339: tickets admit from then on; 24 h before the start where absent.
    #[arg(long)]
    pub doors_at: Option<Timestamp>,
    /// When it ends, RFC 3339: tickets admit until 24 h later; 6 h after the start where absent.
    #[arg(long)]
    pub ends_at: Option<Timestamp>,
    /// From when tickets admit, whatever the doors, RFC 3339.
    #[arg(long)]
    pub admits_from: Option<Timestamp>,
    /// Until when tickets admit, whatever the end, RFC 3339.
    #[arg(long)]
    pub admits_until: Option<Timestamp>,
}

impl From<Admission> for AdmissionTimes {
    fn from(given: Admission) -> Self {
        let Admission { doors_at, ends_at, admits_from, admits_until } = given;
        Self { doors_at, ends_at, admits_from, admits_until }
    }
}

/// `ticket-type`
#[derive(Debug, Args)]
pub struct TicketType {
    /// `evt_…`
    #[arg(long)]
    pub event: EventId,
    /// Its price in minor units: 4500 is 45.00.
    #[arg(long, allow_negative_numbers = true, value_parser = cli_values::minor_units)]
    pub price: i64,
    /// Another price for a category of the layout. The last `=` separates, so the category's name may contain others.
    #[arg(long = "category-price", value_name = "CATEGORY=MINOR_UNITS", value_parser = cli_values::category_price)]
    pub category_prices: Vec<(String, i64)>,
    #[command(flatten)]
    pub admission: Admission,
    /// What people call it.
    pub name: String,
}

/// Commands about one event.
#[derive(Debug, Args)]
pub struct OfEvent {
    /// `evt_…`
    pub event: EventId,
}

/// `gate`
#[derive(Debug, Args)]
pub struct Gate {
    /// `evt_…`
    #[arg(long)]
    pub event: EventId,
    /// What people call it.
    pub name: String,
}

/// `device`
#[derive(Debug, Args)]
pub struct Device {
    /// `evt_…`
    #[arg(long)]
    pub event: EventId,
    /// `gate_…`, where it may scan.
    #[arg(long = "gate", required = true)]
    pub gates: Vec<GateId>,
    /// What people call it.
    pub name: String,
}

/// `list`
#[derive(Debug, Args)]
pub struct List {
    /// What to list.
    #[arg(value_enum)]
    pub what: Listed,
    /// `org_…` or its slug; not needed for organizations.
    #[arg(long, required_if_eq_any([("what", "venues"), ("what", "layouts"), ("what", "events")]))]
    pub organization: Option<String>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Listed {
    /// Identifier, slug and name.
    Organizations,
    /// Identifier, name and address.
    Venues,
    /// Identifier, venue and version.
    Layouts,
    /// Identifier, state, start and name.
    Events,
}

/// `backup`
#[derive(Debug, Args)]
pub struct Backup {
    /// A directory that does not exist yet.
    pub to: PathBuf,
}

/// `restore`
#[derive(Debug, Args)]
pub struct Restore {
    /// A backup.
    pub from: PathBuf,
}

/// `sandbox-psp`
#[derive(Debug, Args)]
pub struct SandboxPsp {
    /// Where to listen.
    #[arg(long, value_parser = cli_values::listen_address)]
    pub listen: SocketAddr,
    /// Its durable file.
    #[arg(long)]
    pub file: PathBuf,
    /// Where callbacks go.
    #[arg(long, value_parser = cli_values::http_url)]
    pub callback_url: Option<String>,
    /// Its delays are multiplied by this.
    #[arg(long, default_value_t = 1.0, allow_negative_numbers = true, value_parser = cli_values::time_scale)]
    pub time_scale: f64,
    /// Ends when its standard input ends.
    #[arg(long)]
    pub exit_with_parent: bool,
}

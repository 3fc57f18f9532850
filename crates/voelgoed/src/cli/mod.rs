//! Declares the command line with clap: commands, arguments, flags and their help texts.
//!
//! To add a command: its variant in [`CliCommand`], and its arguments here or in `organizer_args.rs`.

mod organizer_args;

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use voelgoed_domain::ids::JobId;

pub use self::organizer_args::{
    ApiKeyArgs, DeviceArgs, EventArgs, EventIdArgs, GateArgs, ImportLayoutArgs, OrganizationArgs, TicketTypeArgs,
    VenueArgs,
};
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
    pub command: CliCommand,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum CliCommand {
    /// Serve the shop, the API and everything behind them.
    Serve(ServeArgs),
    /// Make an organization with three published events where the data directory is empty, then serve.
    Demo(DemoArgs),
    /// Make an organization with its first key.
    Organization(OrganizationArgs),
    /// Make an API key.
    Key(ApiKeyArgs),
    /// Make a venue.
    Venue(VenueArgs),
    /// Import a seating plan: the JSON that pretix uses, or CSV.
    ImportLayout(ImportLayoutArgs),
    /// Make an event as a draft.
    Event(EventArgs),
    /// Say what is sold for an event's places.
    TicketType(TicketTypeArgs),
    /// Show an event to all and sell it.
    Publish(EventIdArgs),
    /// Delete an event that was never published.
    DeleteEvent(EventIdArgs),
    /// Make a gate of an event.
    Gate(GateArgs),
    /// Make a device with its one-time pairing code.
    Device(DeviceArgs),
    /// List organizations, or an organization's venues, layouts or events: identifier, then name.
    List(ListArgs),
    /// Copy the data directory while it is in use.
    Backup(BackupArgs),
    /// Put a backup into an empty data directory.
    Restore(RestoreArgs),
    /// Check that the ledger balances, that rows of the outbox and jobs can be read, and that Redis is set up safely; list dead jobs and nodes.
    Doctor,
    /// List the jobs that are dead and wait for a person, or give them all their attempts again.
    Jobs {
        /// Which of both.
        #[command(subcommand)]
        act: JobsCommand,
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
    SandboxPsp(SandboxPspArgs),
}

/// `jobs`
#[derive(Debug, clap::Subcommand)]
pub enum JobsCommand {
    /// Print each dead job with what it was to do and why it died.
    List,
    /// Give one, or all, their attempts again; prints which.
    Revive {
        /// `job_…`; all where absent.
        job: Option<JobId>,
    },
}

/// `serve`
#[derive(Debug, Args)]
pub struct ServeArgs {
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
pub struct DemoArgs {
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

/// `list`
#[derive(Debug, Args)]
pub struct ListArgs {
    /// What to list.
    #[arg(value_enum)]
    pub what: ListedKind,
    /// `org_…` or its slug; not needed for organizations.
    #[arg(long, required_if_eq_any([("what", "venues"), ("what", "layouts"), ("what", "events")]))]
    pub organization: Option<String>,
}

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListedKind {
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
pub struct BackupArgs {
    /// A directory that does not exist yet.
    pub to: PathBuf,
}

/// `restore`
#[derive(Debug, Args)]
pub struct RestoreArgs {
    /// A backup.
    pub from: PathBuf,
}

/// `sandbox-psp`
#[derive(Debug, Args)]
pub struct SandboxPspArgs {
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

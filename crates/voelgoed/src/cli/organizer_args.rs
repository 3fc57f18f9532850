//! Declares the arguments of the commands that create an organizer's things: organizations, keys, venues, layouts, events, gates and devices.

use std::path::PathBuf;

use clap::Args;
use voelgoed_domain::accounts::scope::Scope;
use voelgoed_domain::catalog::admission_window::AdmissionTimes;
use voelgoed_domain::ids::{EventId, GateId, LayoutId, VenueId};
use voelgoed_domain::money::Currency;
use voelgoed_domain::time::Timestamp;

use crate::cli_values;

/// `organization`
#[derive(Debug, Args)]
pub struct OrganizationArgs {
    /// What people call it.
    #[arg(value_parser = cli_values::organization_name)]
    pub name: String,
    /// Its name in URLs: 2 to 40 of a-z, 0-9 and single hyphens between them.
    #[arg(value_parser = cli_values::slug)]
    pub slug: String,
}

/// `key`
#[derive(Debug, Args)]
pub struct ApiKeyArgs {
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
pub struct VenueArgs {
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
pub struct ImportLayoutArgs {
    /// `org_…` or its slug.
    #[arg(long)]
    pub organization: String,
    /// `ven_…`
    #[arg(long)]
    pub venue: VenueId,
    /// `pretix` or `csv`; detected from the content if absent.
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
pub struct EventArgs {
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
    pub admission: AdmissionArgs,
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
pub struct AdmissionArgs {
    /// When the doors open, RFC 3339: tickets admit from then on; 24 h before the start where absent.
    #[arg(long)]
    pub doors_at: Option<Timestamp>,
    /// When it ends, RFC 3339: tickets admit until 24 h later; 6 h after the start where absent.
    #[arg(long)]
    pub ends_at: Option<Timestamp>,
    /// When tickets begin to admit, regardless of the doors, RFC 3339.
    #[arg(long)]
    pub admits_from: Option<Timestamp>,
    /// When tickets cease to admit, regardless of the end, RFC 3339.
    #[arg(long)]
    pub admits_until: Option<Timestamp>,
}

impl From<AdmissionArgs> for AdmissionTimes {
    fn from(given: AdmissionArgs) -> Self {
        let AdmissionArgs { doors_at, ends_at, admits_from, admits_until } = given;
        Self { doors_at, ends_at, admits_from, admits_until }
    }
}

/// `ticket-type`
#[derive(Debug, Args)]
pub struct TicketTypeArgs {
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
    pub admission: AdmissionArgs,
    /// What people call it.
    pub name: String,
}

/// Commands about one event.
#[derive(Debug, Args)]
pub struct EventIdArgs {
    /// `evt_…`
    pub event: EventId,
}

/// `gate`
#[derive(Debug, Args)]
pub struct GateArgs {
    /// `evt_…`
    #[arg(long)]
    pub event: EventId,
    /// What people call it.
    pub name: String,
}

/// `device`
#[derive(Debug, Args)]
pub struct DeviceArgs {
    /// `evt_…`
    #[arg(long)]
    pub event: EventId,
    /// `gate_…`, where it may scan.
    #[arg(long = "gate", required = true)]
    pub gates: Vec<GateId>,
    /// What people call it.
    pub name: String,
}

//! Words a refusal for the command line: names the argument and its written value in place of the request field.
//!
//! To add an argument that fills a request field: its row in [`ARGUMENT_OF_FIELD`].

use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};
use voelgoed_domain::refusal::Refusal;

/// Request field (list positions and what follows them left out) → argument of `cli/`.
const ARGUMENT_OF_FIELD: &[(&str, &str)] = &[
    ("address", "address"),
    ("admits_from", "admits_from"),
    ("admits_until", "admits_until"),
    ("currency", "currency"),
    ("doors_at", "doors_at"),
    ("ends_at", "ends_at"),
    ("event", "event"),
    ("file", "file"),
    ("format", "format"),
    ("gates", "gates"),
    ("layout", "layout"),
    ("name", "name"),
    ("organization", "organization"),
    ("price", "price"),
    ("prices", "category_prices"),
    ("sale.closes_at", "sale_closes_at"),
    ("sale.opens_at", "sale_opens_at"),
    ("scopes", "scopes"),
    ("slug", "slug"),
    ("standing", "standing"),
    ("starts_at", "starts_at"),
    ("timezone", "timezone"),
    ("venue", "venue"),
];

/// The arguments of one sub-command, as they were written.
pub struct WrittenArguments {
    command: Command,
    matches: ArgMatches,
}

impl WrittenArguments {
    /// The arguments of the sub-command that `matches` of `program` name.
    #[must_use]
    pub fn of(program: &Command, matches: &ArgMatches) -> Self {
        let found = matches.subcommand().and_then(|(name, own)| Some((program.find_subcommand(name)?, own)));
        let (command, matches) = found.unwrap_or((program, matches));
        Self { command: command.clone(), matches: matches.clone() }
    }

    /// The refusal as a sentence for a person at a terminal, with its code.
    #[must_use]
    pub fn describe(&self, refusal: &Refusal) -> String {
        let (code, field) = (refusal.code.as_str(), refusal.evidence.field.as_deref());
        let Some((argument, field)) = field.and_then(|field| Some((self.argument_of(field)?, field))) else {
            let field = field.map_or_else(String::new, |field| format!(", {field}"));
            return format!("{} ({code}{field})", refusal.detail);
        };
        let detail = self.with_arguments(field, &refusal.detail);
        let name = name_of(argument);
        match self.written(argument, position(field)) {
            Some(value) => format!("invalid value '{value}' for '{name}': {detail} ({code})"),
            None => format!("'{name}' is not given and its default is refused: {detail} ({code})"),
        }
    }

    fn argument_of(&self, field: &str) -> Option<&Arg> {
        let row = ARGUMENT_OF_FIELD.iter().find(|(row, _)| {
            field.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with(['[', '.']))
        });
        let (_, id) = row?;
        self.command.get_arguments().find(|argument| argument.get_id() == id)
    }

    /// The value at `position`, else all of them; none where the default was taken.
    fn written(&self, argument: &Arg, position: Option<usize>) -> Option<String> {
        let id = argument.get_id().as_str();
        if self.matches.value_source(id) == Some(ValueSource::DefaultValue) {
            return None;
        }
        let values: Vec<_> = self.matches.get_raw(id)?.map(|value| value.to_string_lossy()).collect();
        let one = position.and_then(|position| values.get(position).map(ToString::to_string));
        Some(one.unwrap_or_else(|| values.join(", ")))
    }

    /// The detail with arguments in place of the fields that it names. Details about an item of a list quote what the user wrote, and name no fields.
    fn with_arguments(&self, field: &str, detail: &str) -> String {
        if field.contains('[') {
            return detail.to_owned();
        }
        let mut worded = detail.to_owned();
        for (field, _) in ARGUMENT_OF_FIELD {
            let quoted = format!("`{field}`");
            if let Some(argument) = self.argument_of(field).filter(|_| worded.contains(&quoted)) {
                let value = self.written(argument, None);
                let value = value.map_or_else(|| " (by default)".to_owned(), |value| format!(" ({value})"));
                worded = worded.replace(&quoted, &format!("{}{value}", name_of(argument)));
            }
        }
        worded
    }
}

/// `--timezone`, or `<NAME>` of an argument without a flag.
fn name_of(argument: &Arg) -> String {
    match (argument.get_long(), argument.get_value_names()) {
        (Some(long), _) => format!("--{long}"),
        (None, Some([name, ..])) => format!("<{name}>"),
        (None, _) => format!("<{}>", argument.get_id().as_str().to_uppercase()),
    }
}

/// The first list position in a field's path: 2 of `prices[2].category`.
fn position(field: &str) -> Option<usize> {
    field.split_once('[')?.1.split_once(']')?.0.parse().ok()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;
    use voelgoed_domain::refusal::Code;

    use super::*;
    use crate::cli::Cli;

    fn written(arguments: &[&str]) -> WrittenArguments {
        let program = Cli::command();
        let matches = program.clone().try_get_matches_from(std::iter::once(&"voelgoed").chain(arguments)).unwrap();
        WrittenArguments::of(&program, &matches)
    }

    #[test]
    fn every_row_of_the_table_names_an_argument_of_a_command() {
        let program = Cli::command();
        for (field, id) in ARGUMENT_OF_FIELD {
            let mut arguments = program.get_subcommands().flat_map(Command::get_arguments);
            assert!(arguments.any(|argument| argument.get_id() == id), "{field}: {id}");
        }
    }

    #[test]
    fn refused_field_is_described_by_its_argument_and_written_value() {
        let layout = "lay_00000000-0000-0000-0000-000000000001";
        let start = "2030-01-01T18:00:00Z";
        let event = written(&[
            "event",
            "--organization",
            "hall",
            "--layout",
            layout,
            "--starts-at",
            start,
            "--sale-closes-at",
            "2029-01-01T18:00:00Z",
            "--currency",
            "eur",
            "Gala",
        ]);
        let prices = written(&[
            "ticket-type",
            "--event",
            "evt_00000000-0000-0000-0000-000000000001",
            "--price",
            "5",
            "--category-price",
            "A=1",
            "--category-price",
            "Nope=3",
            "Full",
        ]);
        for (arguments, field, detail, expected) in [
            (
                &event,
                "sale.closes_at",
                "Must be later than `sale.opens_at`.",
                "invalid value '2029-01-01T18:00:00Z' for '--sale-closes-at': Must be later than --sale-opens-at (by default). (invalid_request)",
            ),
            (
                &event,
                "doors_at",
                "Wrong.",
                "'--doors-at' is not given and its default is refused: Wrong. (invalid_request)",
            ),
            (
                &event,
                "ends_at",
                "Later than `starts_at`.",
                "'--ends-at' is not given and its default is refused: Later than --starts-at (2030-01-01T18:00:00Z). (invalid_request)",
            ),
            (&event, "timezone", "No.", "'--timezone' is not given and its default is refused: No. (invalid_request)"),
            (&event, "name", "Too long.", "invalid value 'Gala' for '<NAME>': Too long. (invalid_request)"),
            (&event, "limits.x", "Odd.", "Odd. (invalid_request, limits.x)"),
            (
                &prices,
                "prices[1].category",
                "No `name`.",
                "invalid value 'Nope=3' for '--category-price': No `name`. (invalid_request)",
            ),
            (&prices, "price.amount", "Too much.", "invalid value '5' for '--price': Too much. (invalid_request)"),
        ] {
            assert_eq!(arguments.describe(&Refusal::invalid(field, detail)), expected);
        }
        assert_eq!(event.describe(&Refusal::new(Code::SoldOut, "All gone.")), "All gone. (sold_out)");
    }
}

//! Defines the permissions of API keys and members, and parses lists of them.
//!
//! To add a scope: one line in [`Scope`], and its name in the routes that require it.

use crate::text_enum::text_enum;

text_enum! {
    /// One permission; a key carries a set of them.
    "scope" Scope {
        /// Members, keys and the audit log.
        Admin = "admin",
        /// Venues, layouts, events, prices, blocks.
        Catalog = "catalog",
        /// Orders, cancellations, refunds.
        Sales = "sales",
        /// Ledger, payouts.
        Finance = "finance",
        /// Webhooks.
        Integrations = "integrations",
        /// Gates, devices, scans.
        Scanning = "scanning",
        /// Reports and exports.
        Reports = "reports",
    }
}

impl Scope {
    /// The scopes that `texts` name, each once, in the order of [`Scope::ALL`].
    ///
    /// # Errors
    /// [`UnknownText`](crate::text_enum::UnknownText) for the first text that names no scope.
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, crate::text_enum::UnknownText> {
        let mut scopes = texts.into_iter().map(Self::parse).collect::<Result<Vec<_>, _>>()?;
        scopes.sort_unstable();
        scopes.dedup();
        Ok(scopes)
    }
}

#[cfg(test)]
mod tests {
    use super::Scope;

    #[test]
    fn parsed_scopes_are_sorted_and_unique() {
        for (texts, expected) in [
            (&[][..], Some("")),
            (&["sales"][..], Some("sales")),
            (&["reports", "admin", "sales", "admin"][..], Some("admin sales reports")),
            (&["sales", "Sales"][..], None),
            (&["all"][..], None),
        ] {
            let got = Scope::parse_all(texts.iter().copied()).ok();
            let shown = got.map(|scopes| scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "));
            assert_eq!(shown.as_deref(), expected, "{texts:?}");
        }
    }
}

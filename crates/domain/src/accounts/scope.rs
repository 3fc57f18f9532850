//! What an API key or a member may do.
//!
//! To add a scope: one line in [`Scope`], and name it in the routes that ask for it.

use crate::named::named;

named! {
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
    /// [`UnknownName`](crate::named::UnknownName) for the first that is none.
    pub fn parse_all<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Vec<Self>, crate::named::UnknownName> {
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
    fn scopes_are_a_set_in_order() {
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

//! Collects the errors of a form by field, for the text next to each field and the list with links at the top of the page.

use voelgoed_domain::refusal::{Code, Refusal};

use super::refusal_sentences::{form_field_name, sentence};

/// One field's error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// The field's `name`, which is its `id` too.
    pub field: String,
    /// A sentence for the buyer.
    pub message: String,
}

/// The errors of a form, in the order of its fields.
#[derive(Debug, Clone, Default)]
pub struct FormErrors(pub Vec<FieldError>);

impl FormErrors {
    /// The error of a refusal that names one of `fields`; empty for any other refusal.
    pub fn of(refusal: &Refusal, fields: &[&str], timezone: &str) -> Self {
        let mut errors = Self::default();
        errors.add(refusal, fields, timezone);
        errors
    }

    /// Adds the error of a refusal that names one of `fields`; returns whether it names one.
    pub fn add(&mut self, refusal: &Refusal, fields: &[&str], timezone: &str) -> bool {
        let field = refusal.evidence.field.as_deref().map(form_field_name);
        match field.filter(|field| refusal.code == Code::InvalidRequest && fields.contains(field)) {
            Some(field) if self.on(field).is_none() => {
                self.0.push(FieldError { field: field.to_owned(), message: sentence(refusal, timezone) });
                true
            }
            Some(_) => true,
            None => false,
        }
    }

    /// True without errors.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Every error.
    pub fn all(&self) -> &[FieldError] {
        &self.0
    }

    /// The error of a field.
    pub fn on(&self, field: &str) -> Option<&str> {
        self.0.iter().find(|error| error.field == field).map(|error| error.message.as_str())
    }

    /// True for the field that the page puts the focus on.
    pub fn is_first(&self, field: &str) -> bool {
        self.0.first().is_some_and(|error| error.field == field)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn second_refusal_of_a_field_adds_no_second_error() {
        let mut errors = FormErrors::default();
        let fields = ["name", "email"];
        assert!(errors.add(&Refusal::invalid("buyer.email", "x"), &fields, "UTC"));
        assert!(errors.add(&Refusal::invalid("buyer.email", "y"), &fields, "UTC"));
        assert!(!errors.add(&Refusal::invalid("payment.method", "x"), &fields, "UTC"));
        assert!(!errors.add(&Refusal::new(Code::SoldOut, "x"), &fields, "UTC"));
        assert_eq!((errors.0.len(), errors.is_first("email"), errors.on("name")), (1, true, None));
    }
}

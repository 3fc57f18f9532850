//! Every template is rendered, extended or included by something, and every asset is asked for by some page.

use super::house::{File, House};
use super::{Finding, Law};

const TEMPLATES: &str = "crates/web/templates/";
const ASSETS: &str = "crates/web/assets/";

/// The law.
pub struct Templates;

impl Law for Templates {
    fn name(&self) -> &'static str {
        "templates"
    }

    fn check(&self, house: &House) -> Vec<Finding> {
        let web: Vec<&File> = house.files.iter().filter(|file| file.path.starts_with("crates/web/")).collect();
        let is_named = |own: &File, name: &str| web.iter().any(|file| file.path != own.path && names(file, name));
        let unused = |folder: &'static str, what: &'static str| {
            let is_named = &is_named;
            web.iter().filter_map(move |file| {
                let name = file.path.strip_prefix(folder)?;
                let is_unused = !is_named(file, name);
                is_unused
                    .then(|| Finding::new(&file.path, 1, format!("nothing uses this {what}"), "use it, or delete it"))
            })
        };
        unused(TEMPLATES, "template").chain(unused(ASSETS, "asset")).collect()
    }
}

/// True where `file` names the template or asset: in a string of Rust, or in the text of anything else.
fn names(file: &File, name: &str) -> bool {
    if file.is("rs") {
        return file.tokens().strings().any(|(text, _)| text.contains(name));
    }
    file.text.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_lawful_and_what_is_not_is_found() {
        let house = House::of(&[
            ("crates/web/src/pages/shop.rs", "#[template(path = \"shop/list.html\")] struct List;\n// shop/old.html"),
            ("crates/web/templates/shop/list.html", "{% extends \"base.html\" %}<script src=\"/assets/map.js\">"),
            ("crates/web/templates/base.html", ""),
            ("crates/web/templates/shop/old.html", ""),
            ("crates/web/assets/map.js", ""),
            ("crates/web/assets/old.js", "old.js"),
        ]);
        let files: Vec<_> = Templates.check(&house).into_iter().map(|finding| finding.file).collect();
        assert_eq!(files, ["crates/web/templates/shop/old.html", "crates/web/assets/old.js"]);
    }
}

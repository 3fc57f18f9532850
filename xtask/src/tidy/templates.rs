//! Requires that code or another file names every template and asset of `web`.

use super::source_file::SourceFile;
use super::workspace::Workspace;
use super::{Finding, Rule};

const TEMPLATES: &str = "crates/web/templates/";
const ASSETS: &str = "crates/web/assets/";

pub struct TemplatesRule;

impl Rule for TemplatesRule {
    fn name(&self) -> &'static str {
        "templates"
    }

    fn check(&self, workspace: &Workspace) -> Vec<Finding> {
        let web: Vec<&SourceFile> =
            workspace.files.iter().filter(|file| file.path.starts_with("crates/web/")).collect();
        let is_named = |own: &SourceFile, name: &str| web.iter().any(|file| file.path != own.path && names(file, name));
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

/// True if `file` names the template or asset: in a Rust string, or anywhere in another file.
fn names(file: &SourceFile, name: &str) -> bool {
    if file.is("rs") {
        return file.tokens().strings().any(|(text, _)| text.contains(name));
    }
    file.text.contains(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn template_or_asset_that_no_file_names_is_found() {
        let workspace = Workspace::of(&[
            ("crates/web/src/pages/shop.rs", "#[template(path = \"shop/list.html\")] struct List;\n// shop/old.html"),
            ("crates/web/templates/shop/list.html", "{% extends \"base.html\" %}<script src=\"/assets/map.js\">"),
            ("crates/web/templates/base.html", ""),
            ("crates/web/templates/shop/old.html", ""),
            ("crates/web/assets/map.js", ""),
            ("crates/web/assets/old.js", "old.js"),
        ]);
        let files: Vec<_> = TemplatesRule.check(&workspace).into_iter().map(|finding| finding.file).collect();
        assert_eq!(files, ["crates/web/templates/shop/old.html", "crates/web/assets/old.js"]);
    }
}

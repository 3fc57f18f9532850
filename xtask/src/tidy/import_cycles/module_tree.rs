//! Reads the modules of a crate from its root file: what each defines, declares and imports; and resolves paths to files.

use std::collections::BTreeSet;

use super::super::module_graph::{module_folder, path_attribute, resolved};
use super::super::source_file::SourceFile;
use super::super::tokens::{SourceTokens, SyntaxKind};
use super::super::workspace::Workspace;
use super::cycle::ImportGraph;
use super::use_tree::{self, UsedPath};

/// Keywords whose next name is an item of the module.
const ITEMS: &[&str] = &["struct", "enum", "trait", "type", "union", "fn", "const", "static"];
/// First segments of the paths that count as imports.
const ANCHORS: &[&str] = &["crate", "super", "self"];
/// Re-exports of re-exports that are followed; a cycle of them would not end.
const RE_EXPORTS_MAX: usize = 8;

/// The modules of one crate; the first is its root.
pub struct ModuleTree {
    modules: Vec<Module>,
}

/// One module, inline or a file.
#[derive(Default)]
struct Module {
    file: String,
    parent: Option<usize>,
    children: Vec<(String, usize)>,
    items: BTreeSet<String>,
    uses: Vec<UsedPath>,
    /// Paths in code that begin with an anchor.
    paths: Vec<UsedPath>,
}

/// What a path leads to.
#[derive(Clone, Copy)]
enum Target {
    /// A module itself.
    Module(usize),
    /// An item of this module.
    Item(usize),
}

/// What the imports of a module say about a name.
enum Imported {
    /// It is of this crate.
    Own(Target),
    /// It is of another crate.
    Foreign,
    /// They do not have it.
    Not,
}

impl Target {
    const fn module(self) -> usize {
        match self {
            Self::Module(module) | Self::Item(module) => module,
        }
    }
}

impl ModuleTree {
    /// Reads the crate whose root file is at `root`.
    pub fn read(workspace: &Workspace, root: &str) -> Self {
        let mut tree = Self { modules: Vec::new() };
        if let Some(file) = workspace.file(root) {
            tree.add_file(workspace, file, None, true);
        }
        tree
    }

    /// Which file imports which.
    pub fn imports(&self) -> ImportGraph {
        let mut graph = ImportGraph::new();
        for (index, module) in self.modules.iter().enumerate() {
            for used in module.uses.iter().chain(&module.paths) {
                let is_anchored = used.path.first().is_some_and(|first| ANCHORS.contains(&first.as_str()));
                let Some(target) = self.resolve(index, &used.path, RE_EXPORTS_MAX).filter(|_| is_anchored) else {
                    continue;
                };
                let target = target.module();
                let (from, to) = (&module.file, &self.modules[target].file);
                if from != to && !self.is_within(target, index) {
                    graph.entry(from.clone()).or_default().entry(to.clone()).or_insert(used.line);
                }
            }
        }
        graph
    }

    /// True if `module` is `ancestor` or below it.
    fn is_within(&self, module: usize, ancestor: usize) -> bool {
        module == ancestor || self.modules[module].parent.is_some_and(|parent| self.is_within(parent, ancestor))
    }

    fn add_file(&mut self, workspace: &Workspace, file: &SourceFile, parent: Option<usize>, is_root: bool) -> usize {
        let folder = module_folder(&file.path, is_root);
        self.add_module(workspace, file, parent, (0, file.tokens().0.len()), &folder)
    }

    /// Adds the module whose tokens are in `range`.
    fn add_module(
        &mut self,
        workspace: &Workspace,
        file: &SourceFile,
        parent: Option<usize>,
        range: (usize, usize),
        folder: &str,
    ) -> usize {
        let module = self.modules.len();
        self.modules.push(Module { file: file.path.clone(), parent, ..Module::default() });
        let tokens = file.tokens();
        let mut body_end = range.0;
        let mut index = range.0;
        while index < range.1 {
            let token = &tokens.0[index];
            let next = tokens.0.get(index + 1).filter(|next| next.kind == SyntaxKind::Ident);
            match (token.text.as_str(), next) {
                _ if token.is_test => {}
                ("mod", Some(name)) => {
                    index = self.add_child(workspace, file, module, index, (&name.text, folder));
                    continue;
                }
                // `use<'a>` in a type is no import.
                ("use", _) if !tokens.matches(index + 1, &["<"]) => {
                    self.modules[module].uses.extend(use_tree::read(tokens, index + 1));
                    index = tokens.item_end(index + 1);
                    // The braces of a group end the item early.
                    index += usize::from(tokens.matches(index, &[";"]));
                    continue;
                }
                (keyword, Some(name)) if index >= body_end && ITEMS.contains(&keyword) => {
                    self.modules[module].items.insert(name.text.clone());
                }
                (anchor, _) if ANCHORS.contains(&anchor) && begins_path(tokens, index) => {
                    let path = path(tokens, index);
                    self.modules[module].paths.push(path);
                }
                ("{", _) if index >= body_end => body_end = token.partner,
                _ => {}
            }
            index += 1;
        }
        module
    }

    /// Adds the module that is declared at `index`, unless it is test code; returns the index behind its declaration.
    fn add_child(
        &mut self,
        workspace: &Workspace,
        file: &SourceFile,
        parent: usize,
        index: usize,
        (name, folder): (&str, &str),
    ) -> usize {
        let tokens = file.tokens();
        let after = &tokens.0[(index + 2).min(tokens.0.len() - 1)];
        let child = match after.text.as_str() {
            "{" => {
                let folder = format!("{folder}/{name}");
                Some(self.add_module(workspace, file, Some(parent), (index + 3, after.partner), &folder))
            }
            ";" => {
                let own_folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let candidates = match path_attribute(file, index) {
                    Some(path) => vec![(resolved(own_folder, &path), true)],
                    None => vec![(format!("{folder}/{name}.rs"), false), (format!("{folder}/{name}/mod.rs"), false)],
                };
                let found = candidates.into_iter().find_map(|(path, is_root)| Some((workspace.file(&path)?, is_root)));
                let found = found.filter(|(file, _)| !file.is_test());
                found.map(|(file, is_root)| self.add_file(workspace, file, Some(parent), is_root))
            }
            _ => None,
        };
        if let Some(child) = child {
            self.modules[parent].children.push((name.to_owned(), child));
        }
        if after.text == "{" { after.partner + 1 } else { index + 3 }
    }

    /// What `path` leads to, as seen from `module`; `None` for a path into another crate.
    fn resolve(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let depth = depth.checked_sub(1)?;
        let mut current = module;
        let mut rest = path;
        match path.first()?.as_str() {
            "crate" => (current, rest) = (0, &path[1..]),
            "self" => rest = &path[1..],
            "super" => {}
            first => {
                self.child(module, first)?;
            }
        }
        while let [segment, after @ ..] = rest {
            if segment == "super" {
                current = self.modules[current].parent?;
            } else if let Some(child) = self.child(current, segment) {
                current = child;
            } else if self.modules[current].items.contains(segment) {
                return Some(Target::Item(current));
            } else {
                return match self.imported(current, segment, depth) {
                    Imported::Own(Target::Module(module)) if !after.is_empty() => {
                        self.resolve_below(module, after, depth)
                    }
                    Imported::Own(target) => Some(target),
                    Imported::Foreign => None,
                    // A macro defines it.
                    Imported::Not => Some(Target::Item(current)),
                };
            }
            rest = after;
        }
        Some(Target::Module(current))
    }

    fn resolve_below(&self, module: usize, path: &[String], depth: usize) -> Option<Target> {
        let below: Vec<String> = std::iter::once("self".to_owned()).chain(path.iter().cloned()).collect();
        self.resolve(module, &below, depth)
    }

    /// What the imports of `module` call `name`.
    fn imported(&self, module: usize, name: &str, depth: usize) -> Imported {
        let Some(depth) = depth.checked_sub(1) else { return Imported::Not };
        let uses = &self.modules[module].uses;
        if let Some(named) = uses.iter().find(|used| used.name == name) {
            return self.resolve(module, &named.path, depth).map_or(Imported::Foreign, Imported::Own);
        }
        let globs = uses.iter().filter(|used| used.name == "*");
        let targets = globs.filter_map(|used| self.resolve(module, &used.path, depth));
        let found = targets.map(Target::module).filter(|other| *other != module);
        found.filter_map(|other| self.defined(other, name, depth)).next().map_or(Imported::Not, Imported::Own)
    }

    /// The child, item or import of `module` called `name`.
    fn defined(&self, module: usize, name: &str, depth: usize) -> Option<Target> {
        if let Some(child) = self.child(module, name) {
            return Some(Target::Module(child));
        }
        if self.modules[module].items.contains(name) {
            return Some(Target::Item(module));
        }
        match self.imported(module, name, depth) {
            Imported::Own(target) => Some(target),
            Imported::Foreign | Imported::Not => None,
        }
    }

    fn child(&self, module: usize, name: &str) -> Option<usize> {
        self.modules[module].children.iter().find(|(child, _)| child == name).map(|(_, child)| *child)
    }
}

/// True if a path begins with the anchor at `index`; not for `$crate`, `pub(in crate::a)`, or the second `super` of a path.
fn begins_path(tokens: &SourceTokens, index: usize) -> bool {
    let before = |distance, texts| index.checked_sub(distance).is_some_and(|at| tokens.matches(at, texts));
    tokens.matches(index + 1, &[":", ":"]) && !before(1, &["$"]) && !before(1, &["in"]) && !before(2, &[":", ":"])
}

/// The path that begins at `index`, up to its last segment.
fn path(tokens: &SourceTokens, index: usize) -> UsedPath {
    let mut path = vec![tokens.0[index].text.clone()];
    let mut at = index + 1;
    while tokens.matches(at, &[":", ":"]) {
        let Some(segment) = tokens.0.get(at + 2).filter(|token| token.kind == SyntaxKind::Ident) else { break };
        path.push(segment.text.clone());
        at += 3;
    }
    let name = path.last().cloned().unwrap_or_default();
    UsedPath { path, name, line: tokens.0[index].line }
}

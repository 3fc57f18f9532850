//! Finds the strongly connected sets of a graph of files and the shortest cycle in each.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// For each file the files that it imports, with the line of the first import.
pub type ImportGraph = BTreeMap<String, BTreeMap<String, usize>>;

/// A set of files that import each other.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportCycle {
    /// The number of files in the set.
    pub files: usize,
    /// The shortest cycle among them.
    pub steps: Vec<ImportStep>,
}

/// An import in a cycle; the next step's file is what it imports.
#[derive(Debug, PartialEq, Eq)]
pub struct ImportStep {
    /// The importing file.
    pub file: String,
    /// The line of the import.
    pub line: usize,
}

/// The strongly connected sets of more than one file, sorted by their first file.
pub fn find(graph: &ImportGraph) -> Vec<ImportCycle> {
    let reached: BTreeMap<&str, BTreeSet<&str>> =
        graph.keys().map(|file| (file.as_str(), reached(graph, file))).collect();
    let leads = |from: &str, to: &str| reached.get(from).is_some_and(|files| files.contains(to));
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    let mut cycles = Vec::new();
    for file in graph.keys() {
        if seen.contains(file.as_str()) || !leads(file, file) {
            continue;
        }
        let set: BTreeSet<&str> = reached[file.as_str()].iter().copied().filter(|other| leads(other, file)).collect();
        seen.extend(set.iter().copied());
        let shortest = set.iter().filter_map(|start| shortest(graph, start)).min_by_key(Vec::len);
        cycles.push(ImportCycle { files: set.len(), steps: shortest.unwrap_or_default() });
    }
    cycles
}

/// The files that `start` imports, directly or through others.
fn reached<'a>(graph: &'a ImportGraph, start: &str) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    let mut open = vec![start];
    while let Some(file) = open.pop() {
        for next in graph.get(file).into_iter().flat_map(BTreeMap::keys) {
            if found.insert(next.as_str()) {
                open.push(next);
            }
        }
    }
    found
}

/// The shortest cycle through `start`.
fn shortest(graph: &ImportGraph, start: &str) -> Option<Vec<ImportStep>> {
    let mut came_from: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
    let mut open = VecDeque::from([start]);
    while let Some(file) = open.pop_front() {
        for (next, line) in graph.get(file).into_iter().flatten() {
            if came_from.contains_key(next.as_str()) {
                continue;
            }
            came_from.insert(next, (file, *line));
            if next == start {
                return Some(steps(&came_from, start));
            }
            open.push_back(next);
        }
    }
    None
}

/// The steps back from `start` to itself, in the order of the imports.
fn steps(came_from: &BTreeMap<&str, (&str, usize)>, start: &str) -> Vec<ImportStep> {
    let mut steps = Vec::new();
    let mut at = start;
    while let Some((file, line)) = came_from.get(at) {
        steps.push(ImportStep { file: (*file).to_owned(), line: *line });
        at = file;
        if at == start {
            break;
        }
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(imports: &[(&str, &str)]) -> ImportGraph {
        let mut graph = ImportGraph::new();
        for (line, (from, to)) in imports.iter().enumerate() {
            graph.entry((*from).to_owned()).or_default().insert((*to).to_owned(), line + 1);
        }
        graph
    }

    #[test]
    fn each_connected_set_is_found_once_with_its_shortest_cycle() {
        let found = find(&graph(&[("a", "b"), ("b", "c"), ("c", "a"), ("c", "b"), ("x", "y"), ("y", "x"), ("c", "x")]));
        let step = |file: &str, line| ImportStep { file: file.into(), line };
        assert_eq!(
            found,
            [
                ImportCycle { files: 3, steps: vec![step("b", 2), step("c", 4)] },
                ImportCycle { files: 2, steps: vec![step("x", 5), step("y", 6)] }
            ]
        );
    }

    #[test]
    fn acyclic_graph_has_no_cycle() {
        assert_eq!(find(&graph(&[("a", "b"), ("a", "c"), ("b", "c")])), []);
    }
}

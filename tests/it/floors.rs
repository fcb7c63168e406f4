//! The house's rule: a module imports only from floors below its own.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Modules by floor, read from the doc comment of `src/lib.rs`.
fn floors(lib: &str) -> BTreeMap<String, u32> {
    let list =
        lib.lines().skip_while(|line| *line != "//! ```text").skip(1).take_while(|line| *line != "//! ```");
    let mut floors = BTreeMap::new();
    for line in list {
        let mut words = line.trim_start_matches("//!").split_whitespace();
        let floor: u32 = words.next().unwrap().parse().expect("a line begins with its floor");
        floors.extend(words.map(|module| (module.to_owned(), floor)));
    }
    floors
}

/// Code without comments and without what stands between quotes.
fn code(source: &str) -> String {
    let mut out = String::new();
    for line in source.lines() {
        let line = line.trim_start();
        if !line.starts_with("//") {
            out.push_str(line.split(" // ").next().unwrap_or(line));
            out.push('\n');
        }
    }
    out
}

/// Macros that stand at the crate's root, and the module that each is of.
fn macros(files: &[(PathBuf, String)]) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for (path, source) in files {
        for (_, rest) in
            source.match_indices("#[macro_export]").map(|(at, it)| source.split_at(at + it.len()))
        {
            let name = rest.trim_start().strip_prefix("macro_rules! ").expect("an exported macro");
            let name: String = name.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            found.insert(name, module(path).expect("a macro stands in a module"));
        }
    }
    found
}

/// The modules that a `crate::` path of `code` leads to, groups (`crate::{a, b::c}`) included.
fn imports(code: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        // `$crate` and `pub(crate)` are no paths of this kind; `mycrate::` is another name.
        if code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '$') {
            continue;
        }
        let rest = &code[at + "crate::".len()..];
        let name =
            |text: &str| text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>();
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut start = 0;
            for (at, character) in group.char_indices() {
                match character {
                    '{' => depth += 1,
                    '}' if depth == 0 => {
                        found.push(name(group[start..at].trim()));
                        break;
                    }
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.push(name(group[start..at].trim()));
                        start = at + 1;
                    }
                    _ => {}
                }
            }
        } else {
            found.push(name(rest));
        }
    }
    found.retain(|module| !module.is_empty());
    found
}

/// Which module of the house a file belongs to; `None` for `lib.rs` and `main.rs`.
fn module(path: &Path) -> Option<String> {
    let inside = path.strip_prefix("src").ok()?;
    let first = inside.components().next()?.as_os_str().to_str()?;
    let name = first.strip_suffix(".rs").unwrap_or(first);
    (!["lib", "main"].contains(&name)).then(|| name.to_owned())
}

/// What is wrong with one file.
fn problems(
    floors: &BTreeMap<String, u32>,
    macros: &BTreeMap<String, String>,
    path: &Path,
    source: &str,
) -> Vec<String> {
    let mut problems = Vec::new();
    let shown = path.display();
    let code = code(source);
    if let Some(own) = module(path) {
        let Some(own_floor) = floors.get(&own) else {
            return vec![format!("{shown}: module `{own}` is not listed in src/lib.rs")];
        };
        for import in imports(&code) {
            let import = macros.get(&import).cloned().unwrap_or(import);
            match floors.get(&import) {
                _ if import == own => {}
                Some(floor) if floor < own_floor => {}
                Some(floor) => {
                    problems.push(format!("{shown}: floor {own_floor} imports `{import}` of floor {floor}"));
                }
                None => problems.push(format!("{shown}: `crate::{import}` is not listed in src/lib.rs")),
            }
        }
    }
    for (name, homes) in [
        ("rdkafka", &["src/kafka/data", "src/kafka/embedded"][..]),
        (
            "kafka_protocol",
            &["src/kafka/wire", "src/kafka/admin", "src/kafka/producer", "src/kafka/fetcher"][..],
        ),
        ("sqlx", &["src/store"][..]),
    ] {
        let at_home = homes.iter().any(|home| path.starts_with(home))
            || (name == "sqlx"
                && path.starts_with("src/services")
                && (path.ends_with("store.rs") || path.iter().any(|part| part == "store")));
        let named = code.match_indices(name).any(|(at, _)| {
            let word = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
            !word(code[..at].chars().next_back()) && !word(code[at + name.len()..].chars().next())
        });
        if named && !at_home {
            problems.push(format!("{shown}: `{name}` is named outside {}", homes.join(", ")));
        }
    }
    problems
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn a_module_imports_only_from_floors_below_its_own() {
    let root = Path::new(ROOT);
    let floors = floors(&std::fs::read_to_string(root.join("src/lib.rs")).unwrap());
    let mut files = Vec::new();
    sources(&root.join("src"), &mut files);
    assert!(files.len() > 50, "the sources were not found");
    let files: Vec<(PathBuf, String)> = files
        .into_iter()
        .map(|file| (file.strip_prefix(root).unwrap().to_owned(), std::fs::read_to_string(&file).unwrap()))
        .collect();
    let macros = macros(&files);
    let mut wrong = Vec::new();
    for (file, source) in &files {
        wrong.extend(problems(&floors, &macros, file, source));
    }
    wrong.sort();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_path_to_a_floor_above_beside_or_unknown_is_found_wherever_it_stands() {
    let floors = floors("//! ```text\n//! 2 cluster\n//! 1 plan topology\n//! 0 unit\n//! ```\n");
    let store = (PathBuf::from("src/cluster/mod.rs"), "#[macro_export]\nmacro_rules! with_it {".to_owned());
    let macros = macros(&[store]);
    let check = |path: &str, source: &str| problems(&floors, &macros, Path::new(path), source);
    assert_eq!(
        check("src/plan/diff.rs", "use crate::unit::Size;\nuse crate::plan::Plan;"),
        Vec::<String>::new()
    );
    for source in [
        "use crate::cluster::Memory;",
        "fn f() { let x = crate::topology::name(); }",
        "use crate::{unit::{Size, Rate}, topology::Topic};",
        "use crate::nowhere::X;",
        "let y: crate::cluster::port::Mode = z; // why",
        "crate::with_it!(tx);",
    ] {
        assert_eq!(check("src/plan/diff.rs", source).len(), 1, "{source}");
    }
    assert_eq!(check("src/attic.rs", "").len(), 1, "an unlisted module");
    assert!(check("src/plan/diff.rs", "// crate::cluster is above\n//! crate::cluster").is_empty());
    assert_eq!(check("src/plan/wire.rs", "use kafka_protocol::messages::X;").len(), 1);
    assert!(check("src/plan/wire.rs", "let kafka_protocols = 1;").is_empty());
}

//! The crates that are meant for publication: what their packages need is in them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{collections::BTreeSet, path::Path, process::Command};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Those that `rollcall-bot` and `rollcall-teloxide` consist of. The programs are built from the source.
const PUBLISHED: [&str; 8] = [
    "rollcall-admin",
    "rollcall-bot",
    "rollcall-domain",
    "rollcall-repository",
    "rollcall-repository-diesel",
    "rollcall-service",
    "rollcall-telegram",
    "rollcall-teloxide",
];

#[test]
fn published_crates_need_published_crates_only_and_say_what_they_are() {
    let metadata = metadata();
    let members = metadata.workspace_packages();
    let is_published = |it: &&&Package| it.publish.as_ref().is_none_or(|to| !to.is_empty());
    let published: BTreeSet<&str> =
        members.iter().filter(is_published).map(|it| it.name.as_str()).collect();
    assert_eq!(published, BTreeSet::from(PUBLISHED));

    for package in members.iter().filter(is_published) {
        let name = &package.name;
        assert!(package.description.as_ref().is_some_and(|it| it.len() > 20), "{name}");
        assert!(!package.keywords.is_empty(), "{name} has no keywords");
        for dependency in &package.dependencies {
            let is_ours = members.iter().any(|it| it.name.as_str() == dependency.name);
            // Those for tests without a version are left out of a package.
            let is_left_out =
                dependency.kind == DependencyKind::Development && dependency.req.to_string() == "*";
            if is_ours && !is_left_out {
                assert!(
                    published.contains(dependency.name.as_str()),
                    "{name}: {}",
                    dependency.name
                );
                assert_ne!(dependency.req.to_string(), "*", "{name}: {}", dependency.name);
            }
        }
    }
}

#[test]
fn files_of_the_top_level_that_a_crate_embeds_are_in_its_package() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let listed = list("rollcall-repository-diesel");
    for database in ["sqlite", "postgres"] {
        let folder = root.join("migrations").join(database);
        let migrations: Vec<_> = folder.read_dir().unwrap().map(|it| it.unwrap()).collect();
        assert!(migrations.len() > 10);
        for migration in migrations {
            let name = migration.file_name().into_string().unwrap();
            for file in ["up.sql", "down.sql"] {
                let path = format!("migrations/{database}/{name}/{file}");
                assert!(listed.contains(&path), "{path} is not in the package");
            }
        }
    }
    assert!(list("rollcall-admin").contains("statistics.md"));
    for name in ["rollcall-bot", "rollcall-teloxide"] {
        assert!(list(name).contains("README.md"), "{name}");
    }
}

/// The files of a package.
fn list(name: &str) -> BTreeSet<String> {
    let cargo = Command::new(env!("CARGO"))
        .args(["package", "--list", "--allow-dirty", "--offline", "-p", name])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .unwrap();
    assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
    String::from_utf8(cargo.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().unwrap()
}

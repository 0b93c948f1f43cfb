//! The architecture's invariants, read from what cargo knows of the workspace. They are explained
//! in `docs/architecture.md`.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// Which of our crates each crate may name, and which frameworks besides.
const ALLOWED: &[(&str, &[&str], &[&str])] = &[
    ("rollcall-domain", &[], &[]),
    ("rollcall-nhl", &["rollcall-domain"], &["reqwest"]),
    ("rollcall-repository", &["rollcall-domain"], &[]),
    (
        "rollcall-repository-diesel",
        &["rollcall-domain", "rollcall-repository"],
        &["diesel", "diesel_migrations", "libsqlite3-sys", "openssl-sys", "pq-sys", "r2d2"],
    ),
    ("rollcall-service", &["rollcall-domain", "rollcall-repository"], &["openssl-sys"]),
    (
        "rollcall-telegram",
        &["rollcall-domain", "rollcall-repository", "rollcall-service"],
        &["frankenstein", "hyper", "reqwest"],
    ),
    (
        "rollcall-conversation",
        &["rollcall-domain", "rollcall-service", "rollcall-telegram"],
        &["fluent-bundle", "frankenstein"],
    ),
    ("rollcall-admin", &["rollcall-domain", "rollcall-service"], &["askama", "axum", "tower-http"]),
    (
        "rollcall-api",
        &["rollcall-domain", "rollcall-service", "rollcall-telegram"],
        &["axum", "flate2", "reqwest"],
    ),
    (
        "rollcall-app",
        &[
            "rollcall-admin",
            "rollcall-api",
            "rollcall-conversation",
            "rollcall-domain",
            "rollcall-nhl",
            "rollcall-repository",
            "rollcall-repository-diesel",
            "rollcall-service",
            "rollcall-simulator",
            "rollcall-telegram",
        ],
        &["axum", "clap", "clap_complete", "clap_mangen", "env_logger", "hyper", "hyper-util"],
    ),
    (
        "rollcall-bot",
        &[
            "rollcall-admin",
            "rollcall-domain",
            "rollcall-repository",
            "rollcall-repository-diesel",
            "rollcall-service",
            "rollcall-telegram",
        ],
        &["axum"],
    ),
    ("rollcall-teloxide", &["rollcall-bot"], &["teloxide"]),
    ("rollcall-simulator", &[], &["axum", "hyper-util"]),
    ("rollcall-testkit", &["rollcall-domain", "rollcall-repository"], &[]),
    (
        "rollcall-bench",
        &[
            "rollcall-domain",
            "rollcall-repository",
            "rollcall-repository-diesel",
            "rollcall-service",
            "rollcall-simulator",
            "rollcall-testkit",
        ],
        &["clap", "libsqlite3-sys", "pq-sys", "reqwest"],
    ),
    ("bot", &["rollcall-app"], &["clap"]),
    ("manage", &["rollcall-app"], &["clap"]),
];

/// Crates that one layer only may name.
const FRAMEWORKS: &[&str] = &[
    "askama",
    "axum",
    "clap",
    "clap_complete",
    "clap_mangen",
    "diesel",
    "diesel_migrations",
    "env_logger",
    "flate2",
    "fluent-bundle",
    "frankenstein",
    "hyper",
    "hyper-util",
    "libsqlite3-sys",
    "openssl-sys",
    "pq-sys",
    "r2d2",
    "reqwest",
    "teloxide",
    "tower-http",
];

#[test]
fn arrows_point_inward_and_each_framework_is_named_in_its_layer() {
    let metadata = metadata();
    let members: BTreeMap<&str, &Package> =
        metadata.workspace_packages().into_iter().map(|it| (it.name.as_str(), it)).collect();
    let known: BTreeSet<&str> = ALLOWED.iter().map(|(name, ..)| *name).collect();
    assert_eq!(members.keys().copied().collect::<BTreeSet<_>>(), known, "every crate has its rule");

    for (name, ours, frameworks) in ALLOWED {
        for dependency in dependencies(members[name]) {
            let is_ours = members.contains_key(dependency);
            let is_framework = FRAMEWORKS.contains(&dependency);
            assert!(!is_ours || ours.contains(&dependency), "{name} must not name {dependency}");
            assert!(
                !is_framework || frameworks.contains(&dependency),
                "{name} must not name {dependency}"
            );
        }
    }
}

#[test]
fn the_domain_is_built_of_time_errors_and_letters() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let domain = packages.iter().find(|package| package.name == "rollcall-domain").unwrap();
    assert_eq!(
        dependencies(domain),
        [
            "chrono",
            "chrono-tz",
            "strsim",
            "thiserror",
            "unicode-normalization",
            "unicode-properties"
        ]
    );
}

#[test]
fn the_testkit_is_for_tests_and_benchmarks_only() {
    for package in metadata().workspace_packages() {
        let names = dependencies(package);
        let may = package.name == "rollcall-bench";
        assert!(may || !names.contains(&"rollcall-testkit"), "{}", package.name);
    }
}

#[test]
fn versions_editions_and_licences_are_the_workspaces() {
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let of =
        |package: &Package| (package.version.clone(), package.edition, package.license.clone());
    assert!(packages.windows(2).all(|pair| of(pair[0]) == of(pair[1])));
}

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().unwrap()
}

/// What a crate names, dev-dependencies aside.
fn dependencies(package: &Package) -> Vec<&str> {
    let named = package.dependencies.iter().filter(|it| it.kind == DependencyKind::Normal);
    named.map(|dependency| dependency.name.as_str()).collect()
}

//! The sources of settings besides flags: the environment, then the file `.env`.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use anyhow::Context;

use crate::{dot_env, env_file};

/// The environment's variables, completed by those of `.env`. An empty variable counts as unset.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    file: Option<PathBuf>,
    warning: Option<String>,
}

impl Environment {
    /// Reads the process's environment, and `.env` in the working directory if there is one.
    ///
    /// # Errors
    /// If `.env` exists but cannot be read, or could come from another user of the machine.
    pub fn load() -> anyhow::Result<Self> {
        let mut environment = Self::default();
        if let Some(file) = env_file::open()? {
            let name = || format!("the file {} cannot be read", file.path.display());
            let variables = dot_env::read(file.content).with_context(name)?;
            environment.variables.extend(variables);
            environment.warning = file.warning;
            environment.file = Some(file.path);
        }
        let own = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        environment.variables.extend(own.filter(|(_, value)| !value.is_empty()));
        Ok(environment)
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The `.env` that was read.
    pub(crate) fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// A warning for the owner of `.env`.
    pub(crate) fn warning(&self) -> Option<&str> {
        self.warning.as_deref()
    }
}

/// An environment of just these variables.
#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        Self { variables: variables.map(owned).into(), ..Self::default() }
    }
}

//! Where settings come from when they are not flags: the environment, then the file `.env`.

use std::{collections::HashMap, fs::File, io, path::PathBuf};

use anyhow::Context;

use crate::dot_env;

/// The environment's variables, completed by those of `.env`. An empty variable counts as unset.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Reads the process's environment, and `.env` in the working directory or above it if there
    /// is one.
    ///
    /// # Errors
    /// When `.env` is there but cannot be read.
    pub fn load() -> anyhow::Result<Self> {
        let mut variables = HashMap::new();
        if let Some(path) = find().context(".env cannot be read")? {
            let file = File::open(&path).map_err(Into::into).and_then(dot_env::read);
            let name = || format!("the file {} cannot be read", path.display());
            variables.extend(file.with_context(name)?);
        }
        let own = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        variables.extend(own.filter(|(_, value)| !value.is_empty()));
        Ok(Self(variables))
    }

    /// The value of a variable that is set and not empty.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// An environment of just these variables.
#[cfg(test)]
impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        Self(variables.map(|(name, value)| (name.to_owned(), value.to_owned())).into())
    }
}

/// The file in the working directory or the nearest one above it that has one.
fn find() -> io::Result<Option<PathBuf>> {
    let folder = match std::env::current_dir() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        folder => folder?,
    };
    for folder in folder.ancestors() {
        let path = folder.join(".env");
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => return Ok(Some(path)),
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(None)
}

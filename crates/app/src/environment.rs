//! Where settings come from when they are not flags: the environment, then the file `.env`.

use std::collections::HashMap;

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
        match dotenvy::dotenv_iter() {
            Ok(lines) => {
                for line in lines {
                    let (name, value) = line.map_err(|error| unreadable(&error))?;
                    variables.insert(name, value);
                }
            }
            Err(error) if error.not_found() => {}
            Err(error) => return Err(unreadable(&error)),
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

/// The error without the line that it quotes, which may hold a secret.
fn unreadable(error: &dotenvy::Error) -> anyhow::Error {
    let reason = match error {
        dotenvy::Error::Io(error) => error.to_string(),
        _ => "a line is not of the form NAME=value".to_owned(),
    };
    anyhow::anyhow!("the file .env cannot be read: {reason}")
}

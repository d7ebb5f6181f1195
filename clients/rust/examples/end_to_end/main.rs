//! Scenarios against a real server, for tests/end_to_end.py, which starts it: `end_to_end NAME`.
//!
//! What the driver has to do is asked for by a line (`kill`), and done when it has answered with one.

mod consumers;
mod proxy;
mod readme;
mod scenarios;

use std::io::{BufRead, Write};

use hito::{Client, ClientBuilder, Error};

/// What the driver says about the server.
pub struct World {
    pub address: String,
    pub ca_file: String,
    pub token: String,
    /// Of a user who may make courses, groups and users.
    pub admin_token: String,
}

impl World {
    fn from_environment() -> World {
        World {
            address: named("HITO_ADDRESS"),
            ca_file: named("HITO_CA"),
            token: named("HITO_TOKEN"),
            admin_token: named("HITO_ADMIN_TOKEN"),
        }
    }

    pub fn builder(&self) -> ClientBuilder {
        Client::builder(self.address.clone()).ca_file(&self.ca_file).token(&self.token)
    }

    pub async fn connect(&self) -> Result<Client, Error> {
        self.builder().connect().await
    }

    pub async fn connect_admin(&self) -> Result<Client, Error> {
        self.builder().token(&self.admin_token).connect().await
    }
}

pub fn named(variable: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set"))
}

/// Has the driver do something. Blocks: nothing else goes on meanwhile that the scenario waits for.
pub fn ask(what: &str) {
    println!("{what}");
    std::io::stdout().flush().expect("an open output");
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer).expect("an open input");
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let world = World::from_environment();
    let name = std::env::args().nth(1).unwrap_or_default();
    match name.as_str() {
        "journey" => scenarios::journey(&world).await?,
        "errors" => scenarios::errors(&world).await?,
        "certificates" => scenarios::certificates(&world).await?,
        "kinds" => scenarios::kinds(&world).await?,
        "time" => scenarios::time(&world).await?,
        "options" => scenarios::options(&world).await?,
        "retry" => proxy::retry(&world).await?,
        "consumer" => consumers::outlive(&world).await?,
        "load" => scenarios::load(&world).await?,
        "watch" => scenarios::watch(&world).await?,
        "mutual" => scenarios::mutual(&world).await?,
        "readme" => readme::run(&world.address, &world.ca_file, &world.token).await?,
        other => panic!("there is no scenario {other:?}"),
    }
    Ok(())
}

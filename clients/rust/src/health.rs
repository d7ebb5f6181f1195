//! What a server says of itself (clients/BEHAVIOUR.md, C1.8).

use std::sync::{Arc, Weak};

use prost::Message;
use tokio::time::sleep;

use crate::connection::Connection;
use crate::error::{Code, Error};
use crate::pool::Pool;
use crate::retry::Backoff;
use crate::v1::{HealthCheckResponse, HealthStatus, HealthWatchRequest};
use crate::wire::CallHeader;

const PATH: &str = "hito.v1.HealthService/Watch";

/// Listens to what the server of one connection says. A server counts as one that serves until it says otherwise,
/// and again when it says no more.
pub(crate) async fn watch(pool: Weak<Pool>, connection: Arc<Connection>) {
    let mut backoff = Backoff::default();
    while connection.is_open() {
        if let Err(error) = listen(&pool, &connection, &mut backoff).await {
            // A server that does not have the method is not asked again.
            if !error.is(Code::Unavailable) && !error.is(Code::ResourceExhausted) {
                return;
            }
        }
        sleep(backoff.next(None)).await;
    }
}

async fn listen(pool: &Weak<Pool>, connection: &Arc<Connection>, backoff: &mut Backoff) -> Result<(), Error> {
    let place = match pool.upgrade() {
        Some(pool) => pool.place_at(connection.number),
        None => return Err(Error::new(Code::Cancelled, "the client is gone")),
    };
    let Some(place) = place else { return Ok(()) };
    let header = CallHeader { path: PATH, ..CallHeader::default() };
    let mut call = place.open(&header, Some(HealthWatchRequest::default().encode_to_vec()), true)?;
    let result = loop {
        match call.receive().await {
            Ok(Some(message)) => match HealthCheckResponse::decode(message.as_slice()) {
                Ok(said) => {
                    backoff.reset();
                    let status = said.status();
                    let is_serving = !matches!(status, HealthStatus::NotServing | HealthStatus::Draining);
                    tell(pool, connection, is_serving);
                }
                Err(error) => break Err(Error::new(Code::Internal, error.to_string())),
            },
            Ok(None) => break Ok(()),
            Err(error) => break Err(error),
        }
    };
    tell(pool, connection, true);
    result
}

fn tell(pool: &Weak<Pool>, connection: &Connection, is_serving: bool) {
    if let Some(pool) = pool.upgrade() {
        pool.says(connection, is_serving);
    }
}

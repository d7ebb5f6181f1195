//! The client: connections to a server and one typed client per service.

use std::sync::Arc;

use crate::builder::ClientBuilder;
use crate::channel::{new_key, Channel};
use crate::consume::ConsumerBuilder;
use crate::error::Error;
use crate::resume::{ResumingBatch, ResumingRevalidation, ResumingValidation, ResumingWatch};
use crate::v1::{
    self, AnalyticsServiceClient, CodeValidationServiceClient, CourseServiceClient, EventServiceClient,
    GoalServiceClient, HealthServiceClient, PrivacyServiceClient, ProgressServiceClient, ReflectionServiceClient,
    RetrievalServiceClient, ServerServiceClient, TaskServiceClient, UserServiceClient,
};

/// A client of one Hito deployment. It keeps connections open and shares them between calls: one client per program
/// is enough, and clones are the same client.
///
/// Connections end when the last clone is gone and its calls have ended; [`Client::close`] ends them at once.
#[derive(Clone, Debug)]
pub struct Client {
    channel: Channel,
}

impl Client {
    /// A client of `host:port`, or of any of several: `a:7443,b:7443`.
    pub fn builder(addresses: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(addresses.into())
    }

    pub(crate) fn new(channel: Channel) -> Client {
        Client { channel }
    }

    /// Cancels the calls under way and closes the connections. Later calls fail.
    pub async fn close(&self) {
        if let Some(tokens) = &self.channel.0.tokens {
            tokens.close();
        }
        self.channel.0.pool.close().await;
    }

    /// Whether both are clones of one client.
    pub fn is_same(&self, other: &Client) -> bool {
        Arc::ptr_eq(&self.channel.0, &other.channel.0)
    }
}

macro_rules! services {
    ($($(#[$comment:meta])* $name:ident: $client:ident,)*) => {
        impl Client {
            $(
                $(#[$comment])*
                pub fn $name(&self) -> $client {
                    $client::new(self.channel.clone())
                }
            )*
        }
    };
}

services! {
    /// Users and their tokens.
    users: UserServiceClient,
    /// Courses and their documents.
    courses: CourseServiceClient,
    /// Goals.
    goals: GoalServiceClient,
    /// Tasks of goals.
    tasks: TaskServiceClient,
    /// Live progress; [`Client::watch_resuming`] is what programs want.
    progress: ProgressServiceClient,
    /// The event log, and groups of consumers.
    events: EventServiceClient,
    /// Reports.
    analytics: AnalyticsServiceClient,
    /// Validation of learners' code.
    code_validation: CodeValidationServiceClient,
    /// Search.
    retrieval: RetrievalServiceClient,
    /// How the server is.
    health: HealthServiceClient,
    /// What the server offers.
    reflection: ReflectionServiceClient,
    /// The server itself.
    server: ServerServiceClient,
    /// Learners' own data.
    privacy: PrivacyServiceClient,
}

/// Streams that outlive connections and servers.
impl Client {
    /// Watches for ever: reconnects and continues after the last response by itself.
    pub fn watch_resuming(&self, request: v1::WatchRequest) -> ResumingWatch {
        ResumingWatch::new(&self.channel, request)
    }

    /// Consumes events of a group for ever: reconnects by itself.
    pub fn consume_resuming(&self, group: impl Into<String>) -> ConsumerBuilder {
        ConsumerBuilder::new(&self.channel, group.into())
    }

    /// Validates code once, and follows it to its end: reconnects and continues by itself.
    ///
    /// - `key`: under which it is begun; a random one where none.
    pub fn validate_resuming(
        &self,
        request: v1::ValidateCodeRequest,
        key: Option<String>,
    ) -> Result<ResumingValidation, Error> {
        Ok(ResumingValidation::new(&self.channel, request, own_or_new(key)?))
    }

    /// Validates a batch once, and follows it to its end: reconnects and continues by itself.
    pub fn validate_batch_resuming(
        &self,
        request: v1::ValidateBatchRequest,
        key: Option<String>,
    ) -> Result<ResumingBatch, Error> {
        Ok(ResumingBatch::new(&self.channel, request, own_or_new(key)?))
    }

    /// Validates again once, and follows it to its end: reconnects and continues by itself.
    pub fn revalidate_resuming(
        &self,
        request: v1::RevalidateRequest,
        key: Option<String>,
    ) -> Result<ResumingRevalidation, Error> {
        Ok(ResumingRevalidation::new(&self.channel, request, own_or_new(key)?))
    }
}

fn own_or_new(key: Option<String>) -> Result<String, Error> {
    key.map_or_else(new_key, Ok)
}

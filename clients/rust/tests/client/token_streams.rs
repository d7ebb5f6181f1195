//! The same of streams: what is repeated, and what is taken up (clients/BEHAVIOUR.md, C5.8.3).

use std::collections::VecDeque;
use std::pin::Pin;
use std::task::{Context, Poll};

use futures_core::Stream;
use hito::{v1, Code};
use prost::Message;

use crate::fake_server::{FakeServer, MESSAGE, UNAUTHENTICATED};
use crate::provider::{connect, gate, tokens, Provider};

/// The token of a call, how many responses it gets, and how it ends.
type Turn = (&'static str, usize, Option<u16>);

/// A server that answers each call by what its turn says, with what `response` makes of a cursor.
async fn streaming<const N: usize>(turns: [Turn; N], response: fn(String) -> Vec<u8>) -> FakeServer {
    FakeServer::play(move |mut peer| async move {
        peer.greet().await;
        for (token, count, status) in turns {
            let (stream, fields) = peer.call().await;
            assert_eq!(fields.token().as_deref(), Some(token));
            for number in 0..count {
                peer.send(MESSAGE, 0, stream, &response(format!("{token}{number}"))).await;
            }
            match status {
                Some(status) => peer.fail(stream, status, "no").await,
                None => peer.end(stream).await,
            }
        }
        peer.at_end().await;
    })
    .await
}

fn watched(cursor: String) -> Vec<u8> {
    v1::WatchResponse { cursor, ..Default::default() }.encode_to_vec()
}

const REFUSED: Option<u16> = Some(UNAUTHENTICATED);

#[tokio::test]
async fn a_stream_is_repeated_before_its_first_response_and_not_behind_it() {
    let server = streaming([("a", 0, REFUSED), ("b", 2, REFUSED), ("c", 1, None)], watched).await;
    let client = connect(&server, &Provider::new(["a", "b", "c"])).await;
    let mut stream = client.progress().watch(v1::WatchRequest::default()).stream();
    for cursor in ["b0", "b1"] {
        assert_eq!(stream.message().await.unwrap().unwrap().cursor, cursor);
    }
    assert_eq!(stream.message().await.unwrap_err().code(), Code::Unauthenticated);
    let mut stream = client.progress().watch(v1::WatchRequest::default()).stream();
    assert_eq!(stream.message().await.unwrap().unwrap().cursor, "c0");
    assert_eq!(stream.message().await.unwrap(), None);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_stream_whose_second_token_is_refused_too_is_the_callers() {
    let server = streaming([("a", 0, REFUSED), ("b", 0, REFUSED)], watched).await;
    let client = connect(&server, &Provider::new(["a", "b"])).await;
    let mut stream = client.progress().watch(v1::WatchRequest::default()).stream();
    let error = stream.message().await.unwrap_err();
    assert!(error.code() == Code::Unauthenticated && error.is_from_server());
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_watch_is_taken_up_under_a_new_token() {
    let turns = [("a", 1, REFUSED), ("b", 1, REFUSED), ("c", 0, REFUSED), ("d", 0, REFUSED)];
    let server = streaming(turns, watched).await;
    let client = connect(&server, &Provider::new(["a", "b", "c", "d"])).await;
    let mut watch = client.watch_resuming(v1::WatchRequest::default());
    for cursor in ["a0", "b0"] {
        assert_eq!(watch.message().await.unwrap().unwrap().cursor, cursor);
    }
    let error = watch.message().await.unwrap_err();
    assert!(error.code() == Code::Unauthenticated && error.is_from_server());
    assert_eq!(watch.interruptions(), 2);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_watch_that_was_refused_first_is_not_taken_up_after_another_error() {
    let server = streaming([("a", 0, REFUSED), ("b", 1, Some(5))], watched).await;
    let client = connect(&server, &Provider::new(["a", "b"])).await;
    let mut watch = client.watch_resuming(v1::WatchRequest::default());
    assert_eq!(watch.message().await.unwrap().unwrap().cursor, "b0");
    assert_eq!(watch.message().await.unwrap_err().code(), Code::NotFound);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_consumer_joins_again_under_a_new_token_once() {
    let event = |id: String| {
        let event = v1::Event { id, ..Default::default() };
        v1::ConsumeResponse { event: Some(event), ..Default::default() }.encode_to_vec()
    };
    let server = streaming([("a", 0, REFUSED), ("b", 1, REFUSED), ("c", 0, REFUSED)], event).await;
    let client = connect(&server, &Provider::new(["a", "b", "c"])).await;
    let mut consumer = client.consume_resuming("readers").start().unwrap();
    // What it was given is gone with the stream, and it may be too late to see it.
    let error = loop {
        match consumer.delivery().await {
            Ok(delivery) => assert_eq!(delivery.unwrap().event.id, "b0"),
            Err(error) => break error,
        }
    };
    assert_eq!((error.code(), consumer.interruptions()), (Code::Unauthenticated, 2));
    client.close().await;
    server.finish().await;
}

/// Requests that are there.
struct Ready<Q>(VecDeque<Q>);

impl<Q: Unpin> Stream for Ready<Q> {
    type Item = Q;

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Q>> {
        Poll::Ready(self.0.pop_front())
    }
}

#[tokio::test]
async fn a_request_stream_that_is_refused_is_the_callers_and_the_next_has_a_new_token() {
    let (server, seen) = gate("b").await;
    let client = connect(&server, &Provider::new(["a", "b"])).await;
    let requests = || Ready([v1::IngestDocumentsRequest::default()].into());
    let error = client.courses().ingest_documents(requests()).await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    client.courses().ingest_documents(requests()).await.unwrap();
    assert_eq!(tokens(&seen), ["a", "b"]);
    client.close().await;
    server.finish().await;
}

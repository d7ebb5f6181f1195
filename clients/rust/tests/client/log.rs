//! What a client tells of itself (clients/BEHAVIOUR.md, C5.9).

use std::sync::{Arc, Mutex};
use std::time::Duration;

use hito::{v1, Client, Code, Hedging, LogEvent, LogLevel, LogRecord, LogValue, Token};
use prost::Message;
use tokio::time::sleep;

use crate::fake_server::{certificate, FakeServer, MESSAGE, UNAUTHENTICATED, UNAVAILABLE};

/// All records of a client.
#[derive(Clone, Default)]
struct Records(Arc<Mutex<Vec<LogRecord>>>);

impl Records {
    fn function(&self) -> impl Fn(&LogRecord) + Send + Sync + 'static {
        let records = self.clone();
        move |record| records.0.lock().unwrap().push(record.clone())
    }

    fn all(&self) -> Vec<LogRecord> {
        self.0.lock().unwrap().clone()
    }

    fn of(&self, event: LogEvent) -> Vec<LogRecord> {
        self.all().into_iter().filter(|record| record.event == event).collect()
    }

    fn only(&self, event: LogEvent) -> LogRecord {
        let mut records = self.of(event);
        assert_eq!(records.len(), 1, "{event}");
        records.remove(0)
    }
}

fn text(record: &LogRecord, name: &str) -> String {
    record.get(name).and_then(LogValue::as_str).unwrap_or_else(|| panic!("{name} of {record}")).to_owned()
}

fn number(record: &LogRecord, name: &str) -> i64 {
    record.get(name).and_then(LogValue::as_number).unwrap_or_else(|| panic!("{name} of {record}"))
}

async fn get(client: &Client) -> Result<v1::GetGoalResponse, hito::Error> {
    client.goals().get_goal(v1::GetGoalRequest::default()).await
}

#[tokio::test]
async fn a_call_is_told_from_beginning_to_end() {
    let server = FakeServer::play(|mut peer| async move {
        peer.greet().await;
        let (stream, _) = peer.call().await;
        peer.fail(stream, UNAVAILABLE, "busy\n\u{1b}[31mnow").await;
        let (stream, _) = peer.call().await;
        peer.reply(stream).await;
        peer.at_end().await;
    })
    .await;
    let records = Records::default();
    let client = server.builder().token("s3cret").log(records.function()).connect().await.unwrap();
    let request = v1::GetGoalRequest { goal_id: "h1dden".into(), ..Default::default() };
    client.goals().get_goal(request).metadata("k", "pr1vate").await.unwrap();
    client.close().await;
    let shown: Vec<(LogLevel, LogEvent)> = records.all().iter().map(|record| (record.level, record.event)).collect();
    let expected = [
        (LogLevel::Debug, LogEvent::Connecting),
        (LogLevel::Info, LogEvent::Connected),
        (LogLevel::Debug, LogEvent::CallStarted),
        (LogLevel::Info, LogEvent::CallRepeated),
        (LogLevel::Debug, LogEvent::CallEnded),
        (LogLevel::Info, LogEvent::Disconnected),
    ];
    assert_eq!(shown, expected);
    let connected = records.only(LogEvent::Connected);
    assert_eq!((text(&connected, "address"), text(&connected, "server_id")), (server.address.clone(), "fake-1".into()));
    assert!(number(&connected, "duration_ms") >= 0);
    let repeated = records.only(LogEvent::CallRepeated);
    assert_eq!((number(&repeated, "attempt"), text(&repeated, "status")), (2, "UNAVAILABLE".into()));
    assert!(number(&repeated, "delay_ms") > 0);
    let ended = records.only(LogEvent::CallEnded);
    assert_eq!((number(&ended, "call"), text(&ended, "method")), (1, "hito.v1.GoalService/GetGoal".into()));
    assert_eq!((text(&ended, "status"), number(&ended, "attempts")), ("OK".into(), 2));
    let everything = format!("{:?}", records.all());
    for secret in ["s3cret", "h1dden", "pr1vate", "\\n", "\\u{1b}"] {
        assert!(!everything.contains(secret), "{secret}");
    }
    assert!(everything.contains("busy\u{fffd}"));
    server.finish().await;
}

#[tokio::test]
async fn failures_streams_and_lost_servers_are_told() {
    let connections = Arc::new(Mutex::new(0));
    let server = FakeServer::play(move |mut peer| {
        let number = {
            let mut connections = connections.lock().unwrap();
            *connections += 1;
            *connections
        };
        async move {
            peer.greet().await;
            if number == 1 {
                let (stream, _) = peer.call().await;
                peer.fail(stream, 5, "none").await;
            }
            let (stream, _) = peer.call().await;
            let response = v1::WatchResponse { cursor: number.to_string(), ..Default::default() };
            peer.send(MESSAGE, 0, stream, &response.encode_to_vec()).await;
            if number == 1 {
                // Gone without a word.
                sleep(Duration::from_millis(100)).await;
                return;
            }
            peer.at_end().await;
        }
    })
    .await;
    let records = Records::default();
    let client = server.builder().log(records.function()).connect().await.unwrap();
    assert_eq!(get(&client).await.unwrap_err().code(), Code::NotFound);
    let mut watch = client.watch_resuming(v1::WatchRequest::default());
    for cursor in ["1", "2"] {
        assert_eq!(watch.message().await.unwrap().unwrap().cursor, cursor);
    }
    drop(watch);
    client.close().await;
    let ended: Vec<(i64, String, LogLevel)> = records
        .of(LogEvent::CallEnded)
        .iter()
        .map(|record| (number(record, "call"), text(record, "status"), record.level))
        .collect();
    let expected = [
        (1, "NOT_FOUND".to_owned(), LogLevel::Info),
        (2, "UNAVAILABLE".to_owned(), LogLevel::Info),
        (3, "CANCELLED".to_owned(), LogLevel::Debug),
    ];
    assert_eq!(ended, expected);
    let resumed = records.only(LogEvent::WatchResumed);
    assert_eq!(text(&resumed, "method"), "hito.v1.ProgressService/Watch");
    assert_eq!(text(&resumed, "status"), "UNAVAILABLE");
    let levels: Vec<LogLevel> = records.of(LogEvent::Disconnected).iter().map(|record| record.level).collect();
    assert_eq!(levels, [LogLevel::Warning, LogLevel::Info]);
    server.finish().await;
}

#[tokio::test]
async fn servers_that_cannot_be_reached_are_told() {
    let records = Records::default();
    let builder = Client::builder("127.0.0.1:1").ca_file(certificate()).log(records.function());
    assert_eq!(builder.connect().await.map(drop).unwrap_err().code(), Code::Unavailable);
    let failed = records.only(LogEvent::ConnectFailed);
    assert_eq!((failed.level, text(&failed, "address")), (LogLevel::Warning, "127.0.0.1:1".into()));
    assert!(text(&failed, "reason").contains("cannot connect"));
}

#[tokio::test]
async fn tokens_are_told_without_their_text() {
    let server = FakeServer::play(|mut peer| async move {
        peer.greet().await;
        let (stream, _) = peer.call().await;
        peer.fail(stream, UNAUTHENTICATED, "no").await;
        let (stream, _) = peer.call().await;
        peer.reply(stream).await;
        let (stream, _) = peer.call().await;
        peer.fail(stream, UNAUTHENTICATED, "no").await;
        peer.at_end().await;
    })
    .await;
    let (records, asked) = (Records::default(), Arc::new(Mutex::new(0)));
    let builder = server.builder().token_provider(move || {
        let asked = asked.clone();
        async move {
            let mut asked = asked.lock().unwrap();
            *asked += 1;
            if *asked > 2 {
                return Err("t0ken-3 is not to be had".into());
            }
            Ok(Token::new(format!("t0ken-{asked}")).valid_for(Duration::from_secs(60)))
        }
    });
    let client = builder.log(records.function()).connect().await.unwrap();
    get(&client).await.unwrap();
    assert_eq!(get(&client).await.unwrap_err().code(), Code::Unauthenticated);
    client.close().await;
    let valid: Vec<i64> =
        records.of(LogEvent::TokenRefreshed).iter().map(|record| number(record, "valid_ms")).collect();
    assert_eq!(valid, [60_000, 60_000]);
    let repeated = &records.of(LogEvent::CallRepeated)[0];
    assert_eq!((text(repeated, "status"), number(repeated, "delay_ms")), ("UNAUTHENTICATED".into(), 0));
    let failed = records.only(LogEvent::TokenFailed);
    assert_eq!((failed.level, text(&failed, "reason")), (LogLevel::Warning, "the token provider failed".into()));
    assert!((25..=50).contains(&number(&failed, "rest_ms")));
    assert!(!format!("{:?}", records.all()).contains("t0ken"));
    server.finish().await;
}

#[tokio::test]
async fn copies_and_calls_that_are_left_are_told() {
    let server = FakeServer::play(|mut peer| async move {
        peer.greet().await;
        peer.call().await;
        let (copy, _) = peer.call().await;
        peer.reply(copy).await;
        peer.at_end().await;
    })
    .await;
    let records = Records::default();
    let client = server.builder().log(records.function()).connect().await.unwrap();
    let hedged = client.goals().get_goal(v1::GetGoalRequest::default());
    hedged.hedging(Hedging::after(Duration::from_millis(20))).await.unwrap();
    let hedged = records.only(LogEvent::CallHedged);
    assert_eq!((number(&hedged, "call"), number(&hedged, "copy")), (1, 2));
    assert!(tokio::time::timeout(Duration::from_millis(20), get(&client)).await.is_err());
    let left = records.of(LogEvent::CallEnded).pop().unwrap();
    assert_eq!((text(&left, "status"), left.level), ("CANCELLED".into(), LogLevel::Debug));
    // Also where nobody closes it.
    drop(client);
    assert_eq!(text(&records.only(LogEvent::Disconnected), "reason"), "closed");
    server.finish().await;
}

/// Keeps what the crate `log` hands on.
struct Kept(Mutex<Vec<(log::Level, String, String)>>);

impl log::Log for Kept {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.target() == "hito-test"
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            let kept = (record.level(), record.target().to_owned(), record.args().to_string());
            self.0.lock().unwrap().push(kept);
        }
    }

    fn flush(&self) {}
}

#[tokio::test]
async fn the_usual_logger_gets_text_and_fields() {
    static KEPT: Kept = Kept(Mutex::new(Vec::new()));
    log::set_logger(&KEPT).unwrap();
    log::set_max_level(log::LevelFilter::Info);
    let builder = Client::builder("127.0.0.1:1").ca_file(certificate()).log(hito::log_to("hito-test"));
    builder.connect().await.map(drop).unwrap_err();
    let kept = KEPT.0.lock().unwrap();
    let (level, target, text) = &kept[0];
    assert_eq!((kept.len(), *level, target.as_str()), (1, log::Level::Warn, "hito-test"));
    assert!(text.contains("(connect_failed address=\"127.0.0.1:1\" reason="), "{text}");
}

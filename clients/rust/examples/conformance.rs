//! The client as a program under test of Tests/Conformance/runner.py: see docs/conformance.md for the lines.

use std::collections::HashMap;
use std::future::Future;
use std::io::{BufRead, Write};
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use hito::{Balancing, CallOptions, Client, Code, Error, Hedging, Metadata, MetadataValue, ResponseInfo};
use hito::{BidiCall, ClientStreamCall, ServerStreamCall, UnaryCall};
use prost::Message;
use serde_json::{json, Map, Value};
use tokio::sync::{mpsc, oneshot, watch, Semaphore};
use tokio::task::JoinHandle;

type Line = Map<String, Value>;
/// A client, once it is there.
type Opening = watch::Receiver<Option<Result<Client, Error>>>;

#[derive(Default)]
struct Adapter {
    clients: Mutex<HashMap<String, (Opening, JoinHandle<()>)>>,
    calls: Mutex<HashMap<u64, oneshot::Sender<()>>>,
    /// Calls that wait for `resume`.
    pauses: Mutex<HashMap<u64, Arc<Semaphore>>>,
}

/// What came of a call so far.
#[derive(Default)]
struct Seen {
    messages: Vec<Vec<u8>>,
    info: ResponseInfo,
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let (lines, mut read) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines() {
            let Ok(line) = line else { break };
            if lines.send(line).is_err() {
                break;
            }
        }
    });
    let adapter = Arc::new(Adapter::default());
    while let Some(line) = read.recv().await {
        let request: Value = serde_json::from_str(&line).expect("a line of JSON");
        adapter.clone().take(request);
    }
}

impl Adapter {
    fn take(self: Arc<Self>, request: Value) {
        let id = number(&request, "id");
        match text(&request, "op") {
            "open" => self.open(request),
            "call" => {
                let (cancel, cancelled) = oneshot::channel();
                self.calls.lock().unwrap().insert(id, cancel);
                tokio::spawn(async move { self.call(&request, cancelled).await });
            }
            "cancel" => {
                let call = self.calls.lock().unwrap().remove(&number(&request, "call"));
                if let Some(call) = call {
                    let _ = call.send(());
                }
                answer(id, json!({}));
            }
            "resume" => {
                self.pause(number(&request, "call")).add_permits(1);
                answer(id, json!({}));
            }
            "close" => {
                tokio::spawn(async move { self.close(&request).await });
            }
            other => answer(id, json!({"error": format!("what is {other}?")})),
        }
    }

    fn pause(&self, call: u64) -> Arc<Semaphore> {
        self.pauses.lock().unwrap().entry(call).or_insert_with(|| Arc::new(Semaphore::new(0))).clone()
    }

    fn open(&self, request: Value) {
        let (opened, opening) = watch::channel(None);
        let name = text(&request, "client").to_owned();
        let task = tokio::spawn(async move {
            let result = connect(&request).await;
            let reply = match &result {
                Ok(_) => json!({"status": 0}),
                Err(error) => Value::Object(failure(error)),
            };
            let _ = opened.send(Some(result));
            answer(number(&request, "id"), reply);
        });
        self.clients.lock().unwrap().insert(name, (opening, task));
    }

    async fn close(&self, request: &Value) {
        let opened = {
            let clients = self.clients.lock().unwrap();
            let (opening, task) = &clients[text(request, "client")];
            let opened = opening.borrow().clone();
            if opened.is_none() {
                task.abort();
            }
            opened
        };
        if let Some(Ok(client)) = opened {
            client.close().await;
        }
        answer(number(request, "id"), json!({}));
    }

    async fn client(&self, name: &str) -> Result<Client, Error> {
        let mut opening = self.clients.lock().unwrap()[name].0.clone();
        loop {
            let opened = opening.borrow_and_update().clone();
            if let Some(result) = opened {
                return result;
            }
            if opening.changed().await.is_err() && opening.borrow().is_none() {
                return Err(Error::new(Code::Cancelled, "the client was closed"));
            }
        }
    }

    async fn call(&self, request: &Value, cancelled: oneshot::Receiver<()>) {
        let id = number(request, "id");
        let mut seen = Seen::default();
        let result = tokio::select! {
            result = self.make(request, &mut seen) => result,
            _ = cancelled => Ok(1),
        };
        self.calls.lock().unwrap().remove(&id);
        let mut reply = match result {
            Ok(status) => [("status".to_owned(), json!(status))].into_iter().collect(),
            Err(error) => {
                seen.info = ResponseInfo { metadata: error.metadata().clone(), trailers: error.trailers().clone() };
                failure(&error)
            }
        };
        reply.insert("messages".into(), seen.messages.iter().map(|message| hex(message)).collect());
        reply.insert("metadata".into(), entries(&seen.info.metadata));
        reply.insert("trailers".into(), entries(&seen.info.trailers));
        answer(id, Value::Object(reply));
    }

    /// Makes a call. 0, or 1 where it was left.
    async fn make(&self, request: &Value, seen: &mut Seen) -> Result<u16, Error> {
        let client = self.client(text(request, "client")).await?;
        if request["resuming"] == json!(true) {
            let stream = client.watch_resuming(first(request));
            return self.read(stream, request, seen, None, |_| ResponseInfo::default()).await;
        }
        let (goals, health) = (client.goals(), client.health());
        match text(request, "method").rsplit_once('.').map_or("", |(_, method)| method) {
            "HealthService/Check" => unary(health.check(first(request)), request, seen).await,
            "HealthService/Watch" => self.stream(health.watch(first(request)), request, seen).await,
            "GoalService/CreateGoal" => unary(goals.create_goal(first(request)), request, seen).await,
            "GoalService/GetGoal" => unary(goals.get_goal(first(request)), request, seen).await,
            "GoalService/ListGoals" => unary(goals.list_goals(first(request)), request, seen).await,
            "GoalService/UpdateGoal" => unary(goals.update_goal(first(request)), request, seen).await,
            "GoalService/StartGoal" => unary(goals.start_goal(first(request)), request, seen).await,
            "GoalService/CompleteGoal" => unary(goals.complete_goal(first(request)), request, seen).await,
            "GoalService/ReopenGoal" => unary(goals.reopen_goal(first(request)), request, seen).await,
            "GoalService/ArchiveGoal" => unary(goals.archive_goal(first(request)), request, seen).await,
            "GoalService/DeleteGoal" => unary(goals.delete_goal(first(request)), request, seen).await,
            "GoalService/ResolveProposal" => unary(goals.resolve_proposal(first(request)), request, seen).await,
            "GoalService/GenerateGoal" => self.stream(goals.generate_goal(first(request)), request, seen).await,
            "GoalService/WatchRun" => self.stream(goals.watch_run(first(request)), request, seen).await,
            "ProgressService/Watch" => self.stream(client.progress().watch(first(request)), request, seen).await,
            "CourseService/IngestDocuments" => {
                let (requests, _feeder) = Feeder::new(request);
                client_stream(client.courses().ingest_documents(requests), request, seen).await
            }
            "EventService/Consume" => {
                let (requests, feeder) = Feeder::new(request);
                self.bidi(client.events().consume(requests), request, seen, feeder).await
            }
            other => panic!("{other} is not among the methods of the cases"),
        }
    }

    async fn stream<R: Message + Default + 'static>(
        &self,
        call: ServerStreamCall<R>,
        request: &Value,
        seen: &mut Seen,
    ) -> Result<u16, Error> {
        let stream = call.options(options(request)).stream();
        self.read(stream, request, seen, None, info).await
    }

    async fn bidi<R: Message + Default + 'static>(
        &self,
        call: BidiCall<R>,
        request: &Value,
        seen: &mut Seen,
        feeder: Feeder,
    ) -> Result<u16, Error> {
        let stream = call.options(options(request)).stream();
        self.read(stream, request, seen, Some(feeder), info).await
    }

    /// `cancel_after`: leaves the stream after so many. `pause_after`: reads so many, and no more until `resume`.
    async fn read<S, R>(
        &self,
        mut stream: S,
        request: &Value,
        seen: &mut Seen,
        mut feeder: Option<Feeder>,
        info: impl Fn(&S) -> ResponseInfo,
    ) -> Result<u16, Error>
    where
        S: Stream<Item = Result<R, Error>> + Unpin,
        R: Message,
    {
        let after = |name: &str| request[name].as_u64();
        while let Some(response) = next(&mut stream).await {
            seen.info = info(&stream);
            seen.messages.push(response?.encode_to_vec());
            if let Some(feeder) = &mut feeder {
                feeder.answered();
            }
            let count = Some(seen.messages.len() as u64);
            if count == after("cancel_after") {
                return Ok(1);
            }
            if count == after("pause_after") {
                let pause = self.pause(number(request, "id"));
                pause.acquire().await.expect("an open semaphore").forget();
            }
        }
        seen.info = info(&stream);
        Ok(0)
    }
}

fn info<R>(stream: &hito::ResponseStream<R>) -> ResponseInfo {
    ResponseInfo { metadata: stream.metadata(), trailers: stream.trailers() }
}

async fn next<S: Stream + Unpin>(stream: &mut S) -> Option<S::Item> {
    std::future::poll_fn(|cx| Pin::new(&mut *stream).poll_next(cx)).await
}

async fn unary<R: Message + Default + 'static>(
    call: UnaryCall<R>,
    request: &Value,
    seen: &mut Seen,
) -> Result<u16, Error> {
    replied(call.options(options(request)).response(), seen).await
}

async fn client_stream<R: Message + Default + 'static>(
    call: ClientStreamCall<R>,
    request: &Value,
    seen: &mut Seen,
) -> Result<u16, Error> {
    replied(call.options(options(request)).response(), seen).await
}

async fn replied<R: Message>(
    call: impl Future<Output = Result<hito::Response<R>, Error>>,
    seen: &mut Seen,
) -> Result<u16, Error> {
    let response = call.await?;
    seen.info = ResponseInfo { metadata: response.metadata, trailers: response.trailers };
    seen.messages.push(response.message.encode_to_vec());
    Ok(0)
}

/// The requests of a stream: all at once, or each after the first when a response has come.
struct Feeder {
    left: std::vec::IntoIter<Vec<u8>>,
    requests: Option<mpsc::UnboundedSender<Vec<u8>>>,
    in_turn: bool,
    keeps_open: bool,
}

impl Feeder {
    fn new<Q: Message + Default>(request: &Value) -> (Requests<Q>, Feeder) {
        let (sender, requests) = mpsc::unbounded_channel();
        let in_turn = request["in_turn"] == json!(true);
        let keeps_open = request["keep_open"] == json!(true);
        let mut feeder = Feeder { left: messages(request).into_iter(), requests: Some(sender), in_turn, keeps_open };
        feeder.answered();
        (Requests { requests, kind: std::marker::PhantomData }, feeder)
    }

    fn answered(&mut self) {
        let Some(requests) = &self.requests else { return };
        for message in self.left.by_ref() {
            let _ = requests.send(message);
            if self.in_turn {
                return;
            }
        }
        if !self.keeps_open {
            self.requests = None;
        }
    }
}

struct Requests<Q> {
    requests: mpsc::UnboundedReceiver<Vec<u8>>,
    kind: std::marker::PhantomData<fn() -> Q>,
}

impl<Q: Message + Default> Stream for Requests<Q> {
    type Item = Q;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Q>> {
        self.requests.poll_recv(cx).map(|message| message.map(|bytes| Q::decode(&*bytes).expect("a message")))
    }
}

async fn connect(request: &Value) -> Result<Client, Error> {
    let addresses: Vec<&str> =
        request["addresses"].as_array().expect("addresses").iter().filter_map(Value::as_str).collect();
    let waits = request["wait_for_ready"].as_bool().unwrap_or(true);
    let mut builder = Client::builder(addresses.join(","))
        .ca_file(text(request, "ca_file"))
        .token(request["token"].as_str().unwrap_or(""))
        .wait_for_ready(waits)
        .wait_for_connect(waits)
        .health_check(request["health"] == json!(true))
        .compression(request["compression"] == json!(true));
    if request["balancing"] == json!("round_robin") {
        builder = builder.balancing(Balancing::RoundRobin);
    }
    if let Some(connections) = request["connections"].as_u64() {
        builder = builder.connections_per_address(connections as usize);
    }
    if let Some(silence) = request["keepalive_ms"].as_f64() {
        builder = builder.keepalive(Duration::from_secs_f64(silence / 1000.0));
    }
    if let Some(bytes) = request["message_max"].as_u64() {
        builder = builder.message_max(bytes as u32);
    }
    builder.connect().await
}

fn options(request: &Value) -> CallOptions {
    let mut options = CallOptions::default();
    let owned = |name: &str| request[name].as_str().map(str::to_owned);
    options.timeout = request["timeout_ms"].as_f64().map(|millis| Duration::from_secs_f64(millis / 1000.0));
    options.token = owned("token");
    options.traceparent = owned("traceparent");
    options.idempotency_key = owned("key");
    options.wait_for_ready = request["wait_for_ready"].as_bool();
    for (key, value) in request["metadata"].as_object().into_iter().flatten() {
        let value = value.as_str().expect("text");
        match key.ends_with("-bin") {
            true => options.metadata.insert(key, unhex(value)),
            false => options.metadata.insert(key, value),
        }
    }
    if let Some(millis) = request["hedge_after_ms"].as_f64() {
        let delay = Duration::from_secs_f64(millis / 1000.0);
        options.hedging = Some(Hedging { delay, copies: request["copies"].as_u64().unwrap_or(2) as u32 });
    }
    options
}

fn failure(error: &Error) -> Line {
    let reply = json!({
        "status": error.code().number(), "text": error.message(), "details": hex(&error.details().encode_to_vec()),
        "cursor": error.resume_cursor(), "not_started": error.is_not_started(),
    });
    reply.as_object().cloned().unwrap_or_default()
}

fn entries(metadata: &Metadata) -> Value {
    let entry = |(key, value): (&str, &MetadataValue)| match value {
        MetadataValue::Text(text) => json!([key, text]),
        MetadataValue::Binary(bytes) => json!([key, hex(bytes)]),
    };
    metadata.iter().map(entry).collect()
}

fn answer(id: u64, mut reply: Value) {
    reply["id"] = json!(id);
    let mut out = std::io::stdout().lock();
    let _ = writeln!(out, "{reply}");
    let _ = out.flush();
}

fn text<'a>(request: &'a Value, name: &str) -> &'a str {
    request[name].as_str().unwrap_or_else(|| panic!("{name} is missing"))
}

fn number(request: &Value, name: &str) -> u64 {
    request[name].as_u64().unwrap_or_else(|| panic!("{name} is missing"))
}

fn messages(request: &Value) -> Vec<Vec<u8>> {
    let messages = request["messages"].as_array().into_iter().flatten();
    messages.filter_map(Value::as_str).map(unhex).collect()
}

fn first<Q: Message + Default>(request: &Value) -> Q {
    Q::decode(&*messages(request)[0]).expect("a message")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = |place| u8::from_str_radix(&text[place..place + 2], 16).expect("hexadecimal");
    (0..text.len()).step_by(2).map(digits).collect()
}

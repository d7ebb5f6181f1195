//! What is held to the server, one function for each scenario.

use std::collections::HashSet;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use hito::v1::{self, consume_request, ingest_documents_request, watch_response};
use hito::{BoxFuture, CallOptions, Client, Code, Error, Interceptor, LogEvent, Method, Next, Reply};
use tokio::sync::mpsc;

use crate::{ask, named, World};

type Outcome = Result<(), Box<dyn std::error::Error>>;

pub fn goal(title: &str) -> v1::CreateGoalRequest {
    v1::CreateGoalRequest { title: title.into(), ..Default::default() }
}

/// The requests of a stream, as they are sent into a channel.
pub struct Requests<Q>(mpsc::UnboundedReceiver<Q>);

impl<Q> Stream for Requests<Q> {
    type Item = Q;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Q>> {
        self.0.poll_recv(cx)
    }
}

fn requests<Q>() -> (mpsc::UnboundedSender<Q>, Requests<Q>) {
    let (sender, receiver) = mpsc::unbounded_channel();
    (sender, Requests(receiver))
}

/// A goal with tasks, one of which is completed, and read again after its cursor.
pub async fn journey(world: &World) -> Outcome {
    let client = world.connect().await?;
    let tasks = ["Primera API", "Pruebas"].map(|title| v1::NewTask { title: title.into(), ..Default::default() });
    let request = v1::CreateGoalRequest { tasks: tasks.to_vec(), ..goal("Aprender FastAPI") };
    let made = client.goals().create_goal(request).await?;
    let task_id = made.tasks[0].id.clone();
    let done = client.tasks().complete_task(v1::CompleteTaskRequest { task_id, ..Default::default() }).await?;
    assert_eq!(done.goal.as_ref().map(|goal| goal.progress_percentage), Some(50.0));
    let goal_id = made.goal.ok_or("a goal")?.id;
    let min_cursor = done.receipt.ok_or("a receipt")?.cursor;
    let read = client.goals().get_goal(v1::GetGoalRequest { goal_id, min_cursor }).await?;
    assert_eq!(read.goal.map(|goal| goal.progress_percentage), Some(50.0));
    assert_eq!(read.tasks.len(), 2);
    client.close().await;
    let closed = client.goals().list_goals(v1::ListGoalsRequest::default()).await.unwrap_err();
    assert_eq!((closed.code(), closed.is_not_started()), (Code::Cancelled, true));
    Ok(())
}

/// Typed errors with their reason and what is wrong with which field.
pub async fn errors(world: &World) -> Outcome {
    let client = world.connect().await?;
    let error = client.goals().create_goal(goal("")).await.unwrap_err();
    assert_eq!(error.code(), Code::InvalidArgument, "{error}");
    assert!(error.is_from_server());
    assert_eq!(error.details().field_violations[0].field, "title");
    let goal_id = "00000000-0000-4000-8000-000000000000".to_owned();
    let request = v1::GetGoalRequest { goal_id, ..Default::default() };
    let error = client.goals().get_goal(request).await.unwrap_err();
    assert_eq!(error.code(), Code::NotFound, "{error}");
    assert!(error.details().resource.is_some(), "{error:?}");
    let made = client.goals().create_goal(v1::CreateGoalRequest {
        tasks: vec![v1::NewTask { title: "Abierta".into(), ..Default::default() }],
        ..goal("Abierta")
    });
    let goal_id = made.await?.goal.ok_or("a goal")?.id;
    let request = v1::CompleteGoalRequest { goal_id, ..Default::default() };
    let error = client.goals().complete_goal(request).await.unwrap_err();
    assert_eq!(error.code(), Code::FailedPrecondition, "{error}");
    assert_ne!(error.reason(), v1::ErrorReason::Unspecified);
    let error = client.goals().list_goals(v1::ListGoalsRequest::default()).token("wrong").await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated, "{error}");
    Ok(())
}

/// A server is sent nothing whose certificate is not trusted, or names another host.
pub async fn certificates(world: &World) -> Outcome {
    let strange = world.builder().ca_file(named("HITO_STRANGE_CA")).connect().await.unwrap_err();
    assert!(strange.code() == Code::Unavailable && strange.is_certificate_refused(), "{strange}");
    for name in ["other.example", "127.0.0.2", "::1:1"] {
        let other = world.builder().server_name(name).connect().await.unwrap_err();
        let is_refused = other.is_certificate_refused() || other.code() == Code::InvalidArgument;
        assert!(is_refused && other.is_not_started(), "{name}: {other}");
    }
    // The same server, by its name and by its address.
    world.builder().server_name("localhost").connect().await?.close().await;
    world.builder().server_name("127.0.0.1").connect().await?.close().await;
    Ok(())
}

/// The four kinds of calls.
pub async fn kinds(world: &World) -> Outcome {
    let client = world.connect_admin().await?;
    let mut health = client.health().watch(v1::HealthWatchRequest::default()).stream();
    let said = health.message().await?.ok_or("a response")?;
    assert_eq!(said.status(), v1::HealthStatus::Serving);
    drop(health);
    ingest(&client).await?;
    consume(&client).await
}

async fn ingest(client: &Client) -> Outcome {
    use ingest_documents_request::Step;
    let request = v1::CreateCourseRequest { title: "Rust".into(), ..Default::default() };
    let course_id = client.courses().create_course(request).await?.course.ok_or("a course")?.id;
    let (sender, documents) = requests();
    let start = v1::IngestStart { course_id, ..Default::default() };
    sender.send(v1::IngestDocumentsRequest { step: Some(Step::Start(start)) })?;
    for number in 0..3 {
        let document = v1::CourseDocument {
            path: format!("chapter-{number}.md"),
            // More than a window of credit together.
            content: format!("# Chapter {number}\n\n{}", "Ownership and borrowing. ".repeat(8_000)).into_bytes(),
            format: v1::DocumentFormat::Markdown as i32,
            ..Default::default()
        };
        sender.send(v1::IngestDocumentsRequest { step: Some(Step::Document(document)) })?;
    }
    drop(sender);
    let call = client.courses().ingest_documents(documents).timeout(Duration::from_secs(60));
    assert_eq!(call.await?.documents_received, 3);
    Ok(())
}

async fn consume(client: &Client) -> Outcome {
    use consume_request::Step;
    let group = v1::ConsumerGroup { name: "rust".into(), ..Default::default() };
    let request = v1::CreateConsumerGroupRequest { group: Some(group), ..Default::default() };
    client.events().create_consumer_group(request).await?;
    let (sender, steps) = requests();
    let join = v1::JoinGroup { group: "rust".into(), buffer_size: 4, ..Default::default() };
    sender.send(v1::ConsumeRequest { step: Some(Step::Join(join)) })?;
    let mut stream = client.events().consume(steps).stream();
    let joined = stream.message().await?.ok_or("a response")?;
    assert!(joined.joined.is_some());
    client.goals().create_goal(goal("Consumida")).await?;
    let event = loop {
        let response = stream.message().await?.ok_or("an event")?;
        if let Some(event) = response.event {
            break event;
        }
    };
    let action = v1::SettleAction::Ack as i32;
    let settle = v1::Settle { event_ids: vec![event.id.clone()], action, ..Default::default() };
    sender.send(v1::ConsumeRequest { step: Some(Step::Settle(settle)) })?;
    loop {
        let response = stream.message().await?.ok_or("an answer")?;
        if response.settled.is_some_and(|settled| settled.event_ids.contains(&event.id)) {
            return Ok(());
        }
    }
}

/// Deadlines, and calls that are dropped.
pub async fn time(world: &World) -> Outcome {
    let client = world.connect().await?;
    let mut stream = client.progress().watch(v1::WatchRequest::default()).timeout(Duration::from_millis(300)).stream();
    let error = loop {
        match stream.message().await {
            Ok(Some(_)) => {}
            Ok(None) => return Err("it ended in order".into()),
            Err(error) => break error,
        }
    };
    assert_eq!(error.code(), Code::DeadlineExceeded, "{error}");
    let late = client.goals().list_goals(v1::ListGoalsRequest::default()).timeout(Duration::from_nanos(1)).await;
    assert_eq!(late.unwrap_err().code(), Code::DeadlineExceeded);
    // More streams, one after the other, than the server allows at a time: a dropped one frees its place.
    for _ in 0..250 {
        let mut stream = client.progress().watch(v1::WatchRequest::default()).stream();
        stream.message().await?;
    }
    Ok(())
}

struct Counted(Arc<AtomicUsize>);

impl Interceptor for Counted {
    fn intercept<'a>(
        &'a self,
        _: &'static Method,
        mut options: CallOptions,
        next: Next<'a>,
    ) -> BoxFuture<'a, Result<Reply, Error>> {
        options.metadata.insert("hito-echo-trailer-by", "interceptor");
        Box::pin(async move {
            self.0.fetch_add(1, Ordering::Relaxed);
            next.run(options).await
        })
    }
}

/// A token provider, metadata both ways, interceptors, a log, compression.
pub async fn options(world: &World) -> Outcome {
    let (asked, seen, told) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (token, counter, events) = (world.token.clone(), asked.clone(), told.clone());
    let client = Client::builder(&world.address)
        .ca_file(&world.ca_file)
        .token_provider(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            let token = token.clone();
            async move { Ok(token) }
        })
        .trace_source(|| Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()))
        .interceptor(Counted(seen.clone()))
        .log(move |record| {
            if record.event == LogEvent::Connected {
                events.fetch_add(1, Ordering::Relaxed);
            }
        })
        .compression(true)
        .connect()
        .await?;
    let request = v1::CreateGoalRequest { description: "compressed ".repeat(800), ..goal("Comprimida") };
    let call =
        client.goals().create_goal(request).metadata("hito-echo-a", "ñ").metadata("hito-echo-b-bin", vec![0, 255]);
    let response = call.response().await?;
    assert_eq!(response.metadata.get("hito-echo-a"), Some("ñ"));
    assert_eq!(response.metadata.get_bin("hito-echo-b-bin"), Some(&[0, 255][..]));
    assert_eq!(response.trailers.get("hito-echo-trailer-by"), Some("interceptor"));
    let mut stream = client.progress().watch(v1::WatchRequest::default()).stream();
    stream.message().await?;
    assert_eq!((asked.load(Ordering::Relaxed), seen.load(Ordering::Relaxed)), (1, 2));
    assert!(told.load(Ordering::Relaxed) >= 1);
    Ok(())
}

/// A watch that outlives the server, twice, without loss and without doubles.
pub async fn watch(world: &World) -> Outcome {
    let client = world.connect().await?;
    let from_beginning = Some(v1::watch_request::Start::FromBeginning(true));
    let request = v1::WatchRequest { start: from_beginning, ..Default::default() };
    let breaks = Arc::new(AtomicUsize::new(0));
    let counter = breaks.clone();
    let mut watch = client.watch_resuming(request).on_interruption(move |_| {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    let mut made: HashSet<String> = HashSet::new();
    let mut seen: Vec<String> = Vec::new();
    for round in 0..3 {
        for number in 0..4 {
            let reply = client.goals().create_goal(goal(&format!("Meta {round}.{number}"))).await?;
            made.insert(reply.goal.ok_or("a goal")?.id);
            // The reading of some is left to after the server's end.
            if number % 2 == 0 {
                next_goal(&mut watch, &mut seen).await?;
            }
        }
        if round < 2 {
            ask("kill");
        }
    }
    while seen.len() < made.len() {
        next_goal(&mut watch, &mut seen).await?;
    }
    let distinct: HashSet<String> = seen.iter().cloned().collect();
    assert_eq!((seen.len(), distinct), (made.len(), made));
    assert!(breaks.load(Ordering::Relaxed) >= 2 && watch.interruptions() >= 2 && !watch.cursor().is_empty());
    Ok(())
}

/// The next goal that was made.
async fn next_goal(watch: &mut hito::ResumingWatch, seen: &mut Vec<String>) -> Outcome {
    loop {
        let step = tokio::time::timeout(Duration::from_secs(60), watch.message()).await??.ok_or("a step")?.step;
        if let Some(watch_response::Step::Event(event)) = step {
            if event.r#type == "goal.created" {
                seen.push(event.entity_id);
                return Ok(());
            }
        }
    }
}

/// A server that asks for the certificate of its clients.
pub async fn mutual(world: &World) -> Outcome {
    let client = world
        .builder()
        .client_certificate_files(named("HITO_CLIENT_CERTIFICATE"), named("HITO_CLIENT_KEY"))
        .connect()
        .await?;
    client.goals().list_goals(v1::ListGoalsRequest::default()).await?;
    let strange = world
        .builder()
        .client_certificate_files(named("HITO_STRANGE_CERTIFICATE"), named("HITO_STRANGE_KEY"))
        .connect_timeout(Duration::from_secs(5))
        .connect()
        .await;
    assert_eq!(strange.map(drop).unwrap_err().code(), Code::Unavailable);
    Ok(())
}

/// Many calls at once, of which many are dropped: all places and all credit come back.
pub async fn load(world: &World) -> Outcome {
    let client = world.builder().connections_per_address(2).compression(true).connect().await?;
    let mut tasks = Vec::new();
    for worker in 0..40u64 {
        let client = client.clone();
        tasks.push(tokio::spawn(async move {
            for round in 0..10u64 {
                let size = 64 << ((worker + round) % 12);
                let request = v1::CreateGoalRequest { description: "x".repeat(size.min(9_000)), ..goal("Carga") };
                let call = std::future::IntoFuture::into_future(client.goals().create_goal(request));
                // Some are given up at once, some while they run.
                let patience = Duration::from_millis([0, 3, 10_000, 10_000][((worker * 7 + round) % 4) as usize]);
                if let Ok(result) = tokio::time::timeout(patience, call).await {
                    result?;
                }
                let mut watch = client.progress().watch(v1::WatchRequest::default()).stream();
                if round % 2 == 0 {
                    watch.message().await?;
                }
            }
            Ok::<(), Error>(())
        }));
    }
    for task in tasks {
        task.await??;
    }
    client.goals().list_goals(v1::ListGoalsRequest::default()).await?;
    client.close().await;
    Ok(())
}

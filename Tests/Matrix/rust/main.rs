//! The Rust client in the matrix (Tests/Matrix/README.md): writes, and watches what all write.

use std::collections::HashSet;
use std::error::Error;
use std::time::{Duration, Instant};

use hito::v1::{self, watch_response::Step};
use hito::{Balancing, Client};
use serde_json::{json, Value};
use tokio::sync::watch;

type Outcome<T = ()> = Result<T, Box<dyn Error + Send + Sync>>;

fn say(line: Value) {
    println!("{line}");
}

/// Makes goals and does their tasks, so many writes a second at most.
struct Writer {
    client: Client,
    pause: Duration,
    next: Instant,
}

impl Writer {
    async fn goal(&mut self, key: &str) -> Option<()> {
        let tasks = vec![v1::NewTask { title: key.into(), ..Default::default() }];
        let request = v1::CreateGoalRequest { title: key.into(), tasks, ..Default::default() };
        self.wait().await;
        let reply = done(key, self.client.goals().create_goal(request).idempotency_key(key).await)?;
        wrote(key, "goal.created", &reply.goal.unwrap_or_default().id, reply.receipt);
        let task_id = reply.tasks.into_iter().next()?.id;

        let started = format!("{key}-start");
        let request = v1::StartTaskRequest { task_id: task_id.clone(), ..Default::default() };
        self.wait().await;
        let reply = done(&started, self.client.tasks().start_task(request).idempotency_key(&started).await)?;
        wrote(&started, "task.started", &task_id, reply.receipt);

        let completed = format!("{key}-complete");
        let request = v1::CompleteTaskRequest { task_id: task_id.clone(), ..Default::default() };
        self.wait().await;
        let reply = done(&completed, self.client.tasks().complete_task(request).idempotency_key(&completed).await)?;
        wrote(&completed, "task.completed", &task_id, reply.receipt);
        Some(())
    }

    async fn wait(&mut self) {
        self.next = self.next.max(Instant::now());
        tokio::time::sleep_until(self.next.into()).await;
        self.next += self.pause;
    }
}

fn done<T>(key: &str, reply: Result<T, hito::Error>) -> Option<T> {
    reply.map_err(|error| say(json!({"failed": error.code().name(), "key": key}))).ok()
}

fn wrote(key: &str, kind: &str, entity: &str, receipt: Option<v1::WriteReceipt>) {
    let v1::WriteReceipt { cursor, replayed } = receipt.unwrap_or_default();
    say(json!({"wrote": {"entity": entity, "kind": kind, "key": key, "cursor": cursor, "replayed": replayed}}));
}

/// Until the cursor that is wanted was seen; how often it was interrupted.
async fn follow(client: Client, mut wanted: watch::Receiver<String>) -> Outcome<u64> {
    let start = Some(v1::watch_request::Start::FromBeginning(true));
    let mut watch = client.watch_resuming(v1::WatchRequest { start, ..Default::default() });
    let mut seen = HashSet::new();
    while !seen.contains(wanted.borrow().as_str()) {
        tokio::select! {
            step = watch.message() => {
                let response = step?.ok_or("the watch ended")?;
                if let Some(Step::Event(event)) = response.step {
                    say(json!({"saw": {
                        "cursor": response.cursor, "event": event.id, "entity": event.entity_id,
                        "version": event.version, "type": event.r#type,
                    }}));
                    seen.insert(response.cursor);
                }
            }
            changed = wanted.changed() => changed?,
        }
    }
    Ok(watch.interruptions())
}

#[tokio::main(flavor = "multi_thread", worker_threads = 1)]
async fn main() -> Outcome {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [addresses, ca_file, token_file, seconds, name, balancing, rate] = &arguments[..] else {
        return Err("ADDRESSES CA_FILE TOKEN_FILE SECONDS NAME BALANCING RATE".into());
    };
    let is_in_turn = balancing == "round_robin";
    let client = Client::builder(addresses.as_str())
        .ca_file(ca_file)
        .token(std::fs::read_to_string(token_file)?.trim())
        .balancing(if is_in_turn { Balancing::RoundRobin } else { Balancing::PickFirst })
        .wait_for_connect(true)
        .connect()
        .await?;
    let (want, wanted) = watch::channel(String::new());
    let following = tokio::spawn(follow(client.clone(), wanted));
    let pause = Duration::from_secs_f64(1.0 / rate.parse::<f64>()?);
    let mut writer = Writer { client: client.clone(), pause, next: Instant::now() };
    let end = Instant::now() + Duration::from_secs_f64(seconds.parse()?);
    let mut number = 0;
    while Instant::now() < end {
        number += 1;
        // What failed has been said.
        let _ = writer.goal(&format!("{name}-{number}")).await;
    }
    say(json!({"written": true}));
    let line = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).map(|_| line)
    });
    want.send(line.await??.trim().to_owned())?;
    let interruptions = following.await??;
    say(json!({"done": true, "interruptions": interruptions}));
    client.close().await;
    Ok(())
}

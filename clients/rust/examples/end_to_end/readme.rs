//! The code of README.md, which tests/end_to_end.py compares with this, in the order of the page.

use std::time::Duration;

use hito::v1;
use hito::Code;

pub async fn run(address: &str, ca_file: &str, token: &str) -> Result<(), Box<dyn std::error::Error>> {
    let client = hito::Client::builder(address) // or several: "a:7443,b:7443"
        .ca_file(ca_file) // <data-dir>/tls/ca.pem of a development server
        .token(token) // from `hito token create`
        .connect()
        .await?;

    let given = token.to_owned();
    let sign_in = move || {
        let token = given.clone();
        async move { Ok::<_, hito::Error>(token) }
    };
    let renewing = hito::Client::builder(address)
        .ca_file(ca_file)
        .token_provider(move || {
            let token = sign_in(); // whatever makes a token
            async move { Ok(hito::Token::new(token.await?).valid_for(Duration::from_secs(3600))) }
        })
        .log(hito::log_to("hito")) // the crate `log`; or a function of a `&LogRecord`
        .connect()
        .await?;
    renewing.goals().list_goals(v1::ListGoalsRequest::default()).await?;

    // A goal with its first tasks
    let task = |title: &str| v1::NewTask { title: title.into(), ..Default::default() };
    let made = client
        .goals()
        .create_goal(v1::CreateGoalRequest {
            title: "Aprender Rust".into(),
            tasks: vec![task("Propiedad"), task("Concurrencia")],
            ..Default::default()
        })
        .await?;

    // Complete a task; the goal follows
    let task_id = made.tasks[0].id.clone();
    let done = client.tasks().complete_task(v1::CompleteTaskRequest { task_id, ..Default::default() }).await?;
    println!("# {:?}", done.goal.map(|goal| goal.progress_percentage)); // Some(50.0)

    // Read what was just written, on any replica
    let min_cursor = done.receipt.map(|receipt| receipt.cursor).unwrap_or_default();
    let listed = client
        .goals()
        .list_goals(v1::ListGoalsRequest { min_cursor, ..Default::default() })
        .timeout(Duration::from_secs(5))
        .metadata("hito-echo-a", "x")
        .response()
        .await?;
    println!("# {} {:?}", listed.message.goals.len(), listed.metadata.get("hito-echo-a"));

    // Watch, through broken connections and restarted servers
    let start = Some(v1::watch_request::Start::FromBeginning(true));
    let mut watch = client.watch_resuming(v1::WatchRequest { start, ..Default::default() });
    while let Some(response) = watch.message().await? {
        match response.step {
            Some(v1::watch_response::Step::Event(event)) => println!("# {} {}", event.r#type, event.payload_json),
            _ => break, // the past is read
        }
    }

    match client.goals().create_goal(v1::CreateGoalRequest::default()).await {
        Ok(_) => println!("# a goal without a title?"),
        Err(error) if error.code() == Code::InvalidArgument => {
            for violation in &error.details().field_violations {
                println!("# {}: {}", violation.field, violation.description);
            }
        }
        Err(error) => return Err(error.into()),
    }

    let mut stream = client.health().watch(v1::HealthWatchRequest::default()).stream();
    if let Some(said) = stream.message().await? {
        println!("# {:?}", said.status());
    }
    drop(stream); // cancels the call
    Ok(())
}

/// With a group `rust-mailer`, and events that come.
pub async fn consume(client: &hito::Client) -> Result<(), Box<dyn std::error::Error>> {
    let mut consumer = client.consume_resuming("rust-mailer").start()?;
    if let Some(mut delivery) = consumer.delivery().await? {
        println!("# {}", delivery.event.r#type);
        delivery.ack().await;
    }
    consumer.close().await;
    Ok(())
}

//! Consumers of a group that outlive the server.

use std::collections::HashSet;
use std::time::Duration;

use hito::{v1, Client, Consumer, Delivery};
use tokio::time::timeout;

use crate::scenarios::goal;
use crate::{ask, readme, World};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

/// Every event comes, also those that were made while the server was gone or held when it ended.
pub async fn outlive(world: &World) -> Outcome<()> {
    let client = world.connect_admin().await?;
    make_group(&client, "rust-mailer").await?;
    client.goals().create_goal(goal("Primera")).await?;
    readme::consume(&client).await?;

    make_group(&client, "rust-work").await?;
    let mut consumer = client.consume_resuming("rust-work").name("worker").buffer_size(2).start()?;
    let mut left = HashSet::new();
    for number in 0..3 {
        let made = client.goals().create_goal(goal(&format!("Trabajo {number}"))).await?;
        left.insert(made.goal.ok_or("a goal")?.id);
    }
    let mut held = next(&mut consumer).await?;
    assert!(held.is_held() && held.extend().await);
    assert_eq!(consumer.name(), "worker");
    ask("kill");
    // What was held comes again.
    while !left.is_empty() {
        let mut delivery = next(&mut consumer).await?;
        let id = delivery.event.entity_id.clone();
        if left.contains(&id) && delivery.attempt == 1 && left.len() == 2 {
            assert!(delivery.retry(Some(Duration::from_millis(10)), "again").await);
            continue;
        }
        assert!(delivery.ack().await, "{delivery:?}");
        left.remove(&id);
    }
    assert!(!held.is_held() && !held.ack().await);
    assert!(consumer.interruptions() >= 1);
    timeout(Duration::from_secs(5), consumer.close()).await?;
    Ok(())
}

async fn make_group(client: &Client, name: &str) -> Outcome<()> {
    let filter = v1::EventFilter { types: vec!["goal.created".into()], ..Default::default() };
    let group = v1::ConsumerGroup { name: name.into(), filter: Some(filter), ..Default::default() };
    client
        .events()
        .create_consumer_group(v1::CreateConsumerGroupRequest { group: Some(group), ..Default::default() })
        .await?;
    Ok(())
}

async fn next(consumer: &mut Consumer) -> Outcome<Delivery> {
    Ok(timeout(Duration::from_secs(60), consumer.delivery()).await??.ok_or("an event")?)
}

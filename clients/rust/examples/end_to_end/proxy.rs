//! A connection that is lost between a call and its reply.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::scenarios::goal;
use crate::World;

/// A write whose reply is lost is sent again under the same key: the server says that it was done before.
pub async fn retry(world: &World) -> Result<(), Box<dyn std::error::Error>> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let cuts = Arc::new(AtomicBool::new(false));
    tokio::spawn(serve(listener, world.address.clone(), cuts.clone()));
    let client = hito::Client::builder(address).ca_file(&world.ca_file).token(&world.token).connect().await?;
    client.goals().create_goal(goal("Antes")).await?;
    cuts.store(true, Ordering::SeqCst);
    let reply = client.goals().create_goal(goal("Una vez")).await?;
    assert!(!cuts.load(Ordering::SeqCst), "the reply was cut");
    assert!(reply.receipt.is_some_and(|receipt| receipt.replayed), "the repeat had the key of the first");
    let listed = client.goals().list_goals(Default::default()).await?;
    assert_eq!(listed.goals.iter().filter(|goal| goal.title == "Una vez").count(), 1);
    Ok(())
}

async fn serve(listener: TcpListener, server: String, cuts: Arc<AtomicBool>) {
    while let Ok((client, _)) = listener.accept().await {
        if let Ok(upstream) = TcpStream::connect(&server).await {
            tokio::spawn(forward(client, upstream, cuts.clone()));
        }
    }
}

/// Passes bytes on. Where it is to cut, the first that the server says is thrown away, and the connection with it.
async fn forward(client: TcpStream, server: TcpStream, cuts: Arc<AtomicBool>) {
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let up = tokio::spawn(async move {
        let mut buffer = [0; 16384];
        while let Ok(size @ 1..) = from_client.read(&mut buffer).await {
            if to_server.write_all(&buffer[..size]).await.is_err() {
                return;
            }
        }
    });
    let mut buffer = [0; 16384];
    while let Ok(size @ 1..) = from_server.read(&mut buffer).await {
        if cuts.swap(false, Ordering::SeqCst) {
            // The server has committed, or does so within this.
            tokio::time::sleep(Duration::from_millis(300)).await;
            break;
        }
        if to_client.write_all(&buffer[..size]).await.is_err() {
            break;
        }
    }
    up.abort();
}

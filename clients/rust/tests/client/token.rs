//! Tokens that are made anew while a client lives (clients/BEHAVIOUR.md, C5.8).

use std::error::Error as StdError;
use std::future::IntoFuture;
use std::time::Duration;

use hito::{v1, Client, ClientBuilder, Code, Error, Hedging, Token};
use tokio::time::{sleep, timeout};

use crate::fake_server::{FakeServer, UNAUTHENTICATED};
use crate::provider::{connect, gate, tokens, Provider};

async fn get(client: &Client) -> Result<v1::GetGoalResponse, Error> {
    client.goals().get_goal(v1::GetGoalRequest::default()).await
}

/// Twenty calls at once.
async fn get_many(client: &Client) {
    let calls: Vec<_> = (0..20)
        .map(|_| {
            let client = client.clone();
            tokio::spawn(async move { get(&client).await })
        })
        .collect();
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn the_first_calls_share_one_question() {
    let provider = Provider::slow(["a"], 100);
    let (server, _) = gate("a").await;
    let client = connect(&server, &provider).await;
    assert_eq!(provider.asked(), 0, "connecting needs none");
    get_many(&client).await;
    get(&client).await.unwrap();
    assert_eq!(provider.asked(), 1);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_refused_token_is_replaced_and_the_call_repeated_under_the_same_key() {
    let provider = Provider::new(["old", "new"]);
    let (server, seen) = gate("new").await;
    let client = connect(&server, &provider).await;
    client.goals().create_goal(v1::CreateGoalRequest::default()).await.unwrap();
    assert_eq!(tokens(&seen), ["old", "new"]);
    let keys: Vec<_> = seen.lock().unwrap().iter().map(|(_, key)| key.clone()).collect();
    assert!(keys[0].is_some() && keys[0] == keys[1]);
    get(&client).await.unwrap();
    assert_eq!(provider.asked(), 2);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn calls_that_are_refused_together_share_the_question() {
    let provider = Provider::slow(["old", "new"], 50);
    let (server, _) = gate("new").await;
    let client = connect(&server, &provider).await;
    get_many(&client).await;
    assert_eq!(provider.asked(), 2);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_second_refusal_is_the_callers_and_providers_are_not_stormed() {
    let provider = Provider::answering((0..1000).map(|number| Ok(Token::new(format!("bad-{number}")))), 0);
    let (server, seen) = gate("good").await;
    let client = connect(&server, &provider).await;
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.code(), error.is_from_server()), (Code::Unauthenticated, true));
    assert_eq!(tokens(&seen), ["bad-0", "bad-1"]);
    for _ in 0..200 {
        assert_eq!(get(&client).await.unwrap_err().code(), Code::Unauthenticated);
    }
    assert!(provider.asked() < 30 && seen.lock().unwrap().len() < 30);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_call_is_repeated_once_also_where_no_provider_rests() {
    let server = FakeServer::play(|mut peer| async move {
        peer.greet().await;
        for (token, is_taken) in [("a", true), ("a", false), ("b", false), ("c", true)] {
            let (stream, fields) = peer.call().await;
            assert_eq!(fields.token().as_deref(), Some(token));
            match is_taken {
                true => peer.reply(stream).await,
                false => peer.fail(stream, UNAUTHENTICATED, "no").await,
            }
        }
        peer.at_end().await;
    })
    .await;
    let client = connect(&server, &Provider::new(["a", "b", "c"])).await;
    get(&client).await.unwrap();
    assert_eq!(get(&client).await.unwrap_err().code(), Code::Unauthenticated);
    get(&client).await.unwrap();
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn the_same_token_again_is_the_servers_error() {
    let (server, seen) = gate("good").await;
    let client = connect(&server, &Provider::new(["bad"])).await;
    let error = get(&client).await.unwrap_err();
    assert!(error.is_from_server() && tokens(&seen) == ["bad"]);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_provider_that_fails_ends_the_call_before_it_begins() {
    let long: &'static str = Box::leak("x".repeat(257).into_boxed_str());
    let useless = [Ok("".into()), Ok(long.into()), Ok("a\0b".into()), Ok(Token::new("a").valid_for(Duration::ZERO))];
    let (server, seen) = gate("good").await;
    for answer in useless.into_iter().chain([Err("the secret is s3cret")]) {
        let provider = Provider::answering([answer.clone()], 0);
        let client = connect(&server, &provider).await;
        let error = client.goals().create_goal(v1::CreateGoalRequest::default()).await.unwrap_err();
        assert_eq!((error.code(), error.is_from_server()), (Code::Unauthenticated, false));
        assert!(error.is_not_started() && !format!("{error} {error:?}").contains("s3cret"));
        assert_eq!(error.source().map(ToString::to_string), answer.err().map(str::to_owned));
        let asked = provider.asked();
        for _ in 0..50 {
            get(&client).await.unwrap_err();
        }
        assert!(provider.asked() - asked < 15, "it rests");
        assert_eq!(tokens(&seen), [""; 0]);
        client.close().await;
    }
    server.finish().await;
}

#[tokio::test]
async fn a_provider_that_works_again_is_asked_after_its_rest() {
    let provider = Provider::answering([Err("gone"), Err("gone"), Ok("good".into())], 0);
    let (server, _) = gate("good").await;
    let client = connect(&server, &provider).await;
    let mut failures = 0;
    while get(&client).await.is_err() {
        failures += 1;
        sleep(Duration::from_millis(10)).await;
    }
    assert!(failures >= 2 && provider.asked() == 3);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_provider_that_panics_has_failed() {
    let (server, _) = gate("good").await;
    // Without the usual print of a panic, which is meant here.
    let builder = server.builder().token_provider(|| async {
        if Duration::ZERO.is_zero() {
            std::panic::resume_unwind(Box::new("broken"));
        }
        Ok("never")
    });
    let client = builder.connect().await.unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.code(), error.message()), (Code::Unauthenticated, "the token provider panicked"));
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_provider_that_fails_behind_a_refusal_leaves_the_servers_error() {
    let provider = Provider::answering([Ok("bad".into()), Err("gone")], 0);
    let (server, _) = gate("good").await;
    let client = connect(&server, &provider).await;
    let error = get(&client).await.unwrap_err();
    assert_eq!((error.message(), error.is_from_server()), ("no such token", true));
    assert_eq!(error.source().map(ToString::to_string), Some("gone".into()));
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_provider_has_its_time() {
    let (server, _) = gate("late").await;
    let builder = server.builder().token_provider(Provider::slow(["late"], 5_000).function());
    let client = builder.token_timeout(Duration::from_millis(100)).connect().await.unwrap();
    let error = get(&client).await.unwrap_err();
    assert_eq!(error.message(), "the token provider did not answer in time");
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_call_waits_for_a_token_within_its_own_time_and_leaves_the_question() {
    let provider = Provider::slow(["a"], 1_000);
    let (server, _) = gate("a").await;
    let client = connect(&server, &provider).await;
    let short = client.goals().get_goal(v1::GetGoalRequest::default()).timeout(Duration::from_millis(100));
    let error = short.await.unwrap_err();
    assert!(error.code() == Code::DeadlineExceeded && error.is_not_started());
    assert!(timeout(Duration::from_millis(50), get(&client)).await.is_err(), "dropped while it waits");
    get(&client).await.unwrap();
    assert_eq!(provider.asked(), 1);
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_token_that_has_ended_is_not_used() {
    let short = Token::new("a").valid_for(Duration::from_millis(500));
    let provider = Provider::answering([Ok(short), Err("gone")], 0);
    let (server, seen) = gate("a").await;
    let client = connect(&server, &provider).await;
    get(&client).await.unwrap();
    sleep(Duration::from_millis(600)).await;
    let error = get(&client).await.unwrap_err();
    assert!(!error.is_from_server() && error.is_not_started());
    assert_eq!((provider.asked(), tokens(&seen)), (2, vec!["a".to_owned()]));
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_token_of_a_call_is_its_own() {
    let provider = Provider::new(["good"]);
    let (server, seen) = gate("good").await;
    let client = connect(&server, &provider).await;
    let error = client.goals().get_goal(v1::GetGoalRequest::default()).token("mine").await.unwrap_err();
    assert_eq!(error.code(), Code::Unauthenticated);
    assert_eq!((provider.asked(), tokens(&seen)), (0, vec!["mine".to_owned()]));
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn the_question_of_health_has_no_token() {
    let provider = Provider::new(["good"]);
    let (server, seen) = gate("good").await;
    let builder = server.builder().token_provider(provider.function()).health_check(true);
    let client = builder.connect().await.unwrap();
    get(&client).await.unwrap();
    while seen.lock().unwrap().len() < 2 {
        sleep(Duration::from_millis(10)).await;
    }
    let mut all = tokens(&seen);
    all.sort_unstable();
    assert_eq!((all, provider.asked()), (vec![String::new(), "good".to_owned()], 1));
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn copies_have_the_token_of_their_attempt() {
    let server = FakeServer::play(|mut peer| async move {
        peer.greet().await;
        let (_, first) = peer.call().await;
        let (copy, second) = peer.call().await;
        assert_eq!((first.token(), second.token()), (Some("a".into()), Some("a".into())));
        peer.reply(copy).await;
        peer.at_end().await;
    })
    .await;
    let client = connect(&server, &Provider::new(["a", "b"])).await;
    let call = client.goals().get_goal(v1::GetGoalRequest::default());
    call.hedging(Hedging::after(Duration::from_millis(20))).await.unwrap();
    client.close().await;
    server.finish().await;
}

#[tokio::test]
async fn a_token_and_a_provider_are_one_too_many() {
    let builder: ClientBuilder = Client::builder("127.0.0.1:1").token("a").token_provider(|| async { Ok("b") });
    assert_eq!(builder.connect().await.map(drop).unwrap_err().code(), Code::InvalidArgument);
}

#[tokio::test]
async fn closing_ends_the_question() {
    let provider = Provider::slow(["a"], 30_000);
    let (server, _) = gate("a").await;
    let client = connect(&server, &provider).await;
    let call = tokio::spawn(client.goals().get_goal(v1::GetGoalRequest::default()).into_future());
    while provider.asked() == 0 {
        sleep(Duration::from_millis(10)).await;
    }
    client.close().await;
    let error = timeout(Duration::from_secs(5), call).await.unwrap().unwrap().unwrap_err();
    assert!(error.code() == Code::Cancelled && error.is_not_started());
    assert_eq!(get(&client).await.unwrap_err().code(), Code::Cancelled);
    assert_eq!(provider.asked(), 1);
    server.finish().await;
}

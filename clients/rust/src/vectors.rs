//! The golden messages of Tests/Vectors: what official protobuf wrote is read and written, what it refuses is refused.

use prost::Message;
use serde_json::Value;

use crate::v1;

// With its stubs, which are compiled so: they have methods that the contract has none like.
#[rustfmt::skip]
#[allow(dead_code, unused_imports)]
#[path = "../tests/fixture/fixture/v1/mod.rs"]
mod fixture;

fn vectors() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../Tests/Vectors/messages/vectors.json");
    let file: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|place| u8::from_str_radix(&text[place..place + 2], 16).unwrap()).collect()
}

/// What we write for the message that the bytes are.
fn rewritten<M: Message + Default>(bytes: &[u8]) -> Result<Vec<u8>, String> {
    M::decode(bytes).map(|message| message.encode_to_vec()).map_err(|error| error.to_string())
}

fn rewritten_as(kind: &str, bytes: &[u8]) -> Result<Vec<u8>, String> {
    match kind {
        "fixture.v1.Choices" => rewritten::<fixture::Choices>(bytes),
        "fixture.v1.Scalars" => rewritten::<fixture::Scalars>(bytes),
        "fixture.v1.Lists" => rewritten::<fixture::Lists>(bytes),
        "fixture.v1.Maps" => rewritten::<fixture::Maps>(bytes),
        "fixture.v1.Tree" => rewritten::<fixture::Tree>(bytes),
        "fixture.v1.Leaf" => rewritten::<fixture::Leaf>(bytes),
        "fixture.v1.Names" => rewritten::<fixture::Names>(bytes),
        other => panic!("{other} is not in the fixture"),
    }
}

/// What prost accepts: rules of Hito's server alone, which official protobuf does not have either.
const RULES_OF_THE_SERVER: [&str; 2] = ["text contains NUL", "a singular message field occurs twice"];
/// What prost accepts as proto2 does (a group that nobody knows is skipped), or reads more leniently.
const LENIENT: [&str; 2] = ["group", "length of six bytes"];

fn is_same_map(one: &[u8], other: &[u8]) -> bool {
    fixture::Maps::decode(one).unwrap() == fixture::Maps::decode(other).unwrap()
}

#[test]
fn golden_messages_are_read_and_written() {
    let mut wrong = Vec::new();
    for vector in vectors().iter().filter(|vector| vector.get("reason").is_none()) {
        let text = |name: &str| vector[name].as_str();
        let name = text("name").unwrap();
        let bytes = unhex(text("bytes").unwrap());
        let expected = text("reencoded").map_or_else(|| bytes.clone(), unhex);
        match rewritten_as(text("type").unwrap(), &bytes) {
            Ok(written) if written == expected => {}
            // prost leaves out the value of an entry where that is empty: it reads as the same map.
            Ok(written) if Some("fixture.v1.Maps") == text("type") && is_same_map(&written, &expected) => {}
            result => wrong.push(format!("{} {name}: {result:?} instead of {expected:?}", text("type").unwrap())),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn damaged_messages_are_refused() {
    let mut accepted = Vec::new();
    for vector in vectors().iter().filter(|vector| vector.get("reason").is_some()) {
        let text = |name: &str| vector[name].as_str().unwrap();
        if RULES_OF_THE_SERVER.contains(&text("reason")) || LENIENT.contains(&text("name")) {
            continue;
        }
        if rewritten_as(text("type"), &unhex(text("bytes"))).is_ok() {
            accepted.push(format!("{} {} ({})", text("type"), text("name"), text("reason")));
        }
    }
    assert!(accepted.is_empty(), "{} accepted:\n{}", accepted.len(), accepted.join("\n"));
}

#[test]
fn messages_within_messages_have_a_depth() {
    // A list of messages of unknown groups, deeper than anybody writes.
    let deep: Vec<u8> = std::iter::repeat(0x0b).take(10_000).collect();
    assert!(v1::Goal::decode(deep.as_slice()).is_err());
}

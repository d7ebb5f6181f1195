//! bench ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT: Hito's client for Rust, on a runtime of one thread.

use std::cell::Cell;
use std::error::Error;
use std::rc::Rc;
use std::time::{Duration, Instant};

use hito::v1::HealthCheckRequest;

const WARM_UP: Duration = Duration::from_secs(1);

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, ca_file, token_file, seconds, in_flight] = arguments.as_slice() else {
        return Err("ADDRESS CA_FILE TOKEN_FILE SECONDS IN_FLIGHT".into());
    };
    let token = std::fs::read_to_string(token_file)?;
    let client = hito::Client::builder(address.clone()).ca_file(ca_file.clone()).token(token.trim()).connect().await?;
    let count = Rc::new(Cell::new(0_u64));
    let callers = tokio::task::LocalSet::new();
    for _ in 0..in_flight.parse()? {
        callers.spawn_local(call(client.clone(), count.clone()));
    }
    callers.run_until(measure(&count, Duration::from_secs_f64(seconds.parse()?))).await
}

async fn call(client: hito::Client, count: Rc<Cell<u64>>) {
    loop {
        let request = HealthCheckRequest::default();
        if let Err(error) = client.health().check(request).timeout(Duration::from_secs(30)).await {
            eprintln!("{error}");
            std::process::exit(1);
        }
        count.set(count.get() + 1);
    }
}

async fn measure(count: &Cell<u64>, duration: Duration) -> Result<(), Box<dyn Error>> {
    tokio::time::sleep(WARM_UP).await;
    let (calls, began, cpu) = (count.get(), Instant::now(), process_time()?);
    tokio::time::sleep(duration).await;
    let (calls, seconds) = (count.get() - calls, began.elapsed().as_secs_f64());
    let cpu = (process_time()? - cpu).as_secs_f64() * 1e6 / calls as f64;
    println!("{{\"calls\": {calls}, \"seconds\": {seconds}, \"cpu_us_per_call\": {cpu}}}");
    Ok(())
}

/// Of all threads, by the kernel's account: the standard library has no getrusage.
fn process_time() -> Result<Duration, Box<dyn Error>> {
    let mut nanoseconds = 0;
    for thread in std::fs::read_dir("/proc/self/task")? {
        let times = std::fs::read_to_string(thread?.path().join("schedstat"))?;
        nanoseconds += times.split(' ').next().unwrap_or_default().parse::<u64>()?;
    }
    Ok(Duration::from_nanos(nanoseconds))
}

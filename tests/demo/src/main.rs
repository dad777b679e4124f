//! `demo`: a real server, and real calls of every scheme through every adapter. `demo --serve ADDR`: the server alone.

use demo::{
    accounts, aws, callers, digest, documents, oauth2,
    print::{self, Colour},
    ready, rotation, sender,
    server::Running,
    storms, symphony, table, webhooks,
};
use std::{net::SocketAddr, process::ExitCode};

const USAGE: &str = "demo [--serve ADDR [--json]]

Starts a server on loopback with one path for each scheme, and calls it with good, wrong, missing,
doubled and malformed credentials through every adapter; then sends messages under sessions that end midway, and
replaces a service key and a JWT credential while clients call all the time. The last act walks the documents of the
platforms, step by step. Fails if any line is not as it should be.

  --serve ADDR  keep the server up at ADDR (127.0.0.1:8080), print its paths with calls that the installed curl can make,
                and tell what is refused
  --json        print paths and accounts as one JSON document";

#[tokio::main]
async fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments.as_slice() {
        [] => demo().await,
        ["--help" | "-h"] => {
            println!("{USAGE}");
            Ok(ExitCode::SUCCESS)
        }
        ["--serve", address] => serve(address, Form::Text).await,
        ["--serve", address, "--json"] | ["--json", "--serve", address] => {
            serve(address, Form::Json).await
        }
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    outcome.unwrap_or_else(|error| {
        eprintln!("demo: {error}");
        ExitCode::FAILURE
    })
}

async fn demo() -> Result<ExitCode, String> {
    let colour = Colour::of_stdout();
    let server = Running::start(SocketAddr::from(([127, 0, 0, 1], 0))).await?;
    println!(
        "A server at {}, one path for each scheme; every call is a real request.\n",
        server.base()
    );
    print::head(colour);
    let (mut total, mut wrong) = (0, 0);
    let callers = callers::Callers::new().map_err(|error| error.to_string())?;
    let all = table::all().map_err(|error| error.to_string())?;
    for path in accounts::PATHS {
        let mut lines = Vec::new();
        for call in all.iter().filter(|call| call.path == path.path) {
            lines.extend(call.run(&callers, &server).await?);
        }
        if digest::PATHS.iter().any(|known| known.0 == path.path) {
            lines.extend(digest::run(path.path, &callers, &server).await?);
        }
        if path.path == aws::PATH {
            lines.extend(aws::run(&callers, &server).await?);
        }
        if path.path == oauth2::PATH {
            lines.extend(oauth2::run(&callers, &server).await?);
        }
        if path.path == storms::PATH {
            lines.extend(storms::run(&callers, &server).await?);
        }
        print::lines(&format!("{}  {}", path.path, path.scheme), &lines, colour);
        total += lines.len();
        wrong += lines.iter().filter(|line| line.instead_of.is_some()).count();
    }
    for (path, platform, lines) in [
        (sender::PATH, "Infobip, emulated: IBSSO", sender::run(&callers).await?),
        (symphony::PATH, "Symphony, emulated: a bot and its app", symphony::run(&callers).await?),
        (webhooks::PATH, "outbound webhooks: the six authorizations", webhooks::run().await?),
    ] {
        print::lines(&format!("{path}  {platform}"), &lines, colour);
        total += lines.len();
        wrong += lines.iter().filter(|line| line.instead_of.is_some()).count();
    }
    for rotation in rotation::run().await? {
        print::rotation(&rotation, colour);
        total += 1;
        wrong += usize::from(!rotation.is_right());
    }
    println!("\n  {}", colour.bold("The documents of the platforms, step by step"));
    for document in &documents::DOCUMENTS {
        let lines = document.run().await?;
        print::lines(document.name, &lines, colour);
        total += lines.len();
        wrong += lines.iter().filter(|line| line.instead_of.is_some()).count();
    }
    let verdict = format!("{total} calls, {wrong} not as they should be");
    println!("\n{}", if wrong == 0 { colour.green(&verdict) } else { colour.red(&verdict) });
    Ok(ExitCode::from(u8::from(wrong > 0)))
}

enum Form {
    Text,
    Json,
}

async fn serve(address: &str, form: Form) -> Result<ExitCode, String> {
    let address = address
        .parse()
        .map_err(|_| format!("{address} is no address, expected one as 127.0.0.1:8080"))?;
    let server = Running::start_telling(address).await?;
    let calls = ready::calls(&server.base()).await?;
    match form {
        Form::Json => println!("{:#}", accounts::document(&server.base(), &calls)),
        Form::Text => {
            println!(
                "Serving at {}; stop with Ctrl-C. The accounts are throw-away, tokens end within minutes, and refusals are told \
                 here.\n",
                server.base()
            );
            for ready::Ready { path, curl } in &calls {
                println!("{}\n  {}\n  accepts {}", path.path, path.scheme, path.accepts);
                match curl {
                    Ok(call) => println!("  {call}\n"),
                    Err(why) => println!("  no call to try: {why}\n"),
                }
            }
        }
    }
    std::future::pending().await
}

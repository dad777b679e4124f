//! Four processes that share one refresh token through a store of files, and are killed at every step of a refresh.

mod child;
mod steps;

use crate::{
    double::{CONFIDENTIAL, Double, PreviousToken, REDIRECT_URI, SECRET},
    flows,
    ours::{registration, text},
    recording::Arrived,
};
use auth_core::{Context, KeyHasher, Secret, SystemClock};
use auth_local::FileTokenStore;
use auth_oauth2::{
    AuthorizationCode, ClientAuthentication, ConnectionId, OAuthConnection, OAuthToken, TenantId,
    TokenStore,
};
use conformance::{Compared, Outcome, Settings, broken, compare, ran};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;

pub use child::run_if_asked;
pub use steps::Step;

/// What a process has to know of the token that it shares.
#[derive(Clone, Deserialize, Serialize)]
pub struct Shared {
    /// The folder of the store, and of the file that ends all processes.
    pub folder: PathBuf,
    pub token_endpoint: String,
    pub client_id: String,
    pub secret: String,
    /// Where this process kills itself, and at which passage.
    pub kill_at: Option<(Step, u32)>,
}

/// The environment variable that makes a process one of the four.
const ASKED: &str = "CONFORMANCE_REFRESHING_PROCESS";

/// A run that takes longer has failed.
const LONGEST: Duration = Duration::from_secs(180);

impl Shared {
    pub fn connection<K: TokenStore + 'static>(
        &self,
        store: K,
        context: Context,
    ) -> Result<OAuthConnection<AuthorizationCode, K>, String> {
        let client =
            ClientAuthentication::client_secret_basic(&self.client_id, self.secret.as_str());
        let registration = registration(&self.token_endpoint, client)?;
        let grant =
            AuthorizationCode::new(registration, "http://127.0.0.1:9/authorize", REDIRECT_URI);
        let hasher = KeyHasher::new(&Secret::new([7; 32])).map_err(text)?;
        let connection = ConnectionId::new(TenantId::new("acme"), "crm").on_behalf_of("alice");
        Ok(OAuthConnection::new(grant.map_err(text)?, store, &hasher, &connection, context))
    }

    pub fn store(&self) -> Result<FileTokenStore, String> {
        FileTokenStore::open(&self.folder.join("tokens"), SystemClock).map_err(text)
    }

    pub fn is_over(&self) -> bool {
        self.folder.join("over").exists()
    }

    fn end(&self) -> Result<(), String> {
        fs::write(self.folder.join("over"), "").map_err(text)
    }

    fn start(&self, kill_at: Option<(Step, u32)>) -> Result<Child, String> {
        let asked = serde_json::to_string(&Self { kill_at, ..self.clone() }).map_err(text)?;
        let program = std::env::current_exe().map_err(text)?;
        let mut command = Command::new(program);
        let command = command.env(ASKED, asked).stdin(Stdio::null()).stdout(Stdio::piped());
        command.spawn().map_err(text)
    }
}

/// At our double, which takes the token before once more, and at one that ends the family.
pub fn cases(settings: &Settings) -> Outcome {
    let run = || {
        let runtime = Runtime::new().map_err(text)?;
        let mut cases = vec![compare(
            "a-thousand-refreshes",
            "a thousand refreshes, 7 processes killed, no token came three times, the family lives",
            runtime.block_on(a_thousand(settings)).unwrap_or_else(|why| why),
        )];
        for step in Step::ALL {
            let came = match step {
                Step::Answered => "1 token came twice, then nothing came",
                _ => "each token came once",
            };
            let expected = format!("{}, {came}", expected(step));
            let id = format!("strict-killed-{}", step.name());
            let said = runtime.block_on(strict(settings, step)).unwrap_or_else(|why| why);
            cases.push(compare(id, expected, said));
        }
        Ok::<Vec<Compared>, String>(cases)
    };
    run().map_or_else(broken, ran)
}

/// A thousand refreshes, with one of the four killed at each step in turn.
async fn a_thousand(settings: &Settings) -> Result<String, String> {
    let at = AtDouble::begin(settings, "lenient", PreviousToken::TakenOnceMore).await?;
    let run = &at.run;
    let (mut came, mut killed) = (HashMap::new(), 0_usize);
    let mut victims = Step::ALL.into_iter();
    let mut processes = Vec::new();
    for _ in 0..3 {
        processes.push(run.shared.start(None)?);
    }
    let mut victim = run.shared.start(victims.next().map(|step| (step, 5)))?;
    // Both: the processes may be done with a thousand before the last one has come to its step.
    while count(&mut came, &at.double) < 1000 || killed < Step::ALL.len() {
        run.check_time()?;
        if let Some(status) = victim.try_wait().map_err(text)? {
            if status.code().is_some() {
                return Err(format!("a process ended by itself: {}", said(&mut victim)?));
            }
            killed += 1;
            victim = run.shared.start(victims.next().map(|step| (step, 5)))?;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    processes.push(victim);
    let ended = run.finish(processes).await?;
    if ended.iter().any(|said| said != "over") {
        return Err(format!("processes ended with {ended:?}"));
    }
    let thrice = came.values().filter(|times| **times > 2).count();
    let thrice = if thrice == 0 { "no token".into() } else { format!("{thrice} tokens") };
    let thrice = format!("{thrice} came three times, {}", run.lives().await?);
    Ok(format!("a thousand refreshes, {killed} processes killed, {thrice}"))
}

/// One process is killed at this step; the server ends the family when a token comes twice.
async fn strict(settings: &Settings, step: Step) -> Result<String, String> {
    let name = format!("strict-{}", step.name());
    let at = AtDouble::begin(settings, &name, PreviousToken::EndsTheFamily).await?;
    let mut came = HashMap::new();
    let mut at_death = 0;
    let ended = at.run.killed_at(step, || at_death = count(&mut came, &at.double)).await?;
    let after = count(&mut came, &at.double) - at_death;
    let twice = came.values().filter(|times| **times == 2).count();
    let more = came.values().filter(|times| **times > 2).count();
    if ended.iter().all(|said| said == "over") && twice + more == 0 {
        let lives = at.run.lives().await?;
        return Ok(format!("{lives}, each token came once"));
    }
    let rest = match (more, after) {
        (0, 0 | 1) => "then nothing came".into(),
        _ => format!("{more} came more often, {after} requests after the death"),
    };
    Ok(format!("{}, {twice} token came twice, {rest}", consent(&ended)))
}

/// One process is killed at this step, at a server that is not ours: `shared` says where, and `first` is its token.
pub async fn killed_at(
    shared: Shared,
    first: OAuthToken,
    context: &Context,
    step: Step,
) -> Result<String, String> {
    let run = Run::begin(shared, first, context.clone()).await?;
    let ended = run.killed_at(step, || ()).await?;
    if ended.iter().all(|said| said == "over") { run.lives().await } else { Ok(consent(&ended)) }
}

/// What is said of the step at which the process is killed: only one loses what the server gave.
pub fn expected(step: Step) -> &'static str {
    match step {
        Step::Answered => "4 ask for consent",
        _ => "the family lives",
    }
}

fn consent(ended: &[String]) -> String {
    let asking = ended.iter().filter(|said| *said == "oauth2_consent_needed").count();
    format!("{asking} ask for consent")
}

/// How often each refresh token has come; how many refreshes there were in all.
fn count(came: &mut HashMap<String, u32>, double: &Double) -> u32 {
    let sent = |request: &Arrived| {
        let form = request.form();
        form.into_iter().find(|(name, _)| name == "refresh_token").map(|(_, token)| token)
    };
    for token in double.server.arrived().iter().filter_map(sent) {
        *came.entry(token).or_default() += 1;
    }
    came.values().sum()
}

/// The last line that a process wrote.
fn said(process: &mut Child) -> Result<String, String> {
    let written = process.stdout.take().map(std::io::read_to_string).transpose().map_err(text)?;
    Ok(written.unwrap_or_default().lines().last().unwrap_or("nothing").to_owned())
}

/// A run at a double of ours.
struct AtDouble {
    double: Double,
    run: Run,
}

impl AtDouble {
    async fn begin(
        settings: &Settings,
        name: &str,
        previous: PreviousToken,
    ) -> Result<Self, String> {
        let double = Double::open(previous).await?;
        let context = crate::ours::context()?;
        let shared = Shared {
            folder: settings.folder(&format!("oauth2-processes-{name}")).map_err(text)?,
            token_endpoint: double.at("/token"),
            client_id: CONFIDENTIAL.into(),
            secret: SECRET.into(),
            kill_at: None,
        };
        let first = flows::agreed_at(&double, &context).await?;
        let run = Run::begin(shared, first, context).await?;
        double.server.arrived();
        Ok(Self { double, run })
    }
}

/// A store with its first token, and a deadline.
struct Run {
    shared: Shared,
    context: Context,
    begun: Instant,
}

impl Run {
    async fn begin(shared: Shared, first: OAuthToken, context: Context) -> Result<Self, String> {
        shared
            .connection(shared.store()?, context.clone())?
            .put_token(first)
            .await
            .map_err(text)?;
        Ok(Self { shared, context, begun: Instant::now() })
    }

    /// What the four processes said last, when one of four was killed at this step and another took its place.
    async fn killed_at(&self, step: Step, at_death: impl FnOnce()) -> Result<Vec<String>, String> {
        let mut victim = self.shared.start(Some((step, 3)))?;
        let mut processes = Vec::new();
        for _ in 0..3 {
            processes.push(self.shared.start(None)?);
        }
        while victim.try_wait().map_err(text)?.is_none() {
            self.check_time()?;
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        at_death();
        processes.push(self.shared.start(None)?);
        // Long enough for each of the four to have come to the token, and for more than one back-off.
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.finish(processes).await
    }

    fn check_time(&self) -> Result<(), String> {
        let late = self.begun.elapsed() > LONGEST;
        if late { Err(format!("not done within {} s", LONGEST.as_secs())) } else { Ok(()) }
    }

    /// Ends all processes, and what each of them said last.
    async fn finish(&self, mut processes: Vec<Child>) -> Result<Vec<String>, String> {
        self.shared.end()?;
        let asked = Instant::now();
        let mut ended = Vec::new();
        for process in &mut processes {
            while process.try_wait().map_err(text)?.is_none() {
                if asked.elapsed() > Duration::from_secs(30) {
                    process.kill().map_err(text)?;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            ended.push(said(process)?);
        }
        Ok(ended)
    }

    /// Another process can still refresh.
    async fn lives(&self) -> Result<String, String> {
        let connection = self.shared.connection(self.shared.store()?, self.context.clone())?;
        let refreshed = connection.fetch_token().await;
        Ok(refreshed.map_or_else(|error| error.to_string(), |_| "the family lives".into()))
    }
}

//! `auth-emulator webex`.

use crate::shown;
use auth_emulator::{IssuedApp, IssuedService, Result, RunningWebex, Webex};

pub(crate) struct Wanted {
    pub(crate) service: String,
    pub(crate) not_triggered: bool,
}

impl Default for Wanted {
    fn default() -> Self {
        Self { service: "alerts".into(), not_triggered: false }
    }
}

const APP: &str = "app";
const EVENT: &str = "4451";
const WEBHOOK: &str = "AB12CD34EF";

pub(crate) async fn run(all: &crate::Wanted, wanted: &Wanted) -> Result<()> {
    let builder = Webex::builder()
        .with_service(&wanted.service)
        .with_app(APP)
        .with_event(&wanted.service, EVENT)
        .with_inbound_webhook(&wanted.service, WEBHOOK)
        .with_port(all.port)
        .with_faults_port(all.faults_port);
    let builder = match wanted.not_triggered {
        true => builder.accepting_events_of_other_services(),
        false => builder,
    };
    let webex = builder.start().await?;
    let greeting = match (webex.service(&wanted.service), webex.app(APP)) {
        (Some(service), Some(app)) => greeting(&webex, service, app),
        _ => String::new(),
    };
    crate::serve(webex, &greeting).await;
    Ok(())
}

fn greeting(webex: &RunningWebex, service: &IssuedService, app: &IssuedApp) -> String {
    let (base, faults) = (webex.base_url(), webex.faults_url());
    let (id, key) = (&service.id, shown(&service.key));
    let jwt_secret = shown(&service.jwt_secret);
    let (app_id, app_secret) = (&app.id, shown(&app.secret));
    let profile_key = shown(webex.profile_key());
    let message = r#"{"channel":"SMS","from":"a","to":[{"msisdn":["+447700900001"]}]}"#;
    let event = format!(r#"{{"events":[{{"evtid":"{EVENT}","correlationid":"c1"}}]}}"#);
    format!(
        "Webex Connect, emulated: it sends nothing, and forgets everything when it ends. For tests alone.

  platform         {base}
  faults           {faults}
  Service ID       {id}
  service key      {key}
  service secret   {jwt_secret}
  profile key      {profile_key}
  app id           {app_id}
  app secret       {app_secret}
  custom event     {EVENT}
  inbound webhook  {base}/events/{WEBHOOK}

Try:
  curl -H 'key: {key}' -d '{message}' {base}/resources/v1/messaging
  curl -H 'key: {key}' -d '{event}' {base}/resources/v1/events/externalevent
  curl -H 'Authorization: Bearer {profile_key}' {base}/v1/groups
  curl -d '{{\"fault\":\"unauthorized\",\"endpoint\":\"custom_event\",\"requests\":1}}' {faults}/faults
"
    )
}

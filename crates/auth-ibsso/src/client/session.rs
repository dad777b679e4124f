//! The session of a user: obtained, presented, renewed and destroyed.

use super::fallback::WithFallback;
use crate::{LogIn, SessionToken};
use auth_core::{
    Answer, Authenticator, Context, Credentials, Flow, Need, OriginBound, RequestView, Verdict,
    finish_even_if_dropped,
};
use auth_session::{MemoryTokenStore, Session, Stored, TokenStore};
use http::{HeaderMap, StatusCode};
use std::{fmt, sync::Arc};

/// A session at the platform, for all who send with one user: an [`Authenticator`] that adds `Authorization: IBSSO` and
/// the token to requests to the account's base URL, and to no other.
///
/// - The first request creates the session. All requests share it, in one process and, with
///   [`stored`](Self::stored), in all processes that share the store.
/// - It is renewed when its time is over, and on a 401 whatever the timer says. Since the platform lets one session of a
///   user live at a time, the old one is destroyed first: requests that begin meanwhile wait. Those of this process that
///   are under way are waited for, for 10 seconds at most; after a 401 they are not, since the old session has ended.
///   One that another process has under way may get a 401, and is sent again if its body can be.
/// - If the answer to a creation is lost, a session lives of which nobody has the token. Until it has ended no process
///   asks for another one; all get an `Error::Unavailable` with the code `session_held_elsewhere`, whose cause
///   [`SessionHeldElsewhere`](crate::SessionHeldElsewhere) says when that is. A [fallback](Self::with_fallback) is sent in
///   that time, if one is named.
/// - What fails is tried again after a pause, never in a tight loop.
///
/// A clone is the same session.
///
/// ```
/// use auth_core::Context;
/// use auth_ibsso::{IbssoSession, LogIn};
/// # fn with(transport: impl auth_core::Transport + 'static) -> Result<(), auth_core::Error> {
/// let log_in = LogIn::new("https://xyz123.api.infobip.com", "acme", "pa55word")?;
/// let session = IbssoSession::new(log_in, Context::new(transport));
/// # let _: &dyn auth_core::Authenticator = &session;
/// # Ok(())
/// # }
/// ```
pub struct IbssoSession<K: TokenStore + 'static = MemoryTokenStore>(Arc<Inner<K>>);

type Source<K> = Session<Stored<Arc<LogIn>, K>>;

struct Inner<K: TokenStore + 'static> {
    sender: OriginBound<WithFallback<Source<K>>>,
    session: Source<K>,
    log_in: Arc<LogIn>,
    name: Box<str>,
}

impl IbssoSession {
    /// A session of this process alone. Nothing is sent before the first request.
    ///
    /// Another process with the same user can create no session while this one lives: give it the same store
    /// ([`stored`](Self::stored)) or a user of its own.
    pub fn new(log_in: LogIn, context: Context) -> Self {
        let store = MemoryTokenStore::new(Arc::clone(&context.clock));
        Self::stored(log_in, store, "ibsso", context)
    }
}

impl<K: TokenStore + 'static> IbssoSession<K> {
    /// A session that all processes share which use this name in this store: one of them creates it, and one renews it.
    /// The observer of the context is told events under this name.
    ///
    /// # Security
    ///
    /// Whoever uses the name gets the session, whichever password it was configured with: the name should hold the tenant
    /// and the user. A password that is changed is used for the next session; [`destroy`](Self::destroy) ends the one
    /// before.
    pub fn stored(log_in: LogIn, store: K, name: &str, context: Context) -> Self {
        let (life, log_in) = (log_in.life(), Arc::new(log_in));
        let stored = Stored::new(Arc::clone(&log_in), store, name).with_intents(life);
        let session = Session::new(stored, context).with_name(name);
        Self::with_sender(session, log_in, name.into(), None)
    }

    /// With a weaker method that is sent while a session whose token was lost keeps another one from being created: Basic,
    /// for example. The observer of the context is told of each request that goes out with it
    /// ([`Event::FellBack`](auth_core::Event::FellBack)).
    ///
    /// It is sent in place of the error `session_held_elsewhere` and of no other: a session that another program holds
    /// (`ibsso_session_not_created`), a wrong password and an unreachable platform stay errors. Only a
    /// [store](Self::stored) that outlives the process lets its next run know of the lost token.
    ///
    /// # Security
    ///
    /// An attacker who can make a creation fail chooses by that which method is sent. Name a fallback only if its secret
    /// may be sent at any time.
    #[must_use]
    pub fn with_fallback(self, weaker: impl Authenticator + 'static) -> Self {
        let Inner { session, log_in, name, .. } = &*self.0;
        let (session, log_in, name) = (session.clone(), Arc::clone(log_in), name.clone());
        Self::with_sender(session, log_in, name, Some(Arc::new(weaker)))
    }

    fn with_sender(
        session: Source<K>,
        log_in: Arc<LogIn>,
        name: Box<str>,
        fallback: Option<Arc<dyn Authenticator>>,
    ) -> Self {
        let context = session.context().clone();
        let sender =
            WithFallback { session: session.clone(), name: name.clone(), context, fallback };
        let sender = OriginBound::new([log_in.origin().clone()], sender);
        Self(Arc::new(Inner { sender, session, log_in, name }))
    }

    /// Destroys the session at the platform, in the store and here, before its time is over. The requests that follow get
    /// an `Error::Config` with the code `session_ended`; another process that shares the store creates another session
    /// when it sends.
    ///
    /// It is seen through though the caller gives up, where the transport has a background.
    ///
    /// # Errors
    ///
    /// Those of [`LogIn::destroy`], and of the store. If the store alone fails, the session that this process knows is
    /// destroyed at the platform. The session is not used here any more in any case.
    pub fn destroy(&self) -> Flow<'static, ()> {
        let (session, log_in) = (self.0.session.clone(), Arc::clone(&self.0.log_in));
        let transport = Arc::clone(&session.context().transport);
        let work = Flow::new(async move {
            let last = session.end().await?;
            let (stored, context) = (session.source(), session.context());
            // What the store has is newer where another process has renewed. One that cannot be read leaves alive what
            // nobody else would destroy.
            let token = match (stored.kept_or_unsaved().await, last) {
                (Ok(kept), last) => kept.or(last),
                (Err(_), Some(last)) => Some(last),
                (Err(error), None) => return Err(error),
            };
            let Some(token) = token else { return Ok(()) };
            let destroyed = log_in.destroy(context, token.token()).await;
            if destroyed.is_ok() {
                stored.remove_token(context, &token).await?;
            }
            destroyed
        });
        finish_even_if_dropped(&*transport, work)
    }

    /// A value whose drop begins [`destroy`](Self::destroy): for programs that want no session to outlive them.
    ///
    /// Where the transport has no background, a blocking one that has gone for example, nothing is destroyed by the drop:
    /// call [`destroy`](Self::destroy) there. What fails is told nobody.
    #[must_use = "the session is destroyed when this value is dropped"]
    pub fn destroy_on_drop(&self) -> DestroyOnDrop {
        let session = self.clone();
        DestroyOnDrop(Some(Box::new(move || drop(session.destroy()))))
    }

    /// The token that is current, obtained if there is none: for requests that no authenticator makes. A renewal does not
    /// wait for what is sent with it.
    pub fn token(&self) -> Flow<'_, SessionToken> {
        self.0.session.token().map(|current| current.token.token().clone())
    }
}

/// Destroys a session when it is dropped: see [`IbssoSession::destroy_on_drop`].
pub struct DestroyOnDrop(Option<Box<dyn FnOnce() + Send + Sync>>);

impl Drop for DestroyOnDrop {
    fn drop(&mut self) {
        if let Some(destroy) = self.0.take() {
            destroy();
        }
    }
}

impl<K: TokenStore + 'static> Authenticator for IbssoSession<K> {
    #[inline]
    fn credentials<'a>(&'a self, request: RequestView<'a>) -> Flow<'a, Credentials> {
        self.0.sender.credentials(request)
    }

    fn assess(&self, sent: &Credentials, answer: Answer<'_>) -> Verdict {
        self.0.sender.assess(sent, answer)
    }

    fn needs(&self, head: RequestView<'_>) -> Need {
        self.0.sender.needs(head)
    }

    fn reads(&self, status: StatusCode, headers: &HeaderMap) -> Need {
        self.0.sender.reads(status, headers)
    }
}

impl<K: TokenStore + 'static> Clone for IbssoSession<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: TokenStore + 'static> fmt::Debug for IbssoSession<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IbssoSession({:?}, {:?})", self.0.name, self.0.log_in)
    }
}

impl fmt::Debug for DestroyOnDrop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DestroyOnDrop(..)")
    }
}

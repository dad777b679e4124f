//! The names of commands.

use std::fmt;

macro_rules! names {
    ($($name:ident = $text:literal,)*) => {
        /// A command without what it is about: what roles, step-up proofs and screens speak of.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum CommandName {
            $(
                #[doc = concat!("The command [`", stringify!($name), "`](crate::Command::", stringify!($name), ").")]
                $name,
            )*
        }

        impl CommandName {
            /// Its name in events and proofs, which never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }
        }
    };
}

names! {
    Create = "create",
    Import = "import",
    Discard = "discard",
    Reactivate = "reactivate",
    Delete = "delete",
    Regenerate = "regenerate",
    Rotate = "rotate",
    CancelRetire = "cancel_retire",
    RetireDue = "retire_due",
    Revoke = "revoke",
    Reveal = "reveal",
    Update = "update",
    Destroy = "destroy",
    ReportLeaked = "report_leaked",
    Bind = "bind",
    Unbind = "unbind",
    Rehash = "rehash",
}

impl fmt::Display for CommandName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

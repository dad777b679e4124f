//! Lists of reasons.

/// For authors of schemes: names each reason of a crate once, with its code and its text, as a constant of the crate's own
/// small refusal.
///
/// The refusal, here `Refused`, has a function `of(&'static Reason)`, or `of(&'static Reason, Kind)` where each reason
/// has a kind. The kind stands behind the name of a reason, or before a group of reasons. In tests there is a list of
/// all of them, `ALL`.
///
/// ```
/// use auth_core::Reason;
/// #[derive(Clone, Copy)]
/// struct Refused(&'static Reason, Kind);
/// #[derive(Clone, Copy, PartialEq)]
/// enum Kind {
///     Malformed,
///     Unknown,
/// }
/// impl Refused {
///     const fn of(reason: &'static Reason, kind: Kind) -> Self {
///         Self(reason, kind)
///     }
/// }
///
/// auth_core::reasons! { Refused, Kind;
///     KEY_LONG Malformed "example_key_long" "key is longer than 40 bytes";
///     KEY_UNKNOWN Unknown "example_key_unknown" "key is not a known one";
/// }
/// assert!(KEY_LONG.1 == Kind::Malformed && KEY_UNKNOWN.0.code == "example_key_unknown");
/// ```
#[macro_export]
macro_rules! reasons {
    ($refused:ident; $($name:ident $code:literal $text:literal;)*) => {
        $(
            pub(crate) const $name: $refused = $refused::of(&$crate::Reason::new($code, $text));
        )*

        #[cfg(test)]
        pub(crate) const ALL: &[$refused] = &[$($name),*];
    };
    ($refused:ident, $kinds:ident; $($name:ident $kind:ident $code:literal $text:literal;)*) => {
        $(
            pub(crate) const $name: $refused =
                $refused::of(&$crate::Reason::new($code, $text), $kinds::$kind);
        )*

        #[cfg(test)]
        pub(crate) const ALL: &[$refused] = &[$($name),*];
    };
    ($refused:ident, $kinds:ident;
        $($kind:ident { $($name:ident $code:literal $text:literal;)* })*) => {
        $crate::reasons! { $refused, $kinds; $($($name $kind $code $text;)*)* }
    };
}

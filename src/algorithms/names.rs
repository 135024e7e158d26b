//! Hyperparameters that are one of a few names, as enums.

/// An enum of names on the wire, open for what is newer than the crate.
macro_rules! names {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
            /// Another name, sent as it is.
            Other(String),
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $wire,)+
                    Self::Other(name) => name,
                })
            }
        }
    };
}
pub(crate) use names;

/// An enum of all names that a container takes; they are frozen with their images, and any other is refused.
macro_rules! choices {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $wire:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum $name {
            $(
                #[doc = concat!("`", $wire, "`")]
                $(#[$variant_doc])*
                $variant,
            )+
        }

        impl $name {
            const NAMES: &'static [&'static str] = &[$($wire),+];
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(match self {
                    $(Self::$variant => $wire,)+
                })
            }
        }

        impl $crate::algorithms::wire::ToWire for $name {
            fn to_wire(&self) -> String {
                self.to_string()
            }
        }
    };
}
pub(crate) use choices;

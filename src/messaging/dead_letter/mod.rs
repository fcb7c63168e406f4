//! Dead letters: what could not be handled, kept whole in a topic of its own with where it comes from and why.

pub mod spring;

/// Why a record is a dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cause {
    pub class: Class,
    /// In one line.
    pub message: String,
    /// What is behind it, outermost first.
    pub chain: Vec<String>,
}

/// The kinds of failure that no retry mends. Their names are stable: whoever reads dead letters may rely on them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The value is no JSON document, or there is none.
    Undecodable,
    /// The value is no event as its schema has it.
    SchemaViolation,
    /// The handler will never take it, or nobody knows what it is.
    Poison,
    /// It failed as often as it may.
    RetriesExhausted,
}

impl Class {
    pub const ALL: [Self; 4] =
        [Self::Undecodable, Self::SchemaViolation, Self::Poison, Self::RetriesExhausted];

    /// What stands where Java has the name of an exception's class.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Undecodable => "kafkaflow.Undecodable",
            Self::SchemaViolation => "kafkaflow.SchemaViolation",
            Self::Poison => "kafkaflow.Poison",
            Self::RetriesExhausted => "kafkaflow.RetriesExhausted",
        }
    }
}

impl std::str::FromStr for Class {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|class| class.name() == name).ok_or(())
    }
}

impl Cause {
    #[must_use]
    pub fn new(class: Class, message: impl Into<String>) -> Self {
        Self { class, message: message.into(), chain: Vec::new() }
    }

    /// With an error and all that is behind it.
    #[must_use]
    pub fn of(class: Class, error: &(dyn std::error::Error + 'static)) -> Self {
        let mut chain = Vec::new();
        let mut source = error.source();
        while let Some(error) = source {
            chain.push(error.to_string());
            source = error.source();
        }
        Self { class, message: error.to_string(), chain }
    }
}

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::plan::{Action, Change, Risk, Verification};
use crate::topology::TopicName;
use crate::topology::observed::Source;

fn change() -> impl Strategy<Value = Change> {
    let text = "[ -~é]{0,12}";
    let number = 1i32..1000;
    let action = prop_oneof![
        (number.clone(), prop::option::of(1i16..9), prop::collection::btree_map("[a-z.]{1,9}", text, 0..3))
            .prop_map(|(partitions, replication, configs)| Action::Create {
                partitions,
                replication,
                configs,
                dead_letters_of: TopicName::parse("source").ok(),
            }),
        (number.clone(), number).prop_map(|(from, to)| Action::AddPartitions { from, to }),
        (text, prop::option::of(text), text).prop_map(|(key, from, to)| Action::SetConfig {
            key,
            from,
            source: Source::StaticBroker,
            to
        }),
        (text, prop::option::of(text)).prop_map(|(key, from)| Action::ResetConfig { key, from, to: None }),
        (text, text).prop_map(|(key, value)| Action::PinConfig { key, value, source: Source::Default }),
    ];
    let risk = prop::sample::select(vec![Risk::Safe, Risk::Caution, Risk::Destructive]);
    let verification = prop_oneof![
        Just(Verification::Accepted),
        Just(Verification::NotAsked),
        text.prop_map(Verification::Unverified),
    ];
    (action, risk, verification, prop::collection::vec(text, 0..2)).prop_map(
        |(action, risk, verification, reasons)| Change {
            risk,
            reasons,
            verification,
            ..Change::new(&TopicName::parse("t").unwrap(), action)
        },
    )
}

fn saved(changes: Vec<Change>) -> SavedPlan {
    let plan = Plan { cluster_id: "c".into(), changes, unmanaged: Unmanaged::default(), unchanged: 3 };
    SavedPlan { plan, touched: BTreeMap::from([(TopicName::parse("t").unwrap(), Touched::default())]) }
}

proptest! {
    #[test]
    fn a_saved_plan_is_read_back_as_it_was(changes in prop::collection::vec(change(), 0..4), signed in any::<bool>()) {
        let key = signed.then_some(&b"key"[..]);
        let saved = saved(changes);
        let text = saved.write(key).unwrap();
        prop_assert_eq!(SavedPlan::read(&text, key).unwrap(), saved);
    }

    #[test]
    fn no_single_changed_byte_goes_unnoticed(changes in prop::collection::vec(change(), 1..3), at in any::<prop::sample::Index>()) {
        let text = saved(changes).write(Some(b"key")).unwrap();
        let at = at.index(text.len());
        let mut bytes = text.clone().into_bytes();
        prop_assume!(bytes[at].is_ascii_graphic());
        bytes[at] = if bytes[at] == b'x' { b'y' } else { b'x' };
        let altered = String::from_utf8(bytes).unwrap();
        prop_assert!(SavedPlan::read(&altered, Some(b"key")).is_err());
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC{0,200}") {
        let _ = SavedPlan::read(&text, None);
    }
}

//! What has to hold in a catalogue, beside what holds in every file of ours (a field is known, a key is there once).

use crate::topology::problem::Code;
use crate::topology::rules::Rule;

/// Every rule about catalogues, by code.
pub(crate) const ALL: [&Rule; 4] = [&ID, &PRICE, &STOCK, &TWICE];

const RIGHT: &str = "\
version: 1
products:
  - { id: PROD-101, name: Keyboard, price: 49.99, stock: 500 }
  - { id: PROD-205, name: Mouse pad, price: 19.95, stock: 0 }
";

pub(super) const ID: Rule = Rule {
    code: Code(80),
    title: "a product's id cannot stand in an order",
    why: "Orders and reservations name a product by its id: 1 to 128 characters. Blanks around it and control \
          characters are no part of an id that a person could type again.",
    wrong: "\
version: 1
products:
  - { id: \"PROD-101 \", name: Keyboard, price: 49.99, stock: 500 }
",
    right: RIGHT,
    ..Rule::ERROR
};

pub(super) const PRICE: Rule = Rule {
    code: Code(81),
    title: "a price is no amount of money",
    why: "A price is exact: whole cents, never below zero and never rounded. Orders are priced from the \
          catalogue, so what stands here is what a customer pays.",
    wrong: "\
version: 1
products:
  - { id: PROD-101, name: Keyboard, price: 49.999, stock: 500 }
  - { id: PROD-205, name: Mouse pad, price: -1, stock: 5 }
",
    right: RIGHT,
    ..Rule::ERROR
};

pub(super) const STOCK: Rule = Rule {
    code: Code(82),
    title: "a product's stock is no number of pieces",
    why: "Pieces are counted: a whole number from 0 (sold out) to 2,147,483,647, which is the most that an \
          order can ask for. It is what the inventory begins with; later `kafkaflow stock` changes it.",
    wrong: "\
version: 1
products:
  - { id: PROD-101, name: Keyboard, price: 49.99, stock: -5 }
  - { id: PROD-205, name: Mouse pad, price: 19.95, stock: 1.5 }
",
    right: RIGHT,
    ..Rule::ERROR
};

pub(super) const TWICE: Rule = Rule {
    code: Code(83),
    title: "a product is there twice",
    why: "A product has one price and one stock. Of two entries one would be ignored without a word, and which \
          one would depend on the reader.",
    wrong: "\
version: 1
products:
  - { id: PROD-101, name: Keyboard, price: 49.99, stock: 500 }
  - { id: PROD-101, name: Keyboard, price: 39.99, stock: 500 }
",
    right: RIGHT,
    ..Rule::ERROR
};

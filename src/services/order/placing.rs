//! What a client may order: a body becomes an order, or everything that is wrong with it. Pure.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::event::{
    CustomerId, Fields, ItemsError, PricedItem, PricedItems, ProductId, Quantity, ShippingAddress, Text,
};
use crate::runtime::http::Violation;
use crate::unit::Money;

/// Products of one order.
pub(crate) const MOST_ITEMS: usize = 100;
/// Pieces of one product in one order.
pub(crate) const MOST_PIECES: u32 = 100_000;

/// An order as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct NewOrder {
    pub(crate) customer: CustomerId,
    pub(crate) items: Vec<(ProductId, Quantity)>,
    pub(crate) address: ShippingAddress,
    pub(crate) contact: Contact,
}

/// How the customer is told. Stays in the order's store.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Contact {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) phone: Option<String>,
}

impl NewOrder {
    /// Reads a body; else everything that is wrong with it, in the order of the fields.
    pub(crate) fn read(body: &[u8]) -> Result<Self, Vec<Violation>> {
        let value: Value =
            serde_json::from_slice(body).map_err(|error| vec![wrong("", format!("no JSON: {error}"))])?;
        let mut reader = Reader::default();
        let order = reader.order(&value);
        match order {
            Some(order) if reader.violations.is_empty() => Ok(order),
            _ => Err(reader.violations),
        }
    }

    /// What the items cost by the catalogue's prices; else the items that cannot be ordered.
    pub(crate) fn priced(
        &self,
        price: impl Fn(&ProductId) -> Option<Money>,
    ) -> Result<PricedItems, Vec<Violation>> {
        let mut items = Vec::new();
        let mut unknown = Vec::new();
        for (at, (product, quantity)) in self.items.iter().enumerate() {
            match price(product) {
                Some(unit_price) => items.push(PricedItem {
                    product_id: product.clone(),
                    quantity: *quantity,
                    unit_price,
                    extra: Fields::new(),
                }),
                None => unknown.push(wrong(
                    &format!("/items/{at}/productId"),
                    format!("there is no product {:?}", product.as_str()),
                )),
            }
        }
        if !unknown.is_empty() {
            return Err(unknown);
        }
        PricedItems::new(items).map_err(|error: ItemsError| vec![wrong("/items", error.to_string())])
    }

    /// The same for bodies that order the same, however they are written: SHA-256, in Base64.
    pub(crate) fn fingerprint(&self) -> String {
        let items: Vec<_> =
            self.items.iter().map(|(product, quantity)| (product.as_str(), quantity.get())).collect();
        let text = serde_json::to_string(&(&self.customer, items, &self.address, &self.contact));
        let digest = digest(&SHA256, text.unwrap_or_default().as_bytes());
        BASE64_URL_SAFE_NO_PAD.encode(digest)
    }
}

fn wrong(pointer: &str, detail: impl Into<String>) -> Violation {
    Violation { pointer: pointer.to_owned(), detail: detail.into() }
}

/// Collects what is wrong.
#[derive(Default)]
struct Reader {
    violations: Vec<Violation>,
}

impl Reader {
    fn wrong(&mut self, pointer: &str, detail: impl Into<String>) {
        self.violations.push(wrong(pointer, detail));
    }

    /// A member of the object at `at` is.
    fn wrong_member(&mut self, at: &str, name: &str, detail: impl Into<String>) {
        self.wrong(&format!("{at}/{name}"), detail);
    }

    fn order(&mut self, value: &Value) -> Option<NewOrder> {
        let order = self.object("", value, &["customerId", "items", "shippingAddress", "contact"])?;
        let customer = self.id(order, "", "customerId", |id| CustomerId::new(id).ok());
        let items = self.items(order.get("items"));
        let address = self.address(order.get("shippingAddress"));
        let contact = self.contact(order.get("contact"));
        Some(NewOrder { customer: customer?, items: items?, address: address?, contact: contact? })
    }

    /// An object with no other members than these.
    fn object<'v>(&mut self, at: &str, value: &'v Value, members: &[&str]) -> Option<&'v Map<String, Value>> {
        let Some(object) = value.as_object() else {
            self.wrong(at, format!("expected an object, found {}", kind(value)));
            return None;
        };
        for name in object.keys().filter(|name| !members.contains(&name.as_str())) {
            let pointer = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
            self.wrong(&pointer, format!("is no part of it; there are: {}", members.join(", ")));
        }
        Some(object)
    }

    fn text<'v>(&mut self, object: &'v Map<String, Value>, at: &str, name: &str) -> Option<&'v str> {
        match object.get(name) {
            None => self.wrong_member(at, name, "is missing"),
            Some(Value::String(text)) if text.chars().any(char::is_control) => {
                self.wrong_member(at, name, "holds a control character");
            }
            Some(Value::String(text)) => return Some(text),
            Some(other) => self.wrong_member(at, name, format!("expected a text, found {}", kind(other))),
        }
        None
    }

    fn id<T>(
        &mut self,
        object: &Map<String, Value>,
        at: &str,
        name: &str,
        new: impl Fn(&str) -> Option<T>,
    ) -> Option<T> {
        let id = new(self.text(object, at, name)?);
        if id.is_none() {
            self.wrong_member(at, name, "expected 1 to 128 characters");
        }
        id
    }

    fn items(&mut self, value: Option<&Value>) -> Option<Vec<(ProductId, Quantity)>> {
        let Some(value) = value else {
            self.wrong("/items", "is missing");
            return None;
        };
        let Some(items) = value.as_array().filter(|items| (1..=MOST_ITEMS).contains(&items.len())) else {
            let found =
                value.as_array().map_or_else(|| kind(value).to_owned(), |items| format!("{}", items.len()));
            self.wrong("/items", format!("expected 1 to {MOST_ITEMS} items, found {found}"));
            return None;
        };
        let mut read: Vec<(ProductId, Quantity)> = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let at = format!("/items/{index}");
            let Some(item) = self.object(&at, item, &["productId", "quantity"]) else { continue };
            let product = self.id(item, &at, "productId", |id| ProductId::new(id).ok());
            let quantity = self.quantity(&at, item.get("quantity"));
            if let Some(product) = &product
                && read.iter().any(|(other, _)| other == product)
            {
                self.wrong_member(
                    &at,
                    "productId",
                    format!("{:?} stands there twice; add the quantities up", product.as_str()),
                );
            }
            read.extend(product.zip(quantity));
        }
        Some(read)
    }

    fn quantity(&mut self, at: &str, value: Option<&Value>) -> Option<Quantity> {
        let pieces = value.and_then(Value::as_u64).and_then(|pieces| u32::try_from(pieces).ok());
        let quantity =
            pieces.filter(|pieces| *pieces <= MOST_PIECES).and_then(|pieces| Quantity::new(pieces).ok());
        if quantity.is_none() {
            match value {
                None => self.wrong_member(at, "quantity", "is missing"),
                Some(value) => {
                    let found = if value.is_number() { value.to_string() } else { kind(value).to_owned() };
                    let expected = format!("expected a whole number from 1 to {MOST_PIECES}, found {found}");
                    self.wrong_member(at, "quantity", expected);
                }
            }
        }
        quantity
    }

    fn address(&mut self, value: Option<&Value>) -> Option<ShippingAddress> {
        const AT: &str = "/shippingAddress";
        let Some(value) = value else {
            self.wrong(AT, "is missing");
            return None;
        };
        let address = self.object(AT, value, &["street", "city", "state", "zip"])?;
        let mut part = |name: &str| {
            let text = Text::<200>::new(self.text(address, AT, name)?).ok();
            if text.is_none() {
                self.wrong_member(AT, name, "expected 1 to 200 characters");
            }
            text
        };
        let (street, city, state, zip) = (part("street"), part("city"), part("state"), part("zip"));
        Some(ShippingAddress { street: street?, city: city?, state: state?, zip: zip?, extra: Fields::new() })
    }

    fn contact(&mut self, value: Option<&Value>) -> Option<Contact> {
        const AT: &str = "/contact";
        let Some(value) = value.filter(|value| !value.is_null()) else { return Some(Contact::default()) };
        let contact = self.object(AT, value, &["email", "phone"])?;
        let mut part = |name: &str, is: fn(&str) -> bool, expected: &str| {
            if contact.get(name).is_none_or(Value::is_null) {
                return Some(None);
            }
            let text = self.text(contact, AT, name)?;
            if !is(text) {
                self.wrong_member(AT, name, format!("expected {expected}"));
                return None;
            }
            Some(Some(text.to_owned()))
        };
        let email = part("email", is_email, "a mail address, such as ada@example.com");
        let phone = part("phone", is_phone, "a telephone number with its country, such as +15125550100");
        Some(Contact { email: email?, phone: phone? })
    }
}

/// Close enough: whether anybody reads it shows when a mail is sent.
fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.rsplit_once('@') else { return false };
    let printable =
        |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    text.len() <= 254
        && printable(name)
        && printable(domain)
        && !text.contains(['<', '>', '"', '(', ')', ',', ';', ':', '\\'])
        && !name.contains('@')
        && !domain.starts_with(['.', '-'])
        && !domain.ends_with(['.', '-'])
}

/// As E.164 writes it.
fn is_phone(text: &str) -> bool {
    let digits = text.strip_prefix('+').unwrap_or_default();
    (7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The seed's order.
    pub(crate) const ORDER: &str = r#"{"customerId": "CUST-42", "items": [{"productId": "PROD-101", "quantity": 2},
        {"productId": "PROD-205", "quantity": 1}], "shippingAddress":
        {"street": "123 Main St", "city": "Austin", "state": "TX", "zip": "78701"}}"#;

    fn prices(product: &ProductId) -> Option<Money> {
        match product.as_str() {
            "PROD-101" => Money::from_cents(4999).ok(),
            "PROD-205" => Money::from_cents(1995).ok(),
            "DEAR" => Some(Money::MAX),
            _ => None,
        }
    }

    fn violations(body: &str) -> Vec<String> {
        let read = NewOrder::read(body.as_bytes()).and_then(|order| order.priced(prices).map(drop));
        let shown = |violation: Violation| format!("{} {}", violation.pointer, violation.detail);
        read.err().unwrap_or_default().into_iter().map(shown).collect()
    }

    #[test]
    fn the_seeds_order_costs_what_the_seed_says() {
        let order = NewOrder::read(ORDER.as_bytes()).unwrap();
        assert_eq!(order.priced(prices).unwrap().total().to_string(), "119.93");
        assert_eq!(order.contact, Contact::default());
    }

    #[test]
    fn everything_that_is_wrong_is_said_at_once() {
        let body = r#"{"customerId": "", "items": [{"productId": 7, "quantity": 0, "unitPrice": 0.01},
            {"productId": "A", "quantity": 1.5}, {"productId": "B", "quantity": 1},
            {"productId": "B", "quantity": 1}, 5],
            "shippingAddress": {"street": "a\u0000b", "city": "", "zip": "1"},
            "contact": {"email": "ada", "phone": "5"}, "a/b": 1}"#;
        insta::assert_snapshot!(violations(body).join("\n"), @r#"
        /a~1b is no part of it; there are: customerId, items, shippingAddress, contact
        /customerId expected 1 to 128 characters
        /items/0/unitPrice is no part of it; there are: productId, quantity
        /items/0/productId expected a text, found a number
        /items/0/quantity expected a whole number from 1 to 100000, found 0
        /items/1/quantity expected a whole number from 1 to 100000, found 1.5
        /items/3/productId "B" stands there twice; add the quantities up
        /items/4 expected an object, found a number
        /shippingAddress/street holds a control character
        /shippingAddress/city expected 1 to 200 characters
        /shippingAddress/state is missing
        /contact/email expected a mail address, such as ada@example.com
        /contact/phone expected a telephone number with its country, such as +15125550100
        "#);
    }

    #[test]
    fn what_cannot_be_ordered_is_named() {
        let with = |items: &str| ORDER.replace(r#"{"productId": "PROD-205", "quantity": 1}"#, items);
        for (body, expected) in [
            ("", " no JSON: EOF while parsing a value at line 1 column 0"),
            ("[]", " expected an object, found an array"),
            (
                &with(r#"{"productId": "PROD-999", "quantity": 1}"#),
                "/items/1/productId there is no product \"PROD-999\"",
            ),
            (
                &with(r#"{"productId": "DEAR", "quantity": 2}"#),
                "/items the items cost more than 1000000000000",
            ),
            (
                &with(r#"{"productId": "PROD-205", "quantity": 4294967296}"#),
                "/items/1/quantity expected a whole number from 1 to 100000, found 4294967296",
            ),
        ] {
            assert_eq!(violations(body), [expected], "{body}");
        }
    }

    #[test]
    fn a_contact_is_an_address_that_mail_and_telephone_know() {
        for (text, is) in [
            ("ada@example.com", true),
            ("ada.l+k@mail.example", true),
            ("ada", false),
            ("@example.com", false),
            ("ada@", false),
            ("a b@example.com", false),
            ("ada@example.com\r\nbcc: all@example.com", false),
            ("\"<x>\"@example.com", false),
            ("a@b@c", false),
        ] {
            assert_eq!(is_email(text), is, "{text:?}");
        }
        for (text, is) in
            [("+15125550100", true), ("15125550100", false), ("+1 512", false), ("+1234567890123456", false)]
        {
            assert_eq!(is_phone(text), is, "{text:?}");
        }
    }

    #[test]
    fn a_fingerprint_is_that_of_the_order_and_not_of_its_spelling() {
        let fingerprint = |body: &str| NewOrder::read(body.as_bytes()).unwrap().fingerprint();
        let spaced = ORDER.replace(": ", ":\n\t");
        assert_eq!(fingerprint(ORDER), fingerprint(&spaced));
        for other in [
            ORDER.replace("CUST-42", "CUST-43"),
            ORDER.replace("\"quantity\": 2", "\"quantity\": 3"),
            ORDER.replace("Austin", "Dallas"),
            ORDER.replacen('{', r#"{"contact": {"phone": "+15125550100"}, "#, 1),
        ] {
            assert_ne!(fingerprint(ORDER), fingerprint(&other), "{other}");
        }
    }

    proptest! {
        #[test]
        fn no_body_makes_it_panic(body in "\\PC*") {
            let _ = NewOrder::read(body.as_bytes());
        }
    }
}

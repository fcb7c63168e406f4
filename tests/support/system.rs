//! The services of the design, over topics and stores that only one test has.

use std::io::{BufRead, BufReader};
use std::process::Child;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use super::Folder;
use super::brokers::{ROOT, brokers, eventually, prefix};

/// The outer limit of everything that is waited for.
pub(crate) const SOON: Duration = Duration::from_secs(60);

/// Our own topology, its topics and groups made one test's own, and a folder for it.
pub(crate) struct System {
    pub(crate) folder: Folder,
    pub(crate) prefix: String,
    pub(crate) store: String,
}

impl System {
    /// `store`: where the services' stores are; without one, SQLite files in the folder.
    pub(crate) fn new(test: &str, store: Option<String>) -> Self {
        let folder = Folder::new();
        let prefix = prefix(test);
        let design = std::fs::read_to_string(format!("{ROOT}/topology.yaml")).unwrap();
        let services = ["order-service", "inventory-service", "notification-service"];
        let own = services.iter().fold(design, |design, name| {
            design
                .replace(&format!("{name}."), &format!("{name}.{prefix}."))
                .replace(&format!("group: {name}"), &format!("group: {prefix}-{name}"))
        });
        folder.write("topology.yaml", own);
        for entry in std::fs::read_dir(format!("{ROOT}/schemas")).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            folder.write(&format!("schemas/{name}"), std::fs::read(&path).unwrap());
        }
        let store = store.unwrap_or_else(|| super::stores::sqlite(&folder));
        Self { folder, prefix, store }
    }

    /// What a service wrote to `letters.ndjson`, as far as its lines are whole.
    pub(crate) fn letters(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.folder.path().join("letters.ndjson")).unwrap_or_default();
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        whole.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// Makes the topics.
    pub(crate) fn apply(&self) {
        let run = self.folder.run(&["apply", "topology.yaml", "--yes", "-b", &brokers()]);
        assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    }

    /// The topic that has this name in the design.
    pub(crate) fn topic(&self, name: &str) -> String {
        let (service, event) = name.split_once('.').unwrap();
        format!("{service}.{}.{event}", self.prefix)
    }

    /// Starts a service; it serves when this returns.
    pub(crate) fn run(&self, service: &str, args: &[&str]) -> Running {
        self.run_with(service, args, &[])
    }

    pub(crate) fn run_with(&self, service: &str, args: &[&str], env: &[(&str, &str)]) -> Running {
        self.run_at(&brokers(), service, args, env)
    }

    /// On other brokers than the test's.
    pub(crate) fn run_at(
        &self,
        brokers: &str,
        service: &str,
        args: &[&str],
        env: &[(&str, &str)],
    ) -> Running {
        self.start(brokers, &[&["run", service], args].concat(), env)
    }

    /// All services in one process.
    pub(crate) fn up(&self, args: &[&str]) -> Running {
        let others = ["--inventory-listen", "127.0.0.1:0", "--notification-listen", "127.0.0.1:0"];
        self.start(&brokers(), &[&["up"], &others[..], args].concat(), &[])
    }

    /// All services in one process, with the broker inside of it.
    pub(crate) fn up_alone(&self, args: &[&str]) -> Running {
        let others = ["--inventory-listen", "127.0.0.1:0", "--notification-listen", "127.0.0.1:0"];
        self.start("", &[&["up"], &others[..], args].concat(), &[])
    }

    fn start(&self, brokers: &str, command: &[&str], env: &[(&str, &str)]) -> Running {
        let common = ["--topology", "topology.yaml", "--listen", "127.0.0.1:0", "--store", &self.store];
        let brokers: &[&str] = if brokers.is_empty() { &[] } else { &["-b", brokers] };
        let all = [command, &common[..], brokers].concat();
        let mut child = self.folder.start(&all, env);
        drop(child.stdin.take());
        let (said, lines) = mpsc::channel();
        let stderr = child.stderr.take().expect("a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = said.send(line);
            }
        });
        let mut log = Vec::new();
        let url = loop {
            let line = lines
                .recv_timeout(SOON)
                .unwrap_or_else(|_| panic!("{command:?} says where it serves: {log:?}"));
            let at = line
                .split("serves http://")
                .nth(1)
                .and_then(|rest| rest.split(',').next())
                .map(str::to_owned);
            log.push(line);
            if let Some(at) = at {
                break format!("http://{at}");
            }
        };
        Running { child, url, lines, log }
    }
}

/// A service that runs; killed when this is dropped.
pub(crate) struct Running {
    pub(crate) child: Child,
    pub(crate) url: String,
    lines: mpsc::Receiver<String>,
    log: Vec<String>,
}

impl Running {
    pub(crate) fn get(&self, path: &str) -> (u16, Value) {
        answer(client().get(format!("{}{path}", self.url)).send().unwrap())
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        answer(client().post(format!("{}{path}", self.url)).json(body).send().unwrap())
    }

    pub(crate) fn text(&self, path: &str) -> String {
        client().get(format!("{}{path}", self.url)).send().unwrap().text().unwrap()
    }

    /// Places an order of `quantity` of a product; its id.
    pub(crate) fn place(&self, product: &str, quantity: u32) -> String {
        let (status, said) = self.post("/orders", &order(product, quantity));
        assert_eq!(status, 202, "{said}");
        said["orderId"].as_str().unwrap().to_owned()
    }

    /// Waits until it can serve requests.
    pub(crate) fn ready(&self) {
        eventually(SOON, || (self.get("/readyz").0 == 200).then_some(()));
    }

    /// The order, once it is no longer pending.
    pub(crate) fn outcome(&self, id: &str) -> Value {
        eventually(SOON, || {
            let (_, order) = self.get(&format!("/orders/{id}"));
            (order["status"] != "PENDING").then_some(order)
        })
    }

    /// What it wrote to its log so far.
    pub(crate) fn log(&mut self) -> String {
        self.log.extend(self.lines.try_iter());
        self.log.join("\n")
    }

    /// Asks it to end; its exit code and its log.
    pub(crate) fn end(self) -> (Option<i32>, String) {
        self.signal("TERM");
        self.ended()
    }

    /// Waits for its end; its exit code and its log.
    pub(crate) fn ended(mut self) -> (Option<i32>, String) {
        let status = eventually(SOON, || self.child.try_wait().unwrap());
        self.log.extend(self.lines.iter());
        (status.code(), self.log.join("\n"))
    }

    pub(crate) fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        std::process::Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn client() -> reqwest::blocking::Client {
    // A provider that is there already is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::blocking::Client::builder().timeout(SOON).build().unwrap()
}

fn answer(response: reqwest::blocking::Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let text = response.text().unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

/// The body of an order.
pub(crate) fn order(product: &str, quantity: u32) -> Value {
    serde_json::json!({
        "customerId": "CUST-42",
        "items": [{ "productId": product, "quantity": quantity }],
        "shippingAddress": { "street": "123 Main St", "city": "Austin", "state": "TX", "zip": "78701" },
        "contact": { "email": "ada.secret@example.com" },
    })
}

/// A record that asks for a notification, as `produce` takes it.
pub(crate) fn asks(id: usize, order: &str, channel: &str, to: &str) -> String {
    let event = serde_json::json!({
        "eventId": format!("evt-{id}"), "eventType": "SendNotification", "orderId": order,
        "timestamp": "2024-09-01T10:15:32Z", "customerId": "CUST-42", "channel": channel, "to": to,
        "template": if channel == "operator" { "out-of-stock" } else { "order-confirmed" },
        "parameters": { "totalAmount": "119.93", "productId": "PROD-101" },
    });
    format!("eventType:SendNotification,eventId:evt-{id}\t{order}\t{event}")
}

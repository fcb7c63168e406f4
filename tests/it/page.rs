//! The order page in a real browser: headless Chromium, driven by ChromeDriver.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};

use crate::support::system::{Running, SOON, System};

/// ChromeDriver on a port of its own; ended when this is dropped.
struct Driver {
    child: Child,
    url: String,
}

impl Driver {
    /// It takes a free port of IPv4, and ends when IPv6 has that one in use.
    fn start() -> Self {
        (0..10).find_map(|_| Self::try_start()).expect("chromedriver starts on a free port")
    }

    fn try_start() -> Option<Self> {
        let child = Command::new("chromedriver")
            .arg("--port=0")
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver is installed (Debian: chromium-driver)");
        let mut driver = Self { child, url: String::new() };
        let mut said = BufReader::new(driver.child.stdout.take().unwrap());
        let mut line = String::new();
        let port = loop {
            line.clear();
            if said.read_line(&mut line).unwrap() == 0 {
                return None;
            }
            if let Some(port) = line.trim().trim_end_matches('.').split("successfully on port ").nth(1) {
                break port.to_owned();
            }
        };
        // Its pipe must not fill.
        std::thread::spawn(move || std::io::copy(&mut said, &mut std::io::sink()));
        driver.url = format!("http://127.0.0.1:{port}");
        Some(driver)
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A page in a browser. What fails, fails after [`SOON`].
struct Page {
    client: Client,
    _driver: Driver,
}

impl Page {
    async fn open(url: &str, width: u32) -> Self {
        let driver = Driver::start();
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--disable-dev-shm-usage",
            &format!("--window-size={width},900"),
        ];
        let capabilities = json!({
            "goog:chromeOptions": { "args": arguments },
        });
        let Value::Object(capabilities) = capabilities else { unreachable!() };
        let client = ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
            .capabilities(capabilities)
            .connect(&driver.url)
            .await
            .expect("a browser");
        client.goto(url).await.unwrap();
        let page = Self { client, _driver: driver };
        page.until("document.querySelectorAll('#stock tr').length > 0 || !document.querySelector('#token-field').hidden").await;
        page
    }

    async fn run(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    async fn text(&self, selector: &str) -> String {
        let script = format!("return document.querySelector({selector:?})?.textContent ?? ''");
        self.run(&script).await.as_str().unwrap().to_owned()
    }

    /// Waits until an expression is true.
    async fn until(&self, expression: &str) {
        let deadline = tokio::time::Instant::now() + SOON;
        while self.run(&format!("return Boolean({expression})")).await != json!(true) {
            let body = self.text("main").await;
            assert!(tokio::time::Instant::now() < deadline, "not soon: {expression}: {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    async fn until_status(&self, status: &str) {
        self.until(&format!("document.querySelector('#status').textContent === {status:?}")).await;
    }

    async fn place(&self) {
        self.client.find(Locator::Css("#submit")).await.unwrap().click().await.unwrap();
    }

    async fn choose(&self, product: &str) {
        let select = self.client.find(Locator::Css(".product")).await.unwrap();
        select.select_by_value(product).await.unwrap();
    }

    /// Ends the browser.
    async fn close(self) {
        self.client.close().await.unwrap();
    }
}

/// A page that is driven to its end.
fn with_page<F: Future<Output = ()>>(url: &str, width: u32, story: impl FnOnce(Page) -> F) {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { story(Page::open(url, width).await).await });
}

/// Everything in one process; ready when this returns.
fn shop(system: &System, args: &[&str]) -> Running {
    let running = system.up_alone(args);
    running.ready();
    running
}

#[test]
fn an_order_is_placed_and_seen_to_be_confirmed_without_a_reload() {
    let system = System::new("page", None);
    let shop = shop(&system, &[]);
    with_page(&shop.url, 1200, |page| async move {
        page.run("window.sameDocument = true; addEventListener('securitypolicyviolation', () => { window.violated = true })").await;
        assert_eq!(page.text("#total").await, "49.99");
        page.place().await;
        page.until("document.querySelector('#status').textContent === 'PENDING' || document.querySelector('#status').textContent === 'CONFIRMED'").await;
        page.until_status("CONFIRMED").await;
        assert_eq!(page.text("#link").await, "Live: changes show up by themselves.");
        page.until("document.querySelectorAll('#timeline li').length === 3").await;
        page.until("document.querySelector('#timeline .place').textContent.startsWith('→ order-service.')")
            .await;
        let timeline = page.text("#timeline").await;
        assert!(
            timeline.contains("Stock reserved") && timeline.contains("← inventory-service."),
            "{timeline}"
        );
        page.until("document.querySelector('[data-product=\"PROD-101\"]').textContent.includes('499')").await;
        page.until("document.querySelectorAll('#recent li').length === 1").await;
        assert_eq!(
            page.run("return [window.sameDocument, Boolean(window.violated)]").await,
            json!([true, false])
        );
        page.close().await;
    });
}

#[test]
fn an_order_that_cannot_be_had_is_cancelled_with_the_reason_and_a_mistake_is_said_at_its_field() {
    let system = System::new("page-sold-out", None);
    let shop = shop(&system, &[]);
    // As wide as a telephone: nothing is cut off.
    with_page(&shop.url, 500, |page| async move {
        page.choose("PROD-404").await;
        page.place().await;
        page.until_status("CANCELLED").await;
        let facts = page.text("#facts").await;
        assert!(facts.contains("ReasonInsufficient stock for PROD-404"), "{facts}");
        page.until("document.querySelector('#link').textContent.startsWith('Nothing more')").await;
        page.run("document.querySelector('.quantity').value = 0").await;
        page.place().await;
        page.until("document.querySelector('.quantity').getAttribute('aria-invalid') === 'true'").await;
        assert!(page.text(".item .wrong").await.contains('1'), "{}", page.text(".item").await);
        assert_eq!(page.run("return document.activeElement.className").await, json!("quantity"));
        let fits = "return document.documentElement.scrollWidth <= innerWidth";
        assert_eq!(page.run(fits).await, json!(true));
        page.close().await;
    });
}

#[test]
fn a_page_without_streams_asks_every_two_seconds() {
    let system = System::new("page-cut", None);
    let shop = shop(&system, &[]);
    let proxy = Proxy::to(shop.url.trim_start_matches("http://"));
    let url = proxy.url.clone();
    with_page(&url, 1200, |page| async move {
        // Cut while it is open.
        page.place().await;
        page.until_status("CONFIRMED").await;
        page.until("document.querySelector('#link-dot').className === 'live'").await;
        proxy.cut();
        page.until("document.querySelector('#link').textContent.startsWith('No stream')").await;
        // Never there.
        page.place().await;
        page.until("document.querySelectorAll('#recent li').length === 2").await;
        page.until("document.querySelector('#link').textContent.startsWith('No stream')").await;
        page.until_status("CONFIRMED").await;
        page.close().await;
    });
}

#[test]
fn a_page_of_an_api_with_a_token_asks_for_it() {
    let system = System::new("page-token", None);
    system.folder.write("token", "s3cret\n");
    let shop = shop(&system, &["--api-token-file", "token"]);
    assert_eq!(shop.get("/products").0, 401);
    with_page(&shop.url, 1200, |page| async move {
        page.until("!document.querySelector('#token-field').hidden").await;
        let field = page.client.find(Locator::Css("#token")).await.unwrap();
        field.send_keys("s3cret\u{e007}").await.unwrap();
        page.until("document.querySelectorAll('#stock tr').length > 0").await;
        page.place().await;
        page.until_status("CONFIRMED").await;
        page.close().await;
    });
}

/// Hands connections on, and cuts those that carry streams of events.
struct Proxy {
    url: String,
    cut: Arc<AtomicBool>,
    streams: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn to(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (cut, streams) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(Vec::new())));
        let (server, is_cut, of_events) = (server.to_owned(), Arc::clone(&cut), Arc::clone(&streams));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let (is_cut, of_events) = (Arc::clone(&is_cut), Arc::clone(&of_events));
                let Ok(server) = TcpStream::connect(&server) else { return };
                std::thread::spawn(move || hand_on(client, server, &is_cut, &of_events));
            }
        });
        Self { url, cut, streams }
    }

    fn cut(&self) {
        self.cut.store(true, Ordering::SeqCst);
        for stream in self.streams.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn hand_on(mut client: TcpStream, mut server: TcpStream, cut: &AtomicBool, streams: &Mutex<Vec<TcpStream>>) {
    let (mut back, mut answers) = (client.try_clone().unwrap(), server.try_clone().unwrap());
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut answers, &mut back);
        let _ = back.shutdown(Shutdown::Both);
    });
    let mut bytes = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = client.read(&mut bytes) {
        if bytes[..count].windows(8).any(|some| some == b"/events ") {
            streams.lock().unwrap().push(client.try_clone().unwrap());
            if cut.load(Ordering::SeqCst) {
                break;
            }
        }
        if server.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = server.shutdown(Shutdown::Both);
}

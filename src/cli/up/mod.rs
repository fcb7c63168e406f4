//! `kafkaflow up`

mod inside;
mod load;

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::time::{Duration, Instant};

use self::inside::Inside;
use self::load::LoadArgs;
use crate::cli::apply::{How, carry_through, show};
use crate::cli::error::CliError;
use crate::cli::exit::Exit;
use crate::cli::planning::{Planned, plan_wanted};
use crate::cli::run::allow_many_connections;
use crate::cli::run::assets::Assets;
use crate::cli::run::inventory::{self, InventoryArgs};
use crate::cli::run::notification::{self, NotificationArgs};
use crate::cli::run::order::{self, OrderArgs};
use crate::cli::run::settings::{Common, CommonArgs, addresses, ended};
use crate::cli::select::Wanted;
use crate::cli::signal;
use crate::cli::view::plan::Heading;
use crate::cluster::port::{Log, Topics};
use crate::kafka::Cluster;
use crate::plan::SavedPlan;
use crate::runtime::service::asked;
use crate::runtime::{Tracing, measure};
use crate::services::order::api::Beside;
use crate::services::{
    inventory as inventory_service, notification as notification_service, order as order_service,
};
use crate::store::cluster::ClusterKind;
use crate::unit::UnixMillis;
use crate::up::load::{Load, Target};
use crate::up::page::{Shelves, page, products};
use crate::up::{self, Part};

/// How long the plan may take to be executed.
const PATIENCE: Duration = Duration::from_secs(300);
/// How long the services' relays, which have their rounds at the same beat, wait for each other before they send.
const TOGETHER: Duration = Duration::from_micros(500);
/// How long at most, where another is just reading its rows.
const INTENDED: Duration = Duration::from_millis(8);
/// Where notifications go that nobody says anything of: standard output is for what `up` itself says.
const LETTERS: &str = "file:notifications.ndjson";

/// Run all services of the design in one process, on a cluster that is brought to what the topology says.
///
/// Without brokers a small one inside of this process is used: nothing needs to be installed, and its records end with the
/// process, while the stores stay. With -b the plan for the cluster is shown, and you are asked before anything is changed.
///
/// The order page and the API are served on port 8080, operations of the inventory on 8081, of the notification service on 8082; notifications are
/// lines of notifications.ndjson unless flags say where they go. Ctrl-C finishes what is in hand. Beyond trying things out,
/// `kafkaflow run` has each service alone.
#[derive(clap::Args)]
pub(crate) struct Args {
    #[command(flatten)]
    common: CommonArgs,

    /// Do not ask
    #[arg(long, short = 'y')]
    yes: bool,

    /// Where the inventory's operations are served [default: 127.0.0.1:8081]
    #[arg(long, value_name = "HOST:PORT", help_heading = "HTTP")]
    inventory_listen: Option<String>,

    /// Where the notification service's operations are served [default: 127.0.0.1:8082]
    #[arg(long, value_name = "HOST:PORT", help_heading = "HTTP")]
    notification_listen: Option<String>,

    #[command(flatten)]
    order: OrderArgs,

    #[command(flatten)]
    inventory: InventoryArgs,

    #[command(flatten)]
    notification: NotificationArgs,

    #[command(flatten)]
    load: LoadArgs,
}

pub(crate) async fn run(args: Args, out: &mut impl Write) -> Result<Exit, CliError> {
    let (common, file) = args.common.merged(order::PORT)?;
    let order = args.order.or(&file);
    let inventory = args.inventory.or(&file);
    let notification = args.notification.or(&file, LETTERS);
    order.check()?;
    if common.print {
        let mut printed =
            if common.names_no_cluster() { common.printed_with(None) } else { common.printed()? };
        order.print(&mut printed);
        inventory.print(&mut printed);
        notification.print(&mut printed);
        out.write_all(printed.text().as_bytes())?;
        return Ok(Exit::Fine);
    }
    let place = |given: Option<String>, port: u16| given.unwrap_or_else(|| format!("127.0.0.1:{port}"));
    let of_order = common.addresses()?;
    let of_inventory = addresses("--inventory-listen", &place(args.inventory_listen, inventory::PORT))?;
    let of_notification =
        addresses("--notification-listen", &place(args.notification_listen, notification::PORT))?;
    let assets = common.assets()?;
    let load = args.load.asked(common.names_no_cluster())?;
    let token = order.token()?;
    // Everything that may be wrong is said before the cluster is touched.
    let closed = watch::Sender::new(false);
    let order = match of_inventory.first() {
        Some(address) => order.with_inventory_at(*address)?,
        None => order,
    };
    let inventory = if order.reserves_by_http() { inventory.taking_reservations() } else { inventory };
    let shop = inventory.shop(&assets, order.catalog(), &of_inventory)?;
    let shelves = Arc::new(Shelves::new(common.location().clone()));
    let settings = order_service::run::Settings {
        beside: Beside { open: page(), guarded: products(shop.catalog.clone(), Arc::clone(&shelves)) },
        ..order.settings(&assets, &of_order, closed.subscribe())?
    };
    let office = notification.office(&assets)?;
    // Whoever asks while things are made ready is heard once the services run; but at a question Ctrl-C is an answer.
    let (inside, ear) = if common.names_no_cluster() {
        let ear = signal::Ear::open();
        (Some(Inside::begin(&common, &assets, &settings, out).await?), ear)
    } else {
        let brought = bring(&common, &assets, args.yes, out).await?;
        if brought != Exit::Fine {
            return Ok(brought);
        }
        (None, signal::Ear::open())
    };
    let cluster = one_producer(match &inside {
        Some(inside) => inside.cluster()?,
        None => common.cluster()?,
    })?;

    allow_many_connections();
    let measured = measure();
    let surrounded = async |name, at: &[SocketAddr]| {
        common.surrounded(name, &assets, at, cluster.clone(), measured.clone()).await
    };
    let around_order = surrounded(order_service::run::NAME, &of_order).await?;
    let around_inventory = surrounded(inventory_service::NAME, &of_inventory).await?;
    let around_notification = surrounded(notification_service::NAME, &of_notification).await?;
    let api =
        around_order.listener.local_addr().map_err(|error| CliError::failed("no address").because(error))?;
    out.write_all(welcome(api, inside.as_ref()).as_bytes())?;
    out.flush()?;
    let tracings: Vec<Tracing> =
        [&around_order, &around_inventory, &around_notification].map(|around| around.tracing.clone()).into();
    let ending = watch::Sender::new(false);
    let parts = vec![
        Part {
            name: order_service::run::NAME,
            work: Box::pin(order_service::run::run(settings, around_order, asked(ending.subscribe()))),
        },
        Part {
            name: inventory_service::NAME,
            work: Box::pin(inventory_service::run::run(shop, around_inventory, asked(ending.subscribe()))),
        },
        Part {
            name: notification_service::NAME,
            work: Box::pin(notification_service::run::run(
                office,
                around_notification,
                asked(ending.subscribe()),
            )),
        },
    ];
    let mut loaded = Ok(Exit::Fine);
    let told = async {
        loaded = until_told(ear, load, load::target(api, token), out).await;
        if let Some(inside) = &inside {
            closed.send_replace(true);
            inside.drained().await;
        }
    };
    let worked = up::run(parts, &ending, told).await;
    // Sending may wait for a collector.
    let _ = tokio::task::spawn_blocking(move || tracings.iter().for_each(Tracing::shut_down)).await;
    shelves.close().await;
    if let Some(inside) = inside {
        inside.end().await;
    }
    worked.map_err(|failed| ended(failed.name, &failed.error))?;
    loaded
}

/// The services publish by the same one.
fn one_producer((cluster, kind): (Cluster, ClusterKind)) -> Result<(Cluster, ClusterKind), CliError> {
    match cluster.sharing_a_producer(TOGETHER, INTENDED) {
        Ok(cluster) => Ok((cluster, kind)),
        Err(error) => Err(CliError::failed("the services do not start").because(error)),
    }
}

/// Waits for being asked to end, or for the end of the load; what the load came to.
async fn until_told(
    ear: signal::Ear,
    load: Option<(Load, Option<String>)>,
    target: Target,
    out: &mut impl Write,
) -> Result<Exit, CliError> {
    let Some((load, capped)) = load else {
        ear.end().await;
        return Ok(Exit::Fine);
    };
    if let Some(capped) = capped {
        eprintln!("note: {capped}");
    }
    tokio::select! {
        () = ear.end() => Ok(Exit::Partly),
        carried = load::carry_out(load, &target) => {
            let (report, exit) = carried?;
            out.write_all(report.as_bytes())?;
            out.flush()?;
            Ok(exit)
        }
    }
}

/// Plans, asks, executes.
async fn bring(common: &Common, assets: &Assets, yes: bool, out: &mut impl Write) -> Result<Exit, CliError> {
    let admin = common.connect().connect().await?;
    carry_to(&admin, common, assets, yes, None, out).await
}

/// Brings a cluster to what the topology says; `remark` says something of its settings.
pub(super) async fn carry_to(
    cluster: &(impl Topics + Log),
    common: &Common,
    assets: &Assets,
    yes: bool,
    remark: Option<&str>,
    out: &mut impl Write,
) -> Result<Exit, CliError> {
    let wanted = Wanted { file: common.topology_file(), topology: (*assets.topology).clone(), whole: true };
    let deadline = Instant::now() + PATIENCE;
    let Planned { plan, observed } = plan_wanted(cluster, &wanted, deadline, UnixMillis::now().0).await?;
    let heading =
        Heading { file: &wanted.file, env: common.env(), brokers: observed.brokers.len(), snapshot: None };
    show(&plan, &heading, out)?;
    if let Some(remark) = remark {
        out.write_all(remark.as_bytes())?;
    }
    let how = How { yes, timeout: PATIENCE, no_wait: false, require_verification: false };
    carry_through(cluster, &SavedPlan::new(plan, &observed), None, &how, out).await
}

/// What to try first.
fn welcome(api: SocketAddr, inside: Option<&Inside>) -> String {
    let broker = inside.map_or_else(String::new, |inside| {
        format!("\x20 broker   {} (embedded: its records end with this process)\n", inside.addresses())
    });
    format!(
        "\nThe services run; Ctrl-C ends them.\n\
         \x20 page     http://{api}/\n\
         \x20 API      http://{api}/orders, described by http://{api}/openapi.json\n\
         \x20 health   http://{api}/healthz\n\
         {broker}\
         Place an order, and follow it:\n\
         \x20 curl -i http://{api}/orders -H 'Content-Type: application/json' -d '{{\n\
         \x20   \"customerId\": \"CUST-42\", \"items\": [{{ \"productId\": \"PROD-101\", \"quantity\": 1 }}],\n\
         \x20   \"shippingAddress\": {{ \"street\": \"123 Main St\", \"city\": \"Austin\", \"state\": \"TX\", \"zip\": \"78701\" }} }}'\n\
         \x20 curl -N http://{api}/orders/ORD-…/events\n"
    )
}

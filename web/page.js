// The order page: places orders, and shows how each moves. Texts are set as text, never as markup.

import { follow } from "/page/follow.js";
import { ask, needsToken, setToken } from "/page/api.js";

const $ = (id) => document.getElementById(id);
const money = (amount) => Number(amount).toFixed(2);
const STOCK_EVERY = 5000;
const clock = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 });

/** What an order heard, in a reader's words. */
const KINDS = {
  "placed": "Placed",
  "inventory-reserved": "Stock reserved",
  "inventory-failed": "Stock not reserved",
  "reservation-cancelled": "Stock given back",
  "reservation-restored": "Stock reserved again",
  "payment-captured": "Payment captured",
  "payment-declined": "Payment declined",
  "record-lost": "Record lost with the embedded broker",
};
const TONES = { PENDING: "wait", CONFIRMED: "good", REFUNDING: "wait", REFUNDED: "wait" };
const tone = (status) => TONES[status] ?? "bad";

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

// --- products and stock -------------------------------------------------------------------------------------------

let products = [];

async function refreshStock() {
  try {
    const { body } = await ask("/products");
    const first = products.length === 0;
    products = body.products;
    $("stock").replaceChildren(...products.map(stockRow));
    $("stock-trouble").textContent = "";
    if (first) {
      addItem();
      showTotal();
    }
  } catch (error) {
    $("stock-trouble").textContent = `The stock cannot be read: ${error.message}`;
  }
}

function stockRow(product) {
  const number = (value) =>
    element("td", { className: "number", textContent: value === undefined ? "–" : value.toLocaleString("en") });
  const soldOut = product.available === 0;
  const available = number(product.available);
  if (soldOut) available.className = "number bad";
  if (soldOut) available.textContent = "sold out";
  const row = element(
    "tr", {},
    element("td", {}, product.name, element("small", { textContent: product.productId })),
    element("td", { className: "number", textContent: money(product.price) }),
    available,
    number(product.reserved),
  );
  row.dataset.product = product.productId;
  return row;
}

// --- the form -----------------------------------------------------------------------------------------------------

let itemsMade = 0;

function addItem() {
  itemsMade += 1;
  const productId = `product-${itemsMade}`;
  const quantityId = `quantity-${itemsMade}`;
  const select = element(
    "select", { id: productId, className: "product" },
    ...products.map((one) => element("option", { value: one.productId, textContent: `${one.name} · ${money(one.price)}` })),
  );
  const preferred = products.find((one) => one.available > 0 && !one.productId.startsWith("LOAD"));
  if (preferred) select.value = preferred.productId;
  const quantity = element("input", { id: quantityId, className: "quantity", type: "number", min: 1, value: 1 });
  const remove = element("button", { type: "button", className: "quiet remove", textContent: "×" });
  remove.setAttribute("aria-label", "Remove this item");
  const item = element(
    "div", { className: "item" },
    element("div", {}, element("label", { htmlFor: productId, textContent: "Product" }), select),
    element("div", {}, element("label", { htmlFor: quantityId, textContent: "Quantity" }), quantity),
    remove,
  );
  remove.addEventListener("click", () => {
    item.remove();
    tidyItems();
    $("more").focus();
  });
  $("items").append(item);
  tidyItems();
}

/** The pointers of the fields say where each stands in the order. The last item cannot be removed. */
function tidyItems() {
  const items = [...$("items").children];
  items.forEach((item, index) => {
    item.querySelector(".product").dataset.pointer = `/items/${index}/productId`;
    item.querySelector(".quantity").dataset.pointer = `/items/${index}/quantity`;
    item.querySelector(".remove").hidden = items.length === 1;
  });
  showTotal();
}

function readItems() {
  return [...$("items").children].map((item) => ({
    productId: item.querySelector(".product").value,
    quantity: Number(item.querySelector(".quantity").value),
  }));
}

/** What the server will say; it is the server that prices an order. */
function showTotal() {
  const cents = readItems().reduce((sum, { productId, quantity }) => {
    const price = products.find((one) => one.productId === productId)?.price ?? 0;
    return sum + Math.round(Number(price) * 100) * quantity;
  }, 0);
  $("total").textContent = money(cents / 100);
  $("ship-to").textContent = `${$("street").value}, ${$("city").value}`;
}

function readOrder() {
  const order = {
    customerId: $("customer").value.trim(),
    items: readItems(),
    shippingAddress: {
      street: $("street").value, city: $("city").value, state: $("state").value, zip: $("zip").value,
    },
  };
  const email = $("email").value.trim();
  if (email) order.contact = { email };
  return order;
}

function showProblem(problem) {
  document.querySelectorAll(".wrong").forEach((old) => old.remove());
  document.querySelectorAll("[aria-invalid]").forEach((field) => {
    field.removeAttribute("aria-invalid");
    field.removeAttribute("aria-describedby");
  });
  $("refusal").hidden = !problem;
  if (!problem) return;
  const elsewhere = [];
  let first;
  (problem.errors ?? []).forEach(({ pointer, detail }, index) => {
    const field = document.querySelector(`[data-pointer="${CSS.escape(pointer)}"]`);
    if (!field) return elsewhere.push(`${pointer}: ${detail}`);
    const words = element("p", { className: "wrong", id: `wrong-${index}`, textContent: detail });
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-describedby", words.id);
    field.closest("details")?.setAttribute("open", "");
    (field.closest(".item") ?? field.parentElement).append(words);
    first ??= field;
  });
  $("refusal").textContent = [problem.detail, ...elsewhere].join(" · ");
  first?.focus();
}

/** Kept until the order is taken or refused, so that a repeated attempt is no second order. */
let attempt;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function place(event) {
  event.preventDefault();
  const body = JSON.stringify(readOrder());
  if (attempt?.body !== body) attempt = { body, key: newKey() };
  $("submit").disabled = true;
  showProblem();
  try {
    const headers = { "Content-Type": "application/json", "Idempotency-Key": attempt.key };
    const placed = await ask("/orders", { method: "POST", headers, body });
    attempt = undefined;
    location.hash = placed.body.orderId;
  } catch (error) {
    if (error.status >= 400 && error.status < 500) attempt = undefined;
    showProblem(error.problem ?? { detail: `The order did not get there: ${error.message}. Try again.` });
  } finally {
    $("submit").disabled = false;
  }
}

// --- the order ----------------------------------------------------------------------------------------------------

let shown;

function showOrder(id) {
  shown?.stop();
  shown = undefined;
  $("nothing").hidden = Boolean(id);
  $("shown").hidden = !id;
  if (!id) return;
  $("order-id").textContent = id;
  $("status").textContent = "…";
  $("status").className = "status";
  $("message").textContent = "";
  $("facts").replaceChildren();
  $("timeline").replaceChildren();
  shown = follow(id, { order: drawOrder, timeline: drawTimeline, link: drawLink });
}

function drawOrder(order) {
  $("status").textContent = order.status;
  $("status").className = `status ${tone(order.status)}`;
  $("message").textContent = order.message;
  const items = order.items.map((item) => `${item.quantity} × ${item.productId}`).join(", ");
  const facts = [
    ["Reason", order.reason],
    ["Items", items],
    ["Total", money(order.totalAmount)],
    ["Reservation", order.reservationId],
    ["Paid", order.paid ? "yes" : undefined],
  ];
  $("facts").replaceChildren(
    ...facts.filter(([, value]) => value)
      .flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })]),
  );
  refreshStock();
  refreshRecent();
}

function drawTimeline(entries) {
  const known = $("timeline").children.length;
  $("timeline").replaceChildren(...entries.map((entry, index) => {
    const at = new Date(entry.at);
    const when = element("time", { className: "when", dateTime: entry.at, textContent: clock.format(at) });
    const item = element("li", {}, element("p", {}, KINDS[entry.kind] ?? entry.kind, " ", when));
    item.classList.toggle("note", Boolean(entry.ignored));
    item.classList.toggle("new", index >= known);
    if (entry.reason) item.append(element("p", { textContent: entry.reason }));
    if (entry.ignored) item.append(element("p", { textContent: `Nothing came of it: ${entry.ignored}.` }));
    if (entry.published) {
      const { topic, partition, offset } = entry.published;
      item.append(element("p", { className: "place", textContent: `→ ${topic}/${partition}/${offset}` }));
    }
    if (entry.heardAt) item.append(element("p", { className: "place", textContent: `← ${entry.heardAt}` }));
    return item;
  }));
}

const LINKS = {
  live: "Live: changes show up by themselves.",
  poll: "No stream; asking every 2 seconds.",
  over: "Nothing more will happen to this order.",
  lost: "The service does not answer; trying again.",
  unknown: "There is no order of this id.",
};

function drawLink(state) {
  $("link").textContent = LINKS[state];
  $("link-dot").className = state;
}

// --- recent orders ------------------------------------------------------------------------------------------------

async function refreshRecent() {
  const customer = $("customer").value.trim();
  $("recent-of").textContent = customer;
  if (!customer) return;
  try {
    const { body } = await ask(`/orders?limit=8&customerId=${encodeURIComponent(customer)}`);
    $("recent").replaceChildren(...body.orders.map((order) => {
      const open = element(
        "button", { type: "button" },
        element("code", { textContent: order.orderId }),
        element("span", { className: `badge ${tone(order.status)}`, textContent: order.status }),
      );
      open.addEventListener("click", () => { location.hash = order.orderId; });
      return element("li", {}, open);
    }));
  } catch {
    // The next refresh may have more luck; the order itself says when the service is away.
  }
}

// --- beginning ----------------------------------------------------------------------------------------------------

needsToken(() => { $("token-field").hidden = false; });
$("token").addEventListener("change", () => {
  setToken($("token").value.trim());
  refreshStock();
  showOrder(location.hash.slice(1));
  refreshRecent();
});
$("place").addEventListener("submit", place);
$("place").addEventListener("input", showTotal);
$("more").addEventListener("click", addItem);
$("customer").addEventListener("change", refreshRecent);
addEventListener("hashchange", () => showOrder(location.hash.slice(1)));
showOrder(location.hash.slice(1));
refreshRecent();
await refreshStock();
setInterval(refreshStock, STOCK_EVERY);

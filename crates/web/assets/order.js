// Keeps the order page current: fetches the page again when the order's stream reports another state.

const by = (id) => document.getElementById(id);

// The same as in pages/order/order_status.rs.
function fingerprint({ state, payments, refunds, tickets }) {
  const join = (list) => list.map((one) => one.state).join(",");
  return [state, join(payments), join(refunds), join(tickets)].join("|");
}

/** A pending order is fetched at this interval even if its stream is silent. */
const REFRESH_INTERVAL_MS = 15000;
/** For one fetch of the page. */
const FETCH_TIMEOUT_MS = 10000;
/** Until a sent form can be sent again. */
const RESUBMIT_DELAY_MS = 20000;
/** Before the first retry after a page of a node that is behind the stream. */
const RETRY_DELAY_MS = 1000;

let source = null;
/** The fingerprint of the stream's last message. */
let streamed = null;
let retryDelay = RETRY_DELAY_MS;
let isFetching = false;
let isRequested = false;
/** The fingerprint of the previous content. */
let previous = null;

const shown = () => by("order").dataset.fingerprint;

function follow() {
  const { order, token } = by("order").dataset;
  source?.close();
  source = new EventSource(`/api/v1/orders/${order}/stream?token=${encodeURIComponent(token)}`);
  source.addEventListener("order", (message) => {
    streamed = fingerprint(JSON.parse(message.data));
    retryDelay = RETRY_DELAY_MS;
    if (streamed !== shown()) refresh();
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000 + 3000 * Math.random()); };
}

// One fetch at a time; requests during a fetch lead to one more.
async function refresh() {
  isRequested = isFetching;
  if (isFetching) return;
  isFetching = true;
  do {
    isRequested = false;
    await fetchPage().catch(() => null);
  } while (isRequested);
  isFetching = false;
  scheduleRefresh();
}

async function fetchPage() {
  const { order, token } = by("order").dataset;
  const at = `/orders/${order}?token=${encodeURIComponent(token)}`;
  const answer = await fetch(at, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(FETCH_TIMEOUT_MS) });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("order");
  if (!fresh) return;
  // The page comes from a node that is behind the stream.
  if (fresh.dataset.fingerprint === previous && streamed === shown()) return;
  const [news, freshNews] = [by("news"), fresh.querySelector("#news")];
  // Unchanged content is not replaced: the buyer may be choosing a payment method.
  const isSame = fresh.dataset.fingerprint === shown() && !fresh.querySelector("#order-form") === !by("order-form");
  // The news keeps its element, so that screen readers announce it once per change.
  if (news.outerHTML !== freshNews.outerHTML) {
    news.className = freshNews.className;
    news.replaceChildren(...freshNews.childNodes);
  }
  if (isSame) return;
  if (fresh.dataset.fingerprint !== shown()) previous = shown();
  freshNews.replaceWith(news);
  const { activeElement } = document;
  const hadFocus = by("order").contains(activeElement);
  by("order").replaceWith(fresh);
  prepare();
  if (hadFocus) refocus(activeElement);
}

// Focuses the control that replaces the focused one, else the news.
function refocus({ id, name, value }) {
  const same = (id && by(id)) || (name && document.querySelector(`#order [name="${name}"][value="${CSS.escape(value)}"]`));
  const target = same || by("news").querySelector("h1");
  if (!same) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

function scheduleRefresh() {
  clearTimeout(scheduleRefresh.timer);
  // After some retries the page knows more than the stream, e.g. that a ticket was used.
  const isBehind = streamed !== null && streamed !== shown() && retryDelay < REFRESH_INTERVAL_MS;
  if (isBehind) {
    scheduleRefresh.timer = setTimeout(refresh, retryDelay);
    retryDelay *= 2;
  } else if (by("order").hasAttribute("data-pending")) {
    scheduleRefresh.timer = setTimeout(refresh, REFRESH_INTERVAL_MS);
  }
}

function prepare() {
  by("print")?.addEventListener("click", () => print());
  by("order-form")?.addEventListener("submit", (event) => {
    const pay = by("pay");
    if (pay.classList.contains("busy")) { event.preventDefault(); return; }
    pay.classList.add("busy");
    // A buyer who stopped the page may send the form again: its key makes both one payment.
    setTimeout(() => pay.classList.remove("busy"), RESUBMIT_DELAY_MS);
  });
}

prepare();
scheduleRefresh();
follow();
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  by("pay")?.classList.remove("busy");
  refresh();
});

// The order page, live: when the order's stream says that something has changed, the page's own content is fetched anew.

const by = (id) => document.getElementById(id);

// As pages/order/words.rs makes it.
function fingerprint({ state, payments, refunds, tickets }) {
  const join = (list) => list.map((one) => one.state).join(",");
  return [state, join(payments), join(refunds), join(tickets)].join("|");
}

/** Where the stream is silent for a while, one look is cheap. */
const LATER_MS = 15000;
/** One look. */
const ANSWER_MS = 10000;
/** A form that was sent is not sent again so soon. */
const BUSY_MS = 20000;
/** A page may come from a node that has not heard yet. */
const SOON_MS = 1000;

let source = null;
/** The order as the stream told it last. */
let told = null;
let soon = SOON_MS;
let looking = false;
let again = false;
/** The fingerprint of what was shown before this. */
let before = null;

const shown = () => by("order").dataset.fingerprint;

function follow() {
  const { order, token } = by("order").dataset;
  source?.close();
  source = new EventSource(`/api/v1/orders/${order}/stream?token=${encodeURIComponent(token)}`);
  source.addEventListener("order", (message) => {
    told = fingerprint(JSON.parse(message.data));
    soon = SOON_MS;
    if (told !== shown()) refresh();
  });
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) setTimeout(follow, 2000 + 3000 * Math.random()); };
}

// One look at a time; whatever is asked for meanwhile is one more.
async function refresh() {
  again = looking;
  if (looking) return;
  looking = true;
  do {
    again = false;
    await look().catch(() => null);
  } while (again);
  looking = false;
  lookLater();
}

async function look() {
  const { order, token } = by("order").dataset;
  const at = `/orders/${order}?token=${encodeURIComponent(token)}`;
  const answer = await fetch(at, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(ANSWER_MS) });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("order");
  if (!fresh) return;
  // Of a node that is behind; what is shown is what the stream told.
  if (fresh.dataset.fingerprint === before && told === shown()) return;
  const [news, freshNews] = [by("news"), fresh.querySelector("#news")];
  // What is the same stays as it is: somebody may be choosing how to pay.
  const isSame = fresh.dataset.fingerprint === shown() && !fresh.querySelector("#order-form") === !by("order-form");
  // The news keeps its element, so that it is read out, and only where it is new.
  if (news.outerHTML !== freshNews.outerHTML) {
    news.className = freshNews.className;
    news.replaceChildren(...freshNews.childNodes);
  }
  if (isSame) return;
  if (fresh.dataset.fingerprint !== shown()) before = shown();
  freshNews.replaceWith(news);
  const { activeElement } = document;
  const had = by("order").contains(activeElement);
  by("order").replaceWith(fresh);
  prepare();
  if (had) refocus(activeElement);
}

// What had the focus was replaced: the same control has it again, else the news.
function refocus({ id, name, value }) {
  const same = (id && by(id)) || (name && document.querySelector(`#order [name="${name}"][value="${CSS.escape(value)}"]`));
  const target = same || by("news").querySelector("h1");
  if (!same) target.tabIndex = -1;
  target.focus({ preventScroll: true });
}

function lookLater() {
  clearTimeout(lookLater.timer);
  // A page that is another one still after some looks knows more than the stream told, e.g. that a ticket was used.
  const isBehind = told !== null && told !== shown() && soon < LATER_MS;
  if (isBehind) {
    lookLater.timer = setTimeout(refresh, soon);
    soon *= 2;
  } else if (by("order").hasAttribute("data-follows")) {
    lookLater.timer = setTimeout(refresh, LATER_MS);
  }
}

function prepare() {
  by("print")?.addEventListener("click", () => print());
  by("order-form")?.addEventListener("submit", (event) => {
    const pay = by("pay");
    if (pay.classList.contains("busy")) { event.preventDefault(); return; }
    pay.classList.add("busy");
    // Whoever stopped the page may send it again: its key makes one payment of both.
    setTimeout(() => pay.classList.remove("busy"), BUSY_MS);
  });
}

prepare();
lookLater();
follow();
addEventListener("pageshow", (event) => {
  if (!event.persisted) return;
  by("pay")?.classList.remove("busy");
  refresh();
});
